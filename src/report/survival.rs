//! Time until an event, if for some subjects it had not happened when they were last seen: the Kaplan-Meier estimate,
//! its variance, its intervals and its quantiles.
//!
//! Sources. The estimate: E. L. Kaplan, P. Meier, *Nonparametric Estimation from Incomplete Observations*, JASA 53
//! (1958) 457-481. Its variance: M. Greenwood, *The Natural Duration of Cancer*, Reports on Public Health and Medical
//! Subjects 33 (1926). The log-log interval and the quantiles' intervals: J. D. Kalbfleisch, R. L. Prentice, *The
//! Statistical Analysis of Failure Time Data*, 2nd ed. (2002), sections 1.4 and 1.4.2; R. Brookmeyer, J. Crowley, *A
//! Confidence Interval for the Median Survival Time*, Biometrics 38 (1982) 29-41. Effective sample size: F. J. Dorey,
//! E. L. Korn, *Effective Sample Sizes for Confidence Intervals for Survival Probabilities*, Statistics in Medicine 6
//! (1987) 679-687.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The confidence level of every interval: two-sided, 95 %.
pub const CONFIDENCE: f64 = 0.95;

/// The normal quantile for [`CONFIDENCE`].
pub const Z: f64 = 1.959_963_984_540_054;

/// Probabilities that differ by less are equal: products of fractions are rounded.
const SAME: f64 = 1e-12;

/// One observation of one subject. Times are in seconds (any unit works if it is always the same).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalObservation {
    /// The time until the event, or until the subject was last seen without it.
    pub time: f64,
    /// Whether the event happened; otherwise it is censored at `time`.
    pub happened: bool,
}

/// The curve at one time with an event or a censored subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalPoint {
    /// The time.
    pub time: f64,
    /// How many were at risk right before. A subject that is censored at this time was still at risk.
    pub at_risk: usize,
    /// The number of events.
    pub events: usize,
    /// How many were censored.
    pub censored: usize,
    /// The share without the event by then: S(t).
    pub survival: f64,
    /// Greenwood's sum of d / (n (n - d)) so far: the variance of log S(t). Not finite once S is 0.
    pub hazard_variance: f64,
}

/// An interval of [`CONFIDENCE`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfidenceInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A quantile: `None` if the curve does not reach it ("not reached"); the same applies to the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CurveQuantile {
    /// The earliest time by which this share has had the event.
    pub time: Option<f64>,
    /// The lower end of its interval; `None` if the curve does not reach it.
    pub low: Option<f64>,
    /// The upper end; `None` if the data give no limit.
    pub high: Option<f64>,
}

/// A Kaplan-Meier curve. Times keep their unit; a time that is NaN is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurvivalCurve {
    /// The number of subjects.
    pub n: usize,
    /// The number of events.
    pub events: usize,
    /// One point for each distinct time, in order.
    pub points: Vec<SurvivalPoint>,
}

impl SurvivalCurve {
    /// Estimates the curve. Ties are taken together; without subjects it is empty and says nothing.
    pub fn of(observations: impl IntoIterator<Item = SurvivalObservation>) -> Self {
        let mut seen: Vec<SurvivalObservation> =
            observations.into_iter().filter(|seen| seen.time.is_finite()).collect();
        seen.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut curve = Self { n: seen.len(), events: 0, points: Vec::new() };
        let (mut at_risk, mut survival, mut hazard_variance) = (seen.len(), 1.0, 0.0);
        for tied in seen.chunk_by(|a, b| a.time == b.time) {
            let events = tied.iter().filter(|seen| seen.happened).count();
            let (n, d) = (at_risk as f64, events as f64);
            if events == at_risk {
                (survival, hazard_variance) = (0.0, f64::INFINITY);
            } else {
                survival *= (n - d) / n;
                hazard_variance += d / (n * (n - d));
            }
            let censored = tied.len() - events;
            let time = tied.first().map_or(0.0, |first| first.time);
            curve.points.push(SurvivalPoint { time, at_risk, events, censored, survival, hazard_variance });
            curve.events += events;
            at_risk -= tied.len();
        }
        curve
    }

    /// The share without the event by `time`: 1 before the first event, the last value after the last one.
    pub fn survival(&self, time: f64) -> f64 {
        self.at(time).map_or(1.0, |point| point.survival)
    }

    /// The earliest time at which the share `p` has had the event: the smallest t with S(t) at most 1 - p. The ends of
    /// its interval are where the ends of the log-log band reach `p` (Brookmeyer and Crowley, with the band of
    /// [`SurvivalPoint::log_log`]).
    pub fn quantile(&self, p: f64) -> CurveQuantile {
        let left = 1.0 - p + SAME;
        let first = |reached: &dyn Fn(&SurvivalPoint) -> bool| self.points.iter().find(|p| reached(p)).map(|p| p.time);
        CurveQuantile {
            time: first(&|point| point.survival <= left),
            low: first(&|point| point.log_log().is_some_and(|band| band.low <= left) || point.survival == 0.0),
            high: first(&|point| point.log_log().is_some_and(|band| band.high <= left)),
        }
    }

    /// The share with the event by `time`. `None` if nothing is known about `time`: there were no subjects, or the last
    /// one was censored before.
    pub fn reached_by(&self, time: f64) -> Option<f64> {
        let last = self.points.last()?;
        let is_known = time <= last.time || last.survival == 0.0;
        is_known.then(|| 1.0 - self.survival(time))
    }

    fn at(&self, time: f64) -> Option<&SurvivalPoint> {
        let after = self.points.partition_point(|point| point.time <= time);
        after.checked_sub(1).and_then(|last| self.points.get(last))
    }
}

impl SurvivalPoint {
    /// Greenwood's variance of S(t): S^2 times the sum. `None` at 0, where it says nothing.
    pub fn variance(&self) -> Option<f64> {
        self.hazard_variance.is_finite().then_some(self.survival * self.survival * self.hazard_variance)
    }

    /// Greenwood's plain interval, S -+ z sd, limited to 0..1. Too narrow for few subjects.
    pub fn plain(&self) -> Option<ConfidenceInterval> {
        let half = Z * self.variance()?.sqrt();
        Some(ConfidenceInterval { low: (self.survival - half).max(0.0), high: (self.survival + half).min(1.0) })
    }

    /// The log-log interval: S to the power of exp(+- z sd(log(-log S))). It stays within 0..1. At S = 1 it is the
    /// point 1, because nothing has happened yet; at S = 0 there is none.
    pub fn log_log(&self) -> Option<ConfidenceInterval> {
        if self.survival == 1.0 {
            return Some(ConfidenceInterval { low: 1.0, high: 1.0 });
        }
        let log = self.survival.ln();
        let half = Z * self.hazard_variance.sqrt() / log.abs();
        half.is_finite()
            .then(|| ConfidenceInterval { low: (log * half.exp()).exp(), high: (log * (-half).exp()).exp() })
    }
}
