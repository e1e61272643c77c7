//! Repeats: alerts that join an open incident and say nothing new. They are counted in its state, and one event tells
//! of many, so that a monitor that repeats itself does not fill the disk.

use super::{alert::Alert, time::Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, time::Duration};

/// How many alerts of one incident are journaled one by one before repeats are counted.
pub const JOINED_WHOLE: u64 = 10;

/// How many different alerts (by kind and labels) of one source one incident tells apart. The first of each is
/// journaled; further ones are counted like repeats. One source takes no other's room.
pub const KNOWN_MAX: usize = 64;

/// How many of all sources together.
pub const KNOWN_TOTAL_MAX: usize = 512;

/// The shortest time from the first counted repeat to the event that tells of it.
pub const TOLD_AFTER_MIN: Duration = Duration::from_secs(60);

/// The longest.
pub const TOLD_AFTER_MAX: Duration = Duration::from_secs(6 * 3600);

/// Between the two, it is the incident's age divided by this: the longer an incident lasts, the rarer its lines.
pub const TOLD_AFTER_SHARE: u32 = 8;

/// Repeats that were counted since the last event that told of some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRepeats {
    /// How many.
    pub count: u64,
    /// When the first came.
    pub first_at: Timestamp,
    /// When the last came.
    pub last_at: Timestamp,
}

/// What the rooms were told of all-clears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllClearLines {
    /// When a line said the last one.
    pub said_at: Timestamp,
    /// How many came since and were not said.
    pub unsaid: u64,
}

/// The different alerts of an incident, as hashes of what tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownAlerts(BTreeSet<u64>);

impl KnownAlerts {
    /// This alert alone.
    pub fn of(alert: &Alert) -> Self {
        Self([identity(alert)].into())
    }

    /// Adds an alert, unless there is no room.
    pub fn add(&mut self, alert: &Alert) {
        if !self.is_full(alert) {
            self.0.insert(identity(alert));
        }
    }

    /// Whether a line of the journal for this alert would say nothing new, or there is no room to tell it apart.
    pub fn has(&self, alert: &Alert) -> bool {
        self.is_full(alert) || self.0.contains(&identity(alert))
    }

    fn is_full(&self, alert: &Alert) -> bool {
        let source = source_part(alert);
        KNOWN_TOTAL_MAX <= self.0.len() || KNOWN_MAX <= self.0.range(source..=source | OWN_PART).count()
    }
}

/// The bits of an identity that are not its source's.
const OWN_PART: u64 = u64::MAX >> 16;

/// A hash of what tells an alert from others: its source in the upper 16 bits, then its kind and labels (a severity is a
/// label). It is in the stored state, so it may never change.
fn identity(alert: &Alert) -> u64 {
    let labels = alert.labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    source_part(alert) | hashed([alert.kind.as_str()].into_iter().chain(labels)) & OWN_PART
}

fn source_part(alert: &Alert) -> u64 {
    hashed([alert.source.as_str()]) & !OWN_PART
}

/// Each part with its length: no other parts look the same in a row.
fn hashed<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash.iter().take(8).fold(0, |whole, byte| whole << 8 | u64::from(*byte))
}
