//! How long it usually takes until a person has a conversation: an interval from what was measured of that role at that
//! kind of hour, or nothing.

use crate::{
    core::{Incident, RoleName, Timestamp, Zone},
    engine::Engine,
    report::{
        handoffs::first_taken,
        survival::{SurvivalCurve, SurvivalObservation},
    },
    store::{IncidentFilter, StoreError},
};
use chrono::{Datelike, Timelike, Weekday};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// How many of the newest incidents are looked at.
const INCIDENTS_MAX: usize = 300;

/// The fewest conversations that somebody took which carry an estimate.
pub const EVENTS_MIN: usize = 20;

/// The estimate is from when this share of users had a person ..
const FROM: f64 = 0.25;

/// .. until this share of them had.
const UNTIL: f64 = 0.8;

/// How long an estimate is kept.
const KEPT: Duration = Duration::from_secs(30);

/// How many estimates are kept: one for each role and kind of hour.
const KEPT_MAX: usize = 256;

/// How long it usually takes until somebody has a conversation, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct HandoffEstimate {
    /// A quarter of the users waited for less.
    pub low_s: f64,
    /// Four of five waited for less.
    pub high_s: f64,
    /// How many conversations it was measured on.
    pub of: usize,
}

impl HandoffEstimate {
    /// In whole minutes, the interval not made shorter.
    pub fn minutes(self) -> (u64, u64) {
        ((self.low_s / 60.0).floor() as u64, (self.high_s / 60.0).ceil() as u64)
    }

    /// The estimate of these observations; `None` where they do not carry one: too few, or too many users whom nobody
    /// took in the time that they waited.
    pub fn of(observations: impl IntoIterator<Item = SurvivalObservation>) -> Option<Self> {
        let curve = SurvivalCurve::of(observations);
        let (low, high) = (curve.quantile(FROM), curve.quantile(UNTIL));
        let is_limited = high.high.is_some();
        if curve.events < EVENTS_MIN || !is_limited {
            return None;
        }
        Some(Self { low_s: low.time?, high_s: high.time?, of: curve.n })
    }
}

/// A kind of hour: people answer otherwise at night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HourKind {
    /// Monday to Friday, from 8 to 20 h.
    Office,
    /// Any other.
    Other,
}

impl HourKind {
    fn of(at: Timestamp, zone: &Zone) -> Self {
        let wall = at.to_utc().with_timezone(zone).naive_local();
        let is_weekend = matches!(wall.weekday(), Weekday::Sat | Weekday::Sun);
        if (8..20).contains(&wall.hour()) && !is_weekend { Self::Office } else { Self::Other }
    }
}

/// Estimates that were made a short time ago.
#[derive(Default)]
pub struct KeptEstimates(Mutex<BTreeMap<(RoleName, HourKind), MadeEstimate>>);

/// When it was made, and what it was.
type MadeEstimate = (Instant, Option<HandoffEstimate>);

impl KeptEstimates {
    /// The estimate for a role at this hour. Of many that ask at once, one reads the store.
    ///
    /// # Errors
    /// The store can not be read.
    pub async fn of(&self, engine: &Engine, role: &RoleName) -> Result<Option<HandoffEstimate>, StoreError> {
        let zone = engine.config().matrix.daemon.zone();
        let hour = HourKind::of(engine.time().civil, &zone);
        let mut kept = self.0.lock().await;
        let key = (role.clone(), hour);
        if let Some((_, estimate)) = kept.get(&key).filter(|(made, _)| made.elapsed() < KEPT) {
            return Ok(*estimate);
        }
        let filter = IncidentFilter { open_only: false, limit: INCIDENTS_MAX };
        let incidents = engine.reads().list(filter).await?;
        let of_hour = incidents.iter().filter(|incident| HourKind::of(incident.opened_at, &zone) == hour);
        let estimate = HandoffEstimate::of(of_hour.filter_map(|incident| waited(incident, role, engine.now())));
        if KEPT_MAX <= kept.len() {
            kept.clear();
        }
        kept.insert(key, (Instant::now(), estimate));
        Ok(estimate)
    }

    /// Forgets them, so that the next one is of what is in the store then. For demos, which are shorter than they are kept.
    pub async fn forget(&self) {
        self.0.lock().await.clear();
    }
}

/// How long the user of a handoff of this role waited for the first person; `None` if it is no such handoff.
fn waited(incident: &Incident, role: &RoleName, now: Timestamp) -> Option<SurvivalObservation> {
    let request = incident.request.as_ref().filter(|request| request.handoff.is_some())?;
    let asked_nobody = incident.engagements.is_empty() || incident.drill || incident.has_sandboxed_page();
    if asked_nobody || incident.plan.required.first() != Some(role) {
        return None;
    }
    let taken = first_taken(incident);
    let until = taken.or_else(|| request.ended.as_ref().map(|(_, at)| *at)).unwrap_or(now);
    Some(SurvivalObservation { time: until.since(incident.opened_at).as_secs_f64(), happened: taken.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(times: impl IntoIterator<Item = f64>, happened: bool) -> impl Iterator<Item = SurvivalObservation> {
        times.into_iter().map(move |time| SurvivalObservation { time, happened })
    }

    #[test]
    fn an_estimate_needs_data_that_carry_one() {
        let taken = |n: u32| seen((1..=n).map(|i| f64::from(i) * 10.0), true);
        assert_eq!(HandoffEstimate::of(taken(19)), None, "too few");
        let estimate = HandoffEstimate::of(taken(40)).expect("an estimate");
        assert_eq!((estimate.low_s, estimate.high_s, estimate.of), (100.0, 320.0, 40));
        assert_eq!(estimate.minutes(), (1, 6));
        // Most users left or waited in vain: nobody can say when four of five have a person.
        let in_vain = seen((0..40).map(|_| 500.0), false);
        assert_eq!(HandoffEstimate::of(taken(30).chain(in_vain)), None);
    }
}
