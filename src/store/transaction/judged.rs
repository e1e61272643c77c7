//! What triggers know of the alerts of one key: counts, and states of layers.

use super::Transaction;
use crate::core::{
    Timestamp,
    judgement::{JudgementState, PendingAlert, pass::JudgementRows},
    trigger::{ThresholdWindow, TriggerThreshold},
};
use std::time::Duration;

/// A count and a state of one trigger and key.
#[derive(Debug, Clone)]
pub struct JudgedRow {
    window: Option<ThresholdWindow>,
    state: Option<JudgementState>,
}

impl Transaction<'_> {
    /// Whether one more is allowed in a window, which must be in the [`LockSet`]: see [`allows`](core::trigger::ThresholdWindow::allows).
    pub fn allows(&mut self, window: &str, most: u32, within: Duration) -> bool {
        self.demand_window(window);
        let now = self.time.now;
        let allowed = self.loaded.observed.change(window, |openings| openings.allows(most, within, now));
        if allowed {
            self.changes.observed.insert(window.to_owned());
        }
        allowed
    }

    /// Counts one more in a window, which must be in the [`LockSet`]. Returns whether there are enough now, and how many
    /// count.
    pub fn observe(&mut self, window: &str, threshold: TriggerThreshold) -> (bool, usize) {
        let now = self.time.now;
        self.window(window, |observed| (observed.observe(threshold, now), observed.count()))
    }

    /// Changes what a trigger knows of a key, which must be in the [`LockSet`].
    pub fn judge<R>(&mut self, row: &str, change: impl FnOnce(&mut JudgementState) -> R) -> R {
        let is_named = self.needs.judged.iter().any(|need| need == row);
        debug_assert!(is_named, "a transaction must name the state {row:?}");
        let before = self.loaded.judged.get(row).cloned().unwrap_or_default();
        let result = self.loaded.judged.change(row, change);
        if *self.loaded.judged.get(row).unwrap_or(&JudgementState::default()) != before {
            self.changes.judged.insert(row.to_owned());
        }
        result
    }

    /// A count and a state as they are, to be put back where nothing comes of what changes them.
    pub fn judged_row(&self, row: &str) -> JudgedRow {
        JudgedRow { window: self.loaded.observed.get(row).cloned(), state: self.loaded.judged.get(row).cloned() }
    }

    /// Makes a count and a state what they were.
    pub fn put_back(&mut self, row: &str, before: JudgedRow) {
        self.loaded.observed.change(row, |window| *window = before.window.unwrap_or_default());
        self.loaded.judged.change(row, |state| *state = before.state.unwrap_or_default());
        self.changes.observed.insert(row.to_owned());
        self.changes.judged.insert(row.to_owned());
    }

    /// Makes due what waits and is meant, whatever its rows: nothing else knows which they are. Returns how many.
    pub fn look_again_at(&mut self, is_meant: impl Fn(&str, &PendingAlert) -> bool) -> usize {
        let rows = self.loaded.judged.waiting(is_meant);
        for row in &rows {
            self.loaded.judged.change(row, JudgementState::look_again);
        }
        let count = rows.len();
        self.changes.judged.extend(rows);
        count
    }

    /// What a trigger knows of a key, which must be in the [`LockSet`].
    pub fn judged(&self, row: &str) -> Option<&JudgementState> {
        self.loaded.judged.get(row)
    }

    fn demand_window(&self, window: &str) {
        let is_named = self.needs.observed.iter().any(|need| need == window);
        debug_assert!(is_named, "a transaction must name the window {window:?}");
    }
}

impl JudgementRows for Transaction<'_> {
    fn now(&self) -> Timestamp {
        self.time.now
    }

    fn may_wait(&self, row: &str, is_silenced: bool) -> bool {
        self.loaded.judged.has_room(row, is_silenced)
    }

    fn window<R>(&mut self, row: &str, change: impl FnOnce(&mut ThresholdWindow) -> R) -> R {
        self.demand_window(row);
        let before = self.loaded.observed.get(row).cloned();
        let result = self.loaded.observed.change(row, change);
        if self.loaded.observed.get(row) != before.as_ref() {
            self.changes.observed.insert(row.to_owned());
        }
        result
    }

    fn state<R>(&mut self, row: &str, change: impl FnOnce(&mut JudgementState) -> R) -> R {
        self.judge(row, change)
    }
}
