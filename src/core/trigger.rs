//! Trigger state across alerts: a count within a time window. Like an incident, it is pure and has its own row.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// The largest count that a window may require; it limits the size of the row.
pub const HOLD_MAX: u32 = 1000;

/// `threshold = { count, within, consecutive }`: the condition must hold this often within this window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerThreshold {
    /// How many alerts; at least 2, at most [`HOLD_MAX`].
    pub count: u32,
    /// The length of the sliding window.
    #[serde(with = "super::time::duration_text")]
    pub within: Duration,
    /// Whether an alert for which the condition does not hold starts the count anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consecutive: bool,
}

/// How long it is remembered when something ended; so long an earlier version kept every window.
const ENDED_KEPT: Duration = Duration::from_secs(31 * 24 * 3600);

/// The alerts that have counted so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ThresholdWindow {
    times: VecDeque<Timestamp>,
    /// When the last of them leaves the window; `None` for what is no threshold's, and in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl ThresholdWindow {
    /// Counts one more alert; returns `true` if the trigger fires now. Then the window starts again.
    pub fn observe(&mut self, threshold: TriggerThreshold, now: Timestamp) -> bool {
        self.times.retain(|at| now < *at + threshold.within);
        self.times.push_back(now);
        self.until = Some(now + threshold.within);
        if self.times.len() < threshold.count as usize {
            return false;
        }
        self.times.clear();
        true
    }

    /// Starts the count anew; returns whether anything had counted that is still within the window.
    pub fn restart(&mut self, threshold: TriggerThreshold, now: Timestamp) -> bool {
        let counted = self.times.iter().any(|at| now < *at + threshold.within);
        // One that ended by itself is swept.
        if counted {
            self.times.clear();
        }
        counted
    }

    /// Whether one more is allowed at `now`, where at most `most` (up to [`HOLD_MAX`]) are within the window. Only one
    /// that is allowed counts.
    pub fn allows(&mut self, most: u32, within: Duration, now: Timestamp) -> bool {
        self.times.retain(|at| now < *at + within);
        let allowed = self.times.len() < most.min(HOLD_MAX) as usize;
        if allowed {
            self.times.push_back(now);
            self.until = Some(now + within);
        }
        allowed
    }

    /// Replaces all times with one: when something ended.
    pub fn mark(&mut self, at: Timestamp) {
        (self.times, self.until) = ([at].into(), None);
    }

    /// The last time that is stored.
    pub fn last(&self) -> Option<Timestamp> {
        self.times.back().copied()
    }

    /// When nothing in it counts any more; `None` if nothing does.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let last = self.last()?;
        Some(self.until.unwrap_or(last + ENDED_KEPT))
    }

    /// How many have counted and are still within the window.
    pub fn count(&self) -> usize {
        self.times.len()
    }
}
