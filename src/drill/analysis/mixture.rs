//! Log-normal times, some of which never end. They are estimated from observations, with the assumption counted as
//! additional observations.
//!
//! The model is from J. W. Boag, "Maximum likelihood estimates of the proportion of patients cured by cancer therapy",
//! Journal of the Royal Statistical Society B 11 (1949): with probability `never` nothing happens at all, otherwise it
//! happens after a log-normal time. A censored observation is either one that never ends or one that ends later. The
//! estimate is the maximum likelihood estimate, found by expectation-maximisation (A. Dempster, N. Laird, D. Rubin,
//! JRSS B 39 (1977)): a censored time counts with the moments of the normal distribution above it. The assumption
//! counts as much as [`PRIOR_WEIGHT`] observations that are distributed exactly as it says.

use crate::drill::scenario::distribution::{DelayDistribution, Z90, normal_tail};
use std::time::Duration;

/// How many observations the assumption counts for: with this many real ones, both have equal weight.
pub const PRIOR_WEIGHT: f64 = 10.0;

/// The largest number of EM iterations.
const ROUNDS_MAX: usize = 2_000;

/// The estimation has converged if it changes by less than this in one iteration.
const STILL: f64 = 1e-9;

/// The smallest standard deviation of logarithms. Equal times have none, and a division by zero must not occur.
const SPREAD_MIN: f64 = 1e-3;

/// A log-normal time in seconds, by its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    /// The mean of the logarithm.
    pub mean: f64,
    /// Its standard deviation.
    pub spread: f64,
}

/// One observation of one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeObservation {
    /// The index of the time.
    pub of: usize,
    /// The logarithm of the seconds until it ended or was censored.
    pub log: f64,
    /// Whether it ended.
    pub happened: bool,
}

/// Several times that run in parallel; the first one to end ends all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompetingTimes {
    /// Whether anything happened, even if by none of these times.
    pub came: bool,
    /// The times.
    pub waits: Vec<TimeObservation>,
}

/// An estimate, or the assumption before it.
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureBelief {
    /// The probability that nothing happens.
    pub never: f64,
    /// The times.
    pub times: Vec<LogNormal>,
}

/// Sums for one time in one iteration, as deviations from the assumed mean.
#[derive(Debug, Clone, Copy, Default)]
struct DeviationSums {
    weight: f64,
    first: f64,
    second: f64,
}

impl LogNormal {
    /// The log-normal with a distribution's median and 90 % quantile, or with the moments of the measured times.
    pub fn of(distribution: &DelayDistribution) -> Self {
        match distribution {
            DelayDistribution::LogNormal { median, p90 } => {
                let (mean, high) = (log_seconds(*median), log_seconds(*p90));
                Self { mean, spread: ((high - mean) / Z90).max(SPREAD_MIN) }
            }
            DelayDistribution::Measured(times) => {
                let n = times.len().max(1) as f64;
                let mean = times.iter().map(|time| log_seconds(*time)).sum::<f64>() / n;
                let square: f64 = times.iter().map(|time| (log_seconds(*time) - mean).powi(2)).sum();
                Self { mean, spread: (square / n).sqrt().max(SPREAD_MIN) }
            }
        }
    }

    /// The same as a distribution to draw from.
    pub fn distribution(self) -> DelayDistribution {
        let seconds = |log: f64| Duration::from_secs_f64(log.exp().clamp(LEAST, YEAR));
        DelayDistribution::log_normal(seconds(self.mean), seconds(self.mean + Z90 * self.spread))
    }
}

/// The most likely estimate after these trials, given the assumption `assumed`.
pub fn fit(trials: &[CompetingTimes], assumed: &MixtureBelief) -> MixtureBelief {
    // Starts from an estimate that is too large: the iteration could never leave an estimate of zero.
    let silent = trials.iter().filter(|trial| !trial.came).count();
    let mut belief = MixtureBelief { never: share(silent, trials.len(), assumed.never), ..assumed.clone() };
    for _ in 0..ROUNDS_MAX {
        let next = round(trials, assumed, &belief);
        let moved = |a: &LogNormal, b: &LogNormal| (a.mean - b.mean).abs().max((a.spread - b.spread).abs());
        let far = next.times.iter().zip(&belief.times).map(|(a, b)| moved(a, b)).fold(0.0, f64::max);
        let far = far.max((next.never - belief.never).abs());
        belief = next;
        if far < STILL {
            break;
        }
    }
    belief
}

/// A share with `hits` in `of` cases, given the assumption `assumed`: the mean of the resulting beta distribution.
pub fn share(hits: usize, of: usize, assumed: f64) -> f64 {
    (PRIOR_WEIGHT * assumed + hits as f64) / (PRIOR_WEIGHT + of as f64)
}

fn round(trials: &[CompetingTimes], assumed: &MixtureBelief, belief: &MixtureBelief) -> MixtureBelief {
    let mut sums = vec![DeviationSums::default(); belief.times.len()];
    let mut never = PRIOR_WEIGHT * assumed.never;
    for trial in trials {
        let coming = coming(trial, belief);
        never += 1.0 - coming;
        for wait in &trial.waits {
            if let (Some(sums), Some(log), Some(prior)) =
                (sums.get_mut(wait.of), belief.times.get(wait.of), assumed.times.get(wait.of))
            {
                sums.add(wait, coming, *log, prior.mean);
            }
        }
    }
    let times = sums.iter().zip(&assumed.times).map(|(sums, prior)| sums.believed(*prior)).collect();
    MixtureBelief { never: never / (PRIOR_WEIGHT + trials.len() as f64), times }
}

/// The probability that something would still have happened in a trial.
fn coming(trial: &CompetingTimes, belief: &MixtureBelief) -> f64 {
    if trial.came {
        return 1.0;
    }
    let above =
        |wait: &TimeObservation| belief.times.get(wait.of).map_or(1.0, |log| normal_tail(log.standard(wait.log)).0);
    let later = (1.0 - belief.never) * trial.waits.iter().map(above).product::<f64>();
    if later <= 0.0 { 0.0 } else { later / (belief.never + later) }
}

impl LogNormal {
    fn standard(self, log: f64) -> f64 {
        (log - self.mean) / self.spread
    }
}

impl DeviationSums {
    fn add(&mut self, wait: &TimeObservation, coming: f64, log: LogNormal, origin: f64) {
        let (first, second) = if wait.happened {
            let off = wait.log - origin;
            (off, off * off)
        } else {
            let (z, off) = (log.standard(wait.log), log.mean - origin);
            let hazard = normal_tail(z).1;
            let beyond = log.spread * hazard;
            (off + beyond, log.spread * log.spread * (1.0 + z * hazard) + 2.0 * off * beyond + off * off)
        };
        self.weight += coming;
        self.first += coming * first;
        self.second += coming * second;
    }

    fn believed(self, prior: LogNormal) -> LogNormal {
        let n = PRIOR_WEIGHT + self.weight;
        let off = self.first / n;
        let square = (PRIOR_WEIGHT * prior.spread * prior.spread + self.second) / n - off * off;
        LogNormal { mean: prior.mean + off, spread: square.max(0.0).sqrt().max(SPREAD_MIN) }
    }
}

/// The smallest time, in seconds, because zero has no logarithm.
pub const LEAST: f64 = 0.001;

/// The longest time, in seconds: nobody waits for more than a year.
const YEAR: f64 = 366.0 * 24.0 * 3600.0;

fn log_seconds(time: Duration) -> f64 {
    time.as_secs_f64().max(LEAST).ln()
}
