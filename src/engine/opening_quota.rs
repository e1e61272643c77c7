//! How many incidents the alerts of one source may open: a monitor that has gone wrong must not fill the disk, nor keep
//! people from the crises that others report.

use crate::core::{SourceName, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The most sources whose openings are counted: those of the matrix, and their drills.
const SOURCES_MAX: usize = 1000;

/// A source, and whether its drills are meant: they use up nothing of what its live alerts may open.
pub type Opener<'s> = (&'s SourceName, bool);

/// The time in which a source may use its quota once.
const PERIOD: Duration = Duration::from_secs(60);

/// How long the doctor shows that alerts of a source were refused.
const SHOWN_FOR: Duration = Duration::from_secs(15 * 60);

/// Openings by source, in memory: a restart begins anew.
#[derive(Default)]
pub struct OpeningQuota {
    sources: Mutex<BTreeMap<(SourceName, bool), OpeningCount>>,
}

struct OpeningCount {
    /// How many openings are counted; they are forgotten at the pace of the quota.
    level: f64,
    at: Timestamp,
    /// Alerts that were refused since the log has said so.
    refused: u64,
    told_at: Option<Timestamp>,
    refused_at: Option<Timestamp>,
}

impl OpeningQuota {
    /// Counts openings of a source that may make `quota` of them in a minute.
    pub fn count(&self, (source, drill): Opener<'_>, openings: usize, quota: u32, now: Timestamp) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let opener = (source.clone(), drill);
        if openings == 0 || (SOURCES_MAX <= sources.len() && !sources.contains_key(&opener)) {
            return;
        }
        let new = OpeningCount { level: 0.0, at: now, refused: 0, told_at: None, refused_at: None };
        let own = sources.entry(opener).or_insert(new);
        own.pass(quota, now);
        let openings = u32::try_from(openings).map_or(f64::MAX, f64::from);
        // However many a request opened, nobody waits for more than one period.
        own.level = (own.level + openings).min(2.0 * f64::from(quota));
    }

    /// How long a source must wait before it may open another incident; `None` if it may now.
    pub fn wait(&self, (source, drill): Opener<'_>, quota: u32, now: Timestamp) -> Option<Duration> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let own = sources.get_mut(&(source.clone(), drill))?;
        own.pass(quota, now);
        // How much too high it would be with one more.
        let over = own.level + 1.0 - f64::from(quota);
        let share = over / f64::from(quota.max(1));
        (0.0 < over).then(|| PERIOD.mul_f64(share.clamp(0.0, 1.0)).max(Duration::from_secs(1)))
    }

    /// How many incidents a source may open now.
    pub fn left(&self, (source, drill): Opener<'_>, quota: u32, now: Timestamp) -> u32 {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = sources.get_mut(&(source.clone(), drill)) else { return quota };
        own.pass(quota, now);
        // Between 0 and the quota, and so without loss.
        (f64::from(quota) - own.level).floor().max(0.0) as u32
    }

    /// Counts alerts of a source that were refused. Returns how many were since the log has last said so, if it is time
    /// to say so again.
    pub fn refuse(&self, (source, drill): Opener<'_>, alerts: usize, now: Timestamp) -> Option<u64> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let own = sources.get_mut(&(source.clone(), drill)).filter(|_| 0 < alerts)?;
        own.refused = own.refused.saturating_add(u64::try_from(alerts).unwrap_or(u64::MAX));
        own.refused_at = Some(now);
        if own.told_at.is_some_and(|told| now < told + PERIOD) {
            return None;
        }
        own.told_at = Some(now);
        Some(std::mem::take(&mut own.refused))
    }

    /// The sources of which an alert was refused within the last [`SHOWN_FOR`].
    pub fn refusing(&self, now: Timestamp) -> Vec<SourceName> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |own: &OpeningCount| own.refused_at.is_some_and(|at| now < at + SHOWN_FOR);
        let lately = sources.iter().filter(|(_, own)| lately(own)).map(|((source, _), _)| source.clone());
        lately.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl OpeningCount {
    /// Forgets what the time since the last look allows.
    fn pass(&mut self, quota: u32, now: Timestamp) {
        let passed = now.since(self.at).as_secs_f64() / PERIOD.as_secs_f64();
        self.level = (self.level - passed * f64::from(quota)).max(0.0);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000 * seconds)
    }

    #[test]
    fn who_has_used_its_quota_waits_a_minute_at_most_and_nobody_else_does() {
        let (quota, source) = (OpeningQuota::default(), SourceName::from("loud"));
        quota.count((&source, false), 599, 600, at(0));
        assert_eq!(quota.wait((&source, false), 600, at(0)), None);
        assert_eq!(quota.left((&source, false), 600, at(0)), 1);
        quota.count((&source, false), 10_000, 600, at(0));
        assert_eq!(quota.left((&source, false), 600, at(0)), 0);
        assert_eq!(quota.left((&"quiet".into(), false), 600, at(0)), 600);
        assert_eq!(quota.wait((&source, false), 600, at(0)), Some(Duration::from_secs(60)));
        assert_eq!(quota.wait((&"quiet".into(), false), 600, at(1)), None);
        let later = quota.wait((&source, false), 600, at(30)).expect("it must wait");
        assert!(later <= Duration::from_secs(31), "{later:?}");
        assert_eq!(quota.wait((&source, false), 600, at(61)), None);
        quota.count((&source, true), 10_000, 600, at(61));
        assert_eq!(quota.wait((&source, false), 600, at(61)), None, "drills count apart");
        // It uses what has come back, and waits again.
        quota.count((&source, false), 10, 600, at(61));
        assert!(quota.wait((&source, false), 600, at(61)).is_some());
    }

    #[test]
    fn refusals_are_said_once_a_minute_with_their_count_and_shown_for_a_while() {
        let (quota, source) = (OpeningQuota::default(), SourceName::from("loud"));
        quota.count((&source, false), 600, 600, at(0));
        assert_eq!((quota.refuse((&source, false), 0, at(0)), quota.refusing(at(0))), (None, vec![]));
        let said: Vec<_> = [0, 1, 59, 60].map(|second| quota.refuse((&source, false), 2, at(second))).into();
        assert_eq!(said, [Some(2), None, None, Some(6)]);
        assert_eq!(quota.refusing(at(60 + 899)), [source]);
        assert_eq!(quota.refusing(at(60 + 900)), []);
    }
}
