//! What can not be asked is refused with a clear problem, and nothing of it is kept.

use super::{Call, Daemon, asking, kill, matrix, sandboxed_on, secret};
use serde_json::{Value, json};

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut ask = kill();
    change(&mut ask);
    ask
}

fn decision(options: &Value) -> Value {
    json!({ "type": "decision", "question": "Which one?", "options": options })
}

#[test]
fn what_can_not_be_asked_is_refused_and_nothing_is_kept() {
    let daemon = sandboxed_on(&matrix("default = \"deny\", after = \"5m\""));
    let ten: Vec<Value> = (0..10).map(|n| json!({ "name": format!("o{n}") })).collect();
    let table: [(Value, u16, &str); 26] = [
        (json!(null), 422, "ask"),
        (decision(&json!([])), 422, "2 to 9 options, not 0"),
        (decision(&json!(ten)), 422, "2 to 9 options, not 10"),
        (decision(&json!([{ "name": "a", "label": "Go" }, { "name": "b", "label": "go" }])), 422, "twice"),
        (decision(&json!([{ "name": "a", "label": "2 halt" }, { "name": "b" }])), 422, "reads like an answer"),
        (decision(&json!([{ "name": "yes" }, { "name": "c" }])), 422, "reads like an answer"),
        (decision(&json!([{ "name": "deny", "label": "Go" }, { "name": "go", "label": "No deal" }])), 422, "twice"),
        (decision(&json!([{ "name": "x", "label": "B" }, { "name": "y", "label": "A" }])), 422, "another letter"),
        (with(|ask| ask["on_behalf_of"] = json!("Ana")), 422, "no person"),
        (with(|ask| ask["default"] = json!("approve")), 422, "the matrix allows deny"),
        (with(|ask| ask["deadline"] = json!("1s")), 422, "5s or more"),
        (with(|ask| ask["deadline"] = json!("-5m")), 422, "how long people have"),
        (with(|ask| ask["deadline"] = json!("365d")), 422, "the matrix allows 5m"),
        (with(|ask| ask["question"] = json!("")), 422, "empty"),
        (with(|ask| ask["question"] = json!("a\nLIVE b")), 422, "a line break (U+000A)"),
        (with(|ask| ask["question"] = json!("a\u{ad}b")), 422, "a character that nobody sees (U+00AD)"),
        (with(|ask| ask["question"] = json!("a\u{2028}b")), 422, "a line break (U+2028)"),
        (with(|ask| ask["question"] = json!("a\u{3164}b")), 422, "a character that nobody sees (U+3164)"),
        (with(|ask| ask["question"] = json!("a\u{e0041}b")), 422, "a character that nobody sees (U+E0041)"),
        (decision(&json!([{ "name": "a\u{61c}b" }, { "name": "cd" }])), 422, "nobody sees (U+061C)"),
        (decision(&json!([{ "name": "ab", "does": "x\u{180e}y" }, { "name": "cd" }])), 422, "nobody sees (U+180E)"),
        (with(|ask| ask["question"] = json!("x".repeat(201))), 422, "201 characters"),
        (with(|ask| ask["action"] = json!({ "n": 9_007_199_254_740_993_u64 })), 400, "9007199254740993"),
        (with(|ask| ask["action"] = json!("x".repeat(1 << 20))), 413, "larger than"),
        (with(|ask| ask["colour"] = json!("red")), 422, "colour"),
        (with(|ask| ask["options"] = json!([{ "name": "a" }, { "name": "b" }])), 422, "no `options` of its own"),
    ];
    for (ask, status, says) in &table {
        let reply = asking(&daemon, ask);
        assert_eq!(reply.status, *status, "{ask}: {reply:?}");
        assert!(reply.body.contains(says), "{ask}: {reply:?}");
    }
    assert_eq!(daemon.incidents().len(), 0);
}

/// Where a page goes out without them, a decision about other facts than were sent is worse than none.
#[test]
fn facts_that_would_be_left_out_or_replaced_are_refused() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let table = [
        (json!({ "values": { "orders": "many" } }), 422, "orders is many: only finite numbers"),
        (json!({ "value": { "orders": 3 } }), 422, "is not known"),
        (json!({ "confidence": 7 }), 422, "confidence is not between 0 and 1"),
        (json!({ "kind": " " }), 422, "needs a kind"),
        (json!({ "labels": { "a\u{1b}[2J": "x" } }), 422, "a control character (U+001B)"),
        (json!({ "labels": null, "values": null, "summary": null }), 202, "open"),
    ];
    for (fields, status, says) in table {
        let mut body = json!({ "kind": "order_kill", "ask": kill() });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let reply = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address);
        assert_eq!(reply.status, status, "{fields}: {reply:?}");
        assert!(reply.body.contains(says), "{fields}: {reply:?}");
    }
    assert_eq!(daemon.incidents().len(), 1);
}

#[test]
fn where_no_trigger_asks_it_says_what_to_write() {
    let daemon: Daemon = sandboxed_on(super::DESK);
    let reply = asking(&daemon, &kill());
    assert_eq!(reply.status, 422, "{reply:?}");
    assert!(reply.body.contains("`ask`"), "{reply:?}");
}
