//! Checks a parsed scenario against the matrix: something must happen in it, and the expectations must be observable.

use crate::{
    core::{
        Alert, AlertStatus, EscalationPlan, PersonName, RoleName, Timestamp, TriggerName,
        judgement::{
            self, LayerVerdict,
            pass::{self, PlayedJudgements},
        },
        plan::StepTarget,
    },
    drill::scenario::{
        definition::{Scenario, ScenarioFault, ScriptedAnswer},
        hypothesis::{HypothesisSubject, RunHypothesis},
        reader::ScenarioReader,
    },
    matrix::{Matrix, Severity, TriggerMatch},
    toml_kit::faults::{LocatedValue, MatrixFaults},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// What a scenario's alerts open, by the same rules as in the daemon.
pub(super) struct ScenarioOpenings {
    /// The triggers whose incidents are opened.
    pub opened: BTreeSet<TriggerName>,
    /// Triggers that cannot evaluate an alert, and why.
    pub failed: BTreeMap<TriggerName, String>,
}

/// Two faults of the same thing at the same time: it would be unclear which one applies.
pub(super) fn overlaps(written: &[LocatedValue<ScenarioFault>], faults: &mut MatrixFaults) {
    for (n, fault) in written.iter().enumerate() {
        if written[..n].iter().any(|other| other.value.overlaps(&fault.value)) {
            let message = "this fault overlaps another one of the same channel or person";
            faults.error(
                "overlapping-faults",
                fault.at,
                message,
                "let one end with `until` before the other begins with `from`",
            );
        }
    }
}

pub(super) fn check(
    scenario: &Scenario,
    hypotheses: &[LocatedValue<RunHypothesis>],
    answers: &[LocatedValue<ScriptedAnswer>],
    reader: &mut ScenarioReader<'_>,
) {
    let matrix = reader.matrix;
    let openings = openings(scenario, matrix);
    for (trigger, why) in &openings.failed {
        let message = format!("trigger `{trigger}` can not evaluate an alert of this scenario: {why}");
        let help = "give the alert what the trigger's condition names";
        reader.faults.nowhere(Severity::Error, "not-judged", &message, help);
    }
    if openings.opened.is_empty() && !scenario.injects.is_empty() && openings.failed.is_empty() {
        let kinds: BTreeSet<&str> = scenario.injects.iter().map(|inject| inject.alert.kind.as_str()).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let message = format!("no trigger of the matrix opens an incident for these alerts ({})", kinds.join(", "));
        let help =
            "check the triggers' `on`, `when` and `threshold`: `stentor explain --alert FILE` shows how one is judged";
        reader.faults.nowhere(Severity::Error, "no-incident", &message, help);
    }
    if hypotheses.is_empty() {
        let message = "the scenario expects nothing: no `[hypothesis.ROLE]`, so nothing can hold or fail";
        let help = "add for example [hypothesis.trader] with percent = 90 and within = \"60s\"";
        reader.faults.nowhere(Severity::Warning, "no-hypothesis", message, help);
    }
    let plans: Vec<Arc<EscalationPlan>> = openings.opened.iter().filter_map(|trigger| matrix.plan(trigger)).collect();
    for hypothesis in hypotheses {
        expected(scenario, hypothesis, &plans, matrix, &mut reader.faults);
    }
    for answer in answers.iter().filter(|answer| !scenario.includes(&answer.value.person)) {
        let message = format!("{} does not take part, so nobody asks them", answer.value.person);
        reader.faults.error("not-taking-part", answer.at, message, "add them to `participants`, or remove this answer");
    }
}

fn expected(
    scenario: &Scenario,
    hypothesis: &LocatedValue<RunHypothesis>,
    plans: &[Arc<EscalationPlan>],
    matrix: &Matrix,
    faults: &mut MatrixFaults,
) {
    let within = hypothesis.value.within;
    if scenario.ends < within {
        let (within, ends) = (humantime::format_duration(within), humantime::format_duration(scenario.ends));
        let message = format!("the drill ends after {ends}: the result within {within} can not be observed");
        faults.error("after-the-end", hypothesis.at, message, "let the drill end later, or expect it sooner");
    }
    let HypothesisSubject::Role(role) = &hypothesis.value.about else { return };
    if !plans.is_empty() && !plans.iter().any(|plan| plan.roles.contains_key(role)) {
        let message = format!("no incident of this scenario ever calls {role}");
        faults.error(
            "role-not-called",
            hypothesis.at,
            message,
            "name it in the trigger's `roles`, or expect nothing of it",
        );
        return;
    }
    if !people_of(role, matrix).iter().any(|person| scenario.includes(person)) {
        let message = format!("nobody in the ladder of {role} takes part");
        faults.error("not-taking-part", hypothesis.at, message, "add somebody in it to `participants`");
    }
}

/// Everybody whom a role's own steps may page.
fn people_of(role: &RoleName, matrix: &Matrix) -> BTreeSet<PersonName> {
    let mut people = BTreeSet::new();
    let steps = matrix.roles.get(role).map_or(&[][..], |row| &row.steps);
    for whom in steps.iter().flat_map(|step| &step.page) {
        match whom {
            StepTarget::Person(person) => drop(people.insert(person.clone())),
            StepTarget::Rotation(rotation) => {
                people.extend(matrix.roster.rotations.get(rotation).into_iter().flat_map(|r| r.people()).cloned());
            }
        }
    }
    people
}

/// Evaluates each kind of alert once, and counts alerts as the triggers' windows would.
pub(super) fn openings(scenario: &Scenario, matrix: &Matrix) -> ScenarioOpenings {
    let mut openings = ScenarioOpenings { opened: BTreeSet::new(), failed: BTreeMap::new() };
    let mut rows = PlayedJudgements::default();
    let firing = scenario.injects.iter().filter(|inject| inject.alert.status == AlertStatus::Firing);
    let judged: Vec<_> = firing.map(|inject| (inject, inject.alert.clone(), matrix.judge(&inject.alert))).collect();
    let mut reports: Vec<(Duration, &Arc<Alert>, &[TriggerMatch])> = Vec::new();
    for (inject, alert, judgements) in &judged {
        let every = inject.every.unwrap_or_default();
        reports.extend((0..inject.count).map(|n| (inject.at + every.saturating_mul(n), alert, judgements.as_slice())));
    }
    reports.sort_by_key(|(at, ..)| *at);
    for (at, alert, judgements) in reports {
        rows.now = Timestamp::default() + at;
        for judgement in judgements {
            match judgement {
                TriggerMatch::Holds { trigger, summary, threshold, window, layers, .. } => {
                    let waiting = judgement::pending(alert, summary, rows.now, None);
                    match pass::holds(&mut rows, window, *threshold, layers.as_ref(), None, waiting) {
                        LayerVerdict::Opens { .. } => openings.opened.insert(trigger.clone()),
                        // What waits is opened unless something comes in between.
                        LayerVerdict::Held(hold) => hold.until.is_some() && openings.opened.insert(trigger.clone()),
                    };
                }
                TriggerMatch::Speaks { trigger, .. } => drop(openings.opened.insert(trigger.clone())),
                TriggerMatch::Failed { trigger, why, .. } => {
                    openings.failed.insert(trigger.clone(), why.clone());
                }
                TriggerMatch::Breaks { threshold, window, layers, .. } => {
                    pass::breaks(&mut rows, window, *threshold, layers.as_ref());
                }
                TriggerMatch::Clears { .. } => {}
            }
        }
    }
    openings
}
