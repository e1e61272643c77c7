//! Parses the payload of a button press in Slack. Pure.

use super::event::ButtonPress;
use serde_json::Value;

/// The prefix of every button's `action_id`.
const ACTION: &str = "answer:";

/// Why a payload is not a press of one of our buttons.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The payload is not what Slack documents.
    #[error("the payload can not be read")]
    Payload(#[source] serde_json::Error),
    /// The user is missing.
    #[error("the payload names no user")]
    NoUser,
    /// It is not about one of our buttons: acknowledge it and do nothing else.
    #[error("no button of ours was pressed")]
    NotOurs,
}

/// Parses an interaction's payload. It reads only the fields that we need, because Slack has sent `null` (the `team` of
/// an organisation's app) and unknown kinds of blocks in the others.
///
/// # Errors
///
/// [`PressError`]; with `NotOurs` the request is valid and needs an acknowledgement.
pub fn parse(payload: &str) -> Result<ButtonPress, PressError> {
    let payload: Value = serde_json::from_str(payload).map_err(PressError::Payload)?;
    let actions = payload["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours =
        |action: &Value| Some((action["action_id"].as_str()?.strip_prefix(ACTION)?.to_owned(), text(&action["value"])));
    let user = text(&payload["user"]["id"]);
    let pressed = actions.iter().find_map(ours).filter(|_| payload["type"] == "block_actions");
    let (action, value) = match (pressed, user.is_some()) {
        (Some(pressed), true) => pressed,
        (None, true) => return Err(PressError::NotOurs),
        (_, false) => return Err(PressError::NoUser),
    };
    let container = &payload["container"];
    Ok(ButtonPress {
        user: user.unwrap_or_default(),
        is_bot: is_bot(&payload),
        action,
        value: value.unwrap_or_default(),
        response_url: text(&payload["response_url"]),
        message_ts: text(&container["message_ts"]).or_else(|| text(&payload["message"]["ts"])),
        channel: text(&payload["channel"]["id"]).or_else(|| text(&container["channel_id"])),
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
