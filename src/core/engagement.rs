//! One role in one incident.

use super::{
    answer::AnswerVerdict,
    names::{PersonName, RoleName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many hand-backs of one role its state keeps; the journal has all of them.
pub const HAND_BACKS_MAX: usize = 32;

/// The state of one role in an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// Whether the trigger requires it. `false` if it is only the `next` of another role.
    pub required: bool,
    /// When its ladder began.
    pub entered_at: Timestamp,
    /// Roles that handed over to this one and wait for its answer.
    #[serde(default)]
    pub stands_for: BTreeSet<RoleName>,
    /// The step it is on.
    pub step: usize,
    /// How often the current step was already done.
    pub round: u32,
    /// How many steps were entered so far; pages carry this number too.
    #[serde(rename = "rung")]
    pub step_entry: u32,
    /// The people whom the current step paged.
    pub on_call: Vec<PersonName>,
    /// When the next step is due; `None` once the role was handed over or has its outcome.
    pub deadline: Option<Timestamp>,
    /// The role that this one was handed over to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_on: Option<RoleName>,
    /// All steps are used up and there is no `next`: the last step repeats.
    #[serde(default)]
    pub exhausted: bool,
    /// Its one standby is used.
    #[serde(default)]
    pub stood_by: bool,
    /// The standby that it waits for: `None` once its person has answered unable or another step is entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<GrantedStandby>,
    /// People who answered unable.
    #[serde(default)]
    pub unable: BTreeSet<PersonName>,
    /// People who received it and have not taken it.
    #[serde(default)]
    pub received: BTreeSet<PersonName>,
    /// People who had it and handed it back, newest last; at most the last [`HAND_BACKS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_back: Vec<HandBack>,
    /// How it ended; `None` while it is open.
    pub outcome: Option<EngagementOutcome>,
}

/// More time that a person asked for and got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedStandby {
    /// The person.
    pub person: PersonName,
    /// When the next step was due before that.
    pub before: Timestamp,
}

/// A person had a role and handed it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandBack {
    /// The person.
    pub person: PersonName,
    /// The role that they handed back, if it is another one that covered this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RoleName>,
    /// When they took it.
    pub taken_at: Timestamp,
    /// When they handed it back.
    pub at: Timestamp,
}

/// How an engagement ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum EngagementOutcome {
    /// It has its required answer.
    Engaged {
        /// Who gave the answer.
        person: PersonName,
        /// When they answered.
        at: Timestamp,
    },
    /// Its `next` is engaged in its place. This never counts as engaged.
    Covered {
        /// The role that covers it.
        by: RoleName,
        /// Who answered for that role.
        person: PersonName,
        /// When they answered.
        at: Timestamp,
    },
    /// It stood in for other roles, and they all have their outcome.
    StoodDown {
        /// When it was stood down.
        at: Timestamp,
    },
    /// The incident was resolved before the role had an answer.
    Closed {
        /// When it was closed.
        at: Timestamp,
    },
}

impl Engagement {
    /// Its state in one or two words, for programs and for templates; [`who_has`](super::role_words::who_has) says it to
    /// people.
    pub fn state(&self) -> &'static str {
        match &self.outcome {
            Some(EngagementOutcome::Engaged { .. }) => "engaged",
            Some(EngagementOutcome::Covered { .. }) => "covered",
            Some(EngagementOutcome::StoodDown { .. }) => "stood down",
            Some(EngagementOutcome::Closed { .. }) => "closed",
            None if self.waits_on.is_some() => "handed over",
            None if self.exhausted => "exhausted",
            None => "paging",
        }
    }

    /// A ladder that begins at `at`; the step numbers of its pages are numbered from `step_entry`.
    pub fn entered(instead_of: Option<&RoleName>, step_entry: u32, at: Timestamp) -> Self {
        Self {
            required: instead_of.is_none(),
            entered_at: at,
            stands_for: instead_of.into_iter().cloned().collect(),
            step: 0,
            round: 0,
            step_entry,
            on_call: Vec::new(),
            deadline: None,
            waits_on: None,
            exhausted: false,
            stood_by: false,
            standby: None,
            unable: BTreeSet::new(),
            received: BTreeSet::new(),
            handed_back: Vec::new(),
            outcome: None,
        }
    }

    /// Enters a step: these people are asked now. People who said unable before are asked again if nobody else is left.
    pub fn step_entered(&mut self, step: usize, round: u32, on_call: &[PersonName], until: Timestamp) {
        self.step = step;
        self.round = round;
        self.step_entry += 1;
        self.on_call = on_call.to_vec();
        self.deadline = Some(until);
        self.standby = None;
        self.unable.retain(|person| !on_call.contains(person));
    }

    /// Records the effect of an answer on this role. What a person said last counts: somebody who gets more time is not
    /// unable any more, and somebody who is unable then needs no time.
    pub fn answered(&mut self, person: &PersonName, verdict: &AnswerVerdict) {
        match verdict {
            AnswerVerdict::StandbyGranted { until, before } => {
                self.stood_by = true;
                self.deadline = Some(*until);
                if let Some(before) = before {
                    self.unable.remove(person);
                    self.standby = Some(GrantedStandby { person: person.clone(), before: *before });
                }
            }
            AnswerVerdict::Passed => {
                self.unable.insert(person.clone());
                if let Some(granted) = self.standby.take_if(|granted| granted.person == *person) {
                    self.deadline = self.deadline.map(|deadline| deadline.min(granted.before));
                }
            }
            AnswerVerdict::Received => {
                self.received.insert(person.clone());
            }
            // These two have an event of their own.
            AnswerVerdict::Engages | AnswerVerdict::HandedBack => {}
            AnswerVerdict::StandbyRefused
            | AnswerVerdict::TooLate { .. }
            | AnswerVerdict::TookBack { .. }
            | AnswerVerdict::Yours
            | AnswerVerdict::Repeated
            | AnswerVerdict::Closed
            | AnswerVerdict::NotAsked
            | AnswerVerdict::WhichRole { .. } => {}
        }
    }

    /// Opens the role again: `person` had it and handed it back, or had `of`, which covered it. The person who handed
    /// it back is removed from its ladder, like anybody who answered unable.
    pub fn reopen(&mut self, person: &PersonName, of: Option<&RoleName>, at: Timestamp) {
        let taken_at = self.outcome.take().map_or(self.entered_at, |outcome| outcome.at());
        self.received.remove(person);
        if of.is_none() {
            self.unable.insert(person.clone());
            // Where it goes next is decided again.
            self.waits_on = None;
        }
        if HAND_BACKS_MAX <= self.handed_back.len() {
            self.handed_back.remove(0);
        }
        self.handed_back.push(HandBack { person: person.clone(), of: of.cloned(), taken_at, at });
    }

    /// All its steps are used up and its last one repeats: no other role answers in its place any more.
    pub fn exhaust(&mut self) {
        self.exhausted = true;
        self.waits_on = None;
    }

    /// Since when it has been open without a break: since the last hand-back, or since its ladder began.
    pub fn open_since(&self) -> Timestamp {
        self.handed_back.last().map_or(self.entered_at, |back| back.at)
    }

    /// When the answer came that engaged it, of the person who has it, or had it at the end. `None` if it is not engaged:
    /// other answers, and one that was taken back, are no answer to the question who has it.
    pub fn answered_at(&self) -> Option<Timestamp> {
        match &self.outcome {
            Some(EngagementOutcome::Engaged { at, .. }) => Some(*at),
            _ => None,
        }
    }

    /// Whether it still needs somebody.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// The person who has it, if anybody does.
    pub fn holder(&self) -> Option<&PersonName> {
        match self.outcome.as_ref()? {
            EngagementOutcome::Engaged { person, .. } | EngagementOutcome::Covered { person, .. } => Some(person),
            EngagementOutcome::StoodDown { .. } | EngagementOutcome::Closed { .. } => None,
        }
    }
}

impl EngagementOutcome {
    /// When it ended.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Engaged { at, .. } | Self::Covered { at, .. } | Self::StoodDown { at } | Self::Closed { at } => *at,
        }
    }
}
