//! One run of a drill's scenario as it is stored: its times and its result.

use crate::core::{hex::hex, identity::RunId, incident::IncidentId, time::Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrillRun {
    /// Its number.
    pub id: RunId,
    /// The scenario's name.
    pub scenario: String,
    /// The content hash of the scenario's text.
    pub revision: String,
    /// The text, so that the run can be judged again later with the same scenario.
    pub text: String,
    /// Who started it.
    pub by: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was over and its all-clear was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its state.
    pub state: RunState,
    /// Why it ended this way, if there is more to say. While it is running: why it was stopped early, when only the
    /// all-clear is still being sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The number by which waits and offsets were divided.
    pub compress: u32,
    /// The content hash of the matrix when it started.
    pub matrix: String,
    /// The incidents that it opened, in order.
    #[serde(default)]
    pub incidents: Vec<IncidentId>,
    /// The results of its hypotheses.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub score: serde_json::Value,
}

impl DrillRun {
    /// The hash of all of it, as it is journaled: a run that was edited has another one.
    pub fn digest(&self) -> String {
        // Our own types, and JSON that was read before: this cannot fail.
        hex(&Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It is in progress.
    Running,
    /// Its hypotheses held.
    Held,
    /// Its hypotheses did not hold.
    NotHeld,
    /// There was too little data to tell.
    TooFew,
    /// A live incident began.
    Preempted,
    /// A person, or its own rule, stopped it early.
    Aborted,
    /// The daemon ended during the run.
    Interrupted,
}

/// When a scheduled scenario runs next. It is stored, so that a random moment is drawn only once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRun {
    /// The scenario's name.
    pub scenario: String,
    /// The rule that `next` was drawn with; a changed rule draws again.
    pub rule: String,
    /// When it runs next.
    pub next: Timestamp,
    /// What happened to the last run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last: String,
}

impl RunState {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Held => "held",
            Self::NotHeld => "not-held",
            Self::TooFew => "too-few",
            Self::Preempted => "preempted",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether its hypotheses were judged.
    pub fn is_scored(self) -> bool {
        matches!(self, Self::Held | Self::NotHeld | Self::TooFew)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotHeld => "not held",
            Self::TooFew => "too few to tell",
            other => other.as_str(),
        })
    }
}
