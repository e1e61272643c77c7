//! Monitors whose clock differs from ours. An alert in Alertmanager's format is over when its `endsAt` is past: if the
//! monitor's clock is slow, its firing alerts look over when they come, and page nobody.

use crate::core::{Alert, AlertStatus, SourceName, Timestamp};
use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The most sources that are looked at.
const SOURCES_MAX: usize = 500;

/// Of how many alerts that were over the end is remembered, for each source.
const ENDS_MAX: usize = 200;

/// A smaller difference is the time on the way, and rounding to whole seconds.
const DIFFERENCE_MIN: Duration = Duration::from_secs(5);

/// What is known of the clocks of sources, since this node started.
#[derive(Default)]
pub struct SenderClocks(Mutex<BTreeMap<SourceName, SenderClock>>);

#[derive(Default)]
struct SenderClock {
    /// Firing alerts that were taken as over.
    taken_as_over: u64,
    /// Alerts that begin in our future.
    not_begun: u64,
    /// How far its clock was behind when it last said what time it is.
    behind: Option<Duration>,
    /// The alerts that were over when they came, by their hash, and their ends. The oldest are forgotten.
    ends: VecDeque<(u64, Timestamp)>,
}

impl SenderClocks {
    /// Looks at the times of an alert that has just come: when it ends, the time here, and the time of the request as its sender
    /// gave it. Returns what to warn of, if it is new.
    pub fn look(
        &self,
        alert: &Alert,
        ends_at: Option<Timestamp>,
        here: Timestamp,
        there: Option<Timestamp>,
    ) -> Option<String> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.contains_key(&alert.source) && SOURCES_MAX <= sources.len() {
            return None;
        }
        let own = sources.entry(alert.source.clone()).or_default();
        let sign = if own.begins_later(alert, here) {
            own.not_begun += 1;
            (own.not_begun == 1).then(|| own.fast(&alert.source))
        } else if alert.status == AlertStatus::Resolved && own.fires_there(alert, ends_at?, here, there) {
            own.taken_as_over += 1;
            (own.taken_as_over == 1).then(|| own.slow(&alert.source))
        } else {
            None
        };
        sign.flatten()
    }

    /// What is wrong with the clocks of sources, in sentences.
    pub fn signs(&self) -> Vec<String> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.iter().flat_map(|(source, own)| own.slow(source).into_iter().chain(own.fast(source))).collect()
    }
}

impl SenderClock {
    fn begins_later(&self, alert: &Alert, here: Timestamp) -> bool {
        alert.starts_at.is_some_and(|starts_at| here + DIFFERENCE_MIN < starts_at)
    }

    /// Whether an alert that is over by our clock is firing by its sender's: its end is later than the sender's own
    /// time, or it came before with an earlier end. An alert that is really over keeps its end; one whose end is the time
    /// of each request is over, too.
    fn fires_there(&mut self, alert: &Alert, ends_at: Timestamp, here: Timestamp, there: Option<Timestamp>) -> bool {
        let behind = there.map(|there| here.since(there)).filter(|behind| DIFFERENCE_MIN < *behind);
        self.behind = behind.or(self.behind);
        let by_its_time = behind.is_some() && there.is_some_and(|there| there < ends_at);
        let prolonged = self.was_prolonged(alert, ends_at) && DIFFERENCE_MIN < here.since(ends_at);
        by_its_time || prolonged
    }

    fn was_prolonged(&mut self, alert: &Alert, ends_at: Timestamp) -> bool {
        let mut hasher = DefaultHasher::new();
        alert.episode().hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, known)) = self.ends.iter_mut().find(|(known, _)| *known == hash) {
            let before = std::mem::replace(known, ends_at.max(*known));
            return before < ends_at;
        }
        if ENDS_MAX <= self.ends.len() {
            self.ends.pop_front();
        }
        self.ends.push_back((hash, ends_at));
        false
    }

    fn slow(&self, source: &SourceName) -> Option<String> {
        let by = self.behind.map_or_else(String::new, |behind| {
            format!(" by {}", humantime::format_duration(Duration::from_secs(behind.as_secs())))
        });
        (0 < self.taken_as_over).then(|| {
            format!(
                "{} firing alert(s) of source {source} were over by our clock when they came, so they paged nobody: its \
                 clock is slow{by}",
                self.taken_as_over
            )
        })
    }

    fn fast(&self, source: &SourceName) -> Option<String> {
        (0 < self.not_begun).then(|| {
            format!(
                "{} alert(s) of source {source} begin in the future by our clock: its clock is fast, so their all-clears \
                 come late",
                self.not_begun
            )
        })
    }
}
