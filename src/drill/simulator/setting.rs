//! A scenario ready to be played with a matrix: everything that is the same in every run.

use crate::{
    core::{
        Alert, ChannelName, EngagementTarget, EscalationPlan, Event, Incident, PersonName, RoleName, Timestamp,
        TriggerName, retry::SendPace, tier::TierDecision,
    },
    drill::scenario::{
        definition::{Scenario, ScenarioFault, ScenarioFaultKind},
        distribution::DelayDistribution,
        hypothesis::HypothesisSubject,
        response_model::{self, ResponseModel},
    },
    engine::SEND_TIMEOUT_MAX,
    matrix::{ChannelKind, ChannelSettings, Matrix, TriggerMatch},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How it differs from the scenario: a "what if" question.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WhatIf {
    /// Channels that are down from beginning to end.
    pub without: Vec<ChannelName>,
    /// People who are absent from beginning to end.
    pub absent: Vec<PersonName>,
}

/// A scenario ready to be played with a matrix: everything that is the same in every run.
pub struct SimulationSetting<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) matrix: &'a Matrix,
    pub(crate) start: Timestamp,
    /// Every alert with its offset and what the triggers decide about it.
    pub(crate) reports: Vec<(Duration, Arc<Alert>, Arc<[TriggerMatch]>)>,
    /// By what every wait is divided.
    compress: u32,
    pub(crate) channels: BTreeMap<ChannelName, VirtualChannel>,
    pub(crate) response_models: BTreeMap<PersonName, ResponseModel>,
    pub(crate) faults: Vec<ScenarioFault>,
    pub(crate) screens: BTreeSet<ChannelName>,
    /// How long after the scenario's end the all-clear is watched; `None` if there is no hypothesis about it.
    pub(crate) all_clear: Option<Duration>,
    pub(crate) manner: BehaviourModel,
}

/// How people and channels behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BehaviourModel {
    /// As the distributions say.
    Drawn,
    /// People only give the answers in the scenario's script; channels accept everything immediately.
    Scripted,
}

/// A channel in virtual time.
pub(crate) struct VirtualChannel {
    pub(crate) kind: ChannelKind,
    pub(crate) pace: SendPace,
    pub(crate) timeout: Duration,
    pub(crate) accepts: DelayDistribution,
    pub(crate) delivers: DelayDistribution,
    pub(crate) lost: f64,
    pub(crate) reaction: DelayDistribution,
}

/// One incident of a run, in its final state.
pub struct PlayedIncident {
    /// The incident, with its pages.
    pub incident: Incident,
    /// What happened, in order: the events that a daemon would have journaled.
    pub events: Vec<(Timestamp, Event)>,
}

impl<'a> SimulationSetting<'a> {
    /// A scenario to be played with a matrix from `start` on, under these conditions.
    pub fn new(scenario: &'a Scenario, matrix: &'a Matrix, conditions: &WhatIf, start: Timestamp) -> Self {
        Self::in_manner(scenario, matrix, conditions, start, BehaviourModel::Drawn)
    }

    /// The plan of a trigger for incidents of this tier, limited to participants.
    pub(super) fn plan(&self, trigger: &TriggerName, decision: Option<TierDecision>) -> Option<Arc<EscalationPlan>> {
        let plan = self.matrix.plan_of_tier(trigger, decision)?;
        Some(Arc::new(self.scenario.plan(&plan, &self.matrix.roster, self.start, self.compress)))
    }

    /// The same with people who follow the scenario's script, ladders compressed as in a live run, and channels that
    /// accept everything: for comparison with a live run.
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
        let screens = matrix.channels.iter().filter(|(_, settings)| settings.kind() == ChannelKind::SCREEN);
        let whole = |kind| ScenarioFault { from: Duration::ZERO, until: Duration::MAX, kind };
        let down = conditions.without.iter().cloned().map(ScenarioFaultKind::Down);
        let absent = conditions.absent.iter().cloned().map(ScenarioFaultKind::Absent);
        let bounds = scenario.hypotheses.iter().filter(|expected| expected.about == HypothesisSubject::AllClear);
        Self {
            scenario,
            matrix,
            start,
            reports: judged(scenario, matrix),
            compress,
            channels: matrix
                .channels
                .iter()
                .map(|(name, it)| (name.clone(), virtual_channel(scenario, name, it)))
                .collect(),
            response_models: matrix
                .people
                .keys()
                .map(|person| (person.clone(), scenario.response_model_of(person)))
                .collect(),
            faults: down.chain(absent).map(whole).chain(scenario.faults.iter().cloned()).collect(),
            screens: screens.map(|(name, _)| name.clone()).collect(),
            all_clear: bounds.map(|expected| expected.within).max(),
            manner,
        }
    }

    /// How many alerts were sent until this offset (inclusive).
    pub fn sent_until(&self, offset: Duration) -> usize {
        self.reports.partition_point(|(at, _, _)| *at <= offset)
    }

    /// The scenario that is played.
    pub fn scenario(&self) -> &Scenario {
        self.scenario
    }

    /// The role's target in the matrix.
    pub fn target(&self, role: &RoleName) -> Option<EngagementTarget> {
        self.matrix.roles.get(role)?.target
    }

    /// When it begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    pub(crate) fn faults_now(&self, at: Timestamp) -> impl Iterator<Item = &ScenarioFaultKind> {
        let offset = at.since(self.start);
        self.faults.iter().filter(move |fault| fault.covers(offset)).map(|fault| &fault.kind)
    }
}

/// Evaluates each alert once for all its repeats: conditions have the same result in every run.
pub(crate) fn judged(scenario: &Scenario, matrix: &Matrix) -> Vec<(Duration, Arc<Alert>, Arc<[TriggerMatch]>)> {
    let mut known: Vec<(Arc<Alert>, Arc<[TriggerMatch]>)> = Vec::new();
    let reports = scenario.reports().into_iter().map(|(at, alert)| {
        let alert = if matrix.assessments.is_empty() { alert } else { Arc::new(matrix.assessed(&alert)) };
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

pub(crate) fn virtual_channel(scenario: &Scenario, name: &ChannelName, settings: &ChannelSettings) -> VirtualChannel {
    let kind = settings.kind();
    let said = scenario.carriage.get(name).cloned().unwrap_or_default();
    VirtualChannel {
        kind,
        pace: settings.pace,
        timeout: settings.accept_timeout.min(SEND_TIMEOUT_MAX),
        accepts: said.accepts.unwrap_or_else(|| response_model::acceptance(kind)),
        delivers: said.delivers.unwrap_or_else(|| response_model::delivery(kind)),
        lost: said.lost.unwrap_or_else(|| response_model::lost(kind)),
        reaction: response_model::reaction(kind),
    }
}
