//! One role in one incident.

use super::{
    answer::AnswerVerdict,
    names::{PersonName, RoleName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Hand-backs of one role that its state keeps; the journal has them all.
pub const HAND_BACKS_MAX: usize = 32;

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
    /// Who had it and handed it back, the newest last; the last [`HAND_BACKS_MAX`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_back: Vec<HandBack>,
    /// How it ended.
    pub outcome: Option<EngagementOutcome>,
}

/// Somebody had a role, and handed it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandBack {
    /// Who.
    pub person: PersonName,
    /// The role that they handed back, where it is another one, which covered this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RoleName>,
    /// Since when they had it.
    pub taken_at: Timestamp,
    /// When they handed it back.
    pub at: Timestamp,
}

/// How an engagement ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum EngagementOutcome {
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
    /// A ladder that begins at `at`, whose pages count their rungs on from `rung`.
    pub fn entered(instead_of: Option<&RoleName>, rung: u32, at: Timestamp) -> Self {
        Self {
            required: instead_of.is_none(),
            entered_at: at,
            stands_for: instead_of.into_iter().cloned().collect(),
            step: 0,
            round: 0,
            rung,
            on_call: Vec::new(),
            deadline: None,
            waits_on: None,
            exhausted: false,
            stood_by: false,
            unable: BTreeSet::new(),
            received: BTreeSet::new(),
            handed_back: Vec::new(),
            outcome: None,
        }
    }

    /// A rung: these people are asked now. Whoever said before that they can not is asked again where nobody else is left.
    pub fn step_entered(&mut self, step: usize, round: u32, on_call: &[PersonName], until: Timestamp) {
        self.step = step;
        self.round = round;
        self.rung += 1;
        self.on_call = on_call.to_vec();
        self.deadline = Some(until);
        self.unable.retain(|person| !on_call.contains(person));
    }

    /// Records what an answer came to for this role.
    pub fn answered(&mut self, person: &PersonName, verdict: &AnswerVerdict) {
        match verdict {
            AnswerVerdict::StandbyGranted { until } => {
                self.stood_by = true;
                self.deadline = Some(*until);
            }
            AnswerVerdict::Passed => {
                self.unable.insert(person.clone());
            }
            AnswerVerdict::Received => {
                self.received.insert(person.clone());
            }
            // What these two do is an event of its own.
            AnswerVerdict::Engages | AnswerVerdict::HandedBack => {}
            AnswerVerdict::StandbyRefused
            | AnswerVerdict::TooLate { .. }
            | AnswerVerdict::Yours
            | AnswerVerdict::Repeated
            | AnswerVerdict::Closed
            | AnswerVerdict::NotAsked
            | AnswerVerdict::WhichRole { .. } => {}
        }
    }

    /// It is open again: `person` had it and gave it back, or had `of`, which covered it. Whoever gave it back is out of
    /// its ladder, as anybody who can not.
    pub fn reopen(&mut self, person: &PersonName, of: Option<&RoleName>, at: Timestamp) {
        let taken_at = self.outcome.take().map_or(self.entered_at, |outcome| outcome.at());
        self.received.remove(person);
        if of.is_none() {
            self.unable.insert(person.clone());
            // Where it goes next is decided afresh.
            self.waits_on = None;
        }
        if HAND_BACKS_MAX <= self.handed_back.len() {
            self.handed_back.remove(0);
        }
        self.handed_back.push(HandBack { person: person.clone(), of: of.cloned(), taken_at, at });
    }

    /// Since when it is open without a break: since it was handed back for the last time, or since its ladder began.
    pub fn open_since(&self) -> Timestamp {
        self.handed_back.last().map_or(self.entered_at, |back| back.at)
    }

    /// Whether somebody must still be found.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Who has it, where somebody has.
    pub fn holder(&self) -> Option<&PersonName> {
        match self.outcome.as_ref()? {
            EngagementOutcome::Engaged { person, .. } | EngagementOutcome::Covered { person, .. } => Some(person),
            EngagementOutcome::StoodDown { .. } | EngagementOutcome::Closed { .. } => None,
        }
    }
}

impl EngagementOutcome {
    /// When it came.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Engaged { at, .. } | Self::Covered { at, .. } | Self::StoodDown { at } | Self::Closed { at } => *at,
        }
    }
}
