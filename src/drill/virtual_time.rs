//! The same engine in virtual time: the real core, the matrix's own judgement, plans and roster, and the delivery
//! engine's rules (pace, lanes, patience, breakers, failing over), while channels and people are distributions. Nothing
//! waits, nothing is journaled, and no text is rendered: an hour of crisis takes well below a millisecond.
//!
//! What is modelled, and what is not:
//! - Each person is drawn once a run: whether anything reaches them, whether they can take it, whether their desk page is
//!   open, and one rank (from 0 to 1) of how fast they are. By each channel they answer when the part `rank` of the times
//!   that it takes them by that channel is over, counted from its delivery; the first one counts. So more channels make a
//!   page arrive surely and early, but do not make a slow person quick, and calling again does not wake who sleeps.
//! - They give the answer that the role demands, for each role that they are paged for, and none once it is engaged.
//! - Latencies are drawn for each attempt; none depends on what was drawn for anybody else ([`super::dice`]).
//! - The daemon's own time (milliseconds), its incident about a broken channel, and restarts are left out.

mod people;
mod world;

use super::{
    course::{IncidentTrace, RunObservation},
    distribution::DelayDistribution,
    habits::{self, ResponseModel},
    scenario::{Scenario, ScenarioFault, ScenarioTrouble},
    score::HypothesisSubject,
};
use crate::{
    core::{
        Alert, ChannelName, EngagementTarget, EscalationPlan, Event, Incident, PersonName, RoleName, Timestamp,
        retry::SendPace,
    },
    engine::live::SEND_TIMEOUT_MAX,
    matrix::{ChannelKind, ChannelSettings, Matrix, TriggerMatch},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// What is different from what the scenario says: a question of "what if".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WhatIf {
    /// Channels that are down from the beginning to the end.
    pub without: Vec<ChannelName>,
    /// People who are absent from the beginning to the end.
    pub absent: Vec<PersonName>,
}

/// A scenario ready to be played with a matrix: everything that is the same in every run.
pub struct SimulationSetting<'a> {
    scenario: &'a Scenario,
    matrix: &'a Matrix,
    start: Timestamp,
    /// Every alert with its offset and what the triggers say to it.
    reports: Vec<(Duration, Arc<Alert>, Arc<[TriggerMatch]>)>,
    /// The plans of the triggers, for those who take part.
    plans: BTreeMap<String, Arc<EscalationPlan>>,
    channels: BTreeMap<ChannelName, VirtualChannel>,
    habits: BTreeMap<PersonName, ResponseModel>,
    faults: Vec<ScenarioFault>,
    screens: BTreeSet<ChannelName>,
    /// How long after its end the all-clear is watched; none when nothing is expected of it.
    all_clear: Option<Duration>,
    manner: BehaviourModel,
}

/// How people and channels behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BehaviourModel {
    /// As distributions say.
    Drawn,
    /// People say what the scenario's script says and nothing else; channels take everything at once.
    Scripted,
}

/// A channel as it carries in virtual time.
struct VirtualChannel {
    kind: ChannelKind,
    pace: SendPace,
    timeout: Duration,
    accepts: DelayDistribution,
    delivers: DelayDistribution,
    lost: f64,
    reaction: DelayDistribution,
}

/// What one run showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlayedRun {
    /// How each role went.
    pub observed: RunObservation,
    /// When the incident opened that first called each role, counted from the beginning of the drill.
    pub opened: BTreeMap<RoleName, Duration>,
}

/// One incident of a run, as it was in the end.
pub struct PlayedIncident {
    /// It, with its pages.
    pub incident: Incident,
    /// What happened, in order: what would have been journaled.
    pub events: Vec<(Timestamp, Event)>,
}

impl<'a> SimulationSetting<'a> {
    /// A scenario to be played with a matrix from `start` on, under other conditions where there are any.
    pub fn new(scenario: &'a Scenario, matrix: &'a Matrix, conditions: &WhatIf, start: Timestamp) -> Self {
        Self::in_manner(scenario, matrix, conditions, start, BehaviourModel::Drawn)
    }

    /// The same with people who follow the scenario's script, ladders compressed as in a live run, and channels that
    /// take everything: for comparing with a live run.
    pub fn scripted(scenario: &'a Scenario, matrix: &'a Matrix, start: Timestamp) -> Self {
        Self::in_manner(scenario, matrix, &WhatIf::default(), start, BehaviourModel::Scripted)
    }

    fn in_manner(
        scenario: &'a Scenario,
        matrix: &'a Matrix,
        conditions: &WhatIf,
        start: Timestamp,
        manner: BehaviourModel,
    ) -> Self {
        let compress = if manner == BehaviourModel::Scripted { scenario.compress } else { 1 };
        let frozen = |plan: Arc<EscalationPlan>| Arc::new(scenario.plan(&plan, &matrix.roster, start, compress));
        let plans = matrix.triggers.keys().filter_map(|name| Some((name.to_string(), frozen(matrix.plan(name)?))));
        let screens = matrix.channels.iter().filter(|(_, settings)| settings.kind() == ChannelKind::SCREEN);
        let whole = |trouble| ScenarioFault { from: Duration::ZERO, until: Duration::MAX, trouble };
        let down = conditions.without.iter().cloned().map(ScenarioTrouble::Down);
        let absent = conditions.absent.iter().cloned().map(ScenarioTrouble::Absent);
        let bounds = scenario.hypotheses.iter().filter(|expected| expected.about == HypothesisSubject::AllClear);
        Self {
            scenario,
            matrix,
            start,
            reports: judged(scenario, matrix),
            plans: plans.collect(),
            channels: matrix.channels.iter().map(|(name, it)| (name.clone(), way(scenario, name, it))).collect(),
            habits: matrix.people.keys().map(|person| (person.clone(), scenario.habits_of(person))).collect(),
            faults: down.chain(absent).map(whole).chain(scenario.faults.iter().cloned()).collect(),
            screens: screens.map(|(name, _)| name.clone()).collect(),
            all_clear: bounds.map(|expected| expected.within).max(),
            manner,
        }
    }

    /// Plays one run. The same seed and number give the same run, on every thread.
    pub fn play(&self, seed: u64, run: u64) -> PlayedRun {
        let cases = self.cases(seed, run);
        let until = self.start + self.scenario.ends + self.all_clear.unwrap_or_default();
        let trace = |case: &'_ PlayedIncident| -> RunObservation {
            RunObservation::of(&[IncidentTrace {
                incident: &case.incident,
                events: &case.events,
                until,
                screens: &self.screens,
            }])
        };
        let mut played = PlayedRun::default();
        for case in &cases {
            let observed = trace(case);
            let opened = case.incident.opened_at.since(self.start);
            for (role, course) in observed.roles {
                if !played.observed.roles.contains_key(&role) {
                    played.opened.insert(role.clone(), opened);
                    played.observed.roles.insert(role, course);
                }
            }
            played.observed.all_clears.extend(observed.all_clears);
        }
        played
    }

    /// The incidents of one run with everything that happened to them.
    pub fn cases(&self, seed: u64, run: u64) -> Vec<PlayedIncident> {
        world::VirtualWorld::new(self, seed, run).run()
    }

    /// How many alerts were sent until this offset, that moment included.
    pub fn sent_until(&self, offset: Duration) -> usize {
        self.reports.partition_point(|(at, _, _)| *at <= offset)
    }

    /// The scenario that is played.
    pub fn scenario(&self) -> &Scenario {
        self.scenario
    }

    /// What the matrix sets as a role's target.
    pub fn target(&self, role: &RoleName) -> Option<EngagementTarget> {
        self.matrix.roles.get(role)?.target
    }

    /// When it begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    fn troubles(&self, at: Timestamp) -> impl Iterator<Item = &ScenarioTrouble> {
        let offset = at.since(self.start);
        self.faults.iter().filter(move |fault| fault.covers(offset)).map(|fault| &fault.trouble)
    }
}

/// Each alert once for all its repeats: conditions are the same in every run.
fn judged(scenario: &Scenario, matrix: &Matrix) -> Vec<(Duration, Arc<Alert>, Arc<[TriggerMatch]>)> {
    let mut known: Vec<(Arc<Alert>, Arc<[TriggerMatch]>)> = Vec::new();
    let reports = scenario.reports().into_iter().map(|(at, alert)| {
        let same = known.iter().find(|(other, _)| Alert { id: alert.id.clone(), ..Alert::clone(other) } == *alert);
        let judgements = same.map(|(_, judgements)| judgements.clone());
        let judgements = judgements.unwrap_or_else(|| {
            let judgements: Arc<[TriggerMatch]> = matrix.judge(&alert).into();
            known.push((alert.clone(), judgements.clone()));
            judgements
        });
        (at, alert, judgements)
    });
    reports.collect()
}

fn way(scenario: &Scenario, name: &ChannelName, settings: &ChannelSettings) -> VirtualChannel {
    let kind = settings.kind();
    let said = scenario.carriage.get(name).cloned().unwrap_or_default();
    VirtualChannel {
        kind,
        pace: settings.pace,
        timeout: settings.patience.min(SEND_TIMEOUT_MAX),
        accepts: said.accepts.unwrap_or_else(|| habits::acceptance(kind)),
        delivers: said.delivers.unwrap_or_else(|| habits::delivery(kind)),
        lost: said.lost.unwrap_or_else(|| habits::lost(kind)),
        reaction: habits::reaction(kind),
    }
}
