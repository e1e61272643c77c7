//! Time until something happens, where for some it had not happened yet when they were last looked at: the Kaplan-Meier
//! estimate, its variance, its intervals, its quantiles.
//!
//! Sources. The estimate: E. L. Kaplan, P. Meier, *Nonparametric Estimation from Incomplete Observations*, JASA 53
//! (1958) 457-481. Its variance: M. Greenwood, *The Natural Duration of Cancer*, Reports on Public Health and Medical
//! Subjects 33 (1926). The log-log interval and the quantiles' intervals: J. D. Kalbfleisch, R. L. Prentice, *The
//! Statistical Analysis of Failure Time Data*, 2nd ed. (2002), sections 1.4 and 1.4.2; R. Brookmeyer, J. Crowley, *A
//! Confidence Interval for the Median Survival Time*, Biometrics 38 (1982) 29-41. Effective sample size: F. J. Dorey,
//! E. L. Korn, *Effective Sample Sizes for Confidence Intervals for Survival Probabilities*, Statistics in Medicine 6
//! (1987) 679-687.

use serde::{Deserialize, Serialize};

/// How sure every interval is: two-sided, 95 %.
pub const CONFIDENCE: f64 = 0.95;

/// The normal deviate that belongs to [`CONFIDENCE`].
pub const Z: f64 = 1.959_963_984_540_054;

/// Two probabilities that differ by less are the same: products of fractions are rounded.
const SAME: f64 = 1e-12;

/// One look at one subject, in seconds (any unit does, as long as it is always the same).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalObservation {
    /// How long until it happened, or until it was last seen not to have happened.
    pub time: f64,
    /// Whether it happened; otherwise it is censored at `time`.
    pub happened: bool,
}

/// The curve at one time at which something happened or somebody was lost sight of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalPoint {
    /// When.
    pub time: f64,
    /// For how many it had not happened right before. Who is censored at an event's time was still at risk then.
    pub at_risk: usize,
    /// For how many it happened.
    pub events: usize,
    /// How many were censored.
    pub censored: usize,
    /// The share for whom it has not happened by then: S(t).
    pub survival: f64,
    /// Greenwood's sum of d / (n (n - d)) so far: the variance of log S(t). Not finite once S is 0.
    pub hazard_variance: f64,
}

/// An interval of [`CONFIDENCE`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A quantile: `None` if the curve does not get so far ("not reached"), and the same for the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CurveQuantile {
    /// The earliest time by which it has happened for that share.
    pub time: Option<f64>,
    /// The lower end of its interval; `None` if even that is not reached.
    pub low: Option<f64>,
    /// The upper end; `None` if the data set no bound.
    pub high: Option<f64>,
}

/// A Kaplan-Meier curve. Times are what they were given as; a time that is no number is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurvivalCurve {
    /// How many subjects.
    pub n: usize,
    /// For how many it happened.
    pub events: usize,
    /// In the order of time, one a distinct time.
    pub points: Vec<SurvivalPoint>,
}

impl SurvivalCurve {
    /// Estimates the curve. Ties are taken together; with nothing given it is empty, and nothing is claimed of it.
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

    /// The share for whom it has not happened by `time`: 1 before the first event, the last value after the last one.
    pub fn survival(&self, time: f64) -> f64 {
        self.at(time).map_or(1.0, |point| point.survival)
    }

    /// The earliest time at which it has happened for the share `p`: the least t with S(t) at most 1 - p. The ends of
    /// its interval are where the log-log band's ends get so far (Brookmeyer and Crowley, with the band of
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

    /// The share for whom it happened by `time`. `None` if nothing is known of `time`: nobody was seen, or the last one
    /// was lost sight of before.
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
    /// Greenwood's variance of S(t): S^2 times the sum. `None` at 0, if it says nothing.
    pub fn variance(&self) -> Option<f64> {
        self.hazard_variance.is_finite().then_some(self.survival * self.survival * self.hazard_variance)
    }

    /// Greenwood's plain interval, S -+ z sd, cut to 0..1. Too narrow for few subjects.
    pub fn plain(&self) -> Option<ConfidenceInterval> {
        let half = Z * self.variance()?.sqrt();
        Some(ConfidenceInterval { low: (self.survival - half).max(0.0), high: (self.survival + half).min(1.0) })
    }

    /// The log-log interval: S to the power of exp(+- z sd(log(-log S))). It stays within 0..1. At S = 1 it is the point
    /// 1, for nothing has happened yet; at S = 0 there is none.
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
