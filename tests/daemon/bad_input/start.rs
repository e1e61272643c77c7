//! Daemons that can not start say why and what to do; commands explain themselves.

use super::{
    common::{Setup, binary},
    house::{DESK, sandboxed, setup},
};
use std::{net::TcpListener, os::unix::fs::PermissionsExt, process::Output};

fn check(what: &str, output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{what}: {said}");
    assert!(output.status.code().is_some_and(|code| code != 101), "{what} panicked: {said}");
    for word in words {
        assert!(said.contains(word), "{what}: {word:?} is not in {said}");
    }
    assert!(!said.contains('\u{1b}'), "{what}: colours where there is no terminal: {said}");
}

#[test]
fn what_keeps_a_daemon_from_starting_is_said_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let run =
        |setup: &Setup, arguments: &[&str]| binary(setup.dir.path()).arg("serve").args(arguments).output().unwrap();
    let port_0 = ["--listen", "127.0.0.1:0"];
    check("a taken port", &run(&setup(DESK), &["--listen", &taken]), &[&taken, "--listen ADDRESS:PORT"]);
    check("no address", &run(&setup(DESK), &["--listen", "nonsense"]), &["nonsense", "--listen ADDRESS:PORT"]);

    let missing = setup(DESK);
    std::fs::remove_dir_all(missing.dir.path().join("matrix")).unwrap();
    check("no matrix", &run(&missing, &port_0), &["can not be read", "--matrix DIR", "stentor demo"]);
    let empty = setup(DESK);
    std::fs::remove_file(empty.dir.path().join("matrix/matrix.toml")).unwrap();
    check("an empty folder", &run(&empty, &port_0), &["matrix", ".toml"]);
    let latin = setup(DESK);
    std::fs::write(latin.dir.path().join("matrix/matrix.toml"), b"# caf\xe9\n").unwrap();
    check("no UTF-8", &run(&latin, &port_0), &["matrix.toml", "UTF-8"]);
    let faulty = setup("[role.trader]\nstepp = []\n");
    check("faults", &run(&faulty, &port_0), &["stepp", "stentor check", "error"]);
    let state = setup(DESK);
    std::fs::write(state.dir.path().join("state"), "a file").unwrap();
    check("a state that is a file", &run(&state, &port_0), &["state"]);
    // Root writes everywhere but where there is no file system to write to.
    let proc = run(&setup(DESK), &["--listen", "127.0.0.1:0", "--state", "/proc/stentor"]);
    check("a state that can not be made", &proc, &["/proc/stentor"]);
    check("an unknown option", &run(&setup(DESK), &["--speed", "9"]), &["--speed"]);
    check("no texts", &run(&setup(DESK), &["--templates", "/nowhere/at/all"]), &["/nowhere/at/all"]);
}

#[test]
fn a_folder_that_its_user_may_not_read_is_said_to_be_so() {
    let locked = setup(DESK);
    let matrix = locked.dir.path().join("matrix");
    std::fs::set_permissions(&matrix, std::fs::Permissions::from_mode(0o000)).unwrap();
    let readable = std::fs::read_dir(&matrix).is_ok();
    let output = locked.fail_or_stop(readable);
    std::fs::set_permissions(&matrix, std::fs::Permissions::from_mode(0o700)).unwrap();
    // As a user who may read everything, this test shows nothing.
    if let Some(output) = output {
        check("a locked folder", &output, &["can not be read", "--matrix DIR"]);
    }
}

trait FailOrStop {
    fn fail_or_stop(&self, readable: bool) -> Option<Output>;
}

impl FailOrStop for Setup {
    fn fail_or_stop(&self, readable: bool) -> Option<Output> {
        (!readable).then(|| self.fail())
    }
}

#[test]
fn every_command_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| binary(dir.path()).args(arguments).output().unwrap();
    let mut commands = vec![vec!["--help"], vec!["--version"], vec!["completions", "bash"], vec!["completions", "zsh"]];
    for command in [
        "serve",
        "check",
        "explain",
        "fire",
        "incidents",
        "show",
        "answer",
        "resolve",
        "desk-link",
        "journal",
        "demo",
        "completions",
        "man",
    ] {
        commands.push(vec![command, "--help"]);
    }
    commands.extend([vec!["journal", "verify", "--help"], vec!["journal", "export", "--help"], vec!["man", "pages"]]);
    for command in commands {
        let output = run(&command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty() || command[0] == "man", "{command:?}");
    }
    assert!(dir.path().join("pages/stentor-serve.1").is_file());
    check("no command", &run(&[]), &["Usage"]);
    check("a wrong command", &run(&["serv"]), &["serve"]);
    check("no daemon", &run(&["incidents"]), &["no daemon answers", "stentor serve"]);
}

#[test]
fn what_prints_facts_prints_them_as_json_too_and_colours_no_pipe() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let alert = daemon.dir.path().join("alert.json");
    std::fs::write(&alert, r#"{"kind":"price_velocity","labels":{"symbol":"ES"},"values":{"drop_pct":7}}"#).unwrap();
    let alert = alert.display().to_string();
    for command in [
        vec!["check"],
        vec!["explain", "--alert", &alert],
        vec!["fire", "price_velocity", "--value", "drop_pct=7", "--label", "symbol=ES"],
        vec!["incidents"],
        vec!["incidents", "--all"],
        vec!["show", &incident],
        vec!["show", &incident, "--pages", "--texts"],
        vec!["desk-link", "ana"],
        vec!["journal", "verify"],
        vec!["resolve", &incident],
    ] {
        daemon.json(&command);
        let plain = daemon.cli(&command);
        assert!(!String::from_utf8_lossy(&plain.stdout).contains('\u{1b}'), "{command:?}");
    }
}
