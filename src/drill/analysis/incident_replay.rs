//! A live incident as a scenario: what was reported when, who did not answer, which channels accepted nothing. It is
//! used to search for a change of the matrix that would have helped, as after a drill.

use crate::{
    core::{Alert, AlertStatus, ChannelName, DeliveryHitch, Event, Page, PersonName, RoleName, Timestamp},
    drill::scenario::{
        definition::Scenario,
        hypothesis::{HypothesisSubject, RunHypothesis},
    },
    matrix::{Matrix, SourceText},
    report::{IncidentTimeline, target::role_in_time},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How many alerts are replayed; later ones only repeat.
const INJECTS_MAX: usize = 50;

/// How much of the incident is played, at most.
const PLAYED: Duration = Duration::from_secs(30 * 60);

/// Why no search for a change is possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoQuestion {
    /// There is no target to compare the incident with.
    #[error("none was tried: no role of this incident has a target in the matrix")]
    NoTarget,
    /// The incident says nothing about people or channels.
    #[error("none was tried: pages of this incident were kept in the sandbox and sent to nobody")]
    Sandboxed,
    /// It was not played to its end.
    #[error("none was tried: the drill was broken off")]
    BrokenOff,
    /// There is nothing to improve.
    #[error("none was tried: every required role that has a target was engaged within it")]
    InTime,
    /// Nobody knows yet whether there is something to improve.
    #[error("none was tried: no target of a required role was missed, as far as it was watched")]
    NotKnown,
    /// The matrix has changed since.
    #[error("none was tried: the incident does not fit the matrix of now ({0})")]
    Changed(String),
}

/// The incident as a scenario for the current matrix, and the hypotheses that did not hold in it by `now`: the missed
/// targets.
///
/// # Errors
/// [`NoQuestion`] if there is nothing to search for.
pub fn question(
    timeline: &IncidentTimeline,
    matrix: &Matrix,
    now: Timestamp,
) -> Result<(Scenario, Vec<RunHypothesis>), NoQuestion> {
    match &timeline.incident {
        incident if incident.has_sandboxed_page() => return Err(NoQuestion::Sandboxed),
        incident if incident.was_broken_off() => return Err(NoQuestion::BrokenOff),
        _ => {}
    }
    let failed = missed(timeline, now)?;
    let text = toml::to_string(&written(timeline, &failed)).map_err(|error| NoQuestion::Changed(error.to_string()))?;
    let name = format!("{}.toml", timeline.incident.id.to_string().to_lowercase());
    let read = Scenario::read(&SourceText { path: name.into(), text }, matrix);
    let why = || read.diagnostics.first().map_or_else(String::new, |fault| fault.message.clone());
    let changed = NoQuestion::Changed(why());
    let scenario = read.scenario.ok_or(changed)?;
    // A fault that a drill injected stays an injected fault.
    Ok((Scenario { is_hindsight: !timeline.incident.drill, ..scenario }, failed))
}

/// Which part of the incident is not replayed, as a clause; `None` if all of it is.
pub fn left_out(timeline: &IncidentTimeline) -> Option<String> {
    let alerts = |event: &Event| match event {
        Event::Opened(_) | Event::Joined { .. } | Event::Overflowed { .. } => 1,
        Event::Repeated { count, .. } => *count,
        _ => 0,
    };
    let all: u64 = timeline.records.iter().map(|record| alerts(&record.event)).sum();
    let played = injects(timeline).len() as u64;
    let lasted = timeline.records.last().map_or(Duration::ZERO, |record| record.at.since(timeline.incident.opened_at));
    let whole = |span: Duration| humantime::format_duration(Duration::from_secs(span.as_secs()));
    let alerts = (played < all).then(|| format!("the first {played} of its {all} alerts"));
    let time = (PLAYED < lasted).then(|| format!("the first {} of {}", whole(PLAYED), whole(lasted)));
    let parts: Vec<String> = alerts.into_iter().chain(time).collect();
    (!parts.is_empty()).then(|| format!("only {} were played again", parts.join(" and ")))
}

/// The targets of the frozen plan that were not met, as the table of roles says it.
fn missed(timeline: &IncidentTimeline, now: Timestamp) -> Result<Vec<RunHypothesis>, NoQuestion> {
    let incident = &timeline.incident;
    let target = |role: &RoleName| Some((role.clone(), incident.plan.roles.get(role)?.target?));
    let targets: Vec<_> = incident.plan.required.iter().filter_map(target).collect();
    if targets.is_empty() {
        return Err(NoQuestion::NoTarget);
    }
    let judged = targets.into_iter().map(|(role, target)| (role_in_time(incident, &role, now), (role, target)));
    let judged: Vec<_> = judged.collect();
    let is_known = judged.iter().all(|(in_time, _)| in_time.is_some());
    let late = judged.into_iter().filter(|(in_time, _)| *in_time == Some(false)).map(|(_, row)| row);
    let failed: Vec<RunHypothesis> = late
        .map(|(role, target)| RunHypothesis {
            about: HypothesisSubject::Role(role),
            percent: target.percent,
            within: target.within,
            covered: false,
        })
        .collect();
    match (failed.is_empty(), is_known) {
        (false, _) => Ok(failed),
        (true, true) => Err(NoQuestion::InTime),
        (true, false) => Err(NoQuestion::NotKnown),
    }
}

#[derive(Serialize)]
struct ReplayScenario {
    name: String,
    summary: String,
    ends: String,
    inject: Vec<ReplayInject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fault: Vec<ReplayFault>,
    hypothesis: BTreeMap<String, ReplayExpectation>,
}

#[derive(Serialize)]
struct ReplayInject {
    at: String,
    kind: String,
    summary: String,
    status: &'static str,
    confidence: f64,
    labels: BTreeMap<String, String>,
    values: BTreeMap<String, f64>,
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<toml::Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ReplayFault {
    Absent { absent: String },
    Down { channel: String, kind: &'static str },
}

#[derive(Serialize)]
struct ReplayExpectation {
    percent: f64,
    within: String,
}

fn written(timeline: &IncidentTimeline, failed: &[RunHypothesis]) -> ReplayScenario {
    let expected = |hypothesis: &RunHypothesis| match &hypothesis.about {
        HypothesisSubject::Role(role) => Some((
            role.to_string(),
            ReplayExpectation { percent: hypothesis.percent, within: duration(hypothesis.within) },
        )),
        HypothesisSubject::AllRoles | HypothesisSubject::AllClear => None,
    };
    let absent = silent(timeline).into_iter().chain(gave_back(timeline)).collect::<BTreeSet<_>>();
    let absent = absent.into_iter().map(|person| ReplayFault::Absent { absent: person.to_string() });
    let down =
        dead(timeline).into_iter().map(|channel| ReplayFault::Down { channel: channel.to_string(), kind: "down" });
    ReplayScenario {
        name: timeline.incident.id.to_string().to_lowercase(),
        summary: format!("{} as it was", timeline.incident.id),
        ends: duration(PLAYED),
        inject: injects(timeline),
        fault: absent.chain(down).collect(),
        hypothesis: failed.iter().filter_map(expected).collect(),
    }
}

fn injects(timeline: &IncidentTimeline) -> Vec<ReplayInject> {
    let opened_at = timeline.incident.opened_at;
    let alerts = timeline.records.iter().filter_map(|record| match &record.event {
        Event::Opened(opening) => Some((record.at, opening.alert.clone())),
        Event::Joined { alert } | Event::Overflowed { alert, .. } => Some((record.at, alert.clone())),
        _ => None,
    });
    // `left_out` says what is cut here.
    let early = alerts.filter(|(at, _)| *at < opened_at + PLAYED).take(INJECTS_MAX);
    early.map(|(at, alert)| inject(at, opened_at, &alert)).collect()
}

fn inject(at: Timestamp, opened_at: Timestamp, alert: &Alert) -> ReplayInject {
    ReplayInject {
        at: duration(at.since(opened_at)),
        kind: alert.kind.clone(),
        summary: alert.headline().to_owned(),
        status: if alert.status == AlertStatus::Firing { "firing" } else { "resolved" },
        confidence: alert.confidence,
        labels: alert.labels.clone(),
        values: alert.values.clone(),
        annotations: alert.annotations.clone(),
        // JSON has a null value that TOML cannot express.
        evidence: toml::Value::try_from(&alert.evidence).ok(),
    }
}

/// People whom a page had reached, or whom a drill had made absent, and who did not answer.
fn silent(timeline: &IncidentTimeline) -> BTreeSet<PersonName> {
    let briefs = timeline.incident.pages.values().filter(|page| page.purpose.is_brief());
    let taken = briefs.filter(|page| page.stages.accepted.is_some() || page.stages.kept.is_some());
    let reached = taken.filter_map(|page| page.person.clone());
    let mut reached: BTreeSet<PersonName> = reached.collect();
    for record in &timeline.records {
        if let Some(person) = record.event.said_by() {
            reached.remove(person);
        }
    }
    reached
}

/// People who took a role, handed it back and do not have it at the end. In a replay they would take it again without
/// effect.
fn gave_back(timeline: &IncidentTimeline) -> BTreeSet<PersonName> {
    let engagements = || timeline.incident.engagements.values();
    let backs = engagements().flat_map(|engagement| &engagement.handed_back).map(|back| back.person.clone());
    backs.filter(|person| !engagements().any(|engagement| engagement.holder() == Some(person))).collect()
}

/// Channels that were tried and accepted no brief, including those that a drill broke on purpose, because its scenario
/// is played again. A desk that nobody had open does not count as a channel that accepts nothing.
fn dead(timeline: &IncidentTimeline) -> BTreeSet<ChannelName> {
    let briefs = || timeline.incident.pages.values().filter(|page| page.purpose.is_brief());
    let attempts = timeline.attempts();
    let failed = |page: &Page| {
        let hitch = attempts.get(&page.n).and_then(|attempts| attempts.hitch(page));
        matches!(hitch, Some(DeliveryHitch::Channel | DeliveryHitch::Injected(_)))
    };
    let took = |page: &Page| page.stages.accepted.is_some() || page.stages.kept.is_some();
    let tried: BTreeSet<ChannelName> =
        briefs().filter(|page| took(page) || failed(page)).map(|page| page.channel.clone()).collect();
    let alive: BTreeSet<ChannelName> = briefs().filter(|page| took(page)).map(|page| page.channel.clone()).collect();
    tried.difference(&alive).cloned().collect()
}

/// A duration in the form that scenarios use: whole milliseconds.
fn duration(span: Duration) -> String {
    humantime::format_duration(Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))).to_string()
}
