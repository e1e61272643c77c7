//! Alerts that ask, and answers that contradict the facts.

use super::{Daemon, accepted, incident, kill, look, matrix};
use crate::{
    answers::sms::{ANA, text},
    house::{eventually, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

fn turn(daemon: &Daemon, key: Option<&str>, confidence: f64) -> Reply {
    let alert = json!({
        "kind": "order_kill", "confidence": confidence, "labels": { "conversation": "c-7", "offer": "a refund" },
    });
    let call = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert);
    key.iter().fold(call, |call, key| call.header("Idempotency-Key", key)).send(daemon.address)
}

fn chat() -> Daemon {
    let rules = "from_alerts = true, default = \"deny\", after = \"5m\" }\nwhen = 'alert.confidence < 0.6'\n\
                 key = 'alert.labels.conversation'\nsummary = 'May the bot offer {alert.labels.offer}?'\nx = { y = 1";
    sandboxed_on(&matrix(rules).replace("\nx = { y = 1 }", ""))
}

#[test]
fn a_turn_of_a_conversation_asks_once_a_human_is_due() {
    let daemon = chat();
    let sure = turn(&daemon, None, 0.9).json();
    assert_eq!(sure["alerts"][0].get("request"), None, "{sure}");
    let asked = turn(&daemon, Some("turn-2"), 0.4).json();
    let request = &asked["alerts"][0]["request"];
    assert_eq!((&request["state"], &asked["alerts"][0]["results"][0]["result"]), (&json!("open"), &json!("opened")));
    let next = turn(&daemon, None, 0.3).json();
    assert_eq!(&next["alerts"][0]["request"], request, "the next turn belongs to it: {next}");
    assert_eq!(turn(&daemon, Some("turn-2"), 0.4).json(), asked, "a turn that comes again is told the same");
    let view = look(&daemon, &request["id"], "");
    assert_eq!((&view["question"], &view["default"]), (&json!("May the bot offer a refund?"), &json!("deny")));
    let ana = daemon.held(incident(&view), "ana", "sms");
    text(&daemon, ANA, &format!("{} A", ana.code));
    let decided = look(&daemon, &request["id"], "?wait=30s");
    assert_eq!(decided["outcome"]["option"], "approve", "{decided}");
    let other = Call::get(&format!("/v1/requests/{}", request["id"].as_str().unwrap())).bearer(secret("PLAIN_TOKEN"));
    assert!(matches!(other.send(daemon.address).status, 403 | 404));
}

#[test]
fn only_the_asker_withdraws_it_by_an_all_clear_and_new_facts_do_not_split_the_conversation() {
    let rules = "from_alerts = true, after = \"5m\" }\nkey = 'alert.labels.conversation'\nresolved = \"resolve\"\n\
                 summary = 'May the bot offer {alert.labels.offer}?'\nx = { y = 1";
    let daemon = sandboxed_on(&matrix(rules).replace("\nx = { y = 1 }", ""));
    let asked = turn(&daemon, None, 0.4).json();
    let first = look(&daemon, &asked["alerts"][0]["request"]["id"], "");
    let facts = json!({ "labels": { "conversation": "c-7", "offer": "a voucher" } });
    let path = format!("/v1/requests/{}/facts", first["id"].as_str().unwrap());
    let anew = Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(&facts).send(daemon.address);
    assert_eq!(anew.status, 202, "{anew:?}");
    let second = anew.json();
    assert_eq!(second["question"], "May the bot offer a voucher?", "the question is of the new facts");
    let changed = second["supersedes"]["changed"].as_str().unwrap();
    assert!(changed.contains("offer a refund -> a voucher"), "{changed}");
    let next = turn(&daemon, None, 0.3).json();
    assert_eq!(next["alerts"][0]["request"], json!({ "id": second["id"], "state": "open" }), "{next}");
    assert_eq!(daemon.incidents().len(), 2);
    let clear = |token: &str| {
        let alert = json!({ "kind": "order_kill", "status": "resolved", "labels": { "conversation": "c-7" } });
        Call::post("/v1/alerts").bearer(secret(token)).json(&alert).send(daemon.address)
    };
    assert_eq!(clear("PLAIN_TOKEN").status, 202);
    assert_eq!(look(&daemon, &second["id"], "")["state"], "open", "another source's word withdraws nothing");
    assert_eq!(clear("MONITOR_TOKEN").status, 202);
    let over = look(&daemon, &second["id"], "");
    assert_eq!((&over["state"], &over["outcome"]["reason"]), (&json!("cancelled"), &json!("all clear from monitor")));
    let later = turn(&daemon, None, 0.3).json();
    assert_eq!(later["alerts"][0]["results"][0]["result"], "opened", "{later}");
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn what_another_source_says_changes_nothing_of_what_is_asked() {
    let rules = "from_alerts = true, after = \"5m\", check = { option = \"approve\", when = 'alert.values.orders > 1000.0', \
                 reason = \"more than 1,000 orders\" } }\nkey = 'alert.labels.desk'\nx = { y = 1";
    let daemon = sandboxed_on(&matrix(rules).replace("\nx = { y = 1 }", ""));
    let said = |token: &str, orders: f64, offer: &str| {
        let labels = json!({ "desk": "EQ-2", "offer": offer });
        let alert = json!({ "kind": "order_kill", "labels": labels, "values": { "orders": orders } });
        Call::post("/v1/alerts").bearer(secret(token)).json(&alert).send(daemon.address).json()
    };
    let asked = said("MONITOR_TOKEN", 9000.0, "a toaster");
    let request = look(&daemon, &asked["alerts"][0]["request"]["id"], "");
    let joined = said("PLAIN_TOKEN", 1.0, "a house");
    assert_eq!(joined["alerts"][0]["results"][0]["result"], "joined", "{joined}");
    let ana = daemon.held(incident(&request), "ana", "sms");
    let reply = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(reply.body.contains("it contradicts the facts: more than 1,000 orders"), "{reply:?}");
    let page = |of: &Value| {
        let mail = daemon.held(incident(of), "ana", "mail");
        Call::get(mail.path()).send(daemon.address).body
    };
    let shown = page(&request);
    assert!(shown.contains("a toaster") && !shown.contains("a house"), "{shown}");
    // New facts begin from what was asked, not from what the other one said.
    let path = format!("/v1/requests/{}/facts", request["id"].as_str().unwrap());
    let put = |facts: &Value| Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(facts).send(daemon.address);
    assert_eq!(put(&json!({})).status, 200, "nothing is new");
    let anew = put(&json!({ "summary": "All of them" }));
    assert_eq!(anew.status, 202, "words that people read are new: {anew:?}");
    let second = page(&anew.json());
    assert!(second.contains("a toaster") && !second.contains("a house"), "{second}");
}

#[test]
fn an_answer_that_contradicts_the_facts_is_handed_back_once() {
    let check =
        "check = { option = \"approve\", when = 'alert.values.orders > 1000.0', reason = \"more than 1,000 orders\" }";
    let daemon = sandboxed_on(&matrix(&format!("after = \"5m\", {check}")));
    let request: Value = accepted(&daemon, &kill());
    let ana = daemon.held(incident(&request), "ana", "sms");
    let first = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(first.body.contains("it contradicts the facts: more than 1,000 orders"), "{first:?}");
    assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]));
    let again = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(again.body.contains("it contradicts the facts"), "a message that is handed over twice: {again:?}");
    eventually("chosen again, later", || {
        text(&daemon, ANA, &format!("{} A", ana.code));
        (look(&daemon, &request["id"], "")["state"] == "decided").then_some(())
    });
}
