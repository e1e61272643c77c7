//! One run of a drill's scenario, as it is kept: when it was, what came of it.

use crate::core::{identity::RunId, incident::IncidentId, time::Timestamp};
use serde::{Deserialize, Serialize};
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
    /// The text, so that it can be judged again as it was.
    pub text: String,
    /// Who started it.
    pub by: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was over, the all-clear settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: RunState,
    /// Why it ended as it did, if there is more to say. While it is running: why it was broken off, and only its
    /// all-clear is waited for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// By what the waits and offsets were divided.
    pub compress: u32,
    /// The content hash of the matrix at its start.
    pub matrix: String,
    /// The incidents that it opened, in order.
    #[serde(default)]
    pub incidents: Vec<IncidentId>,
    /// What became of its hypotheses.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub score: serde_json::Value,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It goes on.
    Running,
    /// Its hypotheses held in it.
    Held,
    /// They did not.
    NotHeld,
    /// There was too little to see to tell.
    TooFew,
    /// Something real began.
    Preempted,
    /// Somebody, or its own rule, broke it off.
    Aborted,
    /// The daemon ended in its middle.
    Interrupted,
}

/// When a scheduled scenario runs next. Kept, so that a random moment is thrown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRun {
    /// The scenario's name.
    pub scenario: String,
    /// The rule that `next` was drawn by; another rule draws again.
    pub rule: String,
    /// When.
    pub next: Timestamp,
    /// What became of the last one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last: String,
}

impl RunState {
    /// Its name, as it is written in JSON.
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
