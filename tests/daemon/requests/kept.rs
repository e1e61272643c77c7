//! How `tests/fixture/requests.jsonl` was made: the journal of a daemon that has seen every kind of request.

use super::{
    BO, Daemon,
    edit::order,
    form::{Page, limit},
    handoff::packet,
    incident, kill, look,
    taker::Desk,
};
use crate::{
    answers::sms::{ANA, text},
    house::{sandboxed_on, secret},
    wire::Call,
};
use serde_json::{Value, json};
use std::path::Path;

/// Two people with a phone and a desk, so that the journal stays small.
const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[channel.sms]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }
token    = { env = "KANNEL_REPLY_TOKEN" }
pace     = "100/s burst 100"

[source.monitor]
token  = { env = "MONITOR_TOKEN" }
drills = true

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[person.bo]
name  = "Bo Lind"
phone = "+447700900002"

[role.trader]
engaged_by = "wilco"
step = [{ page = ["ana", "bo"], by = ["sms"], wait = "10m" }]

[role.clerk]
engaged_by = "wilco"
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }]

[trigger.kill]
on    = ["kill"]
roles = ["trader"]
ask   = { approvals = 2, after = "5m" }

[trigger.short]
on    = ["short"]
roles = ["clerk"]
ask   = { after = "5s" }

[trigger.default]
on    = ["default"]
roles = ["clerk"]
ask   = { default = "deny", after = "5s" }

[trigger.order]
on    = ["order"]
roles = ["trader"]
ask   = { after = "5m", edits = true, read_back = "labels.desk" }

[trigger.choice]
on    = ["choice"]
roles = ["trader"]
ask   = { after = "5m" }

[trigger.offer]
on      = ["offer"]
key     = 'alert.labels.conversation'
roles   = ["clerk"]
summary = "May the bot offer a refund?"
ask     = { from_alerts = true, after = "5m" }

[trigger.loan]
on      = ["loan"]
roles   = ["trader"]
handoff = { after = "10m" }

[trigger.short-loan]
on      = ["short-loan"]
roles   = ["clerk"]
handoff = { after = "5s" }

[trigger.turn]
on        = ["turn"]
key       = 'alert.labels.conversation'
when      = 'alert.confidence < 0.7'
roles     = ["clerk"]
summary   = "a person is due"
resolved  = "resolve"
handoff   = { after = "10m", from_alerts = true }
threshold = { count = 2, within = "10m", consecutive = true }
"#;

fn sent(daemon: &Daemon, path: &str, body: &Value) -> Value {
    let reply = Call::post(path).bearer(secret("MONITOR_TOKEN")).json(body).send(daemon.address);
    assert!((200..300).contains(&reply.status), "{reply:?}");
    reply.json()
}

fn asked(daemon: &Daemon, kind: &str, ask: &Value) -> Value {
    let body = json!({ "kind": kind, "labels": { "desk": "EQ-2" }, "values": { "orders": 1204.0 }, "ask": ask });
    sent(daemon, "/v1/requests", &body)
}

fn handed(daemon: &Daemon, kind: &str) -> Value {
    asked(daemon, kind, &json!({ "type": "handoff", "packet": packet() }))
}

fn of_request(request: &Value, rest: &str) -> String {
    format!("/v1/requests/{}/{rest}", request["id"].as_str().unwrap())
}

/// What people answer by SMS, in this order.
fn said(daemon: &Daemon, request: &Value, words: &[(&str, &str)]) {
    for (person, word) in words {
        let phone = if *person == "ana" { ANA } else { BO };
        text(daemon, phone, &format!("{} {word}", daemon.held(incident(request), person, "sms").code));
    }
}

/// The state of a request once it has its outcome.
fn ended(daemon: &Daemon, request: &Value) -> Value {
    look(daemon, &request["id"], "?wait=20s")["state"].clone()
}

fn questions(daemon: &Daemon) {
    let quorum = asked(daemon, "kill", &kill());
    let takes = [("ana", "1"), ("ana", "yes"), ("bo", "3"), ("ana", "A"), ("ana", "4"), ("bo", "A"), ("ana", "A")];
    said(daemon, &quorum, &takes);
    assert_eq!(ended(daemon, &quorum), "decided");
    said(daemon, &quorum, &[("bo", "B"), ("bo", "no"), ("bo", "yes")]);
    let denied = asked(daemon, "kill", &kill());
    said(daemon, &denied, &[("ana", "A"), ("bo", "B")]);
    assert_eq!(ended(daemon, &denied), "decided");
    let withdrawn = asked(daemon, "kill", &kill());
    sent(daemon, &of_request(&withdrawn, "cancel"), &json!({ "reason": "the market has closed" }));
    assert_eq!(ended(daemon, &withdrawn), "cancelled");
    let old = asked(daemon, "kill", &kill());
    said(daemon, &old, &[("ana", "A")]);
    let facts = json!({ "values": { "orders": 15.0 }, "question": "Cancel the 15 open orders of desk EQ-2?" });
    let anew = Call::new("PUT", &of_request(&old, "facts")).bearer(secret("MONITOR_TOKEN")).json(&facts);
    let anew = anew.send(daemon.address).json();
    assert_eq!(ended(daemon, &old), "superseded");
    said(daemon, &anew, &[("ana", "B")]);
    let edited = asked(daemon, "order", &order());
    let sell = [("field.qty", "60"), ("field.side", "sell"), ("repeated", "EQ-2")];
    assert_eq!(Page::desk(daemon, "ana", &edited).send(&sell).status, 303);
    let options = json!([{ "name": "hedge", "label": "Hedge", "does": "sells 1,204 futures" }, { "name": "halt" }, { "name": "unwind" }]);
    let decision = asked(daemon, "choice", &json!({ "type": "decision", "question": "What now?", "options": options }));
    said(daemon, &decision, &[("bo", "C")]);
    let form = asked(daemon, "choice", &limit());
    let fields = [("field.limit", "5"), ("field.side", "both"), ("field.note", "until noon")];
    assert_eq!(Page::desk(daemon, "bo", &form).send(&fields).status, 303);
    for request in [edited, decision, form] {
        assert_eq!(ended(daemon, &request), "decided", "{request}");
    }
    let offer = json!({ "kind": "offer", "confidence": 0.4, "labels": { "conversation": "c-9" } });
    let by_alert = sent(daemon, "/v1/alerts", &offer)["alerts"][0]["request"].clone();
    sent(daemon, "/v1/alerts", &offer);
    said(daemon, &look(daemon, &by_alert["id"], ""), &[("ana", "B")]);
    assert_eq!(ended(daemon, &by_alert), "decided");
}

fn conversations(daemon: &Daemon) {
    let finished = handed(daemon, "loan");
    said(daemon, &finished, &[("ana", "2")]);
    let ana = Desk::of(daemon, "ana", incident(&finished));
    ana.press("pass", "I do not know this product");
    let bo = Desk::of(daemon, "bo", incident(&finished));
    for (step, note) in [("take", ""), ("connect", ""), ("follow-up", "a colleague writes tomorrow")] {
        bo.press(step, note);
    }
    assert_eq!(ended(daemon, &finished), "completed");
    assert!(daemon.cli(&["erase", incident(&finished)]).status.success());
    let returned = handed(daemon, "loan");
    let ana = Desk::of(daemon, "ana", incident(&returned));
    ana.press("take", "");
    ana.press("return", "the bot can do this");
    assert_eq!(ended(daemon, &returned), "returned");
    let left = handed(daemon, "loan");
    sent(daemon, &of_request(&left, "cancel"), &json!({}));
    assert_eq!(ended(daemon, &left), "cancelled");
    let turn = |confidence: f64| {
        let mut packet = packet();
        packet.as_object_mut().unwrap().remove("reason");
        let labels = json!({ "conversation": "c-4711" });
        let alert = json!({ "kind": "turn", "labels": labels, "confidence": confidence, "packet": packet });
        sent(daemon, "/v1/alerts", &alert)["alerts"][0]["request"].clone()
    };
    let turns = [turn(0.9), turn(0.4), turn(0.31), turn(0.2)];
    let due = look(daemon, &turns[2]["id"], "");
    assert_eq!(turns[3]["id"], due["id"]);
    said(daemon, &due, &[("ana", "2")]);
}

/// The fixture is what the program of that day has kept, so this does not write over it: a journal with what comes later is
/// put beside it.
#[test]
#[ignore = "makes a fixture: cargo test --test daemon -- --ignored requests::kept"]
fn the_journal_of_every_kind_of_request_is_made() {
    let mut daemon = sandboxed_on(MATRIX);
    // No drill begins beside what is real.
    let body = json!({ "kind": "choice", "drill": true, "ask": { "type": "approval", "question": "Rehearse?" } });
    let drill = sent(&daemon, "/v1/requests", &body);
    said(&daemon, &drill, &[("ana", "A")]);
    assert_eq!(ended(&daemon, &drill), "decided");
    let waiting =
        [("short", "expired"), ("default", "defaulted")].map(|(kind, state)| (asked(&daemon, kind, &kill()), state));
    let unanswered = handed(&daemon, "short-loan");
    questions(&daemon);
    conversations(&daemon);
    for (request, state) in waiting {
        assert_eq!(ended(&daemon, &request), state);
    }
    assert_eq!(ended(&daemon, &unanswered), "unanswered");
    let open = asked(&daemon, "kill", &kill());
    said(&daemon, &open, &[("bo", "A")]);
    assert!(daemon.stop(), "its last line is an anchor");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("requests.jsonl");
    let export = daemon.cli(&["journal", "export", "--force", "--out", to.to_str().unwrap()]);
    assert!(export.status.success(), "{export:?}");
}
