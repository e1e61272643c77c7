//! The share for which an event has happened over time, when other events can end the wait: the cumulative incidence
//! with competing risks, its variance, its intervals and its quantiles.
//!
//! A subject with a competing end can never have the event, and stays in the denominator of the share. The Kaplan-Meier
//! estimate ([`super::survival`]) with these ends as censored answers a different question: the share if those subjects
//! had continued like the others. Only subjects that still wait are censored.
//!
//! Sources. The estimate: O. O. Aalen, S. Johansen, *An Empirical Transition Matrix for Non-homogeneous Markov Chains
//! Based on Censored Observations*, Scandinavian Journal of Statistics 5 (1978) 141-150. Its variance, by the delta
//! method: G. E. Dinse, M. G. Larson, *A Note on Semi-Markov Models for Partially Censored Data*, Biometrika 73 (1986)
//! 379-386; E. Marubini, M. G. Valsecchi, *Analysing Survival Data from Clinical Trials and Observational Studies*
//! (1995), section 10.3. With one cause it equals Greenwood's, without censoring the binomial variance. The log-log
//! interval: D. Collett, *Modelling Survival Data in Medical Research*, 3rd ed. (2015), section 12.3. The intervals of
//! the quantiles are derived from it as R. Brookmeyer and J. Crowley do for the survival curve.

use super::survival::{ConfidenceInterval, CurveQuantile, Z};

/// Shares that differ by less are equal: sums of fractions are rounded.
const SAME: f64 = 1e-12;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndingKind {
    /// The event happened.
    Happened,
    /// Another event ended the wait: the event cannot happen any more.
    Otherwise,
    /// Censored: the subject was still waiting when last seen.
    Waiting,
}

/// One subject. Times are in seconds (any unit works if it is always the same).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// How long it had waited.
    pub time: f64,
    /// How the wait ended.
    pub how: EndingKind,
}

/// The curve at one time at which something happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidenceStep {
    /// The time.
    pub time: f64,
    /// How many were waiting right before. A subject that was last seen at this time was still waiting.
    pub at_risk: usize,
    /// How many events happened.
    pub events: usize,
    /// How many waits ended in another way.
    pub competing: usize,
    /// How many were censored, still waiting.
    pub censored: usize,
    /// The share that still waits: the Kaplan-Meier estimate with all ends as events.
    pub waiting: f64,
    /// The share with the event by then.
    pub incidence: f64,
    /// Its variance.
    pub variance: f64,
}

/// A cumulative incidence curve. Times keep their unit; a time that is NaN is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidence {
    /// The number of subjects.
    pub n: usize,
    /// The number of events.
    pub events: usize,
    /// One step for each distinct time, in order.
    pub steps: Vec<IncidenceStep>,
}

/// The sums for the variance, so that it can be computed at each time without going back.
#[derive(Default)]
struct VarianceSums {
    /// The sum of d / (n (n - d)), for all ends.
    all: f64,
    /// The same, weighted with the incidence at that time.
    all_incidence: f64,
    /// The same, weighted with its square.
    all_square: f64,
    /// The sum of S^2 (n - e) e / n^3, for events.
    own: f64,
    /// The sum of S e / n^2.
    cross: f64,
    /// The same, weighted with the incidence at that time.
    cross_incidence: f64,
}

impl Incidence {
    /// Estimates the curve. Ties are taken together; without subjects it is empty and says nothing.
    pub fn of(endings: impl IntoIterator<Item = Ending>) -> Self {
        let mut seen: Vec<Ending> = endings.into_iter().filter(|seen| seen.time.is_finite()).collect();
        seen.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut curve = Self { n: seen.len(), events: 0, steps: Vec::new() };
        let (mut at_risk, mut waiting, mut incidence, mut sums) = (seen.len(), 1.0, 0.0, VarianceSums::default());
        for tied in seen.chunk_by(|a, b| a.time == b.time) {
            let count = |how| tied.iter().filter(|seen| seen.how == how).count();
            let (events, competing) = (count(EndingKind::Happened), count(EndingKind::Otherwise));
            let before = waiting;
            let (n, e, d) = (at_risk as f64, events as f64, (events + competing) as f64);
            incidence += before * e / n;
            waiting = if events + competing == at_risk { 0.0 } else { before * (n - d) / n };
            sums.add((n, e, d), before, incidence);
            let variance = sums.variance(incidence);
            let time = tied.first().map_or(0.0, |first| first.time);
            let censored = tied.len() - events - competing;
            curve.steps.push(IncidenceStep {
                time,
                at_risk,
                events,
                competing,
                censored,
                waiting,
                incidence,
                variance,
            });
            curve.events += events;
            at_risk -= tied.len();
        }
        curve
    }

    /// The share with the event by `time`: 0 before the first event.
    pub fn incidence(&self, time: f64) -> f64 {
        self.at(time).map_or(0.0, |step| step.incidence)
    }

    /// The earliest time by which the share `p` has the event. The ends of its interval are where the ends of the
    /// log-log band reach `p`.
    pub fn quantile(&self, p: f64) -> CurveQuantile {
        let wanted = p - SAME;
        let first = |reached: &dyn Fn(&IncidenceStep) -> bool| self.steps.iter().find(|s| reached(s)).map(|s| s.time);
        let end = |step: &IncidenceStep, which: fn(&ConfidenceInterval) -> f64| step.log_log().map(|band| which(&band));
        CurveQuantile {
            time: first(&|step| wanted <= step.incidence),
            low: first(&|step| {
                end(step, |band| band.high).is_some_and(|high| wanted <= high) || 1.0 - SAME < step.incidence
            }),
            high: first(&|step| end(step, |band| band.low).is_some_and(|low| wanted <= low)),
        }
    }

    /// The last step at or before `time`.
    pub fn at(&self, time: f64) -> Option<&IncidenceStep> {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).and_then(|last| self.steps.get(last))
    }
}

impl IncidenceStep {
    /// The log-log interval: the share to the power of exp(-+ z sd(log(-log share))). It stays within 0..1. `None` at 0
    /// and at 1, where the variance says nothing.
    pub fn log_log(&self) -> Option<ConfidenceInterval> {
        let log = self.incidence.ln();
        let half = Z * self.variance.sqrt() / (self.incidence * log.abs());
        let is_inside = 0.0 < self.incidence && self.incidence < 1.0 - SAME && half.is_finite();
        is_inside.then(|| ConfidenceInterval { low: (log * half.exp()).exp(), high: (log * (-half).exp()).exp() })
    }
}

impl VarianceSums {
    /// Adds one time: `n` waited, `e` had the event, `d` ended in any way; `before` is the share that waited.
    fn add(&mut self, (n, e, d): (f64, f64, f64), before: f64, incidence: f64) {
        // When nobody is left, the incidence stays constant: its distance to its final value is zero.
        if d < n {
            let part = d / (n * (n - d));
            self.all += part;
            self.all_incidence += part * incidence;
            self.all_square += part * incidence * incidence;
        }
        self.own += before * before * (n - e) * e / (n * n * n);
        let part = before * e / (n * n);
        self.cross += part;
        self.cross_incidence += part * incidence;
    }

    fn variance(&self, incidence: f64) -> f64 {
        let all = incidence * incidence * self.all - 2.0 * incidence * self.all_incidence + self.all_square;
        let cross = incidence * self.cross - self.cross_incidence;
        (all + self.own - 2.0 * cross).max(0.0)
    }
}
