//! The classification of an incident. It is given when the incident is resolved, or later, when more is known.

use super::{event::Actor, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest note, in characters.
pub const NOTE_MAX: usize = 2_000;

/// The classification of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClassificationKind {
    /// There was a crisis, and people were needed.
    True,
    /// There was no crisis: the trigger was wrong.
    False,
    /// What the trigger saw was real, but expected or harmless.
    Benign,
    /// Another incident was about the same thing.
    Duplicate,
}

/// A classification and the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Classification {
    /// The classification.
    pub finding: ClassificationKind,
    /// A note in their own words; at most [`NOTE_MAX`] characters.
    #[schemars(length(max = NOTE_MAX))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who gave it.
    pub by: Actor,
    /// When it was given.
    pub at: Timestamp,
}

impl ClassificationKind {
    /// All variants, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::True, Self::False, Self::Benign, Self::Duplicate];

    /// Its name in JSON, in commands and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Benign => "benign",
            Self::Duplicate => "duplicate",
        }
    }
}

impl fmt::Display for ClassificationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `true`, `false`, `benign`, `duplicate`.
impl FromStr for ClassificationKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_ascii_lowercase();
        let found = Self::ALL.into_iter().find(|finding| finding.as_str() == wanted);
        found.ok_or_else(|| format!("{text:?} is not an outcome: say true, false, benign or duplicate"))
    }
}
