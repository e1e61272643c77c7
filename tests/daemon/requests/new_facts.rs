//! New facts: the question is asked anew, what was chosen is void, and the old pages decide nothing.

use super::{Daemon, accepted, incident, kill, look, matrix};
use crate::{
    answers::sms::{ANA, text},
    house::{sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

fn put(daemon: &Daemon, id: &Value, facts: &Value) -> Reply {
    let path = format!("/v1/requests/{}/facts", id.as_str().unwrap());
    Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(facts).send(daemon.address)
}

#[test]
fn the_question_is_asked_anew_with_what_changed_on_top_and_the_old_answers_are_void() {
    let daemon = sandboxed_on(&matrix("approvals = 2, default = \"approve\", after = \"5m\""));
    let first = accepted(&daemon, &kill());
    let (ana, bo) = (daemon.held(incident(&first), "ana", "sms"), daemon.held(incident(&first), "bo", "sms"));
    assert!(text(&daemon, ANA, &format!("{} A", ana.code)).body.contains("it counts"));
    let facts = json!({ "values": { "orders": 15.0 }, "question": "Cancel the 15 open orders of desk EQ-2?" });
    let reply = put(&daemon, &first["id"], &facts);
    assert_eq!(reply.status, 202, "{reply:?}");
    let second = reply.json();
    assert_eq!(reply.header("location"), Some(format!("/v1/requests/{}", second["id"].as_str().unwrap()).as_str()));
    assert_eq!((&second["state"], &second["choices"]), (&json!("open"), &json!([])));
    assert_ne!(second["action_digest"], first["action_digest"]);
    assert_eq!(second["supersedes"]["request"], first["id"]);
    let changed = "the question, orders 1204 -> 15";
    assert_eq!(second["supersedes"]["changed"], changed);
    // Who waits for the first one learns which one to wait for.
    let ended = look(&daemon, &first["id"], "?wait=30s");
    assert_eq!((&ended["state"], &ended["outcome"]["superseded_by"]), (&json!("superseded"), &second["id"]));
    // The old code decides nothing, and says why.
    let refused = text(&daemon, super::BO, &format!("{} A", bo.code));
    assert!(refused.body.contains(&format!("the facts have changed since this page ({changed})")), "{refused:?}");
    let ana = daemon.held(incident(&second), "ana", "sms");
    let bodies: Vec<String> = daemon
        .outbox()
        .iter()
        .filter(|entry| entry["person"] == "ana" && entry["channel"] == "sms")
        .map(|entry| entry["body"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(bodies.len(), 2, "one page for each question, and no word that the first is over: {bodies:?}");
    assert!(bodies[1].contains("NEW FACTS (the question, orders 1204 -> 15): Cancel the 15 open"), "{bodies:?}");
    // Two must agree again.
    assert!(text(&daemon, ANA, &format!("{} A", ana.code)).body.contains("it counts; one more person"));
    assert_eq!(look(&daemon, &second["id"], "")["state"], "open");
}

#[test]
fn the_same_facts_again_page_nobody_and_facts_for_what_has_ended_are_told_how() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let first = accepted(&daemon, &kill());
    let same = put(&daemon, &first["id"], &json!({ "values": { "orders": 1204 }, "labels": { "desk": "EQ-2" } }));
    assert_eq!((same.status, &same.json()["id"]), (200, &first["id"]), "{same:?}");
    let facts = json!({ "action": { "cancel": "none" } });
    let second = put(&daemon, &first["id"], &facts).json();
    let again = put(&daemon, &first["id"], &facts);
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{again:?}");
    assert_eq!(again.json()["id"], second["id"], "an answer that was lost is safe to ask for again");
    assert_eq!(daemon.incidents().len(), 2);
    let other = put(&daemon, &first["id"], &json!({ "action": { "cancel": "some" } }));
    assert_eq!((other.status, &other.json()["request"]["state"]), (409, &json!("superseded")), "{other:?}");
    let ana = daemon.held(incident(&second), "ana", "sms");
    text(&daemon, ANA, &format!("{} B", ana.code));
    let late = put(&daemon, &second["id"], &json!({ "values": {} }));
    assert_eq!((late.status, &late.json()["request"]["outcome"]["option"]), (409, &json!("deny")), "{late:?}");
}

#[test]
fn facts_that_can_not_be_asked_about_change_nothing() {
    let condition = "after = \"5m\" }\nwhen = 'alert.values.orders < 5000.0'\nx = { y = 1";
    let matrix = matrix(condition).replace("\nx = { y = 1 }", "");
    let daemon = sandboxed_on(&matrix);
    let first = accepted(&daemon, &kill());
    for (facts, status, says) in [
        (json!({ "values": { "orders": 9000 } }), 422, "no trigger"),
        (json!({ "question": "a\nb" }), 422, "the question has a line break (U+000A)"),
        (json!({ "colour": "red" }), 422, "colour"),
        (json!({ "confidence": 5 }), 422, "confidence is not between 0 and 1"),
        (json!({ "labels": { "\0question": "x" } }), 422, "the name \\\\u{0}question has a control character (U+0000)"),
        (json!({ "labels": { "a\nLIVE": "x" } }), 422, "a line break (U+000A)"),
        (json!({ "values": { "a\u{202e}": 1 } }), 422, "turns the direction"),
        (json!({ "action": 9_007_199_254_740_993_u64 }), 400, "9007199254740993"),
    ] {
        let reply = put(&daemon, &first["id"], &facts);
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.body.contains(says), "{reply:?}");
    }
    assert_eq!(look(&daemon, &first["id"], "")["state"], "open");
    assert_eq!(daemon.incidents().len(), 1);
}
