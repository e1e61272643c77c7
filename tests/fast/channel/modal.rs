//! Forms in Slack: whatever a form asks, its modal is within what Slack publishes, and is read as it was drawn.

use super::{
    double::slack::{
        FakeSlack,
        views::{check, check_reply},
    },
    slack_at,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use stentor::{
    channel::{
        Channel,
        chat::{ChatButton, ChatForm},
        slack::{event::SlackInbound, inbound::of_form},
    },
    core::{
        Form, IncidentId,
        form::{CHOICE_MAX, CHOICES_MAX, FIELD_DESCRIPTION_MAX, FIELD_NAME_MAX, FIELD_TEXT_MAX, FIELD_TITLE_MAX},
        request::QUESTION_MAX,
    },
};

fn limit() -> Value {
    json!({
        "type": "object", "title": "New limit", "required": ["limit", "side"],
        "properties": {
            "limit": { "type": "integer", "minimum": 0, "maximum": 10, "description": "In millions of USD." },
            "side": { "type": "string", "enum": ["buy", "sell", "none"], "title": "<@U1> & :fire:" },
            "hedged": { "type": "boolean" },
            "ratio": { "type": "number", "minimum": -0.0000001, "maximum": 9007199254740991.0 },
            "note": { "type": "string", "maxLength": 20 },
        },
    })
}

fn form(schema: &Value, typed: &[(&str, &str)]) -> ChatForm {
    ChatForm {
        drill: false,
        incident: IncidentId(12),
        about: "Which limit may EQ-2 trade with?".to_owned(),
        form: Form::read(schema).unwrap(),
        typed: typed.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        button: ChatButton::Page { page: "INC-12.3".to_owned(), code: "48213".to_owned() },
        digest: format!("sha256:{}", "0".repeat(64)),
        edits: false,
        repeats: None,
    }
}

/// The modal, as Slack took it.
async fn opened(form: &ChatForm) -> Value {
    let slack = FakeSlack::start(&["UANA"]).await;
    let trigger = slack.world.lock().unwrap().triggers.give();
    let opened = slack_at(slack.api_url()).open_form(&trigger, form).await;
    assert_eq!(opened, Ok(()), "{:?}", slack.calls("views.open"));
    slack.world.lock().unwrap().triggers.views.pop().unwrap()
}

fn inputs(view: &Value) -> Vec<&Value> {
    view["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input").collect()
}

/// What is read of a modal that is sent as it stands.
fn sent_as_it_stands(view: &Value) -> BTreeMap<String, String> {
    let value = |block: &Value| {
        let element = &block["element"];
        let state = match element["type"].as_str() {
            Some("radio_buttons") => json!({ "selected_option": element["initial_option"] }),
            _ => json!({ "value": element["initial_value"] }),
        };
        let action = element["action_id"].as_str().unwrap().to_owned();
        (block["block_id"].as_str().unwrap().to_owned(), json!({ action: state }))
    };
    let values: serde_json::Map<String, Value> = inputs(view).into_iter().map(value).collect();
    let (id, metadata) = (&view["callback_id"], &view["private_metadata"]);
    let view = json!({ "callback_id": id, "private_metadata": metadata, "state": { "values": values } });
    let payload = json!({ "type": "view_submission", "user": { "id": "UANA" }, "view": view });
    let mut body = reqwest::Url::parse("form:").unwrap();
    body.query_pairs_mut().append_pair("payload", &payload.to_string());
    let Ok(SlackInbound::Form(sent)) = of_form(body.query().unwrap().as_bytes()) else { panic!("{payload}") };
    sent.typed
}

#[tokio::test]
async fn each_field_is_drawn_as_what_it_takes() {
    let view = opened(&form(&limit(), &[])).await;
    assert_eq!((&view["title"]["text"], &view["submit"]["text"]), (&json!("LIVE INC-12"), &json!("Send it")));
    assert_eq!(view["private_metadata"], format!("INC-12.3:48213 sha256:{}", "0".repeat(64)));
    let drawn: Vec<Value> = inputs(&view)
        .into_iter()
        .map(|block| {
            let element = &block["element"];
            let options: Vec<&Value> =
                element["options"].as_array().into_iter().flatten().map(|option| &option["text"]["text"]).collect();
            let bounds = [&element["min_value"], &element["max_value"], &element["max_length"]];
            json!([block["block_id"], block["label"]["text"], block["optional"], element["type"], options, bounds])
        })
        .collect();
    assert_eq!(
        drawn,
        [
            json!(["field:limit", "limit", false, "number_input", [], ["0", "10", null]]),
            json!([
                "field:side",
                "<@U1> & :fire:",
                false,
                "radio_buttons",
                ["buy", "sell", "none"],
                [null, null, null]
            ]),
            json!(["field:hedged", "hedged", true, "radio_buttons", ["Yes", "No", "No answer"], [null, null, null]]),
            json!(["field:note", "note", true, "plain_text_input", [], [null, null, 20]]),
            json!(["field:ratio", "ratio", true, "number_input", [], ["-0.0000001", "9007199254740991", null]]),
        ]
    );
    let hints: Vec<&Value> = inputs(&view).into_iter().map(|block| &block["hint"]["text"]).collect();
    assert_eq!(hints[0], "In millions of USD. Write a whole number from 0 to 10.");
    assert!(view.to_string().contains("\"emoji\":false"), "nobody's words become a picture: {view}");
    // An exercise says so first, and on what is pressed.
    let drill = opened(&ChatForm { drill: true, ..form(&limit(), &[]) }).await;
    assert_eq!(
        (&drill["title"]["text"], &drill["submit"]["text"]),
        (&json!("DRILL INC-12"), &json!("Send it (exercise)"))
    );
}

#[tokio::test]
async fn what_stands_in_the_fields_is_what_is_sent() {
    let typed = [("limit", "5"), ("side", "none"), ("hedged", "false"), ("ratio", "-0.0000001"), ("note", "<now>")];
    let view = opened(&form(&limit(), &typed)).await;
    let read: Vec<(String, String)> = sent_as_it_stands(&view).into_iter().collect();
    let mut expected = typed.map(|(name, text)| (name.to_owned(), text.to_owned()));
    expected.sort();
    assert_eq!(read, expected);
    // Nothing is typed for anybody.
    assert_eq!(sent_as_it_stands(&opened(&form(&limit(), &[])).await), BTreeMap::new());
}

#[tokio::test]
async fn an_action_is_approved_with_changes_in_the_same_way_and_a_fact_is_repeated_there() {
    let asked = ChatForm { edits: true, repeats: Some("EQ-2 (desk)".to_owned()), ..form(&limit(), &[("limit", "5")]) };
    let view = opened(&asked).await;
    assert_eq!(view["submit"]["text"], "Approve");
    let drawn = inputs(&view);
    let last = drawn.last().unwrap();
    assert_eq!(
        (&last["block_id"], &last["label"]["text"]),
        (&json!("repeat"), &json!("To decide, repeat EQ-2 (desk)"))
    );
    assert!(view.to_string().contains("What you leave as it is stays as it was asked."), "{view}");
    // What is repeated is no field.
    assert_eq!(sent_as_it_stands(&view), BTreeMap::from([("limit".to_owned(), "5".to_owned())]));
    let drill = opened(&ChatForm { drill: true, ..asked }).await;
    assert_eq!(drill["submit"]["text"], "Approve (exercise)");
}

/// The largest form, with letters of two units each.
#[tokio::test]
async fn the_largest_form_is_within_slacks_limits() {
    let wide = |count: usize| "🚨".repeat(count);
    let choices: Vec<String> = (0..CHOICES_MAX).map(|n| format!("{n}{}", wide(CHOICE_MAX - 1))).collect();
    let name = |n: usize| format!("{n}{}", "x".repeat(FIELD_NAME_MAX - 1));
    let field = |n: usize| {
        let mut field = match n % 3 {
            0 => json!({ "type": "string", "enum": choices }),
            1 => json!({ "type": "string", "maxLength": FIELD_TEXT_MAX }),
            _ => json!({ "type": "integer", "minimum": -9007199254740991_i64, "maximum": 9007199254740991_i64 }),
        };
        field["title"] = json!(format!("{n}{}", wide(FIELD_TITLE_MAX - 1)));
        field["description"] = json!(wide(FIELD_DESCRIPTION_MAX));
        (name(n), field)
    };
    let properties: serde_json::Map<String, Value> = (0..9).map(field).collect();
    let schema = json!({ "type": "object", "title": wide(FIELD_TITLE_MAX), "properties": properties });
    let typed: Vec<(String, String)> = (0..9)
        .map(|n| (name(n), if n % 3 == 0 { choices[8].clone() } else { "9007199254740991".to_owned() }))
        .collect();
    let typed: Vec<(&str, &str)> = typed.iter().map(|(name, text)| (&**name, &**text)).collect();
    let (mark, incident) = ("0".repeat(16), IncidentId(i64::from(u32::MAX)));
    let button = ChatButton::Card { incident: incident.to_string(), mark };
    let view =
        opened(&ChatForm { drill: true, incident, about: wide(QUESTION_MAX), button, ..form(&schema, &typed) }).await;
    assert_eq!(inputs(&view).len(), 9);
    assert_eq!(sent_as_it_stands(&view).len(), 9);
}

#[tokio::test]
async fn what_slack_does_not_open_is_said_without_what_was_sent() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let (used, late) = {
        let mut world = slack.world.lock().unwrap();
        (world.triggers.give(), world.triggers.give_at(Instant::now() - Duration::from_secs(4)))
    };
    assert_eq!(channel.open_form(&used, &form(&limit(), &[])).await, Ok(()));
    for (trigger, code) in [
        ("", "invalid_arguments"),
        ("1.2.3", "invalid_trigger_id"),
        (&*used, "exchanged_trigger_id"),
        (&*late, "expired_trigger_id"),
    ] {
        let refused = channel.open_form(trigger, &form(&limit(), &[])).await.unwrap_err().to_string();
        assert!(refused.contains(code) && !refused.contains("48213"), "{refused}");
    }
}

/// The double refuses what Slack refuses.
#[tokio::test]
async fn the_double_refuses_a_modal_that_breaks_a_limit() {
    let view = opened(&form(&limit(), &[])).await;
    let changes: [fn(&mut Value); 12] = [
        |view| view["type"] = json!("home"),
        |view| view["title"]["text"] = json!("x".repeat(25)),
        |view| view["submit"] = Value::Null,
        |view| view["private_metadata"] = json!("x".repeat(3001)),
        |view| view["blocks"] = json!([]),
        |view| view["blocks"][3]["block_id"] = view["blocks"][2]["block_id"].clone(),
        |view| view["blocks"][2]["label"]["text"] = json!("x".repeat(2001)),
        |view| view["blocks"][2]["element"]["min_value"] = json!("11"),
        |view| view["blocks"][2]["element"]["initial_value"] = json!("11"),
        |view| view["blocks"][3]["element"]["options"][0]["text"]["text"] = json!("x".repeat(76)),
        |view| view["blocks"][3]["element"]["initial_option"] = json!({ "value": "=other" }),
        |view| view["blocks"][3]["element"]["type"] = json!("dropdown"),
    ];
    assert_eq!(check(&view), Ok(()));
    for (n, change) in changes.into_iter().enumerate() {
        let mut broken = view.clone();
        change(&mut broken);
        assert!(check(&broken).is_err(), "change {n}");
    }
    let errors = |id: &str| json!({ "response_action": "errors", "errors": { id: "Takes less." } });
    assert!(check_reply(&view, &errors("field:limit")).is_ok() && check_reply(&view, &errors("limit")).is_err());
}
