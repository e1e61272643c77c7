//! Who owns the control socket: a socket in use is never taken over, a dead daemon's is replaced.

use super::common::{Daemon, Setup, binary};
use std::{
    os::unix::{
        fs::{FileTypeExt, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Output,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "1m" }]

[trigger.crash]
on    = ["crash"]
roles = ["trader"]
"#;

/// A folder for sockets, and a daemon's setup whose socket lies there.
fn on(socket: &Path) -> Setup {
    Setup::new(MATRIX).env("STENTOR_SOCKET", &socket.display().to_string())
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("stentor.sock");
    (dir, socket)
}

fn incidents(daemon: &Daemon) -> Output {
    daemon.cli(&["incidents"])
}

/// Says why it does not start, in these words.
fn refused(what: &str, setup: &Setup, words: &[&str]) {
    let output = setup.fail();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {said}");
    for word in words {
        assert!(said.contains(word), "{what}: {word:?} is not in {said}");
    }
}

#[test]
fn a_socket_in_use_is_not_taken_over() {
    let (_dir, socket) = folder();
    let mut first = on(&socket).start();
    assert!(first.cli(&["fire", "crash"]).status.success());
    let (path, pid) = (socket.display().to_string(), first.pid().to_string());
    let sandboxed = on(&socket).arg("--sandbox");
    refused("a second one", &sandboxed, &[&path, &pid, "in use", "--socket PATH"]);
    // The same state, too: its lock says so first, and the socket is left alone.
    let mut command = binary(first.dir.path());
    let output = command.args(["serve", "--listen", "127.0.0.1:0"]).env("STENTOR_SOCKET", &socket).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains(&pid), "{output:?}");
    assert!(incidents(&first).status.success());
    assert!(String::from_utf8_lossy(&incidents(&first).stdout).contains("INC-1"));
    assert!(first.stop());
    assert!(!socket.exists(), "its own socket goes with it");
    drop(sandboxed.start());
}

#[test]
fn what_a_dead_daemon_left_is_replaced() {
    let (_dir, socket) = folder();
    let mut first = on(&socket).start();
    first.kill();
    assert!(socket.exists());
    // Another state on the same socket: nothing but the socket itself says that nobody listens there.
    let mut second = on(&socket).start();
    assert!(incidents(&second).status.success());
    second.kill();
    // One of a version without locks.
    let _ = std::fs::remove_file(&socket);
    let _ = std::fs::remove_file(socket.with_extension("sock.lock"));
    drop(UnixListener::bind(&socket).unwrap());
    assert!(incidents(&on(&socket).start()).status.success());
}

#[test]
fn what_is_no_socket_or_listens_for_somebody_else_is_left_alone() {
    let (dir, socket) = folder();
    let path = socket.display().to_string();
    let listener = UnixListener::bind(&socket).unwrap();
    refused("another program's", &on(&socket), &[&path, "in use", &std::process::id().to_string(), "--socket PATH"]);
    assert!(listener.local_addr().is_ok() && std::os::unix::net::UnixStream::connect(&socket).is_ok());
    drop(listener);
    std::fs::remove_file(&socket).unwrap();

    std::fs::write(&socket, "notes").unwrap();
    refused("a file", &on(&socket), &[&path, "not a socket", "--socket PATH"]);
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "notes");
    std::fs::remove_file(&socket).unwrap();

    std::fs::create_dir(&socket).unwrap();
    refused("a folder", &on(&socket), &[&path, "not a socket"]);
    std::fs::remove_dir(&socket).unwrap();

    let elsewhere = dir.path().join("notes");
    std::fs::write(&elsewhere, "notes").unwrap();
    symlink(&elsewhere, &socket).unwrap();
    refused("a link to a file", &on(&socket), &[&path, "not a socket"]);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "notes");
    std::fs::remove_file(&socket).unwrap();
    refused("no folder", &on(&dir.path().join("nowhere/stentor.sock")), &["nowhere", "--socket PATH"]);
}

#[test]
fn a_socket_that_does_not_listen_yet_is_left_alone() {
    let (_dir, socket) = folder();
    let (kind, flags) = (rustix::net::SocketType::STREAM, rustix::net::SocketFlags::CLOEXEC);
    let bound = rustix::net::socket_with(rustix::net::AddressFamily::UNIX, kind, flags, None).unwrap();
    rustix::net::bind(&bound, &rustix::net::SocketAddrUnix::new(&socket).unwrap()).unwrap();
    refused("a socket that is only bound", &on(&socket), &["in use"]);
    assert!(socket.exists());
    drop(bound);
    assert!(incidents(&on(&socket).start()).status.success());
}

#[test]
fn somebody_elses_file_with_the_name_of_our_lock_is_left_alone() {
    let (dir, socket) = folder();
    let beside = dir.path().join(format!("{}.lock", socket.file_name().unwrap().to_str().unwrap()));
    for notes in ["notes", "4711\n/var/lib/postgresql/data\n", "123456789012345678901234"] {
        std::fs::write(&beside, notes).unwrap();
        refused("notes", &on(&socket), &[".lock", "not a lock file", "--socket PATH"]);
        assert_eq!(std::fs::read_to_string(&beside).unwrap(), notes);
    }
    std::fs::remove_file(&beside).unwrap();
    let elsewhere = dir.path().join("victim");
    std::fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, &beside).unwrap();
    refused("a link", &on(&socket), &[".lock", "--socket PATH"]);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "");
    std::fs::remove_file(&beside).unwrap();
    std::fs::create_dir(&socket).unwrap();
    refused("a folder", &on(&socket), &["not a socket"]);
    assert!(!beside.exists(), "a refused start leaves nothing");
    std::fs::remove_dir(&socket).unwrap();
    std::fs::write(&beside, "4711\n").unwrap();
    assert!(incidents(&on(&socket).start()).status.success(), "one of an earlier daemon");
}

#[test]
fn a_daemon_removes_no_socket_but_its_own() {
    let (_dir, socket) = folder();
    let mut daemon = on(&socket).start();
    std::fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    assert!(daemon.stop());
    assert!(std::fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    drop(listener);
}

#[test]
fn of_several_that_start_at_once_on_one_socket_one_lives() {
    let (_dir, socket) = folder();
    // A dead one's socket lies there, which each of them wants to replace.
    drop(UnixListener::bind(&socket).unwrap());
    let mut started: Vec<_> = (0..6)
        .map(|_| {
            let setup = on(&socket);
            let mut command = binary(setup.dir.path());
            command.args(["serve", "--listen", "127.0.0.1:0"]).env("STENTOR_SOCKET", &socket);
            let child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
            (setup, child)
        })
        .collect();
    let lives = |started: &mut Vec<(Setup, std::process::Child)>| {
        started.iter_mut().filter_map(|(_, child)| child.try_wait().unwrap().is_none().then_some(())).count()
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while 1 < lives(&mut started) {
        assert!(std::time::Instant::now() < until, "several go on");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(lives(&mut started), 1);
    let mut client = binary(started[0].0.dir.path());
    let output = client.arg("incidents").env("STENTOR_SOCKET", &socket).output().unwrap();
    assert!(output.status.success(), "the one that lives has the socket: {output:?}");
    for (_, child) in &mut started {
        let _ = child.kill();
        let _ = child.wait();
    }
}
