//! How a value has changed lately.

use crate::core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The most values that are remembered for one key. Where there are more, one goes whose loss changes least.
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

    /// Drops one value of the witness that has most: on the way from one value to another the one whose neighbours are
    /// nearest to each other, so that what is left is evenly spaced, else a turn that is small. The first, the last, the
    /// highest and the lowest stay.
    fn thin(&mut self) {
        let Some(values) = self.0.values_mut().max_by_key(|values| values.len()) else { return };
        let by_value = |a: &&(Timestamp, f64), b: &&(Timestamp, f64)| a.1.total_cmp(&b.1);
        let (lowest, highest) = (values.iter().min_by(by_value).copied(), values.iter().max_by(by_value).copied());
        let loss = |place: usize| {
            let at = |place: usize| values.get(place).copied();
            let own = at(place)?;
            let (before, after) = (at(place.checked_sub(1)?)?, at(place + 1)?);
            let is_turn = (own.1 - before.1) * (after.1 - own.1) < 0.0;
            let nearest = (own.1 - before.1).abs().min((own.1 - after.1).abs());
            let stays = Some(own) == lowest || Some(own) == highest;
            (!stays).then_some(if is_turn { nearest } else { (after.1 - before.1).abs() })
        };
        let losses = (0..values.len()).filter_map(|place| Some((place, loss(place)?)));
        let least = losses.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(place, _)| place);
        values.remove(least);
    }
}
