//! The post-mortem of a live incident: a change of the matrix that would have helped, or why none is proposed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use crate::common;

use common::{Daemon, Setup};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

/// How long the daemon may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that takes every SMS, as Kannel does. It ends with the test's process.
fn gateway() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().take(100).flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let body = "0: Accepted for delivery";
            let _ = write!(
                stream,
                "HTTP/1.1 202 Accepted\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn matrix(target: &str, gateway: SocketAddr) -> String {
    format!(
        r#"
[channel.sms]
kind = "kannel"
url = "http://{gateway}/cgi-bin/sendsms"
username = "stentor"
password = {{ env = "KANNEL_PASSWORD" }}

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[person.bo]
name = "Bo Lind"
phone = "+447700900012"

[role.trader]
{target}
step = [{{ page = ["ana"], by = ["sms"], wait = "10m" }}]

[role.head]
step = [{{ page = ["bo"], by = ["sms"], wait = "10m" }}]

[trigger.crash]
on = ["crash"]
when = 'alert.values.drop_pct >= 5.0'
roles = ["trader"]
"#
    )
}

/// A crisis to which Ana, who had been reached, said nothing; it was resolved by hand.
fn unanswered(target: &str) -> Daemon {
    crisis(Setup::new(&matrix(target, gateway())).env("KANNEL_PASSWORD", "secret-of-the-gateway"), "accepted")
}

fn crisis(setup: Setup, state: &str) -> Daemon {
    let daemon = setup.start();
    assert!(daemon.cli(&["fire", "crash", "--value", "drop_pct=7.5"]).status.success());
    let deadline = Instant::now() + PATIENCE;
    while daemon.json(&["show", "INC-1"])["incident"]["pages"][0]["state"] != state {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
    daemon
}

fn postmortem(daemon: &Daemon) -> String {
    let output = daemon.cli(&["postmortem", "INC-1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_target_that_was_missed_gives_a_change_that_would_have_helped() {
    let text = postmortem(&unanswered("target = { within = \"5m\", percent = 50 }"));
    let changed: Vec<&str> = text.lines().filter(|line| line.starts_with("+step")).collect();
    assert!(changed.iter().any(|line| line.contains("\"bo\"")), "somebody who answers is added: {text}");
}

/// Ana takes it in time and gives it back; nobody takes it again. Played with her, nothing would have been wrong.
#[test]
fn who_handed_it_back_is_not_there_when_it_is_played_again() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let target = "target = { within = \"5m\", percent = 50 }";
    let matrix =
        matrix(target, gateway()).replace("name = \"Ana Ruiz\"", &format!("name = \"Ana Ruiz\"\nunix = \"{me}\""));
    let daemon = Setup::new(&matrix).env("KANNEL_PASSWORD", "secret-of-the-gateway").start();
    assert!(daemon.cli(&["fire", "crash", "--value", "drop_pct=7.5"]).status.success());
    for answer in ["wilco", "unable"] {
        assert!(daemon.cli(&["answer", "INC-1", answer]).status.success());
    }
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
    let text = postmortem(&daemon);
    assert!(text.contains("Ana Ruiz had trader from "), "{text}");
    let changed: Vec<&str> = text.lines().filter(|line| line.starts_with("+step")).collect();
    assert!(changed.iter().any(|line| line.contains("\"bo\"")), "somebody who can is added: {text}");
}

#[test]
fn without_a_target_there_is_nothing_to_hold_it_against_and_that_is_said() {
    let text = postmortem(&unanswered(""));
    assert!(
        !text.contains("+step") && text.contains("None was tried: no role of this incident has a target"),
        "{text}"
    );
}

#[test]
fn what_was_kept_in_the_sandbox_is_no_evidence_that_a_change_would_have_helped() {
    let target = "target = { within = \"5m\", percent = 50 }";
    let text = postmortem(&crisis(Setup::new(&matrix(target, gateway())).arg("--sandbox"), "sandbox"));
    assert!(
        !text.contains("+step") && text.contains("None was tried: pages of this incident were kept in the sandbox"),
        "{text}"
    );
    for words in ["(SANDBOX)", "Why did Ana Ruiz not answer", "accepted +"] {
        assert_eq!(text.contains(words), words == "(SANDBOX)", "{words}:\n{text}");
    }
}

/// Only time passes after the page: no line of the journal is later than the target.
#[test]
fn an_open_role_whose_target_has_passed_is_late_in_every_table() {
    let matrix = matrix("target = { within = \"1s\", percent = 50 }", gateway());
    let daemon = Setup::new(&matrix).env("KANNEL_PASSWORD", "secret-of-the-gateway").start();
    assert!(daemon.cli(&["fire", "crash", "--value", "drop_pct=7.5"]).status.success());
    let deadline = Instant::now() + PATIENCE;
    while daemon.json(&["show", "INC-1"])["incident"]["roles"][0]["in_time"] != false {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let shown = String::from_utf8(daemon.cli(&["show", "INC-1"]).stdout).unwrap();
    let row = shown.lines().find(|line| line.trim_start().starts_with("trader ")).unwrap_or_default();
    assert!(row.trim_end().ends_with(" no"), "{shown}");
    let text = postmortem(&daemon);
    assert!(text.contains("| **no** |") && !text.contains("was engaged within it"), "{text}");
}
