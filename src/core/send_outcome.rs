//! How attempts to send end: what a channel returned, what stood in for it, why a page had to wait.

use super::{drill::INJECTED, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The receipt for a page that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ReceiptRow")]
pub struct SendReceipt {
    /// The provider's id of the message, or its reply if it gives no id.
    pub id: String,
    /// The room that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The stand-in that accepted the page in its channel's place; `None` if the channel itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// What can accept a page in its channel's place. The page never reached anybody this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandIn {
    /// The sandbox: the page stayed on this machine.
    Sandbox,
    /// Its drill, on purpose: the person is absent, or the page is delivered late.
    Drill,
    /// Nothing had to be sent: the page is about its reader's own answer, which they know.
    Unneeded,
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum SendOutcome {
    /// It was accepted, by its channel or by a stand-in.
    Accepted {
        /// The receipt.
        receipt: SendReceipt,
    },
    /// Try again later. If `unknown`, it may have been sent anyway.
    Retry {
        /// When to try again.
        at: Timestamp,
        /// The error.
        why: String,
        /// The request had already been sent when the error occurred.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unknown: bool,
    },
    /// Not given to its channel yet. Nobody has refused this page.
    Held {
        /// When it may be tried.
        until: Timestamp,
        /// Why it is held.
        #[serde(default, skip_serializing_if = "HeldWhy::is_not_known")]
        why: HeldWhy,
    },
    /// This channel cannot reach this person.
    Unreachable {
        /// The error.
        why: String,
    },
    /// It was withdrawn before the attempt began.
    Unsent,
}

/// Why a page is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldWhy {
    /// The journal line does not say: it is from an older version.
    #[default]
    NotKnown,
    /// The channel's provider asked to wait.
    Provider,
    /// The person has no desk page open. This is not the channel's fault.
    DeskClosed,
}

/// The text for a closed desk: the words before and after the person's name.
const DESK_CLOSED: (&str, &str) = ("no desk page of ", " is open");

/// The text for a desk that is not open.
pub fn desk_closed(name: &str) -> String {
    let (before, after) = DESK_CLOSED;
    format!("{before}{name}{after}")
}

/// The prefix for a message that is given up because it is out of date; the last error follows.
pub const TOO_LATE: &str = "too late to tell: ";

/// The text for a page that was withdrawn after an attempt with an unknown result. It is in journals, and compared with
/// what they say: it never changes.
pub const MAYBE_READ: &str = "withdrawn; an attempt of before may have reached its reader";

/// The text for a page that was withdrawn while it was on a node that died.
pub const NODE_DIED: &str = "its node died; perhaps it was sent";

/// What the sandbox, and a channel that skipped an unnecessary call, returned before receipts had a field for it.
const BEFORE: [(&str, StandIn); 3] = [
    ("sandbox", StandIn::Sandbox),
    ("not called: it is they who have it", StandIn::Unneeded),
    ("not called: it is about their own answer", StandIn::Unneeded),
];

/// The text for every held page in older versions, which did not separate holds from refusals.
const HELD_BEFORE: &str = "its channel's provider asked everybody to wait";

#[derive(Deserialize)]
struct ReceiptRow {
    id: String,
    #[serde(default)]
    room: Option<String>,
    #[serde(default)]
    stand_in: Option<StandIn>,
}

impl From<ReceiptRow> for SendReceipt {
    fn from(row: ReceiptRow) -> Self {
        let stand_in = row.stand_in.or_else(|| stand_in_of_before(&row.id));
        Self { id: row.id, room: row.room, stand_in }
    }
}

/// In old receipts only the id names the stand-in, in words that no provider uses.
fn stand_in_of_before(id: &str) -> Option<StandIn> {
    let known = BEFORE.into_iter().find(|(words, _)| *words == id).map(|(_, stand_in)| stand_in);
    known.or_else(|| id.starts_with(INJECTED).then_some(StandIn::Drill))
}

impl SendReceipt {
    /// The receipt of a channel that accepted the page and returned this id.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: id.into(), room: None, stand_in: None }
    }

    /// The receipt of a stand-in that accepted the page in its channel's place.
    pub fn of_stand_in(stand_in: StandIn, words: impl Into<String>) -> Self {
        Self { id: words.into(), room: None, stand_in: Some(stand_in) }
    }
}

impl StandIn {
    /// Its name in tables and in JSON, shown in place of "accepted".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Drill => "injected",
            Self::Unneeded => "not needed",
        }
    }
}

/// What it means for the page's reader.
impl fmt::Display for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sandbox => "SANDBOX: kept on this machine, sent to nobody",
            Self::Drill => "injected by the drill: not sent",
            Self::Unneeded => "not sent: it is about its reader's own answer",
        })
    }
}

impl HeldWhy {
    fn is_not_known(&self) -> bool {
        *self == Self::NotKnown
    }
}

impl fmt::Display for HeldWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotKnown => "it may not be sent yet",
            Self::Provider => "its channel's provider asked to wait",
            Self::DeskClosed => "their desk was not open",
        })
    }
}

impl SendOutcome {
    /// The stand-in that accepted the page in its channel's place.
    pub fn stand_in(&self) -> Option<StandIn> {
        match self {
            Self::Accepted { receipt } => receipt.stand_in,
            Self::Retry { .. } | Self::Held { .. } | Self::Unreachable { .. } | Self::Unsent => None,
        }
    }

    /// Whether it was held for a reason that the line does not give: older versions named the channel's provider even
    /// when nobody had the desk open.
    pub fn is_held_for_unknown_reason(&self) -> bool {
        match self {
            Self::Held { why, .. } => *why == HeldWhy::NotKnown,
            Self::Retry { why, .. } => why == HELD_BEFORE,
            Self::Accepted { .. } | Self::Unreachable { .. } | Self::Unsent => false,
        }
    }

    /// Whether it was withdrawn and may have been sent before. Nobody refused it.
    pub fn is_withdrawn_in_doubt(&self) -> bool {
        matches!(self, Self::Unreachable { why } if why == MAYBE_READ || why == NODE_DIED)
    }

    /// Whether the person's desk was not open. Covers journals of older versions too, which recorded this as a refusal.
    pub fn is_desk_closed(&self) -> bool {
        match self {
            Self::Held { why, .. } => *why == HeldWhy::DeskClosed,
            Self::Retry { why, unknown: false, .. } | Self::Unreachable { why } => tells_desk_closed(why),
            Self::Accepted { .. } | Self::Retry { .. } | Self::Unsent => false,
        }
    }
}

/// Whether a page's last error is that the person's desk was not open.
pub fn tells_desk_closed(error: &str) -> bool {
    let (before, after) = DESK_CLOSED;
    // A message that is given up because nobody opened a desk in time has this prefix.
    let error = error.strip_prefix(TOO_LATE).unwrap_or(error);
    error.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(json: &str) -> SendReceipt {
        serde_json::from_str(json).unwrap_or_default()
    }

    #[test]
    fn receipts_of_before_are_told_apart_by_the_words_that_only_stand_ins_gave() {
        assert_eq!(receipt(r#"{"id":"sandbox","room":"sandbox"}"#).stand_in, Some(StandIn::Sandbox));
        assert_eq!(receipt(r#"{"id":"injected: ana is absent from this drill"}"#).stand_in, Some(StandIn::Drill));
        assert_eq!(receipt(r#"{"id":"not called: it is they who have it"}"#).stand_in, Some(StandIn::Unneeded));
        assert_eq!(receipt(r#"{"id":"not called: it is about their own answer"}"#).stand_in, Some(StandIn::Unneeded));
        assert_eq!(receipt(r#"{"id":"SM0123"}"#), SendReceipt::of("SM0123"));
        assert_eq!(receipt(r#"{"id":"x","stand_in":"sandbox"}"#), SendReceipt::of_stand_in(StandIn::Sandbox, "x"));
    }

    #[test]
    fn a_closed_desk_is_known_in_lines_of_now_and_of_before() {
        let retry = |why: String, unknown| SendOutcome::Retry { at: Timestamp::default(), why, unknown };
        assert!(retry(desk_closed("Ana"), false).is_desk_closed());
        assert!(SendOutcome::Unreachable { why: format!("{TOO_LATE}{}", desk_closed("Ana")) }.is_desk_closed());
        assert!(SendOutcome::Held { until: Timestamp::default(), why: HeldWhy::DeskClosed }.is_desk_closed());
        assert!(!SendOutcome::Held { until: Timestamp::default(), why: HeldWhy::Provider }.is_desk_closed());
        assert!(!retry("no answer in time".into(), true).is_desk_closed());
        let old = serde_json::from_str(r#"{"outcome":"held","until":"2026-01-01T00:00:00Z"}"#).ok();
        let held = |until| SendOutcome::Held { until, why: HeldWhy::NotKnown };
        assert!(old.is_some() && old == Timestamp::parse("2026-01-01T00:00:00Z").map(held), "{old:?}");
        assert!(old.is_some_and(|old| old.is_held_for_unknown_reason()));
    }
}
