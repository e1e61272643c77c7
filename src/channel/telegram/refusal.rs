//! What Telegram's refusals mean. Their descriptions are compared, never quoted: what was sent may stand in them.

use crate::channel::{SendError, client::ClientResponse};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// Why a call did not do what it should.
#[derive(Debug)]
pub(super) enum BotRefusal {
    /// There was no answer.
    Unsent(SendError),
    /// Too many calls, with Telegram's wish.
    Throttled(Option<Duration>),
    /// The chat has another id now.
    Migrated(i64),
    /// Another refusal: its code and its description in lower case.
    Refused { code: u16, description: String },
    /// An answer that is not the Bot API's.
    Unreadable { status: u16, after: Option<Duration> },
}

#[derive(Deserialize)]
struct BotStatus {
    ok: bool,
    result: Option<Box<RawValue>>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: BotParameters,
}

#[derive(Deserialize, Default)]
struct BotParameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

/// What a method gave, or why it refuses.
pub(super) fn result(response: &ClientResponse) -> Result<Box<RawValue>, BotRefusal> {
    let code = response.status.as_u16();
    let status = serde_json::from_str::<BotStatus>(&response.body);
    match status {
        Ok(BotStatus { ok: true, result: Some(result), .. }) if response.status.is_success() => Ok(result),
        Ok(BotStatus { ok: false, description, parameters, .. }) => Err(match parameters {
            _ if code == 429 => {
                BotRefusal::Throttled(parameters.retry_after.map(Duration::from_secs).or(response.after))
            }
            BotParameters { migrate_to_chat_id: Some(chat), .. } => BotRefusal::Migrated(chat),
            _ => BotRefusal::Refused { code, description: description.to_ascii_lowercase() },
        }),
        // A proxy may throttle in its own words.
        _ if code == 429 => Err(BotRefusal::Throttled(response.after)),
        _ => Err(BotRefusal::Unreadable { status: code, after: response.after }),
    }
}

impl BotRefusal {
    pub(super) fn unreadable(status: u16) -> Self {
        Self::Unreadable { status, after: None }
    }

    /// Whether it is about the form of the message: then a simpler one may go.
    pub(super) fn is_of_form(&self) -> bool {
        matches!(self, Self::Refused { code: 400, description } if !is_of_chat(description))
    }

    /// Whether the message that is to be edited has this very text already.
    pub(super) fn is_of_same_text(&self) -> bool {
        matches!(self, Self::Refused { code: 400, description } if description.contains("message is not modified"))
    }

    /// Whether the message that is to be edited is gone, or can not be edited any more.
    pub(super) fn is_of_lost_message(&self) -> bool {
        let lost = ["message to edit not found", "message can't be edited", "message_id_invalid"];
        matches!(self, Self::Refused { code: 400, description } if lost.iter().any(|part| description.contains(part)))
    }

    /// Whether a pressed button can not be answered any more.
    pub(super) fn is_of_old_query(&self) -> bool {
        matches!(self, Self::Refused { code: 400, description } if description.contains("query is too old"))
    }

    /// Whether only people can mend it.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Refused { code: 401 | 404, .. } => true,
            Self::Refused { code: 409, description } => description.contains("webhook"),
            Self::Unsent(_)
            | Self::Throttled(_)
            | Self::Migrated(_)
            | Self::Refused { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// How long to wait, where Telegram says.
    pub(super) fn after(&self) -> Option<Duration> {
        match self {
            Self::Throttled(after) | Self::Unreadable { after, .. } => *after,
            Self::Unsent(_) | Self::Migrated(_) | Self::Refused { .. } => None,
        }
    }

    pub(super) fn into_send_error(self) -> SendError {
        match self {
            Self::Unsent(error) => error,
            Self::Throttled(after) => SendError::throttled(after, "Telegram says: too many requests (429)"),
            Self::Migrated(_) => SendError::unreachable("this chat has become another one"),
            Self::Refused { code: 401, .. } => {
                SendError::broken("Telegram does not know the bot's token (401): it was revoked or is not whole")
            }
            Self::Refused { code: 404, .. } => {
                SendError::broken("Telegram knows no such bot (404): check the token and the url")
            }
            Self::Refused { code: 421, .. } => SendError::broken("this is not where the bot is served (421)"),
            Self::Refused { code: 403, description } => SendError::unreachable(forbidden(&description)),
            Self::Refused { code: 400, description } if is_of_chat(&description) => SendError::unreachable(
                "Telegram knows no such chat (400), or the bot may not write there: let the person write /start to it",
            ),
            Self::Refused { code: 400, .. } => SendError::unreachable("Telegram refuses the message (400)"),
            Self::Refused { code: 409, description } if description.contains("webhook") => SendError::retry(
                "the bot has a webhook (409): delete it with deleteWebhook, or give Stentor its own bot",
            ),
            Self::Refused { code: 409, .. } => {
                SendError::retry("another program fetches this bot's updates (409): give Stentor its own bot")
            }
            Self::Refused { code, .. } if 500 <= code => {
                SendError::unknown(format!("Telegram failed ({code}): it may have sent the message"))
            }
            Self::Refused { code, .. } => SendError::retry(format!("Telegram says {code}")),
            Self::Unreadable { status: 300..=399, .. } => {
                SendError::retry("Telegram's address redirects; that is not followed")
            }
            Self::Unreadable { status: 401 | 404, .. } => {
                SendError::broken("there is no Bot API at this address: check the url and the token")
            }
            Self::Unreadable { status, after } => {
                SendError::Retry { after, why: format!("the answer is not Telegram's ({status})"), unknown: true }
            }
        }
    }
}

/// Whether a 400 is about the chat, not about what was sent there.
fn is_of_chat(description: &str) -> bool {
    ["chat not found", "not enough rights", "topic_closed", "peer_id_invalid", "upgraded to a supergroup"]
        .iter()
        .any(|part| description.contains(part))
}

fn forbidden(description: &str) -> &'static str {
    match description {
        text if text.contains("blocked") => "the person has blocked the bot in Telegram (403)",
        text if text.contains("deactivated") => "the person's account at Telegram is gone (403)",
        text if text.contains("initiate") => "the person never wrote to the bot (403): let them write /start to it",
        _ => "the bot may not write to this chat (403)",
    }
}
