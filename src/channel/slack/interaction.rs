//! What users do in Slack; of a button pressed: which one, by whom. Pure.

use crate::channel::inbound::ButtonPress;
use serde_json::Value;

/// What every button's `action_id` begins with.
const ACTION: &str = "answer:";

/// Why a payload is no press of one of our buttons.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The payload is not what Slack documents.
    #[error("the payload can not be read")]
    Payload(#[source] serde_json::Error),
    /// It does not say who pressed.
    #[error("the payload names no user")]
    NoUser,
    /// Something else was done than a button of ours pressed: to be acknowledged and left.
    #[error("no button of ours was pressed")]
    NotOurs,
}

/// Reads an interaction's payload. Only what is needed is looked at: of the rest, Slack has sent `null` (the `team` of
/// an organisation's app) and kinds of blocks that no library knew.
///
/// # Errors
///
/// [`PressError`]; with `NotOurs` the request is fine and wants an acknowledgement.
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

/// Slack lets no bot press a button; where a payload says that one did, it is no human's word.
fn is_bot(payload: &Value) -> bool {
    let user = &payload["user"];
    user["is_bot"] == true || !user["bot_id"].is_null() || !payload["bot_id"].is_null() || user["id"] == "USLACKBOT"
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
