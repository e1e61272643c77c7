//! A drill that was not played to its end, or not yet: how it stands, in words.

use super::words::span;
use std::time::Duration;

/// How a drill was stopped early.
#[derive(Debug, Clone)]
pub struct CutShort {
    /// The way it ended.
    pub how: How,
    /// After how long, counted from its start.
    pub after: Duration,
    /// Why, if there is more to say.
    pub why: String,
}

/// The state of a drill that is not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It is still in progress.
    GoesOn,
    /// `aborted`, `preempted`, `interrupted`.
    Ended(String),
}

impl CutShort {
    /// As a sentence without a full stop.
    pub(super) fn told(&self) -> String {
        let after = span(self.after.as_secs_f64());
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        match &self.how {
            How::GoesOn => format!("RUNNING, {after} so far{why}"),
            How::Ended(how) => format!("{} after {after}{why}", how.to_uppercase()),
        }
    }

    /// Why a hypothesis is not judged.
    pub(super) fn remark(&self) -> String {
        match self.how {
            How::GoesOn => "running, so far".into(),
            How::Ended(_) => format!("broken off after {}", span(self.after.as_secs_f64())),
        }
    }
}
