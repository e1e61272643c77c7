//! What Slack and Telegram hand over.

use serde_json::{Value, json, value::to_raw_value};
use stentor::channel::{
    charset,
    chat::ChatCommand,
    slack::{
        command::WORDS_MAX,
        event::{ButtonPress, SlackInbound, SlashCommand},
        inbound::{of_envelope, of_form},
        socket::{FrameKind, SocketFrame, acknowledgement},
    },
    telegram::inbound::{TelegramInbound, TelegramUpdate},
};

/// The longest thing that somebody is told about their command, in characters.
const TOLD_MAX: usize = 1_000;

/// The form of a press or a command: both ways of Slack read the same, and a command does what its words say.
pub fn slack(bytes: &[u8]) {
    let Ok(heard) = of_form(bytes) else { return };
    match &heard {
        SlackInbound::Command(command) => {
            let fields: serde_json::Map<String, Value> = charset::fields(bytes)
                .map(|(name, value)| {
                    (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned().into())
                })
                .fold(serde_json::Map::new(), |mut fields, (name, value)| {
                    // Of two fields the first one counts.
                    fields.entry(name).or_insert(value);
                    fields
                });
            let payload = to_raw_value(&fields).expect("texts");
            assert_eq!(of_envelope("slash_commands", Some(&payload)).ok().as_ref(), Some(&heard));
            ordered(command);
        }
        SlackInbound::Press(press) => {
            let payload = charset::field(bytes, "payload").expect("a press has a payload");
            let payload: Value = serde_json::from_slice(&payload).expect("it was read");
            pressed(press, &payload);
            let payload = to_raw_value(&payload).expect("it was read");
            assert_eq!(of_envelope("interactive", Some(&payload)).ok().as_ref(), Some(&heard));
        }
        SlackInbound::Form(sent) => {
            let payload = charset::field(bytes, "payload").expect("a form has a payload");
            let mut payload: Value = serde_json::from_slice(&payload).expect("it was read");
            let raw = to_raw_value(&payload).expect("it was read");
            assert_eq!(of_envelope("interactive", Some(&raw)).ok().as_ref(), Some(&heard));
            payload["bot_id"] = "B1".into();
            let by_bot = of_envelope("interactive", Some(&to_raw_value(&payload).expect("it was read")));
            assert!(matches!(by_bot, Ok(SlackInbound::Form(bot)) if bot.is_bot && bot.user == sent.user));
        }
        SlackInbound::Other => {}
    }
}

fn pressed(press: &ButtonPress, payload: &Value) {
    assert_eq!(payload["type"], "block_actions");
    let mut bot = payload.clone();
    bot["bot_id"] = "B1".into();
    let bot = to_raw_value(&bot).expect("it was read");
    let Ok(SlackInbound::Press(by_bot)) = of_envelope("interactive", Some(&bot)) else { panic!("it is a press") };
    assert!(by_bot.is_bot && by_bot.user == press.user);
}

fn ordered(command: &SlashCommand) {
    assert!(!command.user.is_empty());
    match command.order() {
        Ok(ChatCommand::Page { words, drill, role }) => {
            assert!(words.chars().count() <= WORDS_MAX && !words.contains(char::is_control), "{words:?}");
            assert!(!words.is_empty() && !role.as_str().is_empty());
            let verb = command.text.split_whitespace().next().unwrap_or_default();
            assert_eq!(drill, !verb.to_lowercase().contains('p'), "{:?}", command.text);
        }
        Ok(ChatCommand::Resolve { reason: Some(reason), .. }) => {
            assert!(reason.chars().count() <= WORDS_MAX && !reason.contains(char::is_control), "{reason:?}");
        }
        Ok(ChatCommand::Answer { role: Some(role), .. }) => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert!(role.as_str().chars().all(is_name), "{role}");
        }
        Ok(_) => {}
        Err(why) => {
            let length = why.chars().count();
            assert!(length <= TOLD_MAX + command.name.chars().count(), "{length} characters are said");
        }
    }
}

/// A text frame of Slack's socket: what has an id is acknowledged by it, whatever else is in it.
pub fn frames(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(frame) = serde_json::from_str::<SocketFrame>(text) else { return };
    let FrameKind::Envelope(envelope) = frame.word() else { return };
    for reply in [None, Some(Value::from("word"))] {
        let said: Value = serde_json::from_str(&acknowledgement(&envelope.id, reply.as_ref())).expect("we wrote it");
        assert_eq!(said["envelope_id"], envelope.id.as_str());
    }
    match of_envelope(&envelope.kind, envelope.payload.as_deref()) {
        Ok(SlackInbound::Command(command)) => ordered(&command),
        Ok(SlackInbound::Press(press)) => assert!(!press.action.contains('\u{0}') || text.contains("\\u0000")),
        // What is typed is read as far as it stands in the fields of a form.
        Ok(SlackInbound::Form(sent)) => assert!(sent.typed.values().all(|typed| typed.len() <= text.len())),
        Ok(SlackInbound::Other) | Err(_) => {}
    }
}

/// An update of Telegram: only what a human wrote in their own chat is their word.
pub fn telegram(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(update) = TelegramUpdate::read(text) else { return };
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return assert_eq!(update.what, TelegramInbound::Other, "it can not be read");
    };
    assert_eq!(json["update_id"].as_i64(), Some(update.id));
    match update.what {
        TelegramInbound::Text { chat, .. } => {
            assert_eq!(Some(chat), json["message"]["chat"]["id"].as_i64());
            assert_eq!(json["message"]["from"]["id"], json["message"]["chat"]["id"]);
            for (field, value) in [
                ("forward_date", json!(1)),
                ("sender_chat", json!({ "id": -1 })),
                ("via_bot", json!({ "id": 1 })),
                ("from", json!({ "id": json["message"]["from"]["id"], "is_bot": true })),
                ("chat", json!({ "id": json["message"]["chat"]["id"], "type": "group" })),
            ] {
                let mut other = json.clone();
                other["message"][field] = value;
                let what = TelegramUpdate::of(&other).map(|update| update.what);
                assert!(!matches!(what, Some(TelegramInbound::Text { .. })), "{field}: {what:?}");
            }
        }
        TelegramInbound::Press { press, query } => {
            assert_eq!(json["callback_query"]["id"], query.as_str());
            assert_eq!(Some(press.user), json["callback_query"]["from"]["id"].as_i64());
            assert!(
                press.is_bot || json["callback_query"]["from"]["is_bot"] == false,
                "who does not say so may be a bot"
            );
        }
        TelegramInbound::GroupStart { .. } | TelegramInbound::ForeignPress { .. } | TelegramInbound::Other => {}
    }
}
