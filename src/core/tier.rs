//! How urgently people are engaged, by what an incident may do and how likely it is real.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How long an incident that is only watched stays open after its last event.
pub const WATCHED_FOR: Duration = Duration::from_secs(24 * 3600);

/// How urgently people are engaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EscalationTier {
    /// It is recorded and on the board; nobody is paged.
    Watch,
    /// One person is asked, before anybody else.
    Warm,
    /// Everybody at once.
    Immediate,
}

impl EscalationTier {
    /// All, the least urgent first.
    pub const ALL: [Self; 3] = [Self::Watch, Self::Warm, Self::Immediate];

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Warm => "warm",
            Self::Immediate => "immediate",
        }
    }

    /// So many tiers more urgent, or less; as far as there are some.
    pub fn shifted(self, by: i32) -> Self {
        let place = (self as i32).saturating_add(by).clamp(0, 2);
        Self::ALL[usize::try_from(place).unwrap_or_default()]
    }
}

impl fmt::Display for EscalationTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an incident has its tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierDecision {
    /// The tier.
    pub tier: EscalationTier,
    /// What it may do, by its name in the matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// How likely it is real, by its name in the matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<String>,
    /// What moved it from where impact and likelihood alone had put it, and what could not be evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

impl fmt::Display for TierDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reasons() {
            reasons if reasons.is_empty() => write!(f, "{}", self.tier),
            reasons => write!(f, "{}: {reasons}", self.tier),
        }
    }
}

impl TierDecision {
    /// What it follows from, in one line.
    pub fn reasons(&self) -> String {
        let named = |what: &str, name: &Option<String>| name.as_ref().map(|name| format!("{what} {name}"));
        let table = [named("impact", &self.impact), named("likelihood", &self.likelihood)];
        table.into_iter().flatten().chain(self.because.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}
