//! The unit that ships, and what the daemon says to systemd. What needs a running systemd as PID 1 (credentials handed
//! over, the sandbox itself) is not run here.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

use crate::common;

use common::{Setup, binary, root};
use std::{
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// systemd's tool, or the word why there is none.
fn analyze() -> Option<Command> {
    if Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status().is_ok() {
        return Some(Command::new("systemd-analyze"));
    }
    assert!(std::env::var_os("STENTOR_REAL").is_none(), "systemd-analyze is missing: apt-get install systemd");
    println!("SKIPPED: systemd-analyze is missing: apt-get install systemd");
    None
}

/// The unit with this build's binary in place of the installed one.
fn unit(dir: &std::path::Path) -> PathBuf {
    let text = std::fs::read_to_string(root().join("systemd/stentor.service")).unwrap();
    let path = dir.join("stentor.service");
    std::fs::write(&path, text.replace("/usr/bin/stentor", env!("CARGO_BIN_EXE_stentor"))).unwrap();
    path
}

#[test]
fn the_unit_verifies_in_silence() {
    let Some(mut analyze) = analyze() else { return };
    let dir = tempfile::tempdir().unwrap();
    let output = analyze.args(["verify", "--man=no"]).arg(unit(dir.path())).output().unwrap();
    // It exits with 0 on unknown keys: only silence is good.
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.is_empty(), "{words}");
}

#[test]
fn the_unit_is_exposed_by_one_and_a_half_at_most() {
    let Some(mut analyze) = analyze() else { return };
    let dir = tempfile::tempdir().unwrap();
    let output = analyze.args(["security", "--offline=true", "--threshold=15"]).arg(unit(dir.path())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_watchdog_is_fed_while_the_loops_turn_and_the_stop_is_announced() {
    let setup = Setup::new("");
    let dir = setup.dir.path();
    let path = dir.join("watchdog.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut daemon = binary(dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--sandbox"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "10000000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    let mut stopping = false;
    while let Ok(read) = socket.recv(&mut buffer) {
        let words = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if words.contains("WATCHDOG=1") && !stopping {
            stopping = true;
            Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status().unwrap();
        }
        let last = words.contains("STOPPING=1");
        heard.push(words);
        if last {
            break;
        }
    }
    assert!(daemon.wait().unwrap().success());
    let all = heard.join("\n");
    for word in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
        assert!(all.contains(word), "{word} is missing in:\n{all}");
    }
}

#[test]
fn a_reload_is_announced_and_ended() {
    let setup = Setup::new("");
    let dir = setup.dir.path();
    let path = dir.join("reload.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut daemon = binary(dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--sandbox"])
        .env("NOTIFY_SOCKET", &path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut buffer = [0; 4096];
    let mut next = || {
        let read = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    };
    assert!(next().contains("READY=1"));
    Command::new("kill").args(["-HUP", &daemon.id().to_string()]).status().unwrap();
    assert!(next().contains("RELOADING=1"));
    assert!(next().contains("READY=1"));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
