//! Interprets Slack's errors. Bodies are never quoted: they may repeat what was sent.

use crate::channel::SendError;
use serde::Deserialize;
use std::{fmt, time::Duration};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SlackRefusal {
    /// Slack's own error code.
    Code {
        /// The code.
        code: String,
        /// The missing scope, if that is the reason.
        needed: Option<String>,
        /// For invitations: the people that it is about, each with their own code.
        each: Vec<InviteFailure>,
    },
    /// Too many calls, and how long to wait if Slack says so.
    Throttled(Option<Duration>),
    /// No connection: nothing was sent.
    NoConnection(String),
    /// The request was sent, but there was no readable response.
    Unknown(String),
    /// An HTTP status that is not Slack's way to refuse (most likely a proxy's): nothing was done.
    Status(u16),
}

/// One person who could not be invited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct InviteFailure {
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub error: String,
}

/// What may come with a code. Fields with an unexpected form are ignored, because only the code matters.
#[derive(Default, Deserialize)]
struct RefusalDetails {
    #[serde(default)]
    needed: Option<String>,
    #[serde(default)]
    errors: serde_json::Value,
}

/// What a code means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusalClass {
    /// Try again later.
    Retry,
    /// Try again later; it may have been done.
    Unknown,
    /// This person or room can not be reached.
    Unreachable,
    /// Nobody is reached until somebody repairs the app or its token.
    Broken,
}

/// The codes that do not mean "try again later".
const CLASSES: &[(RefusalClass, &[&str])] = &[
    (RefusalClass::Unknown, &["internal_error", "fatal_error", "request_timeout"]),
    (
        RefusalClass::Unreachable,
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
            "is_inactive",
            "cannot_create_channel",
            "is_archived",
            "not_in_channel",
            "name_taken",
        ],
    ),
    (
        RefusalClass::Broken,
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

/// Prefixes of codes that mean unreachable.
const UNREACHABLE_FAMILIES: [&str; 2] = ["restricted_action", "invalid_name"];

/// Prefixes of codes that refuse the form of a message.
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

/// Codes that mean that Slack is temporarily unavailable.
const TRANSIENT: [&str; 4] =
    ["service_unavailable", "accesslimited", "team_added_to_org", "external_channel_migrating"];

/// Codes that mean that an existing message can not be edited or have a thread.
const LOST_MESSAGE: [&str; 6] = [
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "update_failed",
    "thread_not_found",
    "cannot_reply_to_message",
];

impl SlackRefusal {
    /// A response that is not in Slack's format.
    pub(super) fn unreadable() -> Self {
        Self::Unknown("its answer can not be read: is a proxy or a captive portal in between?".to_owned())
    }

    /// An error code of Slack, with the other fields of the response.
    pub(super) fn code(code: &str, answer: &[u8]) -> Self {
        let beside: RefusalDetails = serde_json::from_slice(answer).unwrap_or_default();
        let each: Vec<InviteFailure> = each_of(beside.errors);
        let needed = beside.needed.map(|needed| scopes_only(&needed)).filter(|needed| !needed.is_empty());
        Self::Code { code: code_only(code), needed, each }
    }

    /// Whether a plain message may be accepted: the form was refused, or the code is unknown.
    pub(super) fn is_of_form(&self) -> bool {
        let Self::Code { code, .. } = self else { return false };
        let known = TRANSIENT.contains(&code.as_str()) || LOST_MESSAGE.contains(&code.as_str());
        let form = FORM_FAMILIES.iter().any(|family| code.starts_with(family));
        form || (class(code) == RefusalClass::Retry && !known)
    }

    /// Whether the message can not be edited or have a thread, so that a new one may be accepted.
    pub(super) fn is_of_lost_message(&self) -> bool {
        LOST_MESSAGE.iter().any(|code| self.is(code))
    }

    /// Whether the error has this code.
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Code { code, .. } if code == wanted)
    }

    /// Converts it to the outcome of a send.
    pub(super) fn into_send_error(self) -> SendError {
        let why = format!("Slack: {self}");
        match self {
            Self::Code { code, .. } => match class(&code) {
                RefusalClass::Retry => SendError::retry(why),
                RefusalClass::Unknown => SendError::unknown(why),
                RefusalClass::Unreachable => SendError::unreachable(why),
                RefusalClass::Broken => SendError::broken(format!("{why}: check the app's token and scopes")),
            },
            Self::Throttled(after) => SendError::throttled(after, why),
            Self::NoConnection(_) => SendError::retry(why),
            Self::Unknown(_) => SendError::unknown(why),
            Self::Status(500..=599) => SendError::unknown(why),
            Self::Status(_) => SendError::retry(why),
        }
    }
}

/// Whether this code means that nobody is reached until somebody repairs the app or its token.
pub(super) fn is_broken(code: &str) -> bool {
    class(code) == RefusalClass::Broken
}

fn class(code: &str) -> RefusalClass {
    if UNREACHABLE_FAMILIES.iter().any(|family| code.starts_with(family)) {
        return RefusalClass::Unreachable;
    }
    CLASSES.iter().find(|(_, codes)| codes.contains(&code)).map_or(RefusalClass::Retry, |(class, _)| *class)
}

/// The people with a code for each; entries of another form are ignored.
pub(super) fn each_of(errors: serde_json::Value) -> Vec<InviteFailure> {
    let serde_json::Value::Array(errors) = errors else { return Vec::new() };
    let each = errors.into_iter().filter_map(|one| serde_json::from_value::<InviteFailure>(one).ok());
    each.map(|each| InviteFailure { user: code_only(&each.user), error: code_only(&each.error) }).collect()
}

/// The text if it looks like scopes: words with colons, dots and commas.
fn scopes_only(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | ',')).take(128).collect()
}

/// The text if it looks like a code (one word). Anything else is not quoted.
pub(super) fn code_only(code: &str) -> String {
    code.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(64).collect()
}

impl fmt::Display for SlackRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code, needed: Some(needed), .. } => write!(f, "{code} ({needed})"),
            Self::Code { code, .. } => f.write_str(code),
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
            ("users_not_found", RefusalClass::Unreachable),
            ("user_disabled", RefusalClass::Unreachable),
            ("restricted_action_read_only_channel", RefusalClass::Unreachable),
            ("invalid_name_specials", RefusalClass::Unreachable),
            ("invalid_auth", RefusalClass::Broken),
            ("missing_scope", RefusalClass::Broken),
            ("account_inactive", RefusalClass::Broken),
            ("fatal_error", RefusalClass::Unknown),
            ("service_unavailable", RefusalClass::Retry),
            ("accesslimited", RefusalClass::Retry),
            ("team_added_to_org", RefusalClass::Retry),
            ("a_code_of_next_year", RefusalClass::Retry),
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
