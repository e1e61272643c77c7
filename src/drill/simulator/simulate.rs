//! Many runs of one scenario: how likely each role is engaged in time, how long it takes, and what that depends on.

use crate::{
    core::{EngagementTarget, RoleName},
    drill::{
        analysis::{
            observation::RoleAnalysis,
            score::{DrillScore, HypothesisVerdict, ScoreBottleneck, bottleneck_of, score_all},
        },
        simulator::{setting::SimulationSetting, virtual_time::PlayedRun},
    },
    report::{
        ended::Endings,
        incidence::Incidence,
        target::{TargetReport, judge},
    },
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

/// How many runs are played by default.
pub const RUNS: u64 = 10_000;

/// The largest number of runs. Their results stay in memory until the end, a few kilobytes for each run.
pub const RUNS_MAX: u64 = 1_000_000;

/// The result of all runs of one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationSummary {
    /// How it differs from the given scenario and matrix: "as it is", "without sms".
    pub what_if: String,
    /// The revision of the matrix.
    pub matrix: String,
    /// How many runs.
    pub runs: usize,
    /// The results of the hypotheses.
    pub score: DrillScore,
    /// Each role that was called in any run.
    pub roles: Vec<RoleOutlook>,
}

/// The result for one role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleOutlook {
    /// The role.
    pub role: RoleName,
    /// The number of runs in which it was called.
    pub called: usize,
    /// The number of those in which it was engaged before the end.
    pub engaged: usize,
    /// The number of those in which it was covered instead.
    pub covered: usize,
    /// How it ended in those. Whether a page reached somebody is not considered here.
    pub ended: Endings,
    /// The share that was engaged within the time limit; `None` if there is no limit.
    pub in_time: Option<TargetReport>,
    /// The 50, 90 and 99 % quantiles of the time to engagement, over all runs in which it was called; a run in which it
    /// was not engaged counts as longer than any other.
    pub quantiles: [TimeQuantile; 3],
    /// The main cause of the time in runs that were late, or that took longest if there is no limit.
    pub bottleneck: Option<ScoreBottleneck>,
    /// The number of alerts that had been sent when it was engaged, or fewer, in half of the runs; `None` if it was
    /// engaged in fewer.
    pub alerts: Option<usize>,
    /// How long before each moment of the scenario it was engaged, or longer, in half of the runs; negative means after
    /// it.
    pub before: Vec<LeadTime>,
}

/// A quantile of times in seconds, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeQuantile {
    /// The percentage.
    pub percent: f64,
    /// The time; `None` if too few were engaged.
    pub seconds: Option<f64>,
    /// The order statistics that bound the true quantile with 95 % confidence; `None` means beyond the end of the
    /// drill.
    pub interval: (Option<f64>, Option<f64>),
}

/// How long before a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeadTime {
    /// The moment.
    pub what: String,
    /// How long before it, in seconds; `None` if fewer than half were engaged.
    pub seconds: Option<f64>,
}

/// Plays `runs` runs on `threads` threads. The result does not depend on the number of threads. `done` counts finished
/// runs, for a progress display.
pub fn play(setting: &SimulationSetting<'_>, seed: u64, runs: u64, threads: u64, done: &AtomicU64) -> Vec<PlayedRun> {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut played = Vec::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if runs <= run {
                return played;
            }
            played.push((run, setting.play(seed, run)));
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        let mut all = worker();
        // A worker that panicked is a bug of ours: its runs are missing, and the count shows it.
        all.extend(others.into_iter().filter_map(|other| other.join().ok()).flatten());
        all
    });
    all.sort_by_key(|(run, _)| *run);
    all.into_iter().map(|(_, played)| played).collect()
}

/// What these runs showed.
pub fn outlook(what_if: &str, matrix: &str, setting: &SimulationSetting<'_>, runs: &[PlayedRun]) -> SimulationSummary {
    let observed = || runs.iter().map(|played| &played.observed);
    let names: BTreeSet<&RoleName> = observed().flat_map(|run| run.roles.keys()).collect();
    SimulationSummary {
        what_if: what_if.to_owned(),
        matrix: matrix.to_owned(),
        runs: runs.len(),
        score: score_all(&setting.scenario().hypotheses, observed()),
        roles: names.into_iter().map(|role| role_outlook(role, setting, runs)).collect(),
    }
}

fn role_outlook(role: &RoleName, setting: &SimulationSetting<'_>, runs: &[PlayedRun]) -> RoleOutlook {
    let analyses: Vec<&RoleAnalysis> = runs.iter().filter_map(|run| run.observed.roles.get(role)).collect();
    let mut times: Vec<Duration> = analyses.iter().filter_map(|analysis| analysis.engaged).collect();
    times.sort();
    let called = analyses.len();
    let target = target(role, setting);
    let within = target.map(|target| target.within);
    let endings = analyses.iter().map(|analysis| analysis.ended.after(analysis.watched.as_secs_f64()));
    let in_time = target.map(|target| judge(&Incidence::of(endings), target));
    let mut ended = Endings::default();
    analyses.iter().for_each(|analysis| ended.add(analysis.ended, true));
    let late =
        |analysis: &&&RoleAnalysis| analysis.engaged.is_none_or(|time| within.is_none_or(|within| within < time));
    let mut offsets: Vec<Duration> = runs.iter().filter_map(|run| engaged_at(role, run)).collect();
    offsets.sort();
    let median = offsets.get(rank(called, 50.0)).copied();
    RoleOutlook {
        role: role.clone(),
        called,
        engaged: times.len(),
        covered: ended.covered,
        ended,
        in_time,
        quantiles: [50.0, 90.0, 99.0].map(|percent| quantile(&times, called, percent)),
        bottleneck: bottleneck_of(analyses.iter().filter(late).copied(), within.unwrap_or(Duration::MAX)),
        alerts: median.map(|offset| setting.sent_until(offset)),
        before: before(setting, median),
    }
}

/// The hypothesis about a role, or else its target in the matrix.
fn target(role: &RoleName, setting: &SimulationSetting<'_>) -> Option<EngagementTarget> {
    let mut hypotheses = setting.scenario().hypotheses.iter();
    let about = hypotheses.find(|hypothesis| hypothesis.about.is_role(role));
    let expected = about.map(|hypothesis| EngagementTarget { within: hypothesis.within, percent: hypothesis.percent });
    expected.or_else(|| setting.target(role))
}

/// When a role was engaged, counted from the beginning of the drill.
fn engaged_at(role: &RoleName, run: &PlayedRun) -> Option<Duration> {
    Some(*run.opened.get(role)? + run.observed.roles.get(role)?.engaged?)
}

fn before(setting: &SimulationSetting<'_>, engaged: Option<Duration>) -> Vec<LeadTime> {
    let lead = |at: Duration| engaged.map(|engaged| at.as_secs_f64() - engaged.as_secs_f64());
    let moments = setting.scenario().moments.iter();
    moments.map(|moment| LeadTime { what: moment.what.clone(), seconds: lead(moment.at) }).collect()
}

/// The rank of a quantile among `n` sorted values: the smallest value that this percentage does not exceed.
fn rank(n: usize, percent: f64) -> usize {
    ((n as f64 * percent / 100.0).ceil() as usize).saturating_sub(1)
}

/// A quantile of `times` (sorted) among `n`; missing times are longer than any other. Its interval is that of the order
/// statistics with the ranks `n p -+ 1.96 sqrt(n p (1 - p))`: G. Hahn, W. Meeker, "Statistical Intervals" (1991),
/// chapter 5.
fn quantile(times: &[Duration], n: usize, percent: f64) -> TimeQuantile {
    let at = |rank: usize| times.get(rank).map(Duration::as_secs_f64);
    let (all, p) = (n as f64, percent / 100.0);
    let half = 1.96 * (all * p * (1.0 - p)).sqrt();
    let low = (all * p - half).floor().max(1.0) as usize - 1;
    let high = (all * p + half).ceil() as usize;
    // An upper rank beyond the sample means that there is no known upper limit.
    let high = if n <= high { None } else { at(high) };
    TimeQuantile { percent, seconds: at(rank(n, percent)), interval: (at(low), high) }
}

impl SimulationSummary {
    /// The worst verdict of its hypotheses.
    pub fn verdict(&self) -> HypothesisVerdict {
        self.score.verdict()
    }
}
