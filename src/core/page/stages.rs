//! How far a page got: its states and its stages.

use crate::core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageState {
    /// It waits to be sent, or is being sent.
    #[default]
    Queued,
    /// Its channel has accepted it, or a stand-in for its channel has: see [`crate::core::Page::stand_in`].
    Accepted,
    /// This channel cannot reach this person.
    Unreachable,
    /// Withdrawn; it is not known yet whether it was sent before.
    Withdrawn,
    /// Withdrawn, and never sent.
    Unsent,
}

/// When a page reached each stage. A page that a stand-in accepted was neither sent nor accepted by its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageStages {
    /// The first attempt that may have sent it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// A stand-in accepted it in its channel's place: the receipt says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Timestamp>,
    /// The provider accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// It is on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Timestamp>,
    /// A screen showed it to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// How far a page got with its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageStage {
    /// It is on the device.
    Delivered,
    /// A screen showed it to a person.
    Seen,
}

impl PageState {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Unreachable => "unreachable",
            Self::Withdrawn => "withdrawn",
            Self::Unsent => "unsent",
        }
    }
}
