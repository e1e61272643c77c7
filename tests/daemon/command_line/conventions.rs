//! What every command does alike: files, `-`, closed pipes, JSON, widths, words of errors.

use super::{SMALLEST, smallest};
use crate::common::{self, Setup};
use serde_json::Value;
use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Output, Stdio},
};

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn what_people_wrote_on_is_never_overwritten_unasked() {
    let daemon = smallest();
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    let path = daemon.dir.path().join("pm.md");
    let file = path.to_str().unwrap();
    assert!(daemon.cli(&["postmortem", "1", "--out", file]).status.success());
    std::fs::write(&path, "what we learned").unwrap();
    let refused = daemon.cli(&["postmortem", "1", "--out", file]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused).contains("pm.md is there already"), "{}", words(&refused));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "what we learned");
    assert!(daemon.cli(&["postmortem", "1", "--out", file, "--force"]).status.success());
    assert!(std::fs::read_to_string(&path).unwrap().contains("INC-1"));
    let printed = daemon.cli(&["postmortem", "1", "--out", "-"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("INC-1"), "{}", words(&printed));
    assert!(!daemon.dir.path().join("-").exists(), "no file is named -");
    assert_eq!(daemon.json(&["postmortem", "1"])["incident"]["id"], "INC-1");
}

#[test]
fn a_picture_is_not_overwritten_either_and_may_be_printed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.svg");
    let simulate = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stentor"));
        command.args(["simulate", "nobody-awake", "--runs", "20"]).args(more).current_dir(common::root());
        command.output().unwrap()
    };
    let file = path.to_str().unwrap();
    simulate(&["--svg", file]);
    let drawn = std::fs::read_to_string(&path).unwrap();
    assert!(words(&simulate(&["--svg", file])).contains("x.svg is there already"));
    let printed = simulate(&["--svg", "-"]);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), drawn, "the picture and nothing else");
}

#[test]
fn completions_into_a_closed_pipe_do_not_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stentor"));
    let closed = command.args(["completions", "bash"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(closed.status.code(), Some(141), "{}", words(&closed));
    assert!(closed.stderr.is_empty(), "{}", words(&closed));
}

#[test]
fn an_export_ends_with_its_reader_like_everything_that_is_printed_and_names_what_it_can_not_write() {
    let daemon = smallest();
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    let export = |to: Stdio, more: &[&str]| {
        let mut command = daemon.command(&[&["journal", "export"], more].concat());
        command.stdout(to).stderr(Stdio::piped()).output().unwrap()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = export(writer.into(), &[]);
    assert_eq!(closed.status.code(), Some(141), "{}", words(&closed));
    assert!(closed.stderr.is_empty(), "{}", words(&closed));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (told, output) in [
        ("standard output can not be written", export(full.into(), &[])),
        ("/dev/full can not be written", export(Stdio::piped(), &["-o", "/dev/full", "--force"])),
    ] {
        assert_eq!(output.status.code(), Some(74), "{}", words(&output));
        assert!(words(&output).contains(told), "{told}: {}", words(&output));
    }
}

#[test]
fn what_environments_write_for_yes_is_a_yes() {
    for yes in ["1", "true", "yes"] {
        let daemon = Setup::new(SMALLEST).env("STENTOR_SANDBOX", yes).start();
        assert!(daemon.cli(&["incidents"]).status.success());
    }
}

#[test]
fn an_error_names_the_file_that_it_is_about() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("matrix")).unwrap();
    std::fs::write(dir.path().join("matrix/m.toml"), SMALLEST).unwrap();
    for (name, text) in [("empty.json", ""), ("bad.json", "{"), ("list.json", "[]"), ("kindless.json", "{}")] {
        std::fs::write(dir.path().join(name), text).unwrap();
        let told = common::binary(dir.path()).args(["explain", "--alert", name]).output().unwrap();
        assert_eq!(told.status.code(), Some(2));
        assert!(words(&told).contains(name), "{name}: {}", words(&told));
    }
    let told = common::binary(dir.path()).args(["scenario", "check", "nowhere.toml"]).output().unwrap();
    assert!(words(&told).contains("nowhere.toml"), "{}", words(&told));
    let told = common::binary(dir.path()).args(["simulate", "nowhere"]).output().unwrap();
    let told = words(&told);
    assert!(told.contains("neither a file nowhere here nor ") && told.contains("matrix/drills/nowhere.toml"), "{told}");
    let empty = tempfile::tempdir().unwrap();
    for command in ["check", "serve"] {
        let told = common::binary(empty.path()).arg(command).output().unwrap();
        assert!(words(&told).contains("begin one with `stentor init`"), "{}", words(&told));
    }
}

/// Somebody whom the daemon's folder is closed to is told so, and not to start a second daemon.
#[test]
fn a_socket_that_may_not_be_used_is_no_missing_daemon() {
    let daemon = smallest();
    let state = daemon.state();
    let closed = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
    };
    closed(&state);
    closed(daemon.dir.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_stentor"));
    command.args(["incidents", "--socket"]).arg(state.join("stentor.sock")).env_clear().current_dir("/");
    // Root may enter everything: then it is asked as nobody, and where that can not run the program, by a copy that can.
    let copy = std::env::temp_dir().join(format!("stentor-of-nobody-{}", std::process::id()));
    if rustix::process::geteuid().is_root() {
        std::fs::copy(env!("CARGO_BIN_EXE_stentor"), &copy).unwrap();
        command = Command::new(&copy);
        command.args(["incidents", "--socket"]).arg(state.join("stentor.sock")).env_clear().current_dir("/");
        command.uid(65534).gid(65534);
    } else {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let told = command.output();
    let _ = std::fs::remove_file(&copy);
    closed(&state);
    let told = words(&told.unwrap());
    assert!(told.contains("permission denied") && !told.contains("no daemon answers"), "{told}");
}

#[test]
fn man_pages_say_environment_files_and_exit_status_and_there_is_one_of_the_matrix() {
    let dir = tempfile::tempdir().unwrap();
    let man = dir.path().join("man");
    let output = common::binary(dir.path()).args(["man", man.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let page = |name: &str| std::fs::read_to_string(man.join(name)).unwrap();
    let mut pages = 0;
    for entry in std::fs::read_dir(&man).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".1") {
            pages += 1;
            for section in ["ENVIRONMENT", "FILES", "\"EXIT STATUS\""] {
                assert!(
                    page(&name).contains(&format!(".SH {section}"))
                        || page(&name).contains(&format!(".SH \"{section}\"")),
                    "{name}: {section}"
                );
            }
        }
    }
    assert!(20 < pages, "{pages}");
    assert!(
        page("stentor-serve.1").contains("STENTOR_SANDBOX") && !page("stentor-check.1").contains("STENTOR_SANDBOX")
    );
    let matrix = page("stentor-matrix.5");
    for key in ["\\fBproof_max_age\\fR", "\\fBhandoff\\fR", "\\fBengaged_by\\fR"] {
        assert!(matrix.contains(key), "{key}");
    }
}

#[test]
fn an_alert_that_no_trigger_can_judge_names_the_incident_of_the_catch_all_and_is_no_success() {
    let caught = format!("{SMALLEST}\n[catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n");
    for (matrix, told) in
        [(caught.as_str(), "the catch-all is paged instead: `stentor show INC-1`"), (SMALLEST, "nobody is paged")]
    {
        let daemon = Setup::new(matrix).start();
        let fired = daemon.cli(&["fire", "price_velocity"]);
        assert_eq!(fired.status.code(), Some(1), "{}", words(&fired));
        assert!(words(&fired).contains(told), "{}", words(&fired));
        let fired = daemon.cli(&["fire", "nothing"]);
        assert_eq!((fired.status.code(), words(&fired).contains("no trigger matches it")), (Some(1), true));
        assert_eq!(daemon.cli(&["fire", "price_velocity", "--value", "drop_pct=6"]).status.code(), Some(0));
    }
}

#[test]
fn a_drill_that_is_broken_off_may_be_told_as_json() {
    let daemon = smallest();
    let refused = daemon.cli(&["drill", "abort", "DR-1", "--json"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    let none: Value = serde_json::from_slice(&daemon.cli(&["drill", "history", "--json"]).stdout).unwrap();
    assert_eq!(none, serde_json::json!([]));
}

#[test]
fn a_mistyped_kind_or_number_of_lines_is_told_with_what_was_meant() {
    let daemon = smallest();
    let told = daemon.cli(&["fire", "price_velocty"]);
    assert_eq!(told.status.code(), Some(1));
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(said.contains("no trigger has the kind `price_velocty`: did you mean `price_velocity`?"), "{said}");
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    let told = daemon.cli(&["show", "1", "--last", "0"]);
    assert!(told.status.code() == Some(2) && words(&told).contains("at least one line"), "{}", words(&told));
}
