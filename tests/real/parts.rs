//! Programs of others: whether they are here, on which ports, how they end.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::File,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a condition may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where Debian puts programs that are not on everybody's path.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/usr/lib/kannel/test"];

/// Ports below those that the kernel hands out to clients by itself.
const PORTS: (u16, u16) = (20_000, 10_000);

/// A program and the Debian package that it comes with.
#[derive(Clone, Copy)]
pub struct Part(pub &'static str, pub &'static str);

/// Whether a test must be left out. Says which part it lacks, past the test runner's capture.
pub fn missing(needed: &[Part]) -> bool {
    let lacking: Vec<&Part> = needed.iter().filter(|part| program(part.0).is_none()).collect();
    let names: Vec<&str> = lacking.iter().map(|part| part.0).collect();
    let packages: Vec<&str> = lacking.iter().map(|part| part.1).collect();
    let remedy = format!("apt-get install {}", packages.join(" "));
    !lacking.is_empty() && skipped(&names.join(", "), &remedy)
}

/// Says that something is missing; a failure where everything must be there. Always true.
pub fn skipped(what: &str, remedy: &str) -> bool {
    let line = format!("SKIPPED: {what} is missing: {remedy}");
    assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
    let _ = writeln!(std::io::stderr(), "{line}");
    true
}

/// Where a program is.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A command of a program that [`missing`] has found.
pub fn command(name: &str) -> Command {
    Command::new(program(name).unwrap_or_else(|| name.into()))
}

/// A port of loopback where nobody listens. Each is given out once in a process.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let (first, count) = PORTS;
    // Test binaries that run at the same time begin at different places.
    let start = process::id().wrapping_mul(97) % u32::from(count);
    for _ in 0..count {
        let offset = (start + u32::from(GIVEN.fetch_add(1, Ordering::Relaxed))) % u32::from(count);
        let port = first + u16::try_from(offset).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port of loopback is free");
}

/// Looks until there is something to see.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        thread::sleep(Duration::from_millis(25));
    }
}

/// A running part. It is ended when it is dropped; where a test panics, its last words are shown.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with both outputs in `log`.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> Self {
        let out = File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        Self::of(name, child, log)
    }

    /// Takes over a child that was started elsewhere.
    pub fn of(name: &'static str, child: Child, log: &Path) -> Self {
        Self { name, child, log: log.to_owned() }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has got ready; a part that ends instead is a failure with its log.
    pub fn ready<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> T {
        let name = self.name;
        until(name, || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{name} ended ({status}):\n{}", self.log());
            }
            look()
        })
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and SIGKILL to those who do not listen.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(30)..].join("\n");
            eprintln!("--- the last of {}:\n{last}", self.name);
        }
    }
}
