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
    /// Withdrawn, and not sent: nothing was tried, or its channel refused it.
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

/// Whether a page reached its person, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageReach {
    /// Its channel has accepted it, or a stand-in for its channel has: see [`crate::core::Page::stand_in`].
    Accepted,
    /// It may have been sent: nobody knows how an attempt ended.
    Unknown,
    /// Nothing was tried yet, or the first attempt is under way.
    Waiting,
    /// It waits for its person to open a desk, or nobody opened one.
    DeskClosed,
    /// Its channel did not accept it, yet or for good.
    Refused,
    /// Its provider accepted it, and reported that it did not arrive.
    NotArrived,
    /// It was withdrawn before anything was tried.
    Unsent,
}

impl PageReach {
    /// Whether its person has it, or may have it.
    pub fn may_be_read(self) -> bool {
        matches!(self, Self::Accepted | Self::Unknown)
    }

    /// Whether it was tried and did not reach its person.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::DeskClosed | Self::Refused | Self::NotArrived)
    }
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
