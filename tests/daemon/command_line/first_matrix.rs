//! `stentor init`: three answers make a matrix that works.

use crate::common::{self, Setup};
use std::{io::Write, process::Stdio};

const ANSWERS: [&str; 6] = ["--person", "Ana Ruiz", "--then", "Bo Lind", "--kind", "price_velocity"];

#[test]
fn three_answers_as_options_make_a_matrix_that_pages() {
    let setup = Setup::new("");
    let dir = setup.dir.path();
    std::fs::remove_dir_all(dir.join("matrix")).unwrap();
    let made = common::binary(dir).arg("init").args(ANSWERS).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(made.stderr.is_empty(), "no warning: {}", String::from_utf8_lossy(&made.stderr));
    let written = std::fs::read_to_string(dir.join("matrix/matrix.toml")).unwrap();
    let again = common::binary(dir).arg("init").args(ANSWERS).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("matrix.toml is there already"));
    assert_eq!(std::fs::read_to_string(dir.join("matrix/matrix.toml")).unwrap(), written);
    let daemon = setup.start();
    let fired = daemon.json(&["fire", "price_velocity"]);
    assert_eq!(fired["alerts"][0]["incidents"][0], "INC-1");
    assert_eq!(daemon.json(&["show", "1"])["incident"]["pages"][0]["person"], "ana");
    // The person who set it up may answer at once.
    let answered = daemon.cli(&["answer", "1", "wilco"]);
    assert!(answered.status.success(), "{}", String::from_utf8_lossy(&answered.stderr));
}

#[test]
fn what_is_not_given_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = common::binary(dir.path());
    let mut child = command.arg("init").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Ana Ruiz\n\nHostDown\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("Who is paged first?"), "{told}");
    assert!(told.contains("Enter for Ana Ruiz again"), "{told}");
    let written = std::fs::read_to_string(dir.path().join("matrix/matrix.toml")).unwrap();
    assert!(written.contains("[\"HostDown\"]") && written.contains("page = [\"ana\"]"), "{written}");
}

#[test]
fn where_nobody_can_be_asked_the_missing_option_is_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let output = common::binary(dir.path()).args(["init", "--person", "Ana Ruiz"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--then"));
    assert!(!dir.path().join("matrix").exists());
}
