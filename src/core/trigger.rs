//! Trigger state across alerts: a count within a time window. Like an incident, it is pure and has its own row.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// The largest count that a window may require; it limits the size of the row.
pub const HOLD_MAX: u32 = 1000;

/// `threshold = { count, within }`: the condition must hold this often within this window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerThreshold {
    /// How many alerts; at least 2, at most [`HOLD_MAX`].
    pub count: u32,
    /// The length of the sliding window.
    #[serde(with = "super::time::duration_text")]
    pub within: Duration,
}

/// The alerts that have counted so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ThresholdWindow {
    times: VecDeque<Timestamp>,
}

impl ThresholdWindow {
    /// Counts one more alert; returns `true` if the trigger fires now. Then the window starts again.
    pub fn observe(&mut self, threshold: TriggerThreshold, now: Timestamp) -> bool {
        self.times.retain(|at| now < *at + threshold.within);
        self.times.push_back(now);
        if self.times.len() < threshold.count as usize {
            return false;
        }
        self.times.clear();
        true
    }

    /// Whether one more is allowed at `now`, where at most `most` (up to [`HOLD_MAX`]) are within the window. Only one
    /// that is allowed counts.
    pub fn allows(&mut self, most: u32, within: Duration, now: Timestamp) -> bool {
        self.times.retain(|at| now < *at + within);
        let allowed = self.times.len() < most.min(HOLD_MAX) as usize;
        if allowed {
            self.times.push_back(now);
        }
        allowed
    }

    /// Replaces all times with one: when something ended.
    pub fn mark(&mut self, at: Timestamp) {
        self.times = [at].into();
    }

    /// The last time that is stored.
    pub fn last(&self) -> Option<Timestamp> {
        self.times.back().copied()
    }

    /// How many have counted and are still within the window.
    pub fn count(&self) -> usize {
        self.times.len()
    }
}
