//! Deadlines of incidents, in memory; they follow from the incidents.

use crate::core::{IncidentId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The deadlines of all incidents that have one, earliest first.
#[derive(Debug, Clone, Default)]
pub struct DeadlineIndex {
    by_time: BTreeSet<(Timestamp, IncidentId)>,
    of: BTreeMap<IncidentId, Timestamp>,
}

impl DeadlineIndex {
    /// Sets an incident's deadline; `None` removes it.
    pub fn set(&mut self, id: IncidentId, deadline: Option<Timestamp>) {
        let before = match deadline {
            Some(at) => self.of.insert(id, at),
            None => self.of.remove(&id),
        };
        if let Some(before) = before {
            self.by_time.remove(&(before, id));
        }
        if let Some(at) = deadline {
            self.by_time.insert((at, id));
        }
    }

    /// The earliest.
    pub fn first(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Incidents whose deadline is not after `now`, earliest first, at most `limit`.
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<IncidentId> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now);
        due.take(limit).map(|(_, id)| *id).collect()
    }
}
