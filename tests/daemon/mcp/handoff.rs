//! An agent that hands a conversation over, and knows at each moment what its user may be told.

use super::{ANA, DESK, Era, Stdio, call, client::tool, outcome, sandboxed_on, secret, text};
use serde_json::{Value, json};

fn matrix() -> String {
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

#[test]
fn a_conversation_is_offered_handed_over_and_followed_over_both_transports() {
    let daemon = sandboxed_on(&matrix());
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
    let kind = json!({ "kind": "loan_handoff", "labels": { "topic": "loan" } });
    let over_http = outcome(&call(&daemon, Era::Modern, "check_availability", &kind));
    assert_eq!(over_http, outcome(&agent.ask(&tool("check_availability", &kind))));
    assert_eq!((&over_http["available"], &over_http["position"]), (&json!(true), &json!(1)), "{over_http}");
    assert!(over_http["people"].is_null(), "no name before a person has taken it: {over_http}");
    let asked = json!({ "kind": "loan_handoff", "packet": packet() });
    let handed = outcome(&call(&daemon, Era::Modern, "hand_over", &asked));
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
