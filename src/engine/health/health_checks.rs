//! Health checks: the loops run, commits succeed, every queue moves, and no ladder is forgotten.

use crate::{
    core::{Timestamp, stuck::stuck_roles},
    engine::health::{EngineLoop, Health, PingStatus},
    store::{IncidentFilter, StoreError},
};
use std::time::Duration;
use tokio::time::timeout;

/// A loop that has not run for so long is stuck; the slowest one runs every three seconds.
pub const LOOP_STILL_MAX: Duration = Duration::from_secs(20);

/// A queue is stuck if a page has been due for so long and was not handed to its channel.
pub const QUEUE_STANDS_MAX: Duration = Duration::from_secs(60);

/// A brief that waits for so long to be handed to its channel is reported, even if its queue moves.
pub const BRIEF_WAITS_MAX: Duration = Duration::from_secs(30);

/// A ladder is stuck if its deadline passed so long ago.
pub const LADDER_LATE_MAX: Duration = Duration::from_secs(30);

/// How long the store may take to read `AT_ONCE` open incidents.
pub const STORE_TIME_MAX: Duration = Duration::from_secs(5);

/// Open incidents that are read at once, until all were read.
const AT_ONCE: usize = 1_000;

impl Health {
    /// What is wrong with this daemon, without asking the store; empty if all is well.
    pub fn problems(&self) -> Vec<String> {
        [self.readiness_problems(), self.found_problems()].concat()
    }

    /// Unreadable incidents, what the last check of all open incidents found, and whether the daemon's own port
    /// answered.
    pub fn found_problems(&self) -> Vec<String> {
        let mut problems = self.quarantine_problems();
        let state = self.state();
        let shut = state.shut.iter().map(|why| format!("a request to our own HTTP port failed: {why}"));
        problems.extend(state.found.iter().cloned().chain(shut));
        problems
    }

    /// A brief that has waited long, also in a queue that moves: somebody is asked too late, whatever the reason. The
    /// daemon does its work all the same, so this does not keep the ping away.
    pub fn late_brief(&self) -> Option<String> {
        let now = self.context.store.now();
        let waited = now.since(self.delivery.oldest_unsent_brief()?);
        let span = whole_seconds(waited);
        (BRIEF_WAITS_MAX < waited)
            .then(|| format!("the oldest brief that no channel was given yet has waited for {span}"))
    }

    /// The sources of which alerts were refused lately, because they open too many incidents. The daemon does its work,
    /// so this does not keep the ping away.
    pub fn over_quota(&self) -> Vec<String> {
        let (now, config) = (self.context.store.now(), self.context.config.load());
        let shown = |source: crate::core::SourceName| {
            let quota = config.matrix.sources.get(&source)?.openings_per_minute;
            Some(format!(
                "alerts of source {source} were refused lately: it opens more incidents than the {quota} in a minute that \
                 openings_per_minute of [source.{source}] allows"
            ))
        };
        self.context.openings.refusing(now).into_iter().filter_map(shown).collect()
    }

    /// The problems because of which no alerts should be sent here: they could not be kept, or not acted on. A late
    /// ladder and an unreadable row are not among them, nor is a slow port: a caller who can ask this has connected.
    pub fn readiness_problems(&self) -> Vec<String> {
        let now = self.context.store.now();
        let mut problems: Vec<String> =
            self.context.store.health().err().map(|error| error.to_string()).into_iter().collect();
        problems.extend(self.stuck_loops());
        problems.extend(self.listeners.problems());
        let standing = self.delivery.stuck_queues(now, QUEUE_STANDS_MAX);
        problems.extend(standing.into_iter().map(|(channel, since)| {
            let span = whole_seconds(now.since(since));
            format!("a page has waited {span} for channel {channel}: its queue is stuck")
        }));
        problems
    }

    /// Checks every open incident too: each open engagement must have a deadline that is not long past. Returns all
    /// problems.
    pub async fn check(&self) -> Vec<String> {
        let found = self.forgotten().await;
        self.state().found = found;
        self.problems()
    }

    /// The state of the dead-man ping.
    pub fn pinged(&self) -> PingStatus {
        self.state().pinged.clone()
    }

    /// That the last reload was refused, so that what the folder says is not what runs. No reason to keep the ping away:
    /// the last good matrix pages as before.
    pub fn reload_problem(&self) -> Option<String> {
        let refused = self.state().reload_refused.clone()?;
        Some(format!("the last reload was refused, the matrix before it is in use: {refused}"))
    }

    /// That copies of anchors do not reach somebody who should get them. No reason to keep the ping away: it delays no
    /// page.
    pub fn anchor_problems(&self) -> Vec<String> {
        self.context.anchors.problems()
    }

    /// Records the result of a reload: why it was refused, in one line.
    pub fn note_reload(&self, refused: Option<&str>) {
        let first = |why: &str| why.lines().next().unwrap_or_default().to_owned();
        self.state().reload_refused = refused.map(first);
    }

    /// Records whether the daemon's own port answered.
    pub(super) fn note_knock(&self, answered: Result<(), String>) {
        self.state().shut = answered.err();
    }

    pub(super) fn note_ping(&self, result: Result<(), String>) {
        let now = self.context.store.now();
        let mut state = self.state();
        match result {
            Ok(()) => state.pinged = PingStatus { last: Some(now), last_error: None },
            Err(error) => state.pinged.last_error = Some(error),
        }
    }

    async fn forgotten(&self) -> Vec<String> {
        let mut found = Vec::new();
        let now = self.context.store.now();
        let began = self.state().began;
        let is_late = |deadline: Timestamp| LADDER_LATE_MAX < now.since(deadline.max(began));
        match in_time(self.context.store.next_deadline()).await {
            Ok(Some(deadline)) if is_late(deadline) => {
                let span = whole_seconds(now.since(deadline));
                found.push(format!("a ladder has been overdue for {span}"));
            }
            Ok(_) => {}
            Err(why) => found.push(why),
        }
        let (filter, mut before) = (IncidentFilter { open_only: true, limit: AT_ONCE }, None);
        // What the store reports as due was checked above; this finds what it has lost.
        let mut looks_for_late = found.is_empty();
        loop {
            let portion = match in_time(self.context.store.portion(filter, before)).await {
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
                found.push(format!("{} has been overdue for {span}", incident.id));
                looks_for_late = false;
            }
            found.extend(portion.incidents.iter().flat_map(|incident| {
                let forgotten = |role| {
                    format!("role {role} of {} is open, but no step and no other role is due for it", incident.id)
                };
                stuck_roles(incident).into_iter().map(forgotten)
            }));
            before = portion.before;
            if before.is_none() {
                break;
            }
        }
        found.dedup();
        found
    }

    /// The loops that are stuck.
    pub fn stuck_loops(&self) -> Vec<String> {
        let now = self.context.store.now();
        let beats = self.heartbeat.beats();
        let mut state = self.state();
        let turned = state.turned.get_or_insert(beats.map(|beat| (beat, now)));
        let mut still = Vec::new();
        for ((beat, last), name) in beats.into_iter().zip(turned).zip(EngineLoop::ALL) {
            if beat != last.0 {
                *last = (beat, now);
            } else if LOOP_STILL_MAX < now.since(last.1) {
                still.push(format!("the {} loop has not run for {}", name.as_str(), whole_seconds(now.since(last.1))));
            }
        }
        still
    }
}

/// The answer of the store, or an error if it does not answer in time.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match timeout(STORE_TIME_MAX, asked).await {
        Ok(said) => said.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the store did not answer within {}", humantime::format_duration(STORE_TIME_MAX))),
    }
}

fn whole_seconds(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(span.as_secs()))
}
