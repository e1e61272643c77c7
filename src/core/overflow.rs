//! The keys that join one incident because their trigger has opened as many as it may within a minute.

use super::{
    alert::{Alert, AlertStatus},
    event::text_hash,
    key::IncidentKey,
    names::{SourceName, TriggerName},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How many incidents a trigger opens within a minute, if the matrix does not say it.
pub const OPENINGS_PER_MINUTE: u32 = 60;

/// The period of that limit. An overflow incident stays open for as long at least: a monitor that flaps would else end it
/// and open another, each time beyond the limit.
pub const OPENINGS_WITHIN: Duration = Duration::from_secs(60);

/// The most keys that one overflow incident tells apart. Alerts with further keys are counted as repeats are.
pub const OVERFLOW_KEYS_MAX: usize = 1000;

/// How many of its keys the summary names.
const NAMED_MAX: usize = 3;

/// The longest name in the summary, in characters.
const NAME_CHARS_MAX: usize = 40;

/// What an overflow incident counts. Each key has its own all-clear.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OverflowKeys {
    keys: BTreeMap<IncidentKey, CountedKey>,
    /// The newest of them, the newest first: at most [`NAMED_MAX`]. The first by name would be whatever a sender wants.
    #[serde(default)]
    latest: VecDeque<IncidentKey>,
    /// Whether alerts with keys beyond [`OVERFLOW_KEYS_MAX`] came. They join the incident as its repeats do: their
    /// all-clears are not recognized.
    #[serde(default, deserialize_with = "any")]
    further: bool,
    /// Whose all-clear came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cleared_by: Option<SourceName>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountedKey {
    /// Identifies repetitions of its newest alert, see [`episode_hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    episode: Option<String>,
    /// Whether its monitor reported that it is over.
    #[serde(default)]
    over: bool,
}

impl CountedKey {
    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}

impl OverflowKeys {
    /// Whether nothing has been counted yet.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this key is counted and its all-clear has not come.
    pub fn has(&self, key: &IncidentKey) -> bool {
        self.keys.get(key).is_some_and(|entry| !entry.over)
    }

    /// How many keys were counted.
    pub fn counted(&self) -> usize {
        self.keys.len()
    }

    /// How many of them are over.
    pub fn over(&self) -> usize {
        self.keys.values().filter(|entry| entry.over).count()
    }

    /// Whether alerts with keys came that are not told apart.
    pub fn has_further(&self) -> bool {
        self.further
    }

    /// Whether a further alert with this key would say nothing new: there is no room for it, which is known already.
    pub fn is_full_for(&self, key: &IncidentKey) -> bool {
        self.further && !self.keys.contains_key(key)
    }

    /// Whether the all-clear has come for every alert that was counted.
    pub fn is_over(&self) -> bool {
        !self.further && self.keys.values().all(|entry| entry.over)
    }

    /// Who reported the last all-clear, if it has come for every alert that was counted.
    pub fn ended_by(&self) -> Option<&SourceName> {
        self.cleared_by.as_ref().filter(|_| self.is_over())
    }

    /// The keys that are not over, in their order.
    pub fn firing(&self) -> impl Iterator<Item = &IncidentKey> {
        self.keys.iter().filter(|(_, entry)| !entry.over).map(|(key, _)| key)
    }

    /// What identifies repetitions of alerts whose key is not over: [`episode_hash`].
    pub fn episodes(&self) -> impl Iterator<Item = &str> {
        self.keys.values().filter(|entry| !entry.over).filter_map(|entry| entry.episode.as_deref())
    }

    pub(super) fn count(&mut self, key: &IncidentKey, alert: &Alert) {
        if self.keys.len() < OVERFLOW_KEYS_MAX || self.keys.contains_key(key) {
            self.keys.insert(key.clone(), CountedKey { episode: episode_hash(key, alert), over: false });
            self.latest.retain(|other| other != key);
            self.latest.push_front(key.clone());
            self.latest.truncate(NAMED_MAX);
        } else {
            self.further = true;
        }
    }

    pub(super) fn clear(&mut self, key: &IncidentKey, source: &SourceName) {
        if let Some(entry) = self.keys.get_mut(key) {
            entry.over = true;
            self.cleared_by = Some(source.clone());
        }
    }

    /// Whether this key was counted, and its all-clear has come.
    pub(super) fn is_over_for(&self, key: &IncidentKey) -> bool {
        self.keys.get(key).is_some_and(|entry| entry.over)
    }

    /// Whether all of these keys were counted.
    pub fn knows<'a>(&self, keys: impl IntoIterator<Item = &'a IncidentKey>) -> bool {
        keys.into_iter().all(|key| self.keys.contains_key(key))
    }

    /// A known key, as it is after this alert.
    pub(super) fn changed(&self, key: &IncidentKey, alert: &Alert) -> CountedKey {
        match alert.status {
            AlertStatus::Firing => CountedKey { episode: episode_hash(key, alert), over: false },
            AlertStatus::Resolved => {
                CountedKey { episode: self.keys.get(key).and_then(|entry| entry.episode.clone()), over: true }
            }
        }
    }

    /// Takes over keys as they are now.
    pub(super) fn update(&mut self, keys: &BTreeMap<IncidentKey, CountedKey>, cleared_by: Option<&SourceName>) {
        self.keys.extend(keys.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        self.cleared_by = cleared_by.cloned().or(self.cleared_by.take());
    }

    /// One line for people: how many, and the names of the newest that are not over.
    pub fn summary(&self, trigger: &TriggerName) -> String {
        let (counted, over) = (self.keys.len(), self.over());
        let least = if self.further { "at least " } else { "" };
        let ended = if 0 < over { format!(", {over} of them over") } else { String::new() };
        let newest = self.latest.iter().filter(|key| self.has(key));
        // Where the newest are over, or a state from before they were kept: any others.
        let others = self.firing().filter(|key| !self.latest.contains(key));
        let names: Vec<String> = newest.chain(others).filter_map(name).take(NAMED_MAX).collect();
        let others = (counted - over).saturating_sub(names.len());
        let names = match (names.join(", "), others) {
            (names, _) if names.is_empty() => String::new(),
            (names, 0) if !self.further => format!(": {names}"),
            (names, 0) => format!(": {names} and others"),
            (names, others) => format!(": {names} and {least}{others} more"),
        };
        format!("{least}{counted} more of {trigger}{ended}{names}")
    }
}

/// The summary of an overflow incident before anything is counted.
pub fn opening_words(trigger: &TriggerName, most: u32) -> String {
    format!("{trigger} has opened {most} incidents within a minute: further ones are counted here")
}

/// Identifies repetitions of an alert with this key; `None` if they cannot be recognized.
pub fn episode_hash(key: &IncidentKey, alert: &Alert) -> Option<String> {
    alert.episode().map(|episode| text_hash(&format!("{key}\u{1f}{episode}")))
}

/// The value of a trigger's key, short enough for a list; `None` if it is empty.
fn name(key: &IncidentKey) -> Option<String> {
    let (_, value) = key.as_str().split_once('/')?;
    let short = match value.char_indices().nth(NAME_CHARS_MAX) {
        Some(_) => value.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect(),
        None => value.to_owned(),
    };
    (!short.is_empty()).then_some(short)
}

/// Earlier versions stored how many there were.
fn any<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Further {
        Came(bool),
        Count(u64),
    }
    Ok(match Further::deserialize(from)? {
        Further::Came(came) => came,
        Further::Count(count) => 0 < count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> IncidentKey {
        IncidentKey::of_trigger(&"crash".into(), value, false)
    }

    fn counted<'a>(values: impl IntoIterator<Item = &'a str>) -> OverflowKeys {
        let mut overflow = OverflowKeys::default();
        values.into_iter().for_each(|value| overflow.count(&key(value), &Alert::new("monitor", "crash")));
        overflow
    }

    #[test]
    fn the_summary_counts_and_names_what_is_not_over() {
        let said = |overflow: &OverflowKeys| overflow.summary(&"crash".into());
        assert_eq!(said(&counted(["ES"])), "1 more of crash: ES");
        assert_eq!(said(&counted([""])), "1 more of crash");
        let mut overflow = counted(["A", "B", "C", "D", "E"]);
        assert_eq!(said(&overflow), "5 more of crash: E, D, C and 2 more");
        overflow.clear(&key("A"), &"monitor".into());
        overflow.clear(&key("Z"), &"monitor".into());
        assert_eq!(said(&overflow), "5 more of crash, 1 of them over: E, D, C and 1 more");
        assert_eq!(said(&counted([&*"x".repeat(100)])).chars().count(), "1 more of crash: ".len() + NAME_CHARS_MAX);
    }

    #[test]
    fn a_state_that_does_not_know_the_newest_names_some() -> Result<(), serde_json::Error> {
        let entry = || serde_json::json!({ "over": false });
        let kept = serde_json::json!({ "keys": { key("A").as_str(): entry(), key("B").as_str(): entry() } });
        let mut overflow: OverflowKeys = serde_json::from_value(kept)?;
        assert_eq!(overflow.summary(&"crash".into()), "2 more of crash: A, B");
        overflow.count(&key("C"), &Alert::new("monitor", "crash"));
        assert_eq!(overflow.summary(&"crash".into()), "3 more of crash: C, A, B");
        Ok(())
    }

    #[test]
    fn it_tells_a_bounded_number_of_keys_apart_and_says_so() {
        let values: Vec<String> = (0..OVERFLOW_KEYS_MAX + 5).map(|n| format!("{n:04}")).collect();
        let mut overflow = counted(values.iter().map(String::as_str));
        assert_eq!((overflow.counted(), overflow.has_further()), (OVERFLOW_KEYS_MAX, true));
        assert_eq!(
            overflow.summary(&"crash".into()),
            "at least 1000 more of crash: 0999, 0998, 0997 and at least 997 more"
        );
        values.iter().for_each(|value| overflow.clear(&key(value), &"monitor".into()));
        assert!(!overflow.is_over(), "nobody knows whether the others are over");
    }

    #[test]
    fn what_an_earlier_version_stored_is_read() {
        for (further, came) in [("0", false), ("5", true), ("false", false), ("true", true)] {
            let stored = format!(r#"{{"keys":{{}},"latest":[],"further":{further}}}"#);
            let read: OverflowKeys = serde_json::from_str(&stored).expect("it is read");
            assert_eq!(read.has_further(), came, "{further}");
        }
    }
}
