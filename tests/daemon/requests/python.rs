//! The example that asks people in a few lines of Python.

use super::{ANA, Daemon, matrix, sandboxed_on, secret, text};
use crate::{common::root, house::eventually};
use std::process::{Command, Output};

/// What the gate says while somebody chooses by this letter; none where there is no Python.
fn gate(daemon: &Daemon, key: &str, letter: &str) -> Option<Output> {
    let script = root().join("examples/python/approval_gate.py");
    let mut command = Command::new("python3");
    command.arg(script).args(["Restart the gateway?", r#"{"restart": "gateway"}"#, key]);
    command.env("STENTOR_URL", daemon.url("")).env("STENTOR_TOKEN", secret("MONITOR_TOKEN"));
    let before = daemon.incidents().len();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| command.output().ok());
        let opened = eventually("the question, or its end", || match daemon.incidents() {
            incidents if before < incidents.len() => Some(Some(incidents[0]["id"].as_str().unwrap().to_owned())),
            _ => asking.is_finished().then_some(None),
        });
        if let Some(incident) = opened.filter(|_| !letter.is_empty()) {
            let code = daemon.held(&incident, "ana", "sms").code;
            text(daemon, ANA, &format!("{code} {letter}"));
        }
        asking.join().unwrap()
    })
}

#[test]
fn the_gate_opens_for_an_approval_alone() {
    let daemon = sandboxed_on(&matrix("after = \"5m\"").replace("order_kill", "agent_change"));
    let Some(approved) = gate(&daemon, "k1", "A") else { return println!("SKIPPED: there is no python3") };
    assert_eq!(approved.status.code(), Some(0), "{approved:?}");
    assert_eq!(String::from_utf8_lossy(&approved.stdout).trim(), r#"{"restart": "gateway"}"#);
    let denied = gate(&daemon, "k2", "B").unwrap();
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    // After a crash: the outcome, and nobody is asked.
    assert_eq!(gate(&daemon, "k1", "").unwrap().status.code(), Some(0));
    assert_eq!(daemon.incidents().len(), 2);
}

#[test]
fn the_guide_shows_the_gate_as_it_is() {
    let script = std::fs::read_to_string(root().join("examples/python/approval_gate.py")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/src/agents.md")).unwrap();
    let (_, gate) = script.split_once("def approved").unwrap();
    let gate = gate.split("\n\n\n").next().unwrap();
    assert!(page.contains(&format!("def approved{gate}")), "docs/src/agents.md shows another one");
}
