//! An agent that needs values of a person, not a yes.

use super::{ANA, Era, call, held, matrix, outcome, sandboxed_on, text};
use serde_json::{Value, json};

fn asked(schema: &Value) -> Value {
    json!({ "kind": "order_kill", "question": "Where to route EQ-2?", "form": schema, "wait": "0s" })
}

#[test]
fn an_agent_asks_for_a_form_and_gets_its_values() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let schema = json!({
        "type": "object", "required": ["venue"], "additionalProperties": false,
        "properties": { "venue": { "type": "string", "enum": ["XNAS", "XNYS"] } },
    });
    let open = outcome(&call(&daemon, Era::Modern, "ask_human", &asked(&schema)));
    assert_eq!(open["state"], "open", "{open}");
    text(&daemon, ANA, &format!("{} B", held(&daemon, &open)));
    let ended = outcome(&call(&daemon, Era::Legacy, "get_outcome", &json!({ "id": open["id"] })));
    assert_eq!((&ended["state"], &ended["answer"]), (&json!("decided"), &json!({ "venue": "XNYS" })), "{ended}");
    assert!(ended["option"].is_null() && ended["next"].as_str().unwrap().contains("values of `answer`"), "{ended}");
}

#[test]
fn an_agent_is_told_what_a_form_can_not_ask() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let nested = json!({ "type": "object", "properties": { "to": { "type": "object" } } });
    let refused = call(&daemon, Era::Modern, "ask_human", &asked(&nested))["result"].clone();
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("/ask/form/properties/to/type"), "{refused}");
    assert_eq!(daemon.incidents().len(), 0);
}
