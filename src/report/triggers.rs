//! How often each trigger is right: what its incidents turned out to be, as far as anybody has said.

use crate::{
    core::{ClassificationKind, Event, Timestamp},
    report::{
        StoryTally, binomial::clopper_pearson, incident_timeline::IncidentTimeline, survival::ConfidenceInterval,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All triggers that opened something live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggersReport {
    /// Only incidents opened then or later.
    pub since: Option<Timestamp>,
    /// When it was made.
    pub until: Timestamp,
    /// Incidents whose journal could not be read.
    pub unreadable: usize,
    /// Incidents of which pages were kept in the sandbox and sent to nobody. Their alerts are counted: what a trigger
    /// opens it opens there too.
    #[serde(default)]
    pub sandboxed: usize,
    /// One a trigger, in the order of their names.
    pub triggers: Vec<TriggerReport>,
}

/// One trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerReport {
    /// Its name.
    pub trigger: String,
    /// Incidents that it opened.
    pub incidents: usize,
    /// How many turned out to be what, by the outcome's name.
    pub outcomes: BTreeMap<ClassificationKind, usize>,
    /// How many of them nobody has judged.
    pub unsaid: usize,
    /// The share of true ones among those with an outcome; `None` without any.
    pub precision: Option<f64>,
    /// Its interval.
    pub interval: Option<ConfidenceInterval>,
}

/// Gathers incidents, one at a time.
#[derive(Debug, Default)]
pub struct TriggerTally {
    since: Option<Timestamp>,
    unreadable: usize,
    sandboxed: usize,
    triggers: BTreeMap<String, (usize, BTreeMap<ClassificationKind, usize>)>,
}

impl StoryTally for TriggerTally {
    fn is_too_old(&self, opened_at: Timestamp) -> bool {
        self.since.is_some_and(|since| opened_at < since)
    }

    fn wants(&self, _: &Event) -> bool {
        false
    }

    fn skip_unreadable(&mut self) {
        self.unreadable += 1;
    }

    fn add(&mut self, story: &IncidentTimeline, _: Timestamp) {
        // A drill says nothing of its trigger.
        let incident = &story.incident;
        if incident.drill || self.is_too_old(incident.opened_at) {
            return;
        }
        let (incidents, outcomes) = self.triggers.entry(incident.trigger.to_string()).or_default();
        *incidents += 1;
        self.sandboxed += usize::from(incident.has_sandboxed_page());
        if let Some(was) = &incident.judgement {
            *outcomes.entry(was.finding).or_default() += 1;
        }
    }
}

impl TriggerTally {
    /// Before the first; only incidents opened at `since` or later will count.
    pub fn new(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// What was found, as of `now`.
    pub fn report(self, now: Timestamp) -> TriggersReport {
        let triggers = self.triggers.into_iter().map(|(trigger, (incidents, outcomes))| {
            let said: usize = outcomes.values().sum();
            let right = outcomes.get(&ClassificationKind::True).copied().unwrap_or(0);
            TriggerReport {
                trigger,
                incidents,
                unsaid: incidents.saturating_sub(said),
                precision: (0 < said).then(|| right as f64 / said as f64),
                interval: clopper_pearson(right as f64, said as f64),
                outcomes,
            }
        });
        TriggersReport {
            since: self.since,
            until: now,
            unreadable: self.unreadable,
            sandboxed: self.sandboxed,
            triggers: triggers.collect(),
        }
    }
}
