//! What one run showed of its roles and of its all-clear.

use crate::drill::analysis::cause::TimeCause;
use crate::{core::PersonName, report::ended::Ended};
use serde::Serialize;
use std::time::Duration;

/// How one role went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleAnalysis {
    /// Whether the trigger requires it; `false` if it is only the `next` of another role.
    pub required: bool,
    /// When it was engaged, counted from the opening of the incident.
    pub engaged: Option<Duration>,
    /// When it was covered by its `next`.
    pub covered: Option<Duration>,
    /// How it ended.
    pub ended: Ended,
    /// Its briefs were kept in the sandbox and sent to nobody, so it proves nothing if it was not engaged in time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
    /// When it ended, or how long it was watched, counted from the opening of the incident.
    pub watched: Duration,
    /// What the time until its outcome (or the end) was spent on, in order and without gaps.
    pub parts: Vec<TimeSlice>,
}

/// The all-clear to one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllClear {
    /// The person.
    pub person: PersonName,
    /// When one of their channels had accepted it, counted from when the incident was resolved.
    pub after: Option<Duration>,
    /// How long it was watched, counted from when the incident was resolved.
    pub watched: Duration,
}

/// A stretch of a role's time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeSlice {
    /// The start, counted from the opening of the incident.
    pub from: Duration,
    /// The end.
    pub until: Duration,
    /// What the time was spent on.
    pub cause: TimeCause,
    /// What the channel reported, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}
