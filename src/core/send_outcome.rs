//! How attempts to send end: what a channel gave back, what stood in for it, why a page had to wait.

use super::{drill::INJECTED, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What whoever took a page gave back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ReceiptRow")]
pub struct SendReceipt {
    /// The provider's id of the message, or its own words if it gives none.
    pub id: String,
    /// The room that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// What took the page in its channel's place; `None` if the channel itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// What can take a page in its channel's place. It never reached anybody by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandIn {
    /// The sandbox: it was kept on this machine.
    Sandbox,
    /// Its drill, on purpose: its person is absent, or it is brought late.
    Drill,
    /// Nothing was needed: it is about its reader's own answer, and they know.
    Unneeded,
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum SendOutcome {
    /// It was taken: by its channel, or by what stood in for it.
    Accepted {
        /// What it gave back.
        receipt: SendReceipt,
    },
    /// Not now; perhaps it was sent anyway, where `unknown`.
    Retry {
        /// When to try again.
        at: Timestamp,
        /// The trouble.
        why: String,
        /// The request had left when the trouble came.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unknown: bool,
    },
    /// Not given to its channel yet. Nobody has refused this page.
    Held {
        /// When it may be tried.
        until: Timestamp,
        /// Why.
        #[serde(default, skip_serializing_if = "HeldWhy::is_not_known")]
        why: HeldWhy,
    },
    /// This person cannot be reached by this way.
    Unreachable {
        /// The trouble.
        why: String,
    },
    /// It had been withdrawn before the attempt began.
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
    /// Its person has no desk page open. That is no fault of the channel.
    DeskClosed,
}

/// What a closed desk is told by: the words around its person's name.
const DESK_CLOSED: (&str, &str) = ("no desk page of ", " is open");

/// The words for a desk that is not open.
pub fn desk_closed(name: &str) -> String {
    let (before, after) = DESK_CLOSED;
    format!("{before}{name}{after}")
}

/// What a word says first that is given up because it is no news any more; the last trouble follows.
pub const TOO_LATE: &str = "too late to tell: ";

/// How a page ends that was withdrawn after an attempt whose outcome is not known.
pub const MAYBE_READ: &str = "withdrawn; an attempt of before may have reached its reader";

/// How one ends that was withdrawn while a node had it that died.
pub const NODE_DIED: &str = "its node died; perhaps it was sent";

/// What the sandbox, and a channel that left out a needless call, gave back before receipts said so themselves.
const BEFORE: [(&str, StandIn); 3] = [
    ("sandbox", StandIn::Sandbox),
    ("not called: it is they who have it", StandIn::Unneeded),
    ("not called: it is about their own answer", StandIn::Unneeded),
];

/// The words for every page that was held, before holding was told from being refused.
const HELD_BEFORE: &str = "its channel's provider asked everybody to wait";

/// A receipt as it is written.
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

/// Old receipts say in their id alone what stood in, in words that no provider gives.
fn stand_in_of_before(id: &str) -> Option<StandIn> {
    let known = BEFORE.into_iter().find(|(words, _)| *words == id).map(|(_, stand_in)| stand_in);
    known.or_else(|| id.starts_with(INJECTED).then_some(StandIn::Drill))
}

impl SendReceipt {
    /// That of a channel which took the page and gave it this id.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: id.into(), room: None, stand_in: None }
    }

    /// That of what took the page in its channel's place.
    pub fn of_stand_in(stand_in: StandIn, words: impl Into<String>) -> Self {
        Self { id: words.into(), room: None, stand_in: Some(stand_in) }
    }
}

impl StandIn {
    /// Its name in tables and in JSON, in place of "accepted".
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
    /// What took the page in its channel's place.
    pub fn stand_in(&self) -> Option<StandIn> {
        match self {
            Self::Accepted { receipt } => receipt.stand_in,
            Self::Retry { .. } | Self::Held { .. } | Self::Unreachable { .. } | Self::Unsent => None,
        }
    }

    /// Whether it was held for a reason that the line does not tell: journals of older versions named the channel's provider for
    /// a desk that nobody had open, too.
    pub fn is_held_for_unknown_reason(&self) -> bool {
        match self {
            Self::Held { why, .. } => *why == HeldWhy::NotKnown,
            Self::Retry { why, .. } => why == HELD_BEFORE,
            Self::Accepted { .. } | Self::Unreachable { .. } | Self::Unsent => false,
        }
    }

    /// Whether it was not wanted any more, and may have been sent before. Nobody refused it.
    pub fn is_withdrawn_in_doubt(&self) -> bool {
        matches!(self, Self::Unreachable { why } if why == MAYBE_READ || why == NODE_DIED)
    }

    /// Whether its person's desk was not open, in journals of older versions too, which told it as a refusal.
    pub fn is_desk_closed(&self) -> bool {
        match self {
            Self::Held { why, .. } => *why == HeldWhy::DeskClosed,
            Self::Retry { why, unknown: false, .. } | Self::Unreachable { why } => tells_desk_closed(why),
            Self::Accepted { .. } | Self::Retry { .. } | Self::Unsent => false,
        }
    }
}

/// Whether a page's trouble is that its person's desk was not open.
pub fn tells_desk_closed(trouble: &str) -> bool {
    let (before, after) = DESK_CLOSED;
    // A word that is given up because nobody opened a desk in time says so first.
    let trouble = trouble.strip_prefix(TOO_LATE).unwrap_or(trouble);
    trouble.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
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
