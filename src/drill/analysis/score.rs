//! Compares expectations with observations: held, not held, or too few data to tell; and what the result depends on.
//!
//! One run of a drill is judged by itself: whether everything that was expected happened in time. That proves almost
//! nothing about a percentage (36 of 36 is the smallest sample that shows 90 %), so a finding also has the result from
//! [`crate::report::target`]. Many runs are judged only by that result.

use crate::{
    core::EngagementTarget,
    drill::{
        analysis::{
            observation::RoleAnalysis,
            run_analysis::{RunObservation, TimeCause},
        },
        scenario::hypothesis::{HypothesisSubject, RunHypothesis},
    },
    report::{
        incidence::{Ending, EndingKind, Incidence},
        target::{TargetReport, TargetVerdict, all_of, in_time, judge},
    },
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, process::ExitCode, time::Duration};

/// The verdict on a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HypothesisVerdict {
    /// In one run: enough were in time, whatever happened to those that could not be watched for long enough. In many
    /// runs: they show that at least the expected percentage is in time.
    Held,
    /// In one run: too few were in time, whatever happened to those that could not be watched for long enough. In many
    /// runs: they show that fewer are in time.
    NotHeld,
    /// In one run: it depends on those that could not be watched for long enough, or there was no data. In many runs:
    /// they show neither.
    TooFew,
    /// The run was not played to its end: it says nothing about the hypothesis.
    NotJudged,
}

/// A hypothesis and what was observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HypothesisResult {
    /// The hypothesis.
    pub hypothesis: RunHypothesis,
    /// The verdict.
    pub verdict: HypothesisVerdict,
    /// How many were in time.
    pub in_time: usize,
    /// How many were too late, or never.
    pub late: usize,
    /// How many could not be watched for long enough.
    pub unknown: usize,
    /// What the data show about the expected percentage, independent of the verdict.
    pub shown: TargetReport,
    /// The main cause of the time of those that were late; `None` if none was.
    pub bottleneck: Option<ScoreBottleneck>,
    /// The pages in question were kept in the sandbox: being in time is only a rehearsal on this machine, and being
    /// late means nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
}

/// What most of the time was spent on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreBottleneck {
    /// The cause.
    pub cause: TimeCause,
    /// Its part of the time until the limit, summed over those that were late.
    pub share: f64,
    /// What the channel reported, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// The results of all hypotheses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillScore {
    /// How many runs were scored; a live drill is one.
    pub runs: usize,
    /// One result for each hypothesis, in their order.
    pub findings: Vec<HypothesisResult>,
    /// Pages of a run were kept in the sandbox and sent to nobody: the result is a rehearsal on this machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
}

/// The exit status of a command if not all hypotheses held.
pub const NOT_HELD: u8 = 1;

/// The exit status of a command if there were too few data to tell.
pub const TOO_FEW: u8 = 3;

/// How a hypothesis is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JudgedBy {
    /// By the observations of this one run.
    ByItself,
    /// By what all these runs show.
    ByTarget,
}

/// Scores the hypotheses of one run.
pub fn score(hypotheses: &[RunHypothesis], run: &RunObservation) -> DrillScore {
    let findings = hypotheses.iter().map(|hypothesis| finding(hypothesis, JudgedBy::ByItself, std::iter::once(run)));
    DrillScore { runs: 1, findings: findings.collect(), sandboxed: run.sandboxed }
}

/// Scores many runs in virtual time together.
pub fn score_all<'a>(
    hypotheses: &[RunHypothesis],
    runs: impl Iterator<Item = &'a RunObservation> + Clone,
) -> DrillScore {
    let findings = hypotheses.iter().map(|hypothesis| finding(hypothesis, JudgedBy::ByTarget, runs.clone())).collect();
    let sandboxed = runs.clone().any(|run| run.sandboxed);
    DrillScore { runs: runs.count(), findings, sandboxed }
}

impl DrillScore {
    /// The worst verdict. Without hypotheses nothing has held.
    pub fn verdict(&self) -> HypothesisVerdict {
        let has = |verdict| self.findings.iter().any(|finding| finding.verdict == verdict);
        match () {
            () if has(HypothesisVerdict::NotJudged) => HypothesisVerdict::NotJudged,
            () if has(HypothesisVerdict::NotHeld) => HypothesisVerdict::NotHeld,
            () if has(HypothesisVerdict::TooFew) || self.findings.is_empty() => HypothesisVerdict::TooFew,
            () => HypothesisVerdict::Held,
        }
    }

    /// The same for a run that was not played to its end: the observations stay, but there is no verdict.
    pub fn not_judged(mut self) -> Self {
        for finding in &mut self.findings {
            (finding.verdict, finding.bottleneck) = (HypothesisVerdict::NotJudged, None);
            finding.shown.verdict = TargetVerdict::TooFew;
        }
        self
    }

    /// The exit status of a command that scored: 0, [`NOT_HELD`] or [`TOO_FEW`].
    pub fn exit(&self) -> ExitCode {
        match self.verdict() {
            HypothesisVerdict::Held => ExitCode::SUCCESS,
            HypothesisVerdict::NotHeld => ExitCode::from(NOT_HELD),
            HypothesisVerdict::TooFew | HypothesisVerdict::NotJudged => ExitCode::from(TOO_FEW),
        }
    }

    /// The hypotheses that were not shown to hold.
    pub fn not_held(&self) -> impl Iterator<Item = &HypothesisResult> {
        self.findings.iter().filter(|finding| finding.verdict != HypothesisVerdict::Held)
    }

    /// The hypotheses that did not hold.
    pub fn failed(&self) -> impl Iterator<Item = &HypothesisResult> {
        self.findings.iter().filter(|finding| finding.verdict == HypothesisVerdict::NotHeld)
    }
}

impl HypothesisResult {
    /// The share of those in time; `None` if it is not known for anybody.
    pub fn share(&self) -> Option<f64> {
        self.shown.share.map(|share| share.share)
    }
}

fn finding<'a>(
    hypothesis: &RunHypothesis,
    judged: JudgedBy,
    runs: impl Iterator<Item = &'a RunObservation> + Clone,
) -> HypothesisResult {
    let within = hypothesis.within.as_secs_f64();
    let seen: Vec<Ending> = runs.clone().flat_map(|run| endings(hypothesis, run)).collect();
    let count = |what| seen.iter().filter(|ending| in_time(ending, within) == what).count();
    let (hits, unknown) = (count(Some(true)), count(None));
    let shown = judge(
        &Incidence::of(seen.iter().copied()),
        EngagementTarget { within: hypothesis.within, percent: hypothesis.percent },
    );
    let reaches = |count: usize| hypothesis.percent <= 100.0 * count as f64 / seen.len() as f64;
    let verdict = match (judged, shown.verdict) {
        (_, _) if seen.is_empty() => HypothesisVerdict::TooFew,
        (JudgedBy::ByItself, _) if reaches(hits) => HypothesisVerdict::Held,
        (JudgedBy::ByItself, _) if !reaches(hits + unknown) => HypothesisVerdict::NotHeld,
        (JudgedBy::ByTarget, TargetVerdict::Met) => HypothesisVerdict::Held,
        (JudgedBy::ByTarget, TargetVerdict::NotMet) => HypothesisVerdict::NotHeld,
        (JudgedBy::ByItself, _) | (JudgedBy::ByTarget, TargetVerdict::TooFew) => HypothesisVerdict::TooFew,
    };
    let sandboxed = runs.clone().any(|run| is_sandboxed(hypothesis, run));
    let bottleneck = bottleneck(hypothesis, runs);
    let late = seen.len() - hits - unknown;
    HypothesisResult {
        hypothesis: hypothesis.clone(),
        verdict,
        in_time: hits,
        late,
        unknown,
        shown,
        bottleneck,
        sandboxed,
    }
}

/// Whether the pages that a hypothesis is about were kept in the sandbox in a run.
fn is_sandboxed(hypothesis: &RunHypothesis, run: &RunObservation) -> bool {
    match &hypothesis.about {
        HypothesisSubject::Role(role) => run.roles.get(role).is_some_and(|analysis| analysis.sandboxed),
        HypothesisSubject::AllRoles => run.roles.values().any(|analysis| analysis.required && analysis.sandboxed),
        HypothesisSubject::AllClear => run.sandboxed,
    }
}

/// The endings in a run: none if the role was not called; one for each person for the all-clear.
fn endings(hypothesis: &RunHypothesis, run: &RunObservation) -> Vec<Ending> {
    match &hypothesis.about {
        HypothesisSubject::Role(role) => {
            run.roles.get(role).map(|analysis| ending(hypothesis, analysis)).into_iter().collect()
        }
        HypothesisSubject::AllRoles => {
            let required = run.roles.values().filter(|analysis| analysis.required);
            all_of(required.map(|analysis| ending(hypothesis, analysis)).collect::<Vec<_>>()).into_iter().collect()
        }
        HypothesisSubject::AllClear => {
            let heard = |after: Duration| Ending { time: after.as_secs_f64(), how: EndingKind::Happened };
            let waiting = |watched: Duration| Ending { time: watched.as_secs_f64(), how: EndingKind::Waiting };
            run.all_clears.iter().map(|clear| clear.after.map_or_else(|| waiting(clear.watched), heard)).collect()
        }
    }
}

/// How a role ended for this hypothesis. A role whose pages were kept in the sandbox was not late, because nobody was
/// asked. The same holds for its own target ([`crate::report::target::role_in_time`]).
pub fn ending(hypothesis: &RunHypothesis, analysis: &RoleAnalysis) -> Ending {
    let ended = ending_seen(hypothesis, analysis);
    let is_late = in_time(&ended, hypothesis.within.as_secs_f64()) == Some(false);
    if analysis.sandboxed && is_late { Ending { time: 0.0, how: EndingKind::Waiting } } else { ended }
}

fn ending_seen(hypothesis: &RunHypothesis, analysis: &RoleAnalysis) -> Ending {
    match analysis.engaged.or(analysis.covered.filter(|_| hypothesis.covered)) {
        Some(after) => Ending { time: after.as_secs_f64(), how: EndingKind::Happened },
        None => analysis.ended.after(analysis.watched.as_secs_f64()),
    }
}

fn bottleneck<'a>(
    hypothesis: &RunHypothesis,
    runs: impl Iterator<Item = &'a RunObservation>,
) -> Option<ScoreBottleneck> {
    let within = hypothesis.within.as_secs_f64();
    let late = runs.flat_map(|run| {
        let about = run.roles.iter().filter(|(role, analysis)| match &hypothesis.about {
            HypothesisSubject::Role(about) => about == *role,
            HypothesisSubject::AllRoles => analysis.required,
            HypothesisSubject::AllClear => false,
        });
        about
            .map(|(_, analysis)| analysis)
            .filter(move |analysis| in_time(&ending(hypothesis, analysis), within) == Some(false))
    });
    bottleneck_of(late, hypothesis.within)
}

/// What most of the time up to `within` was spent on, summed over the roles that were late.
pub fn bottleneck_of<'a>(late: impl Iterator<Item = &'a RoleAnalysis>, within: Duration) -> Option<ScoreBottleneck> {
    let mut spent: BTreeMap<&TimeCause, Duration> = BTreeMap::new();
    let mut said: BTreeMap<&TimeCause, &String> = BTreeMap::new();
    for part in late.flat_map(|analysis| &analysis.parts) {
        *spent.entry(&part.cause).or_default() += part.until.min(within).saturating_sub(part.from);
        said.extend(part.said.as_ref().map(|words| (&part.cause, words)));
    }
    let all: Duration = spent.values().sum();
    // If two cost the same, the one that comes first on its ladder.
    let (cause, most) = spent.into_iter().rev().max_by_key(|(_, span)| *span).filter(|(_, span)| !span.is_zero())?;
    let share = most.as_secs_f64() / all.as_secs_f64();
    Some(ScoreBottleneck { cause: cause.clone(), share, said: said.get(cause).map(|words| (*words).clone()) })
}

impl fmt::Display for HypothesisVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Held => "held",
            Self::NotHeld => "not held",
            Self::TooFew => "too few",
            Self::NotJudged => "not judged",
        })
    }
}
