//! What was expected against what was seen: held, not held, or too few to tell; and what it hangs on.

use super::course::{Cause, Course, Observed};
use crate::{core::RoleName, report::after_action::ALL_CLEAR};
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, fmt, process::ExitCode, time::Duration};

/// What is expected: so many percent within that time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypothesis {
    /// Of whom or what.
    pub about: About,
    /// Of a hundred, 1 to 100.
    pub percent: f64,
    /// The bound.
    #[serde(serialize_with = "seconds")]
    pub within: Duration,
    /// Whether being covered by the role's `next` counts too.
    pub covered: bool,
}

/// What a hypothesis is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// This role is engaged, counted from the incident's opening.
    Role(RoleName),
    /// The last of the required roles is engaged, counted from the incident's opening.
    AllRoles,
    /// Those whom a page had reached have the all-clear, counted from the resolving.
    AllClear,
}

/// What became of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Enough were in time, whatever became of those that could not be watched for long enough.
    Held,
    /// Too few were in time, whatever became of those.
    NotHeld,
    /// It hangs on those that could not be watched for long enough, or there was nothing to see.
    TooFew,
    /// The run was not played to its end: it says nothing of what it was to show.
    NotJudged,
}

/// One hypothesis and what was seen of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was expected.
    pub hypothesis: Hypothesis,
    /// What became of it.
    pub verdict: Verdict,
    /// How many were in time.
    pub in_time: usize,
    /// How many were not.
    pub late: usize,
    /// How many could not be watched for long enough.
    pub unknown: usize,
    /// The Wilson interval of the true share of those in time, 95 %, as parts of 1; none when nothing was seen.
    pub interval: Option<(f64, f64)>,
    /// Whether the interval too lies on the verdict's side: with few runs it does not.
    pub is_sure: bool,
    /// What most of the time of those that were late was spent on; none when none was.
    pub bottleneck: Option<Bottleneck>,
}

/// What most of the time was spent on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bottleneck {
    /// What.
    pub cause: Cause,
    /// Which part of the time until the bound, summed over those that were late.
    pub share: f64,
    /// What the channel said, where it said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What became of every hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// How many runs were looked at; a live drill is one.
    pub runs: usize,
    /// One a hypothesis, in their order.
    pub findings: Vec<Finding>,
    /// Pages of a run were kept in the sandbox and sent to nobody: what was seen is a rehearsal on this machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
}

/// The exit status of a command whose hypotheses did not all hold.
pub const NOT_HELD: u8 = 1;

/// The exit status of a command that could not tell.
pub const TOO_FEW: u8 = 3;

/// The standard normal's 97.5 % quantile.
const Z: f64 = 1.959_963_984_540_054;

/// What one run says about one hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    InTime,
    Unknown,
    Late,
}

/// Scores hypotheses by what was seen: of one live drill, or of thousands of runs in virtual time.
pub fn score(hypotheses: &[Hypothesis], runs: &[Observed]) -> Score {
    score_each(hypotheses, runs.iter())
}

/// The same for runs that are kept with other things.
pub fn score_each<'a>(hypotheses: &[Hypothesis], runs: impl Iterator<Item = &'a Observed> + Clone) -> Score {
    let findings = hypotheses.iter().map(|hypothesis| finding(hypothesis, runs.clone())).collect();
    let sandboxed = runs.clone().any(|run| run.sandboxed);
    Score { runs: runs.count(), findings, sandboxed }
}

impl Score {
    /// The worst verdict. Where nothing was expected, nothing has held.
    pub fn verdict(&self) -> Verdict {
        let has = |verdict| self.findings.iter().any(|finding| finding.verdict == verdict);
        match () {
            () if has(Verdict::NotJudged) => Verdict::NotJudged,
            () if has(Verdict::NotHeld) => Verdict::NotHeld,
            () if has(Verdict::TooFew) || self.findings.is_empty() => Verdict::TooFew,
            () => Verdict::Held,
        }
    }

    /// That of a run which was not played to its end: what was seen stays, and nothing is judged by it.
    pub fn not_judged(mut self) -> Self {
        for finding in &mut self.findings {
            (finding.verdict, finding.is_sure, finding.bottleneck) = (Verdict::NotJudged, false, None);
        }
        self
    }

    /// What a command that scored says to its caller: 0, [`NOT_HELD`] or [`TOO_FEW`].
    pub fn exit(&self) -> ExitCode {
        match self.verdict() {
            Verdict::Held => ExitCode::SUCCESS,
            Verdict::NotHeld => ExitCode::from(NOT_HELD),
            Verdict::TooFew | Verdict::NotJudged => ExitCode::from(TOO_FEW),
        }
    }

    /// The hypotheses that did not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::NotHeld)
    }
}

impl Finding {
    /// The share of those in time among those of which it is known; none when there is none.
    pub fn share(&self) -> Option<f64> {
        let known = self.in_time + self.late;
        (0 < known).then(|| self.in_time as f64 / known as f64)
    }
}

/// The Wilson score interval of a share, 95 %: E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 22 (1927). None of nothing.
pub fn wilson(hits: usize, of: usize) -> Option<(f64, f64)> {
    if of == 0 {
        return None;
    }
    let (n, p, z2) = (of as f64, hits as f64 / of as f64, Z * Z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends the formula gives 0 and 1 but for rounding.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == of { 1.0 } else { (centre + half).min(1.0) };
    Some((low, high))
}

/// How many runs without a single one late it takes until one is 95 % sure that `percent` are in time: the smallest n
/// with (percent / 100)^n not above 0.05. None for 100 %, of which nobody can ever be sure.
pub fn runs_to_be_sure(percent: f64) -> Option<u32> {
    let n = (0.05_f64.ln() / (percent / 100.0).ln()).ceil();
    (percent < 100.0 && n.is_finite()).then_some(n as u32)
}

fn finding<'a>(hypothesis: &Hypothesis, runs: impl Iterator<Item = &'a Observed> + Clone) -> Finding {
    let mut counts = BTreeMap::from([(Told::InTime, 0), (Told::Unknown, 0), (Told::Late, 0)]);
    for told in runs.clone().flat_map(|run| told(hypothesis, run)) {
        *counts.entry(told).or_default() += 1;
    }
    let (in_time, unknown, late) = (counts[&Told::InTime], counts[&Told::Unknown], counts[&Told::Late]);
    let all = in_time + unknown + late;
    let reaches = |count: usize| hypothesis.percent <= 100.0 * count as f64 / all as f64;
    let verdict = match all {
        0 => Verdict::TooFew,
        _ if reaches(in_time) => Verdict::Held,
        _ if !reaches(in_time + unknown) => Verdict::NotHeld,
        _ => Verdict::TooFew,
    };
    let interval = wilson(in_time, in_time + late);
    let bound = hypothesis.percent / 100.0;
    let is_sure = unknown == 0
        && match (verdict, interval) {
            (Verdict::Held, Some((low, _))) => bound <= low,
            (Verdict::NotHeld, Some((_, high))) => high < bound,
            _ => false,
        };
    let bottleneck = bottleneck(hypothesis, runs);
    Finding { hypothesis: hypothesis.clone(), verdict, in_time, late, unknown, interval, is_sure, bottleneck }
}

/// What a run says: nothing when the role was not called; several things about the all-clear, one a person.
fn told(hypothesis: &Hypothesis, run: &Observed) -> Vec<Told> {
    match &hypothesis.about {
        About::Role(role) => told_of_role(hypothesis, run, role).into_iter().collect(),
        About::AllRoles => {
            let required = run.roles.iter().filter(|(_, course)| course.required);
            required.filter_map(|(role, _)| told_of_role(hypothesis, run, role)).max().into_iter().collect()
        }
        About::AllClear => {
            run.all_clears.iter().map(|clear| judged(clear.after, clear.watched, hypothesis.within)).collect()
        }
    }
}

fn told_of_role(hypothesis: &Hypothesis, run: &Observed, role: &RoleName) -> Option<Told> {
    let course = run.roles.get(role)?;
    let after = course.engaged.or(course.covered.filter(|_| hypothesis.covered));
    // One that is covered will not be engaged any more: that is known, however short it was watched.
    let watched = if course.covered.is_some() { Duration::MAX } else { course.watched };
    Some(judged(after, watched, hypothesis.within))
}

fn judged(after: Option<Duration>, watched: Duration, within: Duration) -> Told {
    match after {
        Some(after) if after <= within => Told::InTime,
        None if watched < within => Told::Unknown,
        _ => Told::Late,
    }
}

fn bottleneck<'a>(hypothesis: &Hypothesis, runs: impl Iterator<Item = &'a Observed>) -> Option<Bottleneck> {
    let late = runs.flat_map(|run| {
        let about = run.roles.iter().filter(|(role, course)| match &hypothesis.about {
            About::Role(about) => about == *role,
            About::AllRoles => course.required,
            About::AllClear => false,
        });
        about.filter(move |(role, _)| told_of_role(hypothesis, run, role) == Some(Told::Late)).map(|(_, course)| course)
    });
    bottleneck_of(late, hypothesis.within)
}

/// What most of the time up to `within` was spent on, summed over courses that were late.
pub fn bottleneck_of<'a>(late: impl Iterator<Item = &'a Course>, within: Duration) -> Option<Bottleneck> {
    let mut spent: BTreeMap<&Cause, Duration> = BTreeMap::new();
    let mut said: BTreeMap<&Cause, &String> = BTreeMap::new();
    for part in late.flat_map(|course| &course.parts) {
        *spent.entry(&part.cause).or_default() += part.until.min(within).saturating_sub(part.from);
        said.extend(part.said.as_ref().map(|words| (&part.cause, words)));
    }
    let all: Duration = spent.values().sum();
    // Of two that cost as much the one that comes first on its ladder.
    let (cause, most) = spent.into_iter().rev().max_by_key(|(_, span)| *span).filter(|(_, span)| !span.is_zero())?;
    let share = most.as_secs_f64() / all.as_secs_f64();
    Some(Bottleneck { cause: cause.clone(), share, said: said.get(cause).map(|words| (*words).clone()) })
}

impl About {
    /// Whether it is about this role.
    pub fn is_role(&self, role: &RoleName) -> bool {
        matches!(self, Self::Role(about) if about == role)
    }
}

impl fmt::Display for Hypothesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = humantime::format_duration(self.within);
        let covered = if self.covered { " or covered" } else { "" };
        match &self.about {
            About::Role(role) => write!(f, "{role}: {} % engaged{covered} within {within}", self.percent),
            About::AllRoles => write!(f, "all roles: {} % engaged{covered} within {within}", self.percent),
            About::AllClear => write!(f, "all-clear: with {} % within {within}", self.percent),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Held => "held",
            Self::NotHeld => "not held",
            Self::TooFew => "too few",
            Self::NotJudged => "not judged",
        })
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role(role) => role.as_str(),
            Self::AllRoles => "all roles",
            Self::AllClear => ALL_CLEAR,
        })
    }
}

impl Serialize for About {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}
