//! The demo leaves the terminal as it found it, whichever way it ends.

use super::common::binary;
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
};
use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The whole demo takes half a minute; it gives itself 85 seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// A terminal: the end where a person sits, and the end that a program gets.
struct Terminal {
    person: Option<File>,
    program: OwnedFd,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let program = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        // A setting of its own: what is restored is what was there, and no default.
        let mut modes = tcgetattr(&program).unwrap();
        modes.local_modes.remove(LocalModes::ECHOK);
        tcsetattr(&program, OptionalActions::Now, &modes).unwrap();
        Self { person: Some(File::from(person)), program, shown: Arc::default() }
    }

    /// Reads what is shown, so that nothing waits for a person who does not look.
    fn watch(&self) {
        let (mut person, shown) = (self.person.as_ref().unwrap().try_clone().unwrap(), self.shown.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = person.read(&mut buffer) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
    }

    fn modes(&self) -> String {
        let Termios { input_modes, output_modes, control_modes, local_modes, special_codes, .. } =
            tcgetattr(&self.program).unwrap();
        format!("{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?} {special_codes:?}")
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.program).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }
}

fn demo(dir: &tempfile::TempDir, input: &Terminal, output: &Terminal, errors: &Terminal) -> Child {
    let end = |terminal: &Terminal| terminal.program.try_clone().unwrap();
    binary(dir.path()).arg("demo").stdin(end(input)).stdout(end(output)).stderr(end(errors)).spawn().unwrap()
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "this did not come: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Plays the demo on a terminal, does `leave` once it reads keys, waits for its last words and compares the terminal
/// before and after.
fn check(what: &str, words: &str, leave: impl FnOnce(&mut Terminal, &Child)) -> ExitStatus {
    let (dir, mut terminal) = (tempfile::tempdir().unwrap(), Terminal::new());
    terminal.watch();
    let before = terminal.modes();
    let mut child = demo(&dir, &terminal, &terminal, &terminal);
    until("raw mode", || terminal.is_raw() || child.try_wait().unwrap().is_some());
    assert!(terminal.is_raw(), "{what}: it ended before it read a key:\n{}", terminal.shown());
    leave(&mut terminal, &child);
    until(what, || child.try_wait().unwrap().is_some());
    assert_eq!(terminal.modes(), before, "{what}:\n{}", terminal.shown());
    // The reader of the screen may be behind.
    until(words, || terminal.shown().contains(words));
    child.wait().unwrap()
}

fn press(terminal: &mut Terminal, key: &[u8]) {
    terminal.person.as_mut().unwrap().write_all(key).unwrap();
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

#[test]
fn the_terminal_is_given_back_when_the_viewer_or_a_signal_ends_the_demo() {
    const STOPPED: &str = "nothing was sent to anybody";
    assert_eq!(check("q", STOPPED, |terminal, _| press(terminal, b"q")).code(), Some(2));
    assert_eq!(check("Ctrl-C", STOPPED, |terminal, _| press(terminal, b"\x03")).code(), Some(2));
    for name in ["TERM", "INT", "HUP", "QUIT"] {
        assert_eq!(check(name, STOPPED, |_, child| signal(child, name)).code(), Some(2), "{name}");
    }
}

#[test]
fn the_terminal_is_given_back_at_the_demos_own_end() {
    assert!(check("the end", "verified: consistent in itself", |_, _| {}).success());
}

#[test]
fn the_terminal_is_given_back_when_the_demo_can_not_be_shown() {
    let (dir, keys, mut output) = (tempfile::tempdir().unwrap(), Terminal::new(), Terminal::new());
    let before = keys.modes();
    let mut child = demo(&dir, &keys, &output, &keys);
    keys.watch();
    until("raw mode", || keys.is_raw() || child.try_wait().unwrap().is_some());
    // The screen is gone: whatever is printed next fails, and what is under way is unwound.
    drop(output.person.take());
    until("the end", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(74), "{}", keys.shown());
    assert_eq!(keys.modes(), before, "{}", keys.shown());
}
