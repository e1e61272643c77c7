//! What Slack hands in: buttons and commands, as forms and as envelopes.

use serde_json::value::RawValue;
use stentor::channel::slack::{
    escape,
    event::{ButtonPress, SentForm, SlackInbound, SlashCommand},
    inbound::{InboundError, is_probe, of_envelope, of_form},
    interaction::PressError,
};

fn form(payload: &serde_json::Value) -> Vec<u8> {
    let mut url = reqwest::Url::parse("form:").unwrap();
    url.query_pairs_mut().append_pair("payload", &payload.to_string());
    url.query().unwrap().as_bytes().to_vec()
}

fn enveloped(kind: &str, payload: &serde_json::Value) -> Result<SlackInbound, InboundError> {
    of_envelope(kind, Some(&RawValue::from_string(payload.to_string()).unwrap()))
}

#[test]
fn a_press_is_read_past_everything_that_is_not_needed() {
    let payload = serde_json::json!({
        "type": "block_actions",
        "team": null,
        "enterprise": { "id": "E1" },
        "is_enterprise_install": true,
        "user": { "id": "UANA", "username": "ana + co", "team_id": "T1" },
        "container": { "type": "message", "message_ts": "1700000000.000001", "channel_id": "DANA" },
        "message": { "ts": "1700000000.000001", "blocks": [{ "type": "hologram", "depth": 3 }] },
        "response_url": "https://hooks.slack.example/actions/1",
        "trigger_id": "1.2.abc",
        "actions": [
            { "type": "static_select", "action_id": "other", "selected_option": { "value": "x" } },
            { "type": "button", "action_id": "answer:wilco", "value": "INC-12.3:48213", "action_ts": "1700000001.1" }
        ]
    });
    let press = ButtonPress {
        user: "UANA".to_owned(),
        is_bot: false,
        action: "wilco".to_owned(),
        value: "INC-12.3:48213".to_owned(),
        response_url: Some("https://hooks.slack.example/actions/1".to_owned()),
        trigger_id: Some("1.2.abc".to_owned()),
        message_ts: Some("1700000000.000001".to_owned()),
        channel: Some("DANA".to_owned()),
    };
    assert_eq!(of_form(&form(&payload)).unwrap(), SlackInbound::Press(press.clone()));
    assert_eq!(enveloped("interactive", &payload).unwrap(), SlackInbound::Press(press), "both ways read the same");
}

#[test]
fn what_is_null_where_slack_documents_a_value_loses_no_button() {
    let action = serde_json::json!({ "action_id": "answer:roger", "value": "INC-1.1:10000" });
    let least = serde_json::json!({ "type": "block_actions", "user": { "id": "UANA" }, "actions": [action] });
    for key in
        ["team", "enterprise", "container", "channel", "message", "response_url", "state", "is_enterprise_install"]
    {
        let mut payload = least.clone();
        payload[key] = serde_json::Value::Null;
        let Ok(SlackInbound::Press(press)) = of_form(&form(&payload)) else { panic!("{key}") };
        assert_eq!((press.user.as_str(), press.action.as_str()), ("UANA", "roger"), "{key}");
    }
    let strange = serde_json::json!([null, 7, { "action_id": null }, { "action_id": "answer:roger", "value": null }]);
    let mut payload = least;
    payload["actions"] = strange;
    assert!(matches!(of_form(&form(&payload)), Ok(SlackInbound::Press(press)) if press.value.is_empty()));
}

#[test]
fn a_press_that_says_that_it_is_a_bots_is_known_as_one() {
    let action = serde_json::json!({ "action_id": "answer:wilco", "value": "INC-1.1:10000" });
    for (user, bot_id) in [
        (serde_json::json!({ "id": "UANA", "is_bot": true }), serde_json::Value::Null),
        (serde_json::json!({ "id": "UANA", "bot_id": "B1" }), serde_json::Value::Null),
        (serde_json::json!({ "id": "USLACKBOT" }), serde_json::Value::Null),
        (serde_json::json!({ "id": "UANA" }), "B1".into()),
    ] {
        let payload =
            serde_json::json!({ "type": "block_actions", "user": user, "bot_id": bot_id, "actions": [action] });
        assert!(matches!(of_form(&form(&payload)), Ok(SlackInbound::Press(press)) if press.is_bot), "{payload}");
    }
}

#[test]
fn what_is_no_press_of_ours_is_told_apart() {
    let user = serde_json::json!({ "id": "UANA" });
    let foreign = serde_json::json!({ "type": "block_actions", "user": user, "actions": [{ "action_id": "x" }] });
    let view =
        serde_json::json!({ "type": "view_submission", "user": user, "actions": null, "view": { "callback_id": "x" } });
    let nobody = serde_json::json!({ "type": "block_actions", "actions": [{ "action_id": "answer:wilco" }] });
    assert!(matches!(of_form(&form(&foreign)), Ok(SlackInbound::Other)));
    assert!(matches!(of_form(&form(&view)), Ok(SlackInbound::Other)));
    assert!(matches!(of_form(&form(&nobody)), Err(InboundError::Press(PressError::NoUser))));
    assert!(matches!(of_form(b"payload=%7B"), Err(InboundError::Press(PressError::Payload(_)))));
    assert!(matches!(of_form(b"other=1"), Err(InboundError::Empty)));
    assert!(matches!(of_form(b"payload=\xff"), Err(InboundError::Empty)));
    assert!(matches!(of_form(b""), Err(InboundError::Empty)));
    assert!(matches!(enveloped("events_api", &view), Ok(SlackInbound::Other)));
    assert!(matches!(of_envelope("interactive", None), Err(InboundError::Press(_))));
    assert!(matches!(of_envelope("slash_commands", None), Err(InboundError::NoUser)));
}

#[test]
fn a_form_is_read_past_everything_that_is_not_needed() {
    let payload = serde_json::json!({
        "type": "view_submission", "team": null, "user": { "id": "UANA" }, "response_urls": [],
        "view": {
            "id": "V1", "callback_id": "form", "private_metadata": "INC-12.3:48213 sha256:1",
            "state": { "values": {
                "field:limit": { "value": { "type": "number_input", "value": "5" } },
                "field:side": { "value": { "type": "radio_buttons", "selected_option": { "value": "=none" } } },
                "field:hedged": { "value": { "type": "radio_buttons", "selected_option": { "value": "none" } } },
                "field:note": { "value": { "type": "plain_text_input", "value": null } },
                "field:odd": { "other": { "value": "x" } },
                "other": { "value": { "value": "x" } },
                "repeat": { "value": { "type": "plain_text_input", "value": "EQ-2" } },
                "field:list": [],
            } },
        },
    });
    let typed = [("limit", "5"), ("side", "none")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let sent = SentForm {
        user: "UANA".to_owned(),
        is_bot: false,
        metadata: "INC-12.3:48213 sha256:1".to_owned(),
        typed: typed.into(),
        repeated: Some("EQ-2".to_owned()),
    };
    assert_eq!(of_form(&form(&payload)).unwrap(), SlackInbound::Form(sent.clone()));
    assert_eq!(enveloped("interactive", &payload).unwrap(), SlackInbound::Form(sent));
    for state in [serde_json::Value::Null, serde_json::json!({ "values": [] }), serde_json::json!("x")] {
        let mut payload = payload.clone();
        (payload["view"]["state"], payload["view"]["private_metadata"]) = (state, serde_json::Value::Null);
        let Ok(SlackInbound::Form(sent)) = of_form(&form(&payload)) else { panic!("{payload}") };
        assert!(sent.typed.is_empty() && sent.metadata.is_empty(), "{sent:?}");
    }
}

#[test]
fn a_command_is_the_same_as_a_form_and_in_an_envelope() {
    let fields = [
        ("command", "/stentor"),
        ("text", "page trader a & b"),
        ("user_id", "UANA"),
        ("trigger_id", "1.2.abc"),
        ("response_url", "https://hooks.slack.example/commands/1"),
        ("channel_name", "trading"),
        ("team_id", "T1"),
    ];
    let mut url = reqwest::Url::parse("form:").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    let object: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let command = SlashCommand {
        user: "UANA".into(),
        is_bot: false,
        name: "/stentor".into(),
        text: "page trader a & b".into(),
        response_url: Some("https://hooks.slack.example/commands/1".into()),
        trigger_id: Some("1.2.abc".into()),
        channel: Some("trading".into()),
    };
    assert_eq!(of_form(url.query().unwrap().as_bytes()).unwrap(), SlackInbound::Command(command.clone()));
    assert_eq!(enveloped("slash_commands", &object.into()).unwrap(), SlackInbound::Command(command));
    assert!(matches!(of_form(b"command=%2Fstentor&text=list"), Err(InboundError::NoUser)));
    assert!(matches!(of_form(b"ssl_check=1&token=x"), Ok(SlackInbound::Other)));
}

#[test]
fn only_a_probe_without_content_is_a_probe() {
    for (body, expected) in [
        ("ssl_check=1&token=legacy", true),
        ("ssl_check=0", false),
        ("ssl_check=1&payload=%7B%7D", false),
        ("ssl_check=1&command=%2Fstentor&text=resolve+INC-1", false),
        ("", false),
    ] {
        assert_eq!(is_probe(body.as_bytes()), expected, "{body}");
    }
    assert_eq!(escape("<!channel> R&D <@U1>"), "&lt;!channel&gt; R&amp;D &lt;@U1&gt;");
}
