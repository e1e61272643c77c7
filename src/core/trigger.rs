//! Trigger state that spans alerts: so many in so long. The same shape as an incident: pure, with its own row.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// The largest count a window may ask for; it bounds the row.
pub const HOLD_MAX: u32 = 1000;

/// `threshold = { count, within }`: the condition must hold that often in that window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerThreshold {
    /// How many alerts; at least 2, at most [`HOLD_MAX`].
    pub count: u32,
    /// In which sliding window.
    #[serde(with = "super::time::duration_text")]
    pub within: Duration,
}

/// The alerts that have counted so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ThresholdWindow {
    times: VecDeque<Timestamp>,
}

impl ThresholdWindow {
    /// Counts one more alert; `true` when the trigger holds now. When it holds the window starts again.
    pub fn observe(&mut self, hold: TriggerThreshold, now: Timestamp) -> bool {
        self.times.retain(|at| now < *at + hold.within);
        self.times.push_back(now);
        if self.times.len() < hold.count as usize {
            return false;
        }
        self.times.clear();
        true
    }

    /// Keeps one time in place of all others: when something ended.
    pub fn mark(&mut self, at: Timestamp) {
        self.times = [at].into();
    }

    /// The last time that was kept.
    pub fn last(&self) -> Option<Timestamp> {
        self.times.back().copied()
    }

    /// How many have counted and not yet left the window.
    pub fn count(&self) -> usize {
        self.times.len()
    }
}
