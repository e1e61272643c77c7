//! An agent that hands a conversation over, and knows at each moment what its user may be told.

use super::{ANA, Call, DESK, Daemon, Era, Stdio, call, client::tool, outcome, question, sandboxed_on, secret, text};
use crate::answers::desk::cookie;
use serde_json::{Value, json};

pub fn matrix() -> String {
    format!(
        "{DESK}\n[trigger.loan-handoff]\non = [\"loan_handoff\"]\nroles = [\"trader\"]\nhandoff = {{ after = \"10m\", capacity = 1 }}\n"
    )
}

fn packet() -> Value {
    json!({
        "conversation": { "id": "c-4711", "channel": "web", "locale": "de" },
        "reason": { "code": "asked", "text": "the user asked for a person" },
        "transcript": [{ "who": "user", "text": "Can I repay my loan early?", "at": "2026-11-30T09:40:11Z" }],
    })
}

/// The arguments that hand it over.
pub fn asked() -> Value {
    json!({ "kind": "loan_handoff", "packet": packet() })
}

#[test]
fn a_conversation_is_offered_handed_over_and_followed_over_both_transports() {
    let daemon = sandboxed_on(&matrix());
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
    let kind = json!({ "kind": "loan_handoff", "labels": { "topic": "loan" } });
    let over_http = outcome(&call(&daemon, Era::Modern, "check_availability", &kind));
    assert_eq!(over_http, outcome(&agent.ask(&tool("check_availability", &kind))));
    assert_eq!((&over_http["available"], &over_http["position"]), (&json!(true), &json!(1)), "{over_http}");
    assert!(over_http["people"].is_null(), "no name before a person has taken it: {over_http}");
    let handed = outcome(&call(&daemon, Era::Modern, "hand_over", &asked()));
    assert_eq!((&handed["handoff"]["state"], &handed["handoff"]["owner"]), (&json!("offered"), &json!("machine")));
    assert!(handed["handoff"]["message"].as_str().unwrap().starts_with("Ich suche jemanden"), "{handed}");
    let code = daemon.held(handed["incident"].as_str().unwrap(), "ana", "sms").code;
    let look = json!({ "id": handed["id"], "known": "offered", "wait": "20s" });
    agent.send(&tool("get_outcome", &look));
    text(&daemon, ANA, &format!("{code} 2"));
    // Who asks after it learns it at once, and who waits as soon as it is so.
    for taken in [outcome(&agent.answer()), outcome(&call(&daemon, Era::Legacy, "get_outcome", &look))] {
        assert_eq!((&taken["state"], &taken["handoff"]["state"]), (&json!("open"), &json!("assigned")), "{taken}");
        assert_eq!(taken["handoff"]["person"]["name"], "Ana Ruiz", "{taken}");
    }
}

#[test]
fn an_agent_is_told_by_each_field_the_same_of_what_is_over_and_where_it_goes_on() {
    let daemon = sandboxed_on(&format!("{}\n{}", matrix(), asking()));
    let handed = outcome(&call(&daemon, Era::Modern, "hand_over", &asked()));
    let id = handed["incident"].as_str().unwrap();
    let code = daemon.held(id, "ana", "sms").code;
    text(&daemon, ANA, &format!("{code} 2"));
    finish(&daemon, id);
    let done = outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": handed["id"] })));
    assert_eq!((&done["state"], &done["handoff"]["owner"]), (&json!("completed"), &json!("machine")), "{done}");
    let next = done["next"].as_str().unwrap();
    assert!(next.contains("yours again") && !next.contains("Say nothing"), "the message says: go on with me: {done}");
    let asked = outcome(&call(&daemon, Era::Modern, "ask_human", &question("0s")));
    let path = format!("/v1/requests/{}/facts", asked["id"].as_str().unwrap());
    let facts = json!({ "values": { "orders": 15 } });
    let anew = Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(&facts).send(daemon.address).json();
    let old = outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": asked["id"] })));
    assert_eq!((&old["state"], &old["superseded_by"]), (&json!("superseded"), &anew["id"]), "{old}");
    assert!(old["next"].as_str().unwrap().contains("superseded_by"), "{old}");
}

fn asking() -> &'static str {
    "[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\"]\nask = { after = \"5m\" }\n"
}

pub fn finish(daemon: &Daemon, incident: &str) {
    let cookie = cookie(daemon, "ana");
    let path = format!("/desk/conversations/{incident}");
    let page = Call::get(&path).header("Cookie", &cookie).send(daemon.address).body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let fields = [("csrf", csrf), ("step", "solved"), ("note", "")];
    assert_eq!(Call::post(&path).header("Cookie", &cookie).form(&fields).send(daemon.address).status, 303);
}
