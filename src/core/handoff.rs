//! Handoffs: a person takes a conversation over from a machine, and finishes it or hands it back. This is what the
//! journal has of one; the words of the conversation are in its [`packet`](super::packet), which is kept apart.

use super::{
    answer_via::AnswerVia,
    names::{PersonName, RoleName},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many reasons of people who passed a handoff on its state keeps; the journal has all of them.
pub const DECLINES_MAX: usize = 16;

/// The longest note of a person about a handoff, in characters.
pub const NOTE_MAX: usize = 300;

/// What a trigger of the matrix says of handoffs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffRules {
    /// How the people are asked.
    pub tier: HandoffTier,
    /// How many conversations one person can have at once; `None`: nothing is said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Whether two wordings are compared.
    #[serde(default)]
    pub variants: bool,
}

/// How people are asked to take a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoffTier {
    /// Step by step: one reads it and takes it before the user is moved.
    #[default]
    Warm,
    /// Everybody of all steps at once.
    Immediate,
}

impl HandoffTier {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Immediate => "immediate",
        }
    }
}

/// Which of two wordings a user reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WordingVariant {
    /// The usual one.
    A,
    /// The other one.
    B,
}

/// Why a machine hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffReason {
    /// Its name in reports.
    #[schemars(length(max = 64))]
    pub code: String,
    /// For people, in one line. It is in every page and in the journal: no name, no number of the user.
    #[schemars(length(max = 160))]
    pub text: String,
}

/// What the journal has of a handoff. It is frozen when it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffTerms {
    /// Why.
    pub reason: HandoffReason,
    /// The language of the user, `de` or `de-CH`.
    pub locale: String,
    /// Which wording the user reads; `None` if none are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<WordingVariant>,
    /// How the people are asked.
    pub tier: HandoffTier,
    /// How long a user waits, from the request and again from each time that it was handed back to the others.
    #[serde(with = "super::time::duration_text")]
    pub after: Duration,
    /// The hash of the encrypted packet.
    pub packet: String,
    /// It came out of hours: nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<OutOfHours>,
}

/// A time at which nobody is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutOfHours {
    /// When somebody is there again, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
}

/// How far a handoff has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffProgress {
    /// When it ends unanswered, unless somebody has it then.
    pub until: Timestamp,
    /// Since when it stands as it does.
    pub since: Timestamp,
    /// Who has it; `None` while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<HandoffTaken>,
    /// Who passed it on and why, newest last; at most the last [`DECLINES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declined: Vec<HandoffDecline>,
    /// When the key of its packet was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
}

/// A person has the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffTaken {
    /// Who.
    pub person: PersonName,
    /// For which role.
    pub role: RoleName,
    /// Since when.
    pub at: Timestamp,
    /// Since when they speak to the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
}

/// A person passed it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffDecline {
    /// Who.
    pub person: PersonName,
    /// Why, in their words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Where a handoff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoffState {
    /// It waits for a person.
    Offered,
    /// A person has it.
    Assigned,
    /// A person speaks to the user.
    Connected,
    /// A person has finished it.
    Completed,
    /// A person gave it back to the machine.
    Returned,
    /// Nobody took it in time, or it came out of hours.
    Unanswered,
    /// The user left, or the machine withdrew it.
    Cancelled,
}

impl HandoffState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Offered,
        Self::Assigned,
        Self::Connected,
        Self::Completed,
        Self::Returned,
        Self::Unanswered,
        Self::Cancelled,
    ];

    /// Whether a person speaks to the user now, so that the machine is silent.
    pub fn is_with_person(self) -> bool {
        self == Self::Connected
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Assigned => "assigned",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Returned => "returned",
            Self::Unanswered => "unanswered",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Whether what the user wanted is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandoffSolved {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Somebody goes on with it later.
    FollowUp,
}

impl HandoffSolved {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::FollowUp => "follow-up",
        }
    }
}

/// How a person finished a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffResult {
    /// Whether a person was needed.
    pub needed: bool,
    /// Whether what the user wanted is done.
    pub solved: HandoffSolved,
    /// A note in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NOTE_MAX))]
    pub note: Option<String>,
}

/// What a person does with a handoff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum HandoffStep {
    /// They speak to the user now.
    Connect,
    /// They have finished.
    Finish {
        /// How.
        result: HandoffResult,
    },
    /// The machine goes on.
    Return {
        /// What it should know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Somebody else should take it, or have it in their place.
    PassOn {
        /// Why.
        why: String,
    },
}

/// The effect of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum HandoffVerdict {
    /// It is done.
    Done,
    /// It was so already.
    Repeated,
    /// Only the person who has the conversation can say so.
    NotYours {
        /// Who has it; `None` if nobody has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has: Option<PersonName>,
    },
    /// It has ended, or this is no handoff.
    Closed,
}

impl HandoffVerdict {
    /// Its name in JSON.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::NotYours { .. } => "not-yours",
            Self::Closed => "closed",
        }
    }
}

/// A step by an authenticated person.
#[derive(Debug, Clone)]
pub struct GivenHandoffStep {
    /// The person.
    pub person: PersonName,
    /// What they do.
    pub step: HandoffStep,
    /// The way it arrived.
    pub via: AnswerVia,
    /// The page from which they do it, if known.
    pub page: Option<u32>,
}

/// A step as it is journaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffMove {
    /// The person.
    pub person: PersonName,
    /// What they did.
    pub step: HandoffStep,
    /// The way it arrived.
    pub via: AnswerVia,
    /// The page from which they did it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Its effect.
    pub verdict: HandoffVerdict,
}

impl HandoffProgress {
    /// One that waits.
    pub fn opened(at: Timestamp, until: Timestamp) -> Self {
        Self { until, since: at, taken: None, declined: Vec::new(), erased_at: None }
    }

    /// Where it stands while it has no outcome.
    pub fn open_state(&self) -> HandoffState {
        match &self.taken {
            None => HandoffState::Offered,
            Some(taken) if taken.connected_at.is_none() => HandoffState::Assigned,
            Some(_) => HandoffState::Connected,
        }
    }

    /// A person took the role. The first one has the conversation.
    pub fn take(&mut self, role: &RoleName, person: &PersonName, at: Timestamp) {
        if self.taken.is_none() {
            let (person, role) = (person.clone(), role.clone());
            (self.taken, self.since) = (Some(HandoffTaken { person, role, at, connected_at: None }), at);
        }
    }

    /// A person gave it up: it waits again, for `after` at least.
    pub fn give_up(&mut self, person: &PersonName, at: Timestamp, after: Duration) {
        if self.taken.take_if(|taken| taken.person == *person).is_some() {
            (self.until, self.since) = (self.until.max(at + after), at);
        }
    }

    /// Records a step that had an effect.
    pub fn moved(&mut self, moved: &HandoffMove, at: Timestamp) {
        if moved.verdict != HandoffVerdict::Done {
            return;
        }
        match &moved.step {
            HandoffStep::Connect => {
                if let Some(taken) = &mut self.taken {
                    (taken.connected_at, self.since) = (Some(at), at);
                }
            }
            HandoffStep::PassOn { why } => {
                self.declined.push(HandoffDecline { person: moved.person.clone(), why: why.clone(), at });
                self.declined.drain(..self.declined.len().saturating_sub(DECLINES_MAX));
            }
            // Its outcome is an event of its own.
            HandoffStep::Finish { .. } | HandoffStep::Return { .. } => {}
        }
    }
}
