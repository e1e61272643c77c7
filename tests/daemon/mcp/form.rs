//! An agent that needs values of a person, not a yes.

use super::{ANA, Era, call, held, matrix, outcome, sandboxed_on, text};
use crate::answers::slack;
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
fn an_agent_is_told_to_do_the_action_as_it_was_changed() {
    let daemon = sandboxed_on(&matrix("after = \"5m\", edits = true"));
    let qty = json!({ "type": "integer", "minimum": 1, "maximum": 100 });
    let asked = json!({
        "kind": "order_kill", "question": "Sell 100 ES?", "action": { "symbol": "ES", "qty": 100 }, "wait": "0s",
        "edit": { "type": "object", "properties": { "qty": qty } },
    });
    let open = outcome(&call(&daemon, Era::Modern, "ask_human", &asked));
    let held = daemon.held(open["incident"].as_str().unwrap(), "ana", "room");
    slack::fill_in(&daemon, slack::ANA, &held, &open["action_digest"], &json!({ "qty": { "value": "60" } }));
    let ended = outcome(&call(&daemon, Era::Legacy, "get_outcome", &json!({ "id": open["id"] })));
    assert_eq!(
        (&ended["option"], &ended["action"]),
        (&json!("approve"), &json!({ "symbol": "ES", "qty": 60 })),
        "{ended}"
    );
    assert_eq!(ended["changes"], json!([{ "field": "qty", "from": 100, "to": 60 }]));
    assert_eq!(ended["action_digest"], open["action_digest"], "it is that of what was asked");
    assert!(ended["changed_digest"].is_string() && ended["changed_digest"] != ended["action_digest"], "{ended}");
    assert!(ended["next"].as_str().unwrap().contains("Do exactly the `action` of this result"), "{ended}");
    let refused = json!({ "kind": "order_kill", "question": "Sell?", "action": { "qty": 101 }, "edit": asked["edit"] });
    let refused = call(&daemon, Era::Modern, "ask_human", &refused)["result"].clone();
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("/ask/edit/properties/qty"), "{refused}");
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
