//! How a value has changed lately.

use crate::core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The most values that are remembered for one key. Where there are more, the one goes whose loss changes least: of two
/// neighbours that differ least the older one.
pub const SAMPLES_MAX: usize = 256;

/// `change = { of, by, within }`: by how much a value must have changed within a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueChange {
    /// Which way.
    pub direction: ChangeDirection,
    /// By how much; greater than 0.
    pub by: f64,
    /// Whether `by` is in percent of the earlier value.
    pub percent: bool,
    /// Within which time.
    pub within: Duration,
}

/// Which way a value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeDirection {
    /// It rises: `+5`.
    Up,
    /// It falls: `-5`.
    Down,
    /// Either: `5`.
    Either,
}

impl ValueChange {
    /// Whether going from one value to the other is enough. In percent of nothing, every change is.
    fn is_reached(&self, from: f64, to: f64) -> bool {
        let change = match self.direction {
            ChangeDirection::Up => to - from,
            ChangeDirection::Down => from - to,
            ChangeDirection::Either => (to - from).abs(),
        };
        let least = if self.percent { from.abs() * self.by / 100.0 } else { self.by };
        0.0 < change && least <= change
    }
}

/// The values of each witness by the time at which they were measured, oldest first. Where witnesses do not count, all are
/// of one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ValueSeries(BTreeMap<String, VecDeque<(Timestamp, f64)>>);

impl ValueSeries {
    /// Takes in a value of a witness; returns whether it has changed enough since any earlier one of theirs within the time.
    /// Values of the same moment are not compared: nobody knows which came first. A value is as old as its monitor says,
    /// unless that is in the future or longer ago than counts.
    pub fn observe(
        &mut self,
        change: &ValueChange,
        (witness, value): (&str, f64),
        measured_at: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        let counts = |at: &Timestamp| now < *at + change.within;
        let at = measured_at.filter(|at| *at <= now && counts(at)).unwrap_or(now);
        for values in self.0.values_mut() {
            values.retain(|(at, _)| counts(at));
        }
        self.0.retain(|_, values| !values.is_empty());
        let own = self.0.entry(witness.to_owned()).or_default();
        let is_reached =
            own.iter().take_while(|(other, _)| *other < at).any(|(_, from)| change.is_reached(*from, value));
        let place = own.partition_point(|(other, old)| other.cmp(&at).then(old.total_cmp(&value)).is_lt());
        own.insert(place, (at, value));
        if SAMPLES_MAX < self.0.values().map(VecDeque::len).sum() {
            self.thin();
        }
        is_reached
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops one value of the witness that has most.
    fn thin(&mut self) {
        let Some(values) = self.0.values_mut().max_by_key(|values| values.len()) else { return };
        let steps = values.iter().zip(values.iter().skip(1)).map(|((_, value), (_, next))| (next - value).abs());
        let least = steps.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(place, _)| place);
        values.remove(least);
    }
}
