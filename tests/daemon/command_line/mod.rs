//! The command line against the real daemon.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod assess;
mod conventions;
mod first_matrix;
mod import;
mod long_incident;
mod receipt;
mod reload;
mod table;
mod tables;
mod watch;
mod why;

use crate::common;

use common::{Daemon, Setup};
use serde_json::Value;

const SMALLEST: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.flash-crash]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
roles = ["trader"]
"#;

fn smallest() -> Daemon {
    Setup::new(SMALLEST).start()
}

#[test]
fn an_alert_by_hand_opens_an_incident_that_can_be_shown_and_resolved() {
    let mut daemon = smallest();
    let fired = daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    assert_eq!(fired["alerts"][0]["incidents"][0], "INC-1");
    let shown = daemon.json(&["show", "INC-1"]);
    assert_eq!(shown["incident"]["roles"][0]["role"], "trader");
    assert_eq!(shown["incident"]["roles"][0]["state"], "paging");
    assert!(daemon.cli(&["resolve", "1"]).status.success());
    let board: Value = daemon.json(&["incidents", "--all"]);
    assert_eq!(board[0]["status"], "resolved");
    assert!(daemon.cli(&["journal", "verify"]).status.success());
    assert!(daemon.stop());
    // Without a daemon the journal is read from the folder.
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn a_clean_stop_and_a_restart_lose_nothing() {
    let mut daemon = smallest();
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    assert!(daemon.stop());
    daemon.restart();
    assert_eq!(daemon.json(&["incidents"])[0]["id"], "INC-1");
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused_in_clear_words() {
    let daemon = smallest();
    let output = common::binary(daemon.dir.path()).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(words.contains("another stentor"), "{words}");
}

#[test]
fn explain_shows_what_is_suggested_before_anybody_is_paged() {
    let on = "on    = [\"price_velocity\"]\n";
    let setup =
        Setup::new(&SMALLEST.replace(on, &format!("{on}actions = [{{ text = \"STOP the algo\", then = \"x\" }}]\n")));
    std::fs::write(setup.dir.path().join("a.json"), r#"{ "kind": "price_velocity", "values": { "drop_pct": 6 } }"#)
        .unwrap();
    let explain = |more: &[&str]| {
        let output =
            common::binary(setup.dir.path()).args(["explain", "--alert", "a.json"]).args(more).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = explain(&[]);
    assert!(
        told.contains("  suggested: A  STOP the algo: x\n") && told.contains("  | A  STOP the algo: x\n"),
        "{told}"
    );
    assert!(!told.contains("That time is past"), "{told}");
    let past = explain(&["--at", "2020-01-01T00:00:00Z"]);
    assert!(past.contains("That time is past"), "{past}");
    let preview: Value = serde_json::from_str(&explain(&["--json"])).unwrap();
    let actions = serde_json::json!([{ "letter": "A", "text": "STOP the algo", "then": "x" }]);
    assert_eq!(preview[0]["preview"]["actions"], actions);
}

#[test]
fn explain_reads_an_alert_as_the_api_does_and_knows_its_source() {
    let limited = SMALLEST.replace("roles = [", "sources = [\"monitor\"]\nroles = [");
    let setup = Setup::new(&format!("{limited}\n[source.monitor]\ntoken = {{ env = \"MONITOR\" }}\n"));
    let alert = r#"[{ "kind": "price_velocity", "source": "monitor", "values": { "drop_pct": "6.2%" }, "labels": { "k": 7 } }]"#;
    std::fs::write(setup.dir.path().join("a.json"), alert).unwrap();
    let mut command = common::binary(setup.dir.path());
    let output =
        command.args(["explain", "--alert", "a.json"]).env("MONITOR", "0123456789abcdef0123456789abcdef").output();
    let output = output.unwrap();
    let (told, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("trigger flash-crash holds"), "{told}{warned}");
    assert!(warned.contains("it is kept as the number 6.2"), "{warned}");
    // A source that the trigger does not hear, and whose alerts page the catch-all.
    let other = "[source.other]\ntoken = { env = \"MONITOR\" }\nunmatched = \"catch-all\"\n\
        [catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n";
    let both = format!("{limited}\n[source.monitor]\ntoken = {{ env = \"MONITOR_B\" }}\n{other}");
    let setup = Setup::new(&both);
    std::fs::write(setup.dir.path().join("a.json"), alert.replace("\"monitor\"", "\"other\"")).unwrap();
    let output = common::binary(setup.dir.path()).args(["explain", "--alert", "a.json"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted =
        "flash-crash does not look at alerts of source other (`sources`): the catch-all is paged (`unmatched`)";
    assert!(told.contains(wanted), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

/// A verdict that nobody read does not count: a closed pipe never turns it into a yes.
#[test]
fn a_closed_pipe_is_never_a_yes() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = std::process::Command::new(env!("CARGO_BIN_EXE_stentor"))
        .args(["simulate", "nobody-awake", "--runs", "20"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(closed.status.code(), Some(141), "{}", String::from_utf8_lossy(&closed.stderr));
    assert!(closed.stderr.is_empty(), "{}", String::from_utf8_lossy(&closed.stderr));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let full = std::process::Command::new(env!("CARGO_BIN_EXE_stentor"))
        .args(["check"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&full.stderr).contains("could not be written"));
}
