//! What an incident turned out to be: said when it is resolved, or later, when more is known.

use super::{event::Actor, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest note, in characters.
pub const NOTE_MAX: usize = 2_000;

/// What an incident turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassificationKind {
    /// There was a crisis, and people were needed.
    True,
    /// There was nothing: the trigger was wrong.
    False,
    /// What the trigger saw was there, and was expected or harmless.
    Benign,
    /// Another incident was about the same thing.
    Duplicate,
}

/// A finding, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// What it was.
    pub finding: ClassificationKind,
    /// In their words; at most [`NOTE_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who said so.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl ClassificationKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::True, Self::False, Self::Benign, Self::Duplicate];

    /// Its name, as it is written everywhere.
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
        found.ok_or_else(|| format!("{text:?} is no outcome: say true, false, benign or duplicate"))
    }
}
