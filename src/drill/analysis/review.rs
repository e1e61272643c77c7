//! The contribution of a drill's run to the after-action review.

use crate::{
    core::{ChannelName, DrillRun, Event, IncidentStatus, RoleName, RunState, Timestamp},
    drill::{
        DrillScore, HypothesisVerdict, IncidentTrace, RunObservation, Scenario,
        analysis::score::{HypothesisResult, score},
        scenario::{
            definition::{ScenarioFault, ScenarioFaultKind},
            hypothesis::{HypothesisSubject, RunHypothesis},
        },
    },
    report::{
        IncidentTimeline, ReviewProposal,
        after_action::{self, CutShort, DrillExercise, EarlierRun, How},
        target::shown_in_words,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A run and the journals of its incidents.
pub struct ReviewedRun {
    /// The run.
    pub run: DrillRun,
    /// Its incidents, in order.
    pub timelines: Vec<IncidentTimeline>,
}

impl ReviewedRun {
    /// What the run showed, watched until its end. `screens` are the channels that are screens.
    pub fn observed(&self, screens: &BTreeSet<ChannelName>, now: Timestamp) -> RunObservation {
        let until = self.run.ended_at.unwrap_or(now);
        let events: Vec<Vec<(Timestamp, Event)>> = self.timelines.iter().map(events).collect();
        let traces: Vec<IncidentTrace<'_>> = self
            .timelines
            .iter()
            .zip(&events)
            .map(|(timeline, events)| IncidentTrace { incident: &timeline.incident, events, until, screens })
            .collect();
        RunObservation::of(&traces)
    }

    /// The results of the hypotheses; they are judged only if the run was played to its end.
    fn scored(&self, scenario: &Scenario, observed: &RunObservation) -> DrillScore {
        let scored = score(&scenario.hypotheses, observed);
        if self.run.state.is_scored() { scored } else { scored.not_judged() }
    }

    /// How it was stopped early, and after how long; `None` if it was played to its end.
    fn cut_short(&self, now: Timestamp) -> Option<CutShort> {
        let run = &self.run;
        let ended = |timeline: &IncidentTimeline| match timeline.incident.status {
            IncidentStatus::Resolved { at, .. } => Some(at),
            IncidentStatus::Open => None,
        };
        // The run itself ends when its all-clear is sent.
        let over = self.timelines.iter().filter_map(ended).max().or(run.ended_at).unwrap_or(now);
        let after = over.since(run.started_at);
        let how = match run.state {
            RunState::Held | RunState::NotHeld | RunState::TooFew => return None,
            // Its incidents are over, and the all-clear is still being sent.
            RunState::Running if !run.why.is_empty() => How::Ended("broken off".into()),
            RunState::Running => How::GoesOn,
            RunState::Preempted | RunState::Aborted | RunState::Interrupted => How::Ended(run.state.to_string()),
        };
        Some(CutShort { how, after, why: run.why.clone() })
    }
}

/// The exercise in the review's form, and its score. `earlier` are previous runs of the same scenario, newest first.
pub fn exercise(
    reviewed: &ReviewedRun,
    scenario: &Scenario,
    earlier: &[ReviewedRun],
    screens: &BTreeSet<ChannelName>,
    now: Timestamp,
) -> (DrillExercise, DrillScore) {
    let observed = reviewed.observed(screens, now);
    let scored = reviewed.scored(scenario, &observed);
    let run = &reviewed.run;
    let exercise = DrillExercise {
        name: scenario.name.clone(),
        title: format!("{} ({})", scenario.name, run.id),
        about: std::iter::once(scenario.summary.clone()).chain(scenario.sources.iter().cloned()).collect(),
        announced: scenario.announced,
        started_at: run.started_at,
        ended_at: run.ended_at.unwrap_or(now),
        compressed: run.compress,
        cut_short: reviewed.cut_short(now),
        faults: scenario.faults.iter().map(|fault| fault_told(fault, run.compress)).collect(),
        hypotheses: scored.findings.iter().map(|finding| hypothesis(finding, &observed)).collect(),
        earlier: earlier.iter().map(|before| earlier_of(before, scenario, screens, now)).collect(),
        earlier_left: 0,
        actions: Vec::new(),
        proposal: ReviewProposal { diff: None, why: why_none(&scored, run.state == RunState::Running).into() },
    };
    (exercise, scored)
}

/// Why no change of the matrix is searched for; replaced if one is ([`failed`]).
fn why_none(score: &DrillScore, is_running: bool) -> &'static str {
    match score.verdict() {
        _ if is_running => "none was tried yet: the drill is running",
        _ if score.findings.is_empty() => "none was tried: the scenario has no hypothesis",
        HypothesisVerdict::NotJudged => "none was tried: the drill was not played to its end",
        _ if score.sandboxed => "none was tried: pages of this drill were kept in the sandbox and sent to nobody",
        HypothesisVerdict::Held | HypothesisVerdict::NotHeld | HypothesisVerdict::TooFew => {
            "none was tried: no hypothesis failed"
        }
    }
}

/// The hypotheses of a run that did not hold, if that says something about people and channels.
pub fn failed(score: &DrillScore) -> Vec<RunHypothesis> {
    if score.sandboxed {
        return Vec::new();
    }
    score.failed().map(|finding| finding.hypothesis.clone()).collect()
}

fn events(timeline: &IncidentTimeline) -> Vec<(Timestamp, Event)> {
    timeline.records.iter().map(|record| (record.at, record.event.clone())).collect()
}

fn hypothesis(finding: &HypothesisResult, observed: &RunObservation) -> after_action::ReviewHypothesis {
    let RunHypothesis { about, percent, within, covered } = &finding.hypothesis;
    let verdict = match finding.verdict {
        HypothesisVerdict::Held => after_action::ReviewVerdict::Held,
        HypothesisVerdict::NotHeld => after_action::ReviewVerdict::Failed,
        HypothesisVerdict::TooFew => after_action::ReviewVerdict::Open,
        HypothesisVerdict::NotJudged => after_action::ReviewVerdict::NotJudged,
    };
    let counts = match (finding.in_time, finding.late, finding.unknown) {
        (0, 0, 0) => "it was not observed".to_owned(),
        (in_time, late, unknown) => {
            let shown = shown_in_words(&finding.shown);
            format!("{in_time} in time, {late} late, {unknown} unknown: {shown}")
        }
    };
    let cause = finding.bottleneck.as_ref().map(|bottleneck| match &bottleneck.said {
        Some(said) => format!("; held up by {}: {said}", bottleneck.cause),
        None => format!("; held up by {}", bottleneck.cause),
    });
    after_action::ReviewHypothesis {
        role: RoleName::from(about.to_string()),
        within: *within,
        percent: *percent,
        verdict,
        sandboxed: finding.sandboxed,
        measured: measured(about, *covered, observed),
        // In a run that was stopped early, lateness would only look like a verdict.
        remark: (finding.verdict != HypothesisVerdict::NotJudged)
            .then(|| counts + cause.as_deref().unwrap_or_default()),
    }
}

/// How long it took: one role's engagement, the last of several, or the last all-clear.
fn measured(about: &HypothesisSubject, covered: bool, observed: &RunObservation) -> Option<Duration> {
    let took = |analysis: &crate::drill::analysis::observation::RoleAnalysis| {
        analysis.engaged.or(analysis.covered.filter(|_| covered))
    };
    match about {
        HypothesisSubject::Role(role) => took(observed.roles.get(role)?),
        HypothesisSubject::AllRoles => {
            let required = observed.roles.values().filter(|analysis| analysis.required);
            required.map(took).collect::<Option<Vec<Duration>>>()?.into_iter().max()
        }
        HypothesisSubject::AllClear => {
            let afters = observed.all_clears.iter().map(|clear| clear.after);
            afters.collect::<Option<Vec<Duration>>>()?.into_iter().max()
        }
    }
}

fn earlier_of(
    before: &ReviewedRun,
    scenario: &Scenario,
    screens: &BTreeSet<ChannelName>,
    now: Timestamp,
) -> EarlierRun {
    let observed = before.observed(screens, now);
    let scored = before.scored(scenario, &observed);
    let told = scored.findings.iter().map(|finding| {
        let RunHypothesis { about, covered, .. } = &finding.hypothesis;
        (RoleName::from(about.to_string()), measured(about, *covered, &observed))
    });
    let roles: BTreeMap<RoleName, Option<Duration>> = told.collect();
    let held = scored.findings.iter().filter(|finding| finding.verdict == HypothesisVerdict::Held).count();
    let compressed = before.run.compress;
    let cut_short = (!before.run.state.is_scored()).then(|| before.run.state.to_string());
    let (sandboxed, of) = (observed.sandboxed, scored.findings.len());
    EarlierRun { started_at: before.run.started_at, compressed, held, of, roles, cut_short, sandboxed }
}

fn fault_told(fault: &ScenarioFault, compress: u32) -> String {
    let span = |span: Duration| humantime::format_duration(span / compress);
    let what = match &fault.kind {
        ScenarioFaultKind::Down(channel) => format!("{channel} was down"),
        ScenarioFaultKind::Broken(channel) => format!("{channel} refused everybody"),
        ScenarioFaultKind::Late(channel, by) => format!("{channel} was {} late", span(*by)),
        ScenarioFaultKind::Absent(person) => format!("{person} was absent"),
    };
    format!("{what}, from {} to {} after the first alert", span(fault.from), span(fault.until))
}
