//! Without a daemon a state folder is read and not touched: to examine it changes nothing.

use super::common::{Daemon, Setup, binary};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const MATRIX: &str = super::command::MATRIX;

/// Everything that reads a state folder.
const READS: &[&[&str]] = &[
    &["journal", "verify"],
    &["journal", "verify", "--json"],
    &["journal", "export"],
    &["report", "tte"],
    &["report", "triggers"],
    &["postmortem", "INC-1"],
    &["store", "quarantine", "list", "--all"],
    &["doctor"],
];

/// The hash of each file, by its name; sockets have none.
pub fn hashes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let content = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            (path, Sha256::digest(content).to_vec())
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Runs a command on a state folder, with a folder for temporary files.
fn read(daemon: &Daemon, state: &Path, temp: &Path, arguments: &[&str]) -> Output {
    let mut command = binary(daemon.dir.path());
    command.arg("--state").arg(state).args(arguments).env("TMPDIR", temp).output().unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// A folder with an incident; one whose daemon was killed has the log that it had not written back.
fn folder(killed: bool) -> (Daemon, PathBuf) {
    let mut daemon = Setup::new(MATRIX).start();
    super::command::fire(&daemon, "A");
    if killed {
        daemon.kill();
    } else {
        assert!(daemon.stop());
    }
    let state = daemon.state();
    let log = std::fs::metadata(state.join("stentor.db-wal")).map_or(0, |meta| meta.len());
    assert_eq!(killed, 0 < log, "a log of {log} bytes");
    (daemon, state)
}

#[test]
fn what_reads_a_folder_leaves_every_file_as_it_was() {
    for killed in [false, true] {
        let (daemon, state) = folder(killed);
        let temp = daemon.dir.path().join("temp");
        std::fs::create_dir(&temp).unwrap();
        let before = hashes(&state);
        for arguments in READS {
            let output = read(&daemon, &state, &temp, arguments);
            assert_eq!(hashes(&state), before, "{arguments:?}, killed: {killed}: {}", said(&output));
            assert!(output.status.code() < Some(2), "{arguments:?}: {}", said(&output));
            assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "{arguments:?} leaves its copy");
        }
        let verified = said(&read(&daemon, &state, &temp, &["journal", "verify"]));
        assert!(verified.contains("0 fault(s)") && !verified.starts_with("0 line(s)"), "{verified}");
        // The database alone, as an examiner is given it.
        let alone = daemon.dir.path().join("alone");
        std::fs::create_dir(&alone).unwrap();
        for name in ["stentor.db", "stentor.db-wal"] {
            let _ = std::fs::copy(state.join(name), alone.join(name));
        }
        let before = hashes(&alone);
        assert_eq!(said(&read(&daemon, &alone, &temp, &["journal", "verify"])), verified);
        assert_eq!(hashes(&alone), before);
    }
}

#[test]
fn where_a_copy_is_needed_and_can_not_be_made_it_is_said() {
    let (daemon, state) = folder(true);
    let before = hashes(&state);
    let output = read(&daemon, &state, &daemon.dir.path().join("nowhere"), &["journal", "verify"]);
    let words = said(&output);
    assert!(output.status.code() == Some(2) && words.contains("left a log") && words.contains("TMPDIR"), "{words}");
    assert_eq!(hashes(&state), before);
}

#[test]
fn a_daemon_and_a_reader_keep_each_other_out() {
    let daemon = Setup::new(MATRIX).start();
    let temp = daemon.dir.path();
    std::fs::remove_file(daemon.state().join("stentor.sock")).unwrap();
    let output = read(&daemon, &daemon.state(), temp, &["journal", "verify"]);
    let (words, pid) = (said(&output), format!("process {}", daemon.pid()));
    assert!(output.status.code() == Some(2) && words.contains(&pid), "{words}");
}

#[test]
fn a_mount_that_can_not_be_written_is_read() {
    for killed in [false, true] {
        let (daemon, state) = folder(killed);
        let at = daemon.dir.path().join("mount");
        std::fs::create_dir(&at).unwrap();
        let mount = |arguments: &[&str]| {
            let done = Command::new("mount").args(arguments).arg(&at).output();
            done.is_ok_and(|done| done.status.success())
        };
        if !mount(&["-t", "tmpfs", "-o", "size=64m", "tmpfs"]) {
            println!("SKIPPED: mounting a tmpfs needs root");
            return;
        }
        copy(&state, &at);
        let read_only = mount(&["-o", "remount,ro"]);
        let outputs: Vec<_> = READS.iter().map(|what| (what, read(&daemon, &at, daemon.dir.path(), what))).collect();
        let is_written = std::fs::write(at.join("probe"), "x").is_ok();
        let _ = Command::new("umount").arg("-l").arg(&at).output();
        assert!(read_only && !is_written);
        for (arguments, output) in outputs {
            assert!(output.status.code() < Some(2), "{arguments:?}, killed: {killed}: {}", said(&output));
        }
    }
}
