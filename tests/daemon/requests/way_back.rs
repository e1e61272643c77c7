//! How the system that asked learns the outcome: by waiting, by a stream that goes on after a restart, by signed events,
//! and by a receipt that others check.

use super::{Daemon, accepted, incident, kill, look, matrix};
use crate::{
    answers::sms::{ANA, text},
    common::{binary, root},
    double::{
        self,
        service::{Manners, Service},
    },
    house::{eventually, sandboxed_on, secret, setup},
    wire::{Call, PATIENCE, Reply},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Command,
};
use stentor::channel::webhook::sign::{SigningKey, verify};

pub const TAKEN: Manners = Manners { yes: (200, ""), no: (400, ""), unwanted: "" };

pub const KEY: &str = "whsec_c3RlbnRvci1yZXF1ZXN0cy1rZXktMzItYnl0ZXMhIQ==";

pub fn get(daemon: &Daemon, id: &Value, rest: &str) -> Reply {
    let path = format!("/v1/requests/{}{rest}", id.as_str().unwrap());
    Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(daemon.address)
}

/// An event of a stream: its id, its name and its data.
pub type StreamEvent = (String, String, Value);

/// A stream that is read while it goes on.
pub struct EventStream(BufReader<TcpStream>);

impl EventStream {
    pub fn open(daemon: &Daemon, id: &Value, after: &str) -> Self {
        let path = format!("/v1/requests/{}/events", id.as_str().unwrap());
        let call = Call::get(&path).bearer(secret("MONITOR_TOKEN")).header("Last-Event-ID", after);
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(call.head(0).as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next event; none at the end of the stream.
    pub fn next(&mut self) -> Option<StreamEvent> {
        let (mut id, mut name) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let field = line.trim_end().split_once(": ");
            match field {
                Some(("id", text)) => id = text.to_owned(),
                Some(("event", text)) => name = text.to_owned(),
                Some(("data", text)) => return Some((id, name, serde_json::from_str(text).unwrap())),
                _ => {}
            }
        }
    }
}

fn names(events: &[StreamEvent]) -> Vec<&str> {
    events.iter().map(|(_, name, _)| name.as_str()).collect()
}

/// The number of the line of an event.
fn number(event: &StreamEvent) -> u64 {
    event.0.split('-').next().unwrap().parse().unwrap()
}

#[test]
fn a_stream_has_every_state_and_goes_on_where_it_was_after_a_restart() {
    let mut daemon = setup(&matrix("approvals = 2, after = \"5m\"")).arg("--sandbox").start();
    let request = accepted(&daemon, &kill());
    let id = &request["id"];
    let (ana, bo) = (daemon.held(incident(&request), "ana", "sms"), daemon.held(incident(&request), "bo", "sms"));
    let mut stream = EventStream::open(&daemon, id, "");
    let opened = stream.next().unwrap();
    assert_eq!((number(&opened), opened.1.as_str(), &opened.2["state"]), (1, "request.opened", &json!("open")));
    text(&daemon, ANA, &format!("{} A", ana.code));
    let chosen = stream.next().unwrap();
    assert_eq!((chosen.1.as_str(), &chosen.2["choices"][0]["person"]), ("request.chosen", &json!("ana")));
    assert!(number(&opened) < number(&chosen), "{chosen:?}");
    daemon.kill();
    assert_eq!(stream.next(), None);
    daemon.restart();
    for unknown in ["9999", "9999-00000000", "1-00000000"] {
        assert_eq!(EventStream::open(&daemon, id, unknown).next(), Some(opened.clone()), "a line that is not there");
    }
    assert_eq!(EventStream::open(&daemon, id, "1").next(), Some(chosen.clone()), "a number alone");
    let mut stream = EventStream::open(&daemon, id, &opened.0);
    assert_eq!(stream.next(), Some(chosen.clone()), "it comes again as it was");
    text(&daemon, super::BO, &format!("{} A", bo.code));
    let rest: Vec<StreamEvent> = std::iter::from_fn(|| stream.next()).collect();
    assert_eq!(names(&rest), ["request.chosen", "request.ended"]);
    assert_eq!(rest[1].2["outcome"], look(&daemon, id, "")["outcome"]);
    // Who has seen all of it must not come again.
    let seen = &rest[1].0;
    let path = format!("/v1/requests/{}/events", id.as_str().unwrap());
    let again = |seen: &str| {
        Call::get(&path).bearer(secret("MONITOR_TOKEN")).header("Last-Event-ID", seen).send(daemon.address).status
    };
    assert_eq!((again(seen), again("soon"), again(&chosen.0)), (204, 400, 200));
    // Who has seen what this journal does not have, as before a backup was restored, learns the outcome of it.
    let mut beyond = EventStream::open(&daemon, id, "9999");
    let beyond: Vec<StreamEvent> = std::iter::from_fn(|| beyond.next()).collect();
    assert_eq!(names(&beyond), ["request.opened", "request.chosen", "request.chosen", "request.ended"]);
    let whole: Vec<StreamEvent> = {
        let mut stream = EventStream::open(&daemon, id, "");
        std::iter::from_fn(|| stream.next()).collect()
    };
    assert_eq!(names(&whole), ["request.opened", "request.chosen", "request.chosen", "request.ended"]);
    assert_eq!((&whole[..2], &whole[2..]), (&[opened, chosen][..], &rest[..]));
}

#[test]
fn a_stream_on_a_restored_journal_that_has_grown_past_what_was_seen_begins_anew() {
    let mut daemon = setup(&matrix("approvals = 2, after = \"5m\"")).arg("--sandbox").start();
    let request = accepted(&daemon, &kill());
    let id = &request["id"];
    let (ana, bo) = (daemon.held(incident(&request), "ana", "sms"), daemon.held(incident(&request), "bo", "sms"));
    let copy = daemon.dir.path().join("copy.db");
    assert!(daemon.cli(&["backup", copy.to_str().unwrap()]).status.success());
    let mut stream = EventStream::open(&daemon, id, "");
    let opened = stream.next().unwrap();
    text(&daemon, ANA, &format!("{} A", ana.code));
    let lost = stream.next().unwrap();
    assert_eq!((lost.1.as_str(), &lost.2["choices"][0]["person"]), ("request.chosen", &json!("ana")));
    assert!(daemon.stop());
    for name in ["stentor.db", "stentor.db-wal", "stentor.db-shm"] {
        let _ = std::fs::remove_file(daemon.state().join(name));
    }
    std::fs::copy(copy, daemon.state().join("stentor.db")).unwrap();
    daemon.restart();
    // Another person, and so many answers that the journal is longer than it was.
    text(&daemon, super::BO, &format!("{} A", bo.code));
    for _ in 0..3 {
        text(&daemon, super::BO, &format!("{} A", bo.code));
    }
    let mut stream = EventStream::open(&daemon, id, &lost.0);
    assert_eq!(stream.next(), Some(opened.clone()), "what it has seen is not in this journal");
    let chosen = stream.next().unwrap();
    assert_eq!(chosen.2["choices"][0]["person"], "bo", "{chosen:?}");
    // What was before the copy is the same line of the same chain.
    assert_eq!(EventStream::open(&daemon, id, &opened.0).next(), Some(chosen));
}

#[test]
fn an_outcome_has_a_receipt_that_others_check_and_that_stays_the_same() {
    let mut daemon = setup(&matrix("after = \"5m\"")).arg("--sandbox").start();
    let request = accepted(&daemon, &kill());
    let id = &request["id"];
    let early = get(&daemon, id, "/receipt");
    assert_eq!(early.status, 404, "{early:?}");
    assert!(early.body.contains("no outcome yet"), "{early:?}");
    let ana = daemon.held(incident(&request), "ana", "sms");
    text(&daemon, ANA, &format!("{} A", ana.code));
    let receipt = get(&daemon, id, "/receipt");
    assert_eq!((receipt.status, receipt.header("content-type")), (200, Some("application/jose")), "{receipt:?}");
    let keys = Call::get("/v1/keys").send(daemon.address).body;
    let claims = checked(&keys, &receipt.body).expect("a valid receipt");
    assert_eq!((&claims["request"], &claims["state"], &claims["option"]), (id, &json!("decided"), &json!("approve")));
    assert_eq!(claims["action_digest"], request["action_digest"]);
    let by = &claims["by"][0];
    assert_eq!((&by["person"], &by["via"], &by["page"]), (&json!("ana"), &json!("sms"), &json!(1)), "{claims}");
    assert!(claims["texts"].as_array().unwrap().contains(&by["text"]), "{claims}");
    // The line of the outcome is that of the journal.
    let export = exported(&daemon);
    let hash = claims["journal"]["hash"].as_str().unwrap();
    let line = export.lines().find(|line| line.contains(hash)).unwrap_or_else(|| panic!("{hash} is not in {export}"));
    assert!(line.contains("request-ended"), "{line}");
    // What comes later, and a restart, change nothing.
    text(&daemon, ANA, &format!("{} B", ana.code));
    daemon.kill();
    daemon.restart();
    assert_eq!(get(&daemon, id, "/receipt").body, receipt.body);
    // One changed byte is refused.
    for at in [5, receipt.body.len() / 2, receipt.body.len() - 5] {
        let other = if &receipt.body[at..=at] == "A" { "B" } else { "A" };
        let mut changed = receipt.body.clone();
        changed.replace_range(at..=at, other);
        assert_eq!(checked(&keys, &changed), None, "byte {at}");
    }
}

fn exported(daemon: &Daemon) -> String {
    String::from_utf8(daemon.cli(&["journal", "export"]).stdout).unwrap()
}

/// What a receipt says, by our command, by the example in Python and by a library for JOSE, which must agree.
pub fn checked(keys: &str, receipt: &str) -> Option<Value> {
    let dir = tempfile::tempdir().unwrap();
    let [keys, receipt] = [("keys.json", keys), ("receipt.jws", receipt)].map(|(name, text)| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name)
    });
    let output = binary(dir.path())
        .args(["receipt", "verify", "--json"])
        .arg(&receipt)
        .arg("--keys")
        .arg(&keys)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = told["valid"].as_bool().unwrap().then(|| told["claims"].clone());
    let python = std::env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let knows = |module: &str| {
        let known = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        known.is_ok_and(|output| output.status.success())
    };
    if knows("cryptography") {
        let script = root().join("examples/python/verify_receipt.py");
        let output = Command::new(&python).arg(script).args([&keys, &receipt]).output().unwrap();
        assert_eq!(output.status.success(), ours.is_some(), "{output:?}");
    }
    if knows("joserfc") {
        let output = Command::new(&python).args(["-c", REFEREE]).args([&keys, &receipt]).output().unwrap();
        let told: Option<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told, ours, "{output:?}");
    }
    ours
}

/// What a library for JOSE that knows nothing of us says of a receipt: its claims, or null.
const REFEREE: &str = r#"
import json, sys
from joserfc import jws
from joserfc.jwk import KeySet
try:
    keys = KeySet.import_key_set(json.load(open(sys.argv[1])))
    print(jws.deserialize_compact(open(sys.argv[2]).read(), keys, algorithms=["EdDSA"]).payload.decode())
except Exception:
    print("null")
"#;

#[test]
fn a_system_is_told_of_its_request_by_signed_events() {
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bank = runtime.block_on(Service::start(TAKEN));
    let hook = format!(
        "[channel.bank]\nkind = \"webhook\"\nurl = {:?}\nkeys = [{{ env = \"BANK_KEY\" }}]\nallow = [\"127.0.0.0/8\"]\n",
        bank.url()
    );
    let toml = matrix("after = \"5m\"")
        .replace("roles = [\"trader\"]\nask", "roles = [\"trader\"]\nwebhooks = [\"bank\"]\nask");
    let daemon = setup(&(toml + &hook)).env("BANK_KEY", KEY).start();
    let request = accepted(&daemon, &kill());
    let cancel = format!("/v1/requests/{}/cancel", request["id"].as_str().unwrap());
    Call::post(&cancel).bearer(secret("MONITOR_TOKEN")).json(&json!({})).send(daemon.address);
    let told = eventually("both events", || {
        let told = bank.accepted();
        let of = |name: &str| told.iter().find(|event| event.json()["type"] == name).cloned();
        of("request.opened").zip(of("request.ended"))
    });
    for event in [&told.0, &told.1] {
        let (id, at) = (event.header("webhook-id"), event.header("webhook-timestamp"));
        let key = [SigningKey::parse(KEY).unwrap()];
        let signature = event.header("webhook-signature");
        verify(&key, id, at, signature, event.body.as_bytes(), at.parse().unwrap()).unwrap();
        assert_eq!(event.json()["data"]["request"]["id"], request["id"], "{event:?}");
        assert!(!event.body.contains("Cancel all"), "thin: {event:?}");
    }
    assert_eq!(told.1.json()["data"]["request"]["state"], "cancelled");
}

#[test]
fn a_wait_is_ended_by_its_own_request_alone_and_other_changes_do_not_end_it() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let (first, second) = (accepted(&daemon, &kill()), accepted(&daemon, &kill()));
    let code = daemon.held(incident(&second), "ana", "sms").code;
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| look(&daemon, &first["id"], "?wait=2s"));
        let other = scope.spawn(|| look(&daemon, &second["id"], "?wait=30s"));
        text(&daemon, ANA, &format!("{code} A"));
        assert_eq!(other.join().unwrap()["state"], "decided");
        assert_eq!(waits.join().unwrap()["state"], "open");
    });
}
