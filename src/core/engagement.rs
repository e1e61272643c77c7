//! One role in one incident.

use super::{
    names::{PersonName, RoleName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far a role is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// Demanded by the trigger; not merely somebody's `next`.
    pub required: bool,
    /// When its ladder began.
    pub entered_at: Timestamp,
    /// Roles that handed over to this one and wait for its answer.
    #[serde(default)]
    pub stands_for: BTreeSet<RoleName>,
    /// The step it is on.
    pub step: usize,
    /// How often that step was done before.
    pub round: u32,
    /// How many steps were entered: the rung that pages name.
    pub rung: u32,
    /// Whom the step paged.
    pub on_call: Vec<PersonName>,
    /// When the next rung is due; none once it is handed over or has its outcome.
    pub deadline: Option<Timestamp>,
    /// The role that it was handed over to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_on: Option<RoleName>,
    /// Steps spent and nobody next: the last step repeats.
    #[serde(default)]
    pub exhausted: bool,
    /// Its one standby is used.
    #[serde(default)]
    pub stood_by: bool,
    /// People who said that they can not.
    #[serde(default)]
    pub unable: BTreeSet<PersonName>,
    /// Who received it and has not taken it.
    #[serde(default)]
    pub received: BTreeSet<PersonName>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// How an engagement ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// Its required answer is there.
    Engaged {
        /// Who gave it.
        person: PersonName,
        /// When.
        at: Timestamp,
    },
    /// Its `next` is engaged in its place. Never counted as engaged.
    Covered {
        /// Which role.
        by: RoleName,
        /// Who answered there.
        person: PersonName,
        /// When.
        at: Timestamp,
    },
    /// It stood in for others that have their outcome.
    StoodDown {
        /// When.
        at: Timestamp,
    },
    /// The incident was resolved before it had an answer.
    Closed {
        /// When.
        at: Timestamp,
    },
}

impl Engagement {
    /// Whether somebody must still be found.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Who has it, where somebody has.
    pub fn holder(&self) -> Option<&PersonName> {
        match self.outcome.as_ref()? {
            Outcome::Engaged { person, .. } | Outcome::Covered { person, .. } => Some(person),
            Outcome::StoodDown { .. } | Outcome::Closed { .. } => None,
        }
    }
}

impl Outcome {
    /// When it came.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Engaged { at, .. } | Self::Covered { at, .. } | Self::StoodDown { at } | Self::Closed { at } => *at,
        }
    }
}
