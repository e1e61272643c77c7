//! Parses the payload of a button press or of a form that was sent in Slack. Pure.

use super::{
    event::{ButtonPress, SentForm, SlackInbound},
    modal,
};
use serde_json::Value;

/// The prefix of every button's `action_id`.
const ACTION: &str = "answer:";

/// Why a payload is nothing that was done with a button or a form of ours.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The payload is not what Slack documents.
    #[error("the payload can not be read")]
    Payload(#[source] serde_json::Error),
    /// The user is missing.
    #[error("the payload names no user")]
    NoUser,
    /// It is not about one of our buttons or forms: acknowledge it and do nothing else.
    #[error("no button or form of ours was used")]
    NotOurs,
}

/// Parses an interaction's payload. It reads only the fields that we need, because Slack has sent `null` (the `team` of
/// an organisation's app) and unknown kinds of blocks in the others.
///
/// # Errors
///
/// [`PressError`]; with `NotOurs` the request is valid and needs an acknowledgement.
pub fn parse(payload: &str) -> Result<SlackInbound, PressError> {
    let payload: Value = serde_json::from_str(payload).map_err(PressError::Payload)?;
    let user = text(&payload["user"]["id"]).ok_or(PressError::NoUser)?;
    let ours = match payload["type"].as_str() {
        Some("block_actions") => pressed(&payload, user).map(SlackInbound::Press),
        Some("view_submission") => sent(&payload, user).map(SlackInbound::Form),
        _ => None,
    };
    ours.ok_or(PressError::NotOurs)
}

fn pressed(payload: &Value, user: String) -> Option<ButtonPress> {
    let ours =
        |action: &Value| Some((action["action_id"].as_str()?.strip_prefix(ACTION)?.to_owned(), text(&action["value"])));
    let (action, value) = payload["actions"].as_array()?.iter().find_map(ours)?;
    let container = &payload["container"];
    Some(ButtonPress {
        user,
        is_bot: is_bot(payload),
        action,
        value: value.unwrap_or_default(),
        response_url: text(&payload["response_url"]),
        trigger_id: text(&payload["trigger_id"]),
        message_ts: text(&container["message_ts"]).or_else(|| text(&payload["message"]["ts"])),
        channel: text(&payload["channel"]["id"]).or_else(|| text(&container["channel_id"])),
    })
}

fn sent(payload: &Value, user: String) -> Option<SentForm> {
    let view = &payload["view"];
    let is_ours = view["callback_id"] == modal::FORM;
    is_ours.then(|| SentForm {
        user,
        is_bot: is_bot(payload),
        metadata: text(&view["private_metadata"]).unwrap_or_default(),
        typed: modal::typed(&view["state"]["values"]),
        repeated: modal::repeated(&view["state"]["values"]),
    })
}

/// Bots can not press buttons in Slack; if a payload says that one did, it does not count as a person's answer.
fn is_bot(payload: &Value) -> bool {
    let user = &payload["user"];
    user["is_bot"] == true || !user["bot_id"].is_null() || !payload["bot_id"].is_null() || user["id"] == "USLACKBOT"
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
