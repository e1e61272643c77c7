//! What becomes of a choice of a person.

use super::request::RequestOutcome;
use serde::{Deserialize, Serialize};

/// The effect of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum ChoiceVerdict {
    /// It decides the request.
    Decides,
    /// It counts; more people must agree.
    Counts {
        /// How many are still needed.
        missing: u32,
    },
    /// The same person has chosen the same before.
    Repeated,
    /// It has its outcome already.
    TooLate {
        /// The outcome.
        outcome: RequestOutcome,
    },
    /// The person was not asked.
    NotAsked,
    /// The person was told because nobody answered: only people who are asked for the trigger's roles decide.
    NotDecider {
        /// Those roles, as people read them.
        roles: String,
    },
    /// It is asked on behalf of this person, who can not decide it.
    OnBehalf,
    /// The page showed another question than the one that is asked now.
    Stale,
    /// What people must repeat with an option was not repeated, or not rightly.
    NotRepeated {
        /// What it is, as people read it.
        fact: String,
    },
    /// It contradicts the facts, as the matrix says: they are asked once whether they mean it.
    Doubted {
        /// What contradicts it, in the words of the matrix.
        why: String,
    },
    /// There is no such option, or the incident asks nothing.
    NoSuchOption,
}

impl ChoiceVerdict {
    /// Its name in JSON.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::Counts { .. } => "counts",
            Self::Repeated => "repeated",
            Self::TooLate { .. } => "too-late",
            Self::NotAsked => "not-asked",
            Self::NotDecider { .. } => "not-decider",
            Self::OnBehalf => "on-behalf",
            Self::Stale => "stale",
            Self::NotRepeated { .. } => "not-repeated",
            Self::Doubted { .. } => "doubted",
            Self::NoSuchOption => "no-such-option",
        }
    }

    /// Whether the choice is kept as one that counts.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Decides | Self::Counts { .. })
    }
}
