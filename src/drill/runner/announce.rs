//! Announced drills: the people who may be paged are told before the first alert, in an incident that asks for nothing.

use crate::{
    core::{
        Alert, DrillRun, DrillTerms, EscalationPlan, IncidentId, IncidentInput, IncidentKey, IncidentOpening,
        PersonName, Timestamp, TriggerName, plan::OnResolved,
    },
    drill::{Scenario, runner::drill_runner::DrillRunner, scenario::definition},
    matrix::{Matrix, TriggerMatch},
    store::{LockSet, RequestClass, StoreError, Transaction},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long the drill waits for its announcement before the first alert.
pub(crate) const ANNOUNCE_WAIT: Duration = Duration::from_secs(15);

impl DrillRunner {
    /// Announces a drill. `None` if a live incident has been opened meanwhile.
    pub(crate) async fn announce(
        &self,
        run: &DrillRun,
        scenario: &Scenario,
        terms: &DrillTerms,
    ) -> Result<Option<IncidentId>, StoreError> {
        let live = self.engine.config();
        let now = self.engine.now();
        let people: Vec<PersonName> = called(scenario, &live.matrix, self.engine.time().civil).into_iter().collect();
        let opening = opening(run, scenario, terms.clone(), &live.matrix.revision, now);
        let needs = LockSet { keys: vec![opening.key.clone()], live_open: true, ..LockSet::default() };
        let write = move |tx: &mut Transaction<'_>| {
            if tx.live_open().is_some() {
                return None;
            }
            let id = tx.open(opening.clone(), &live.matrix.roster);
            tx.step(id, IncidentInput::Announce { people: people.clone() }, &live.matrix.roster);
            Some(id)
        };
        self.engine.transact(RequestClass::Admission, needs, write).await
    }
}

/// The people whom the scenario's alerts may page: everyone who takes part and is on a ladder of a trigger that checks
/// these alerts.
fn called(scenario: &Scenario, matrix: &Matrix, now: Timestamp) -> BTreeSet<PersonName> {
    let mut people = BTreeSet::new();
    for inject in &scenario.injects {
        for judgement in matrix.judge(&inject.alert) {
            let (TriggerMatch::Holds { trigger, .. } | TriggerMatch::Speaks { trigger, .. }) = judgement else {
                continue;
            };
            let Some(plan) = matrix.plan(&trigger) else { continue };
            let steps = plan.roles.values().flat_map(|row| &row.steps);
            people.extend(steps.flat_map(|step| matrix.roster.resolve(&step.page, now)));
        }
    }
    people.retain(|person| scenario.includes(person));
    people
}

fn opening(run: &DrillRun, scenario: &Scenario, terms: DrillTerms, matrix: &str, now: Timestamp) -> IncidentOpening {
    let mut alert = Alert::new(definition::source(), "drill_announced");
    alert.drill = true;
    alert.summary = scenario.summary.clone();
    let plan = EscalationPlan {
        trigger: TriggerName::from(definition::SOURCE),
        matrix: matrix.to_owned(),
        required: Vec::new(),
        roles: BTreeMap::new(),
        accept_timeout: BTreeMap::new(),
        rooms: Vec::new(),
        living: BTreeMap::new(),
        webhooks: Default::default(),
        actions: Vec::new(),
        report_timeout: Default::default(),
        ask: None,
        priority: Default::default(),
        tier: None,
        raised: None,
        on_resolved: OnResolved::Note,
    };
    IncidentOpening {
        key: IncidentKey::of_run(run.id),
        summary: scenario.summary.clone(),
        plan: Arc::new(plan),
        alert: Arc::new(alert),
        received_at: now,
        terms: Some(terms),
        ask: None,
        nonce: None,
    }
}
