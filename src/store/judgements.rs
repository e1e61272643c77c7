//! The states of triggers and keys, with indexes by when they are due and when they end.

use super::deadlines::DeadlineIndex;
use crate::core::{Timestamp, judgement::JudgementState, silence::SilenceId};
use std::collections::BTreeMap;

/// The most that are removed in one transaction because they have ended.
const SWEPT_MAX: usize = 256;

/// The most states that are kept. Beyond it those that would end first are removed, and their triggers begin anew.
pub const JUDGEMENTS_MAX: usize = 200_000;

/// The most alerts that wait. Beyond it none waits: an incident is opened at once.
pub const PENDING_MAX: usize = 10_000;

/// States of triggers and keys by their names.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    by_name: BTreeMap<String, JudgementState>,
    due: DeadlineIndex<String>,
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
        self.due.set(name.clone(), state.deadline());
        self.ends.set(name.clone(), state.ends_at());
        match state.ends_at() {
            Some(_) => drop(self.by_name.insert(name, state)),
            None => drop(self.by_name.remove(&name)),
        }
    }

    /// Those of which a silence that is meant holds an alert.
    pub fn silenced(&self, is_meant: impl Fn(SilenceId) -> bool) -> Vec<String> {
        let held = |state: &JudgementState| state.pending().and_then(|pending| pending.silence).is_some_and(&is_meant);
        self.by_name.iter().filter(|(_, state)| held(state)).map(|(name, _)| name.clone()).collect()
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

    /// Whether there is room for one more alert that waits.
    pub fn has_room(&self) -> bool {
        self.due.len() < PENDING_MAX
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
