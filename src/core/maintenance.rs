//! Maintenance windows: silences that come again by a cron line.

use super::{
    alert::Alert,
    judgement::SilencedUntil,
    names::TriggerName,
    oncall::EPOCH,
    schedule::CronSchedule,
    silence::{MatcherSet, Silence, SilenceId, SilenceMatcher},
    time::{StepTime, Timestamp},
    zone::Zone,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The shortest window.
pub const WINDOW_MIN: Duration = Duration::from_secs(60);

/// How many beginnings are looked at to see whether a window is over before the next one begins.
const BEGINNINGS_SEEN: usize = 500;

/// A maintenance window.
#[derive(Debug, Clone)]
pub struct MaintenanceWindow {
    /// Its name in the matrix.
    pub name: String,
    /// Which alerts it is about.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins.
    pub starts: CronSchedule,
    /// In which time zone.
    pub zone: Zone,
    /// How long it lasts.
    pub lasts: Duration,
    /// Whose it is.
    pub owner: String,
    /// Why.
    pub reason: String,
    set: MatcherSet,
}

impl MaintenanceWindow {
    /// A window; its matchers have no flaw.
    pub fn new(
        name: String,
        matchers: Vec<SilenceMatcher>,
        (starts, zone, lasts): (CronSchedule, Zone, Duration),
        owner: String,
        reason: String,
    ) -> Self {
        let set = MatcherSet::new(&matchers);
        Self { name, matchers, starts, zone, lasts, owner, reason, set }
    }

    /// The silence that it is at a civil time, if it is in force; else the next one.
    pub fn at(&self, civil: Timestamp) -> Option<Silence> {
        let before = Timestamp::from_micros(civil.as_micros().saturating_sub(micros(self.lasts)));
        let started = self.starts.matches_after(&self.zone, before).next()?;
        let digest = Sha256::digest(format!("maintenance\u{1f}{}\u{1f}{started}", self.name));
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Some(Silence {
            id: SilenceId::random(id),
            matchers: self.matchers.clone(),
            starts_at: started,
            ends_at: started + self.lasts,
            updated_at: started.min(civil),
            created_by: self.owner.clone(),
            reason: self.reason.clone(),
        })
    }

    /// Whether it is about this alert now, and until when on the store's clock.
    pub fn holding(&self, alert: &Alert, trigger: &TriggerName, time: StepTime) -> Option<SilencedUntil> {
        if !self.set.matches(alert, trigger) {
            return None;
        }
        let silence = self.at(time.civil).filter(|silence| silence.starts_at <= time.civil)?;
        let left = silence.ends_at.since(time.civil);
        Some(SilencedUntil { silence: silence.id, until: time.now + left })
    }
}

/// Whether a window that lasts so long is over before the next one begins: else it would never end.
pub fn ends_before_the_next(starts: &CronSchedule, lasts: Duration) -> bool {
    let beginnings: Vec<Timestamp> = starts.matches_after(&Zone::utc(), EPOCH).take(BEGINNINGS_SEEN).collect();
    beginnings.windows(2).all(|two| lasts < two[1].since(two[0]))
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
