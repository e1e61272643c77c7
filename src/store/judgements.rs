//! The states of triggers and keys, with indexes by when they are due and when they end.

use super::deadlines::DeadlineIndex;
use crate::core::{
    Timestamp,
    judgement::{JudgementState, PendingAlert},
};
use std::collections::BTreeMap;

/// The most that are removed in one transaction because they have ended.
const SWEPT_MAX: usize = 256;

/// The most states that are kept. Beyond it those that would end first are removed, and their triggers begin anew.
pub const JUDGEMENTS_MAX: usize = 200_000;

/// The most alerts that wait. Beyond it none waits: an incident is opened at once.
pub const PENDING_MAX: usize = 10_000;

/// The most of them of one trigger, so that the flood of one is its own.
pub const PENDING_OF_TRIGGER_MAX: usize = 2_500;

/// How many more alerts may wait because a silence holds them: a silence must hold whatever else waits.
const SILENCED_MAX: usize = 10_000;

/// States of triggers and keys by their names.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    by_name: BTreeMap<String, JudgementState>,
    due: DeadlineIndex<String>,
    /// How many wait of each trigger.
    of_trigger: BTreeMap<String, usize>,
    ends: DeadlineIndex<String>,
}

impl Judgements {
    /// A state.
    pub fn get(&self, name: &str) -> Option<&JudgementState> {
        self.by_name.get(name)
    }

    /// Changes a state, which is empty if there was none.
    pub fn change<R>(&mut self, name: &str, change: impl FnOnce(&mut JudgementState) -> R) -> R {
        let mut state = self.by_name.remove(name).unwrap_or_default();
        let result = change(&mut state);
        self.insert(name.to_owned(), state);
        result
    }

    /// The incident of a row has ended. Returns whether that changes it.
    pub(super) fn ended(&mut self, name: &str, at: Timestamp) -> bool {
        let is_kept = self.by_name.contains_key(name);
        if is_kept {
            self.change(name, |state| state.ended(at));
        }
        is_kept
    }

    /// Adds a state; one in which nothing counts is left out.
    pub fn insert(&mut self, name: String, state: JudgementState) {
        self.count(&name, state.deadline().is_some());
        self.due.set(name.clone(), state.deadline());
        self.ends.set(name.clone(), state.ends_at());
        match state.ends_at() {
            Some(_) => drop(self.by_name.insert(name, state)),
            None => drop(self.by_name.remove(&name)),
        }
    }

    fn count(&mut self, name: &str, waits: bool) {
        let waited = self.due.contains(name);
        if waits == waited {
            return;
        }
        let trigger = trigger_of(name);
        let own = self.of_trigger.entry(trigger.to_owned()).or_default();
        *own = if waits { *own + 1 } else { own.saturating_sub(1) };
        if *own == 0 {
            self.of_trigger.remove(trigger);
        }
    }

    /// Those of which an alert waits that is meant.
    pub fn waiting(&self, is_meant: impl Fn(&str, &PendingAlert) -> bool) -> Vec<String> {
        let is = |name: &str, state: &JudgementState| state.pending().is_some_and(|pending| is_meant(name, pending));
        self.by_name.iter().filter(|(name, state)| is(name, state)).map(|(name, _)| name.clone()).collect()
    }

    /// Those that are due at `now`, earliest first, at most `limit`.
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<String> {
        self.due.due(now, limit)
    }

    /// When the first is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first()
    }

    /// When each is due.
    pub(super) fn deadlines(&self) -> &DeadlineIndex<String> {
        &self.due
    }

    /// Whether there is room for one more alert that waits in this row.
    pub fn has_room(&self, name: &str, is_silenced: bool) -> bool {
        let own = self.of_trigger.get(trigger_of(name)).copied().unwrap_or_default();
        let all = self.due.len();
        if is_silenced { all < PENDING_MAX + SILENCED_MAX } else { all < PENDING_MAX && own < PENDING_OF_TRIGGER_MAX }
    }

    /// Removes those that ended by `now`, and those for which there is no room; their names.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<String> {
        let mut swept = self.ends.due(now, SWEPT_MAX);
        if swept.is_empty() && JUDGEMENTS_MAX < self.by_name.len() {
            swept = self.ends.due(Timestamp::MAX, SWEPT_MAX);
        }
        swept.iter().for_each(|name| self.insert(name.clone(), JudgementState::default()));
        swept
    }
}

/// The trigger of a row.
fn trigger_of(row: &str) -> &str {
    row.split_once('\u{1f}').map_or(row, |(trigger, _)| trigger)
}
