//! What a scenario expects: a percentage of engagements within a time limit.

use crate::{core::RoleName, report::after_action::ALL_CLEAR};
use serde::{Serialize, Serializer};
use std::{fmt, time::Duration};

/// An expectation: this percentage within this time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunHypothesis {
    /// The subject.
    pub about: HypothesisSubject,
    /// The percentage, 1 to 100.
    pub percent: f64,
    /// The time limit.
    #[serde(serialize_with = "seconds")]
    pub within: Duration,
    /// Whether being covered by the role's `next` counts too.
    pub covered: bool,
}

/// What a hypothesis is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HypothesisSubject {
    /// This role is engaged; the time counts from the opening of the incident.
    Role(RoleName),
    /// The last of the required roles is engaged; the time counts from the opening of the incident.
    AllRoles,
    /// Everyone whom a page had reached has the all-clear; the time counts from when the incident is resolved.
    AllClear,
}

impl HypothesisSubject {
    /// Whether it is about this role.
    pub fn is_role(&self, role: &RoleName) -> bool {
        matches!(self, Self::Role(about) if about == role)
    }
}

impl fmt::Display for RunHypothesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = humantime::format_duration(self.within);
        let covered = if self.covered { " or covered" } else { "" };
        match &self.about {
            HypothesisSubject::Role(role) => {
                write!(f, "{role}: {} % engaged{covered} within {within}", self.percent)
            }
            HypothesisSubject::AllRoles => {
                write!(f, "all roles: {} % engaged{covered} within {within}", self.percent)
            }
            HypothesisSubject::AllClear => {
                write!(f, "all-clear: with {} % within {within}", self.percent)
            }
        }
    }
}

impl fmt::Display for HypothesisSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role(role) => role.as_str(),
            Self::AllRoles => "all roles",
            Self::AllClear => ALL_CLEAR,
        })
    }
}

impl Serialize for HypothesisSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

pub(crate) fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}
