//! Repeats: alerts that join an open incident and say nothing new, and those of a monitor that changes its mind all the
//! time. They are counted in the incident's state, and one event tells of many, so that a monitor that repeats itself
//! does not fill the disk.

use super::{alert::Alert, key::IncidentKey, names::SourceName, overflow::CountedKey, time::Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How many changes of one key (an all-clear, an alert after an all-clear or after silence) are journaled one by one in
/// each [`CHANGES_WITHIN`]; further ones are counted.
pub const CHANGES_WHOLE: u32 = 20;

/// The period of that limit.
pub const CHANGES_WITHIN: Duration = Duration::from_secs(3600);

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRepeats {
    /// How many alerts, without all-clears.
    pub count: u64,
    /// When the first came.
    pub first_at: Timestamp,
    /// When the last came.
    pub last_at: Timestamp,
    /// What they changed; `None` if they only repeated what was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Arc<CountedChanges>>,
}

/// What changes came to that were counted and not journaled one by one: the state after the last of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CountedChanges {
    /// How many of them were all-clears.
    pub all_clears: u64,
    /// How many all-clears the incident has had in all.
    pub total: u64,
    /// When the all-clear came that stands; `None` if the last of them was an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_clear_at: Option<Timestamp>,
    /// What the rooms were told of all-clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<AllClearLines>,
    /// The keys of an overflow that changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<IncidentKey, CountedKey>,
    /// Whose all-clear of such a key came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_by: Option<SourceName>,
}

/// How many changes of one key are in the journal, in the present period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangeBudget {
    began_at: Timestamp,
    journaled: u32,
}

impl ChangeBudget {
    /// When changes are journaled one by one again; `None` while they are.
    pub fn spent_until(&self) -> Option<Timestamp> {
        (CHANGES_WHOLE <= self.journaled).then(|| self.began_at + CHANGES_WITHIN)
    }

    /// Whether a change is only counted now.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        self.spent_until().is_some_and(|until| now < until)
    }

    fn take(&mut self, at: Timestamp) {
        if self.began_at + CHANGES_WITHIN <= at {
            *self = Self { began_at: at, journaled: 0 };
        }
        self.journaled = self.journaled.saturating_add(1);
    }
}

/// How often an incident, and each key of an overflow, changed between firing and all clear.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertChanges {
    /// The incident's own budget.
    pub own: ChangeBudget,
    /// Those of the keys that an overflow counts: at most [`super::overflow::OVERFLOW_KEYS_MAX`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<IncidentKey, ChangeBudget>,
    /// How many all-clears came in all.
    pub all_clears: u64,
}

impl AlertChanges {
    /// Records a change of the incident that is in the journal.
    pub fn journaled(&mut self, at: Timestamp) {
        self.own.take(at);
    }

    /// Records an all-clear of a key of an overflow that is in the journal.
    pub fn all_clear_of(&mut self, key: &IncidentKey, at: Timestamp) {
        self.journaled_of(key, at);
        self.all_clears += 1;
    }

    /// Records that a key of an overflow changed, which is in the journal.
    pub fn journaled_of(&mut self, key: &IncidentKey, at: Timestamp) {
        self.keys.entry(key.clone()).or_default().take(at);
    }

    /// Whether a change of this key is only counted now.
    pub fn is_spent_for(&self, key: &IncidentKey, now: Timestamp) -> bool {
        self.keys.get(key).is_some_and(|budget| budget.is_spent(now))
    }
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
