//! How far a page got: its states and its stages.

use crate::core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageState {
    /// To be sent, or being sent.
    #[default]
    Queued,
    /// Its channel has accepted it, or what stands in for its channel: see [`Page::stand_in`].
    Accepted,
    /// This person cannot be reached by this way.
    Unreachable,
    /// Not wanted any more; whether it was sent before that is not known yet.
    Withdrawn,
    /// Withdrawn, and never sent.
    Unsent,
}

/// When a page passed which stage. What a stand-in took in its channel's place was neither sent nor accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageStages {
    /// The first attempt began by which it may have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// Something else took it in its channel's place: the receipt says what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Timestamp>,
    /// The provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// The device has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Timestamp>,
    /// A human's screen showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// How far a page got with its human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageStage {
    /// The device has it.
    Delivered,
    /// A human's screen showed it.
    Seen,
}

impl PageState {
    /// Its name, as it is written in JSON.
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
