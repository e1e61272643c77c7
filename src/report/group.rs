//! The figures of one group of engagements: how they ended, how fast they were engaged, whether the target was met.

use super::{
    ended::{Ended, Endings},
    incidence::{Ending, EndingKind, Incidence},
    survival::{CurveQuantile, SurvivalCurve, SurvivalObservation},
    target::{TargetReport, judge},
};
use crate::core::EngagementTarget;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest number of points in a report's curve; larger curves are thinned out.
pub const CURVE_POINTS_MAX: usize = 500;

/// One group's figures. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupReport {
    /// Its name.
    pub name: String,
    /// The number of engagements.
    pub n: usize,
    /// The number that were engaged.
    pub engaged: usize,
    /// How all of them ended.
    pub ended: Endings,
    /// The median: when half of all were engaged. `None` if fewer than half were.
    pub p50: CurveQuantile,
    /// The 90th percentile.
    pub p90: CurveQuantile,
    /// The 99th percentile.
    pub p99: CurveQuantile,
    /// The result if those who were not engaged had continued like the others.
    pub kaplan_meier: KaplanMeier,
    /// The target and whether it was met; `None` if the group is not a role or has no target.
    pub target: Option<TargetReport>,
    /// The curve, if requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// How many points of the curve were left out; the figures use all of them.
    #[serde(default)]
    pub curve_left_out: usize,
}

/// Kaplan-Meier figures. They treat every ending except an answer as censored, so they show how fast people are while
/// somebody waits for them. They say nothing about a target: engagements that were covered, stood down or closed
/// without an answer do not make them worse.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KaplanMeier {
    /// The median.
    pub p50: CurveQuantile,
    /// The 90th percentile.
    pub p90: CurveQuantile,
    /// The 99th percentile.
    pub p99: CurveQuantile,
    /// The share within the target's time limit; `None` without a target, and if nobody was watched for that long.
    pub share: Option<f64>,
}

/// The share engaged by a time, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// The time in seconds.
    pub time: f64,
    /// The share, 0 to 1.
    pub share: f64,
    /// The lower end of the log-log interval; `None` at 0 and 1.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How many ended in another way at this time.
    pub ended: usize,
    /// How many were censored at this time, still waiting.
    pub censored: usize,
}

/// Gathers one group.
#[derive(Debug, Default)]
pub struct TteGroup {
    seen: Vec<Ending>,
    ended: Endings,
    target: Option<EngagementTarget>,
}

impl TteGroup {
    /// Counts one that ended after this many seconds; `is_reached`: a channel had accepted a page for it. The first
    /// target is kept.
    pub fn add(&mut self, ended: Ended, seconds: f64, is_reached: bool, target: Option<EngagementTarget>) {
        self.seen.push(ended.after(seconds));
        self.ended.add(ended, is_reached);
        self.target = self.target.or(target);
    }

    /// The figures of the group.
    pub fn report(self, name: String, with_curve: bool) -> GroupReport {
        let kaplan_meier = KaplanMeier::of(&self.seen, self.target);
        let curve = Incidence::of(self.seen);
        let shown = if with_curve { points(&curve) } else { Vec::new() };
        GroupReport {
            name,
            n: curve.n,
            engaged: curve.events,
            ended: self.ended,
            p50: curve.quantile(0.5),
            p90: curve.quantile(0.9),
            p99: curve.quantile(0.99),
            kaplan_meier,
            target: self.target.map(|target| judge(&curve, target)),
            curve_left_out: if with_curve { curve.steps.len() - shown.len() } else { 0 },
            curve: shown,
        }
    }
}

impl KaplanMeier {
    fn of(seen: &[Ending], target: Option<EngagementTarget>) -> Self {
        let happened =
            |ending: &Ending| SurvivalObservation { time: ending.time, happened: ending.how == EndingKind::Happened };
        let curve = SurvivalCurve::of(seen.iter().map(happened));
        Self {
            p50: curve.quantile(0.5),
            p90: curve.quantile(0.9),
            p99: curve.quantile(0.99),
            share: target.and_then(|target| curve.reached_by(target.within.as_secs_f64())),
        }
    }
}

/// A curve's points: at most [`CURVE_POINTS_MAX`], always with the last one.
pub fn points(curve: &Incidence) -> Vec<CurvePoint> {
    let every = curve.steps.len().div_ceil(CURVE_POINTS_MAX).max(1);
    let last = curve.steps.len().saturating_sub(1);
    let kept = curve.steps.iter().enumerate().filter(|(n, _)| n % every == 0 || *n == last);
    kept.map(|(_, step)| CurvePoint {
        time: step.time,
        share: step.incidence,
        low: step.log_log().map(|band| band.low),
        high: step.log_log().map(|band| band.high),
        ended: step.competing,
        censored: step.censored,
    })
    .collect()
}
