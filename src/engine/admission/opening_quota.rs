//! How many incidents the alerts of one source may open: a monitor that has gone wrong must not fill the disk, nor keep
//! people from the crises that others report.

use crate::core::{SourceName, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The most sources whose openings are counted: those of the matrix.
const SOURCES_MAX: usize = 500;

/// The time in which a source may use its quota once.
const PERIOD: Duration = Duration::from_secs(60);

/// Openings by source, in memory: a restart begins anew.
#[derive(Default)]
pub(super) struct OpeningQuota {
    sources: Mutex<BTreeMap<SourceName, OpeningCount>>,
}

struct OpeningCount {
    /// How many openings are counted; they are forgotten at the pace of the quota.
    level: f64,
    at: Timestamp,
    /// Requests that were refused since the log has said so.
    refused: u64,
    told_at: Option<Timestamp>,
}

/// A source has opened too many incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverQuota {
    /// How long to wait.
    pub retry_after: Duration,
    /// How many requests were refused since the log has last said so, if it is time to say so again.
    pub news: Option<u64>,
}

impl OpeningQuota {
    /// Counts openings of a source that may make `quota` of them in a minute.
    pub fn count(&self, source: &SourceName, openings: usize, quota: u32, now: Timestamp) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if openings == 0 || (SOURCES_MAX <= sources.len() && !sources.contains_key(source)) {
            return;
        }
        let new = OpeningCount { level: 0.0, at: now, refused: 0, told_at: None };
        let own = sources.entry(source.clone()).or_insert(new);
        own.pass(quota, now);
        let openings = u32::try_from(openings).map_or(f64::MAX, f64::from);
        // However many a request opened, nobody waits for more than one period.
        own.level = (own.level + openings).min(2.0 * f64::from(quota));
    }

    /// Whether a source must wait before it may hand in more alerts.
    pub fn check(&self, source: &SourceName, quota: u32, now: Timestamp) -> Result<(), OverQuota> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = sources.get_mut(source) else { return Ok(()) };
        own.pass(quota, now);
        // How much too high it would be with one more.
        let over = own.level + 1.0 - f64::from(quota);
        if over <= 0.0 {
            return Ok(());
        }
        own.refused += 1;
        let is_time = own.told_at.is_none_or(|told| told + PERIOD <= now);
        let news = is_time.then(|| std::mem::take(&mut own.refused));
        if is_time {
            own.told_at = Some(now);
        }
        let share = over / f64::from(quota.max(1));
        Err(OverQuota { retry_after: PERIOD.mul_f64(share.clamp(0.0, 1.0)).max(Duration::from_secs(1)), news })
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
        quota.count(&source, 599, 600, at(0));
        assert_eq!(quota.check(&source, 600, at(0)), Ok(()));
        quota.count(&source, 10_000, 600, at(0));
        let over = quota.check(&source, 600, at(0)).expect_err("it must wait");
        assert_eq!((over.retry_after, over.news), (Duration::from_secs(60), Some(1)));
        assert_eq!(
            quota.check(&source, 600, at(1)).expect_err("it must wait").news,
            None,
            "the log says so once a minute"
        );
        assert_eq!(quota.check(&"quiet".into(), 600, at(1)), Ok(()));
        let later = quota.check(&source, 600, at(30)).expect_err("it must wait");
        assert!(later.retry_after <= Duration::from_secs(31), "{later:?}");
        assert_eq!(quota.check(&source, 600, at(61)), Ok(()));
        // It uses what has come back, and waits again.
        quota.count(&source, 10, 600, at(61));
        assert_eq!(quota.check(&source, 600, at(61)).expect_err("it must wait").news, Some(3));
    }
}
