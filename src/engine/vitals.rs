//! Whether this daemon does its work: the loops turn, commits are kept, every queue moves, and nobody is forgotten.

use super::{Engine, EngineLoop};
use crate::{
    core::{Timestamp, stranded::stranded},
    store::{IncidentFilter, StoreError},
};
use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// A loop that has not turned for so long hangs; the slowest of them turns every three seconds.
pub const LOOP_STILL_MAX: Duration = Duration::from_secs(20);

/// A page whose turn came so long ago and which its channel was not given stands in a queue that does not move.
pub const QUEUE_STANDS_MAX: Duration = Duration::from_secs(60);

/// A ladder whose deadline passed so long ago does not move.
pub const LADDER_LATE_MAX: Duration = Duration::from_secs(30);

/// How long the store may take to show [`AT_ONCE`] open incidents.
pub const STORE_TIME_MAX: Duration = Duration::from_secs(5);

/// Open incidents that are looked at in one go; all are, one go after the other.
const AT_ONCE: usize = 1_000;

/// What is remembered between two looks.
#[derive(Debug)]
pub struct HealthState {
    turned: Option<[(u64, Timestamp); 3]>,
    /// When this daemon began: what was overdue then has had no time to move yet.
    began: Timestamp,
    found: Vec<String>,
    /// Why the own door did not answer when it was called last.
    shut: Option<String>,
    pinged: PingStatus,
}

impl HealthState {
    /// Nothing is known yet, at the time `began`.
    pub fn new(began: Timestamp) -> Self {
        Self { turned: None, began, found: Vec::new(), shut: None, pinged: PingStatus::default() }
    }
}

/// How the dead-man ping fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingStatus {
    /// When the receiver last took one.
    pub last: Option<Timestamp>,
    /// Why the last one did not go out, or was not taken.
    pub trouble: Option<String>,
}

impl Engine {
    /// What is wrong with this daemon, as far as that is known without asking the store; empty while it does its work.
    pub fn signs(&self) -> Vec<String> {
        [self.unready(), self.found()].concat()
    }

    /// What can not be read, what the last look at every open incident found, and the last call of the own door.
    pub fn found(&self) -> Vec<String> {
        let mut signs = self.unreadable_signs();
        let vitals = self.vitals();
        let shut = vitals.shut.iter().map(|why| format!("the own door was called in vain: {why}"));
        signs.extend(vitals.found.iter().cloned().chain(shut));
        signs
    }

    /// Those of the signs for which alerts are better kept away: it can not keep them, or can not act on them. One
    /// ladder that is late or one row that can not be read is none of these, nor is a door that was slow: whoever hears this has come in.
    pub fn unready(&self) -> Vec<String> {
        let now = self.store.now();
        let mut signs: Vec<String> = self.store.health().err().map(|error| error.to_string()).into_iter().collect();
        signs.extend(self.still_loops());
        signs.extend(self.entrances.signs());
        let standing = self.delivery().standing(now, QUEUE_STANDS_MAX);
        signs.extend(standing.into_iter().map(|(channel, since)| {
            let span = whole_seconds(now.since(since));
            format!("a page waits for channel {channel} since {span}, and its queue does not move")
        }));
        signs
    }

    /// The same after a look at every open incident: each open engagement must have a deadline that is not long past.
    pub async fn examine(&self) -> Vec<String> {
        let found = self.forgotten().await;
        self.vitals().found = found;
        self.signs()
    }

    /// How the dead-man ping fares.
    pub fn pinged(&self) -> PingStatus {
        self.vitals().pinged.clone()
    }

    /// Whether the own door answered when it was called.
    pub(super) fn note_knock(&self, answered: Result<(), String>) {
        self.vitals().shut = answered.err();
    }

    pub(super) fn note_ping(&self, result: Result<(), String>) {
        let now = self.store.now();
        let mut vitals = self.vitals();
        match result {
            Ok(()) => vitals.pinged = PingStatus { last: Some(now), trouble: None },
            Err(trouble) => vitals.pinged.trouble = Some(trouble),
        }
    }

    async fn forgotten(&self) -> Vec<String> {
        let mut found = Vec::new();
        let now = self.store.now();
        let began = self.vitals().began;
        let is_late = |deadline: Timestamp| LADDER_LATE_MAX < now.since(deadline.max(began));
        match in_time(self.store.next_deadline()).await {
            Ok(Some(deadline)) if is_late(deadline) => {
                let span = whole_seconds(now.since(deadline));
                found.push(format!("a ladder is due since {span} and has not moved"));
            }
            Ok(_) => {}
            Err(why) => found.push(why),
        }
        let (filter, mut before) = (IncidentFilter { open_only: true, limit: AT_ONCE }, None);
        // What the store calls due is looked at above; this is what it has lost sight of.
        let mut looks_for_late = found.is_empty();
        loop {
            let portion = match in_time(self.store.portion(filter, before)).await {
                Ok(portion) => portion,
                Err(why) => {
                    found.push(why);
                    break;
                }
            };
            if looks_for_late
                && let Some(incident) =
                    portion.incidents.iter().find(|incident| incident.deadline().is_some_and(is_late))
            {
                let span = whole_seconds(now.since(incident.deadline().unwrap_or(now)));
                found.push(format!("{} is due since {span} and has not moved", incident.id));
                looks_for_late = false;
            }
            found.extend(portion.incidents.iter().flat_map(|incident| {
                let forgotten = |role| format!("role {role} of {} waits for nobody", incident.id);
                stranded(incident).into_iter().map(forgotten)
            }));
            before = portion.before;
            if before.is_none() {
                break;
            }
        }
        found.dedup();
        found
    }

    /// The loops that hang.
    pub fn still_loops(&self) -> Vec<String> {
        let now = self.store.now();
        let beats = self.pulse.beats();
        let mut vitals = self.vitals();
        let turned = vitals.turned.get_or_insert(beats.map(|beat| (beat, now)));
        let mut still = Vec::new();
        for ((beat, last), name) in beats.into_iter().zip(turned).zip(EngineLoop::ALL) {
            if beat != last.0 {
                *last = (beat, now);
            } else if LOOP_STILL_MAX < now.since(last.1) {
                still.push(format!(
                    "the {} loop has not turned for {}",
                    name.as_str(),
                    whole_seconds(now.since(last.1))
                ));
            }
        }
        still
    }

    fn vitals(&self) -> MutexGuard<'_, HealthState> {
        self.vitals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store says, or that it says nothing.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match timeout(STORE_TIME_MAX, asked).await {
        Ok(said) => said.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the store did not answer within {}", humantime::format_duration(STORE_TIME_MAX))),
    }
}

fn whole_seconds(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(span.as_secs()))
}
