//! What one run showed of its roles and of its all-clear.

use crate::drill::analysis::cause::TimeCause;
use crate::{core::PersonName, report::ended::Ended};
use serde::Serialize;
use std::time::Duration;

/// How one role went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleAnalysis {
    /// Demanded by the trigger; not merely somebody's `next`.
    pub required: bool,
    /// When it was engaged, counted from the incident's opening.
    pub engaged: Option<Duration>,
    /// When it was covered by its `next`.
    pub covered: Option<Duration>,
    /// How it ended.
    pub ended: Ended,
    /// Briefs of it were kept in the sandbox and sent to nobody: that it was not engaged in time says nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
    /// When it ended, or how long it was watched, counted from the incident's opening.
    pub watched: Duration,
    /// What the time until its outcome (or the end) was spent on, in order and without gaps.
    pub parts: Vec<TimeSlice>,
}

/// How the all-clear went to one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllClear {
    /// Who.
    pub person: PersonName,
    /// When a channel of theirs had taken it, counted from the resolving.
    pub after: Option<Duration>,
    /// How long it was watched, counted from the resolving.
    pub watched: Duration,
}

/// A stretch of a role's time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeSlice {
    /// From here, counted from the incident's opening.
    pub from: Duration,
    /// Up to here.
    pub until: Duration,
    /// What it was spent on.
    pub cause: TimeCause,
    /// What the channel said, where it said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}
