//! How often each trigger is right: the classifications of its incidents, as far as they have one.

use crate::{
    core::{ClassificationKind, Event, Timestamp},
    report::{
        StoryTally, binomial::clopper_pearson, incident_timeline::IncidentTimeline, survival::ConfidenceInterval,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All triggers that opened a live incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriggersReport {
    /// Only incidents opened at this time or later.
    pub since: Option<Timestamp>,
    /// When it was made.
    pub until: Timestamp,
    /// Incidents whose journal could not be read.
    pub unreadable: usize,
    /// Incidents with pages that were kept in the sandbox and sent to nobody. Their alerts count: a trigger would open
    /// them without the sandbox, too.
    #[serde(default)]
    pub sandboxed: usize,
    /// One for each trigger, sorted by name.
    pub triggers: Vec<TriggerReport>,
}

/// One trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerReport {
    /// Its name.
    pub trigger: String,
    /// Incidents that it opened.
    pub incidents: usize,
    /// The number of incidents by classification.
    pub outcomes: BTreeMap<ClassificationKind, usize>,
    /// How many have no classification.
    pub unsaid: usize,
    /// The share of true incidents among the classified ones that are no duplicates; `None` if there are none.
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

    fn add(&mut self, timeline: &IncidentTimeline, _: Timestamp) {
        // A drill says nothing about its trigger.
        let incident = &timeline.incident;
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
    /// A tally without any incidents yet; it will count only incidents opened at `since` or later.
    pub fn new(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// The figures as of `now`.
    pub fn report(self, now: Timestamp) -> TriggersReport {
        let triggers = self.triggers.into_iter().map(|(trigger, (incidents, outcomes))| {
            let said: usize = outcomes.values().sum();
            // A duplicate is the same crisis once more: the trigger was neither right nor wrong with it.
            let duplicates = outcomes.get(&ClassificationKind::Duplicate).copied().unwrap_or(0);
            let judged = said.saturating_sub(duplicates);
            let right = outcomes.get(&ClassificationKind::True).copied().unwrap_or(0);
            TriggerReport {
                trigger,
                incidents,
                unsaid: incidents.saturating_sub(said),
                precision: (0 < judged).then(|| right as f64 / judged as f64),
                interval: clopper_pearson(right as f64, judged as f64),
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
