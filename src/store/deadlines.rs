//! Deadlines of incidents and judgements, in memory; they follow from those.

use crate::core::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The deadlines of all that have one, earliest first.
#[derive(Debug, Clone)]
pub struct DeadlineIndex<K> {
    by_time: BTreeSet<(Timestamp, K)>,
    of: BTreeMap<K, Timestamp>,
}

impl<K> Default for DeadlineIndex<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), of: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> DeadlineIndex<K> {
    /// Sets a deadline; `None` removes it.
    pub fn set(&mut self, id: K, deadline: Option<Timestamp>) {
        let before = match deadline {
            Some(at) => self.of.insert(id.clone(), at),
            None => self.of.remove(&id),
        };
        if let Some(before) = before {
            self.by_time.remove(&(before, id.clone()));
        }
        if let Some(at) = deadline {
            self.by_time.insert((at, id));
        }
    }

    /// The earliest.
    pub fn first(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Those whose deadline is not after `now`, earliest first, at most `limit`.
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<K> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now);
        due.take(limit).map(|(_, id)| id.clone()).collect()
    }

    /// Whether this one has one.
    pub fn contains<Q: Ord + ?Sized>(&self, id: &Q) -> bool
    where
        K: std::borrow::Borrow<Q>,
    {
        self.of.contains_key(id)
    }

    /// How many have one.
    pub fn len(&self) -> usize {
        self.of.len()
    }
}
