//! What Slack's refusals mean. Bodies are never quoted: they may repeat what was sent.

use crate::channel::SendError;
use slack_morphism::errors::SlackClientError;
use std::{error::Error as _, fmt, time::Duration};

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Slack's own error code.
    Code(String),
    /// Too many calls; wait so long, where Slack says how long.
    Throttled(Option<Duration>),
    /// No connection: nothing has left.
    NoConnection(String),
    /// The request left and nothing that can be read came back.
    Unknown(String),
    /// Not Slack's way to refuse (a proxy's, most likely): nothing was done.
    Status(u16),
}

/// What a code means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Not now.
    Retry,
    /// Not now, and it may have been done.
    Unknown,
    /// Not this person, or not this room.
    Unreachable,
    /// Nobody, until somebody mends the app or its token.
    Broken,
}

/// The codes that do not simply mean "not now".
const CLASSES: &[(Class, &[&str])] = &[
    (Class::Unknown, &["internal_error", "fatal_error", "request_timeout"]),
    (
        Class::Unreachable,
        &[
            "channel_not_found",
            "users_not_found",
            "user_not_found",
            "user_disabled",
            "user_is_restricted",
            "user_is_bot",
            "cannot_dm_bot",
            "cant_invite",
            "ura_max_channels",
            "org_user_not_in_team",
            "messages_tab_disabled",
            "cannot_reply_to_message",
            "cannot_create_channel",
            "is_archived",
            "not_in_channel",
            "name_taken",
        ],
    ),
    (
        Class::Broken,
        &[
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "missing_scope",
            "no_permission",
            "not_allowed_token_type",
            "team_access_not_granted",
            "enterprise_is_restricted",
            "ekm_access_denied",
            "access_denied",
            "two_factor_setup_required",
            "method_deprecated",
            "deprecated_endpoint",
        ],
    ),
];

/// Families of codes, by their beginning.
const UNREACHABLE_FAMILIES: [&str; 2] = ["restricted_action", "invalid_name"];

/// Codes that refuse the form of a message, by their beginning.
const FORM_FAMILIES: [&str; 8] = [
    "invalid_blocks",
    "msg_blocks_too_long",
    "msg_too_long",
    "invalid_arguments",
    "invalid_attachments",
    "too_many_attachments",
    "block_mismatch",
    "no_text",
];

impl Refusal {
    /// Slack answered, but not in its own words.
    pub(super) fn unreadable() -> Self {
        Self::Unknown("its answer can not be read: is a proxy or a captive portal in between?".to_owned())
    }

    /// Whether a plainer message may pass.
    pub(super) fn is_of_form(&self) -> bool {
        matches!(self, Self::Code(code) if FORM_FAMILIES.iter().any(|family| code.starts_with(family)))
    }

    /// Whether it is this code.
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Code(code) if code == wanted)
    }

    /// What it means for the message.
    pub(super) fn into_send_error(self) -> SendError {
        let why = format!("Slack: {self}");
        match self {
            Self::Code(code) => match class(&code) {
                Class::Retry => SendError::retry(why),
                Class::Unknown => SendError::unknown(why),
                Class::Unreachable => SendError::unreachable(why),
                Class::Broken => SendError::broken(format!("{why}: check the app's token and scopes")),
            },
            Self::Throttled(after) => SendError::throttled(after, why),
            Self::NoConnection(_) => SendError::retry(why),
            Self::Unknown(_) => SendError::unknown(why),
            Self::Status(500..=599) => SendError::unknown(why),
            Self::Status(_) => SendError::retry(why),
        }
    }
}

/// Whether this code means that nobody is reached until somebody mends the app or its token.
pub(super) fn is_broken(code: &str) -> bool {
    class(code) == Class::Broken
}

fn class(code: &str) -> Class {
    if UNREACHABLE_FAMILIES.iter().any(|family| code.starts_with(family)) {
        return Class::Unreachable;
    }
    CLASSES.iter().find(|(_, codes)| codes.contains(&code)).map_or(Class::Retry, |(class, _)| *class)
}

impl From<SlackClientError> for Refusal {
    fn from(error: SlackClientError) -> Self {
        match error {
            // Both spellings are Slack's: with a 429, and in the body of a 200.
            SlackClientError::ApiError(error) if matches!(&*error.code, "ratelimited" | "rate_limited") => {
                Self::Throttled(None)
            }
            SlackClientError::ApiError(error) => Self::Code(code_only(&error.code)),
            SlackClientError::RateLimitError(error) => Self::Throttled(error.retry_after),
            SlackClientError::HttpError(error) => Self::Status(error.status_code.as_u16()),
            SlackClientError::HttpProtocolError(error) => no_connection(&error)
                .map_or_else(|| Self::Unknown("the connection broke before its answer".to_owned()), Self::NoConnection),
            SlackClientError::ProtocolError(_) => Self::unreadable(),
            SlackClientError::EndOfStream(_)
            | SlackClientError::SystemError(_)
            | SlackClientError::SocketModeProtocolError(_) => {
                Self::Unknown("the connection broke within its answer".to_owned())
            }
        }
    }
}

/// A code is a word. Whatever else stands there is not quoted.
pub(super) fn code_only(code: &str) -> String {
    code.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(64).collect()
}

fn no_connection(error: &slack_morphism::errors::SlackClientHttpProtocolError) -> Option<String> {
    let error = error.cause.as_ref()?.downcast_ref::<hyper_util::client::legacy::Error>()?;
    if !error.is_connect() {
        return None;
    }
    let mut last = error.source()?;
    while let Some(next) = last.source() {
        last = next;
    }
    Some(last.to_string())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => f.write_str(code),
            Self::Throttled(_) => f.write_str("too many calls"),
            Self::NoConnection(why) => write!(f, "no connection: {why}"),
            Self::Unknown(why) => f.write_str(why),
            Self::Status(status) => write!(f, "HTTP status {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_for_this_person_or_for_everybody_or_for_later() {
        for (code, expected) in [
            ("users_not_found", Class::Unreachable),
            ("user_disabled", Class::Unreachable),
            ("restricted_action_read_only_channel", Class::Unreachable),
            ("invalid_name_specials", Class::Unreachable),
            ("invalid_auth", Class::Broken),
            ("missing_scope", Class::Broken),
            ("account_inactive", Class::Broken),
            ("fatal_error", Class::Unknown),
            ("service_unavailable", Class::Retry),
            ("accesslimited", Class::Retry),
            ("team_added_to_org", Class::Retry),
            ("a_code_of_next_year", Class::Retry),
        ] {
            assert_eq!(class(code), expected, "{code}");
        }
    }

    #[test]
    fn only_a_word_is_quoted() {
        assert_eq!(code_only("invalid_auth"), "invalid_auth");
        assert_eq!(code_only("bad token xoxb-1"), "bad");
    }
}
