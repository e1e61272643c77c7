//! Which share it has happened to by when, where something else may end the wait for good: the cumulative incidence with
//! competing risks, its variance, its intervals, its quantiles.
//!
//! Somebody whom a competing end took is known never to get there, and stays in the share's denominator. Kaplan and
//! Meier's estimate ([`super::survival`]) with such ends as censored answers another question: which share it would have
//! happened to, had those who were taken gone on like the others. Only who is still waiting is censored.
//!
//! Sources. The estimate: O. O. Aalen, S. Johansen, *An Empirical Transition Matrix for Non-homogeneous Markov Chains
//! Based on Censored Observations*, Scandinavian Journal of Statistics 5 (1978) 141-150. Its variance, by the delta
//! method: G. E. Dinse, M. G. Larson, *A Note on Semi-Markov Models for Partially Censored Data*, Biometrika 73 (1986)
//! 379-386; E. Marubini, M. G. Valsecchi, *Analysing Survival Data from Clinical Trials and Observational Studies*
//! (1995), section 10.3. With one cause it is Greenwood's, with nobody censored the binomial's. The log-log interval: D.
//! Collett, *Modelling Survival Data in Medical Research*, 3rd ed. (2015), section 12.3. The quantiles' intervals are
//! made of it as R. Brookmeyer and J. Crowley's are of the survival curve's.

use super::survival::{ConfidenceInterval, CurveQuantile, Z};

/// Two shares that differ by less are the same: sums of fractions are rounded.
const SAME: f64 = 1e-12;

/// How the wait for something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndingKind {
    /// It happened.
    Happened,
    /// Something else ended the wait: it cannot happen any more.
    Otherwise,
    /// It goes on: the subject was last seen waiting.
    Waiting,
}

/// One subject, in seconds (any unit does, as long as it is always the same).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// How long it had waited.
    pub time: f64,
    /// What came then.
    pub how: EndingKind,
}

/// The curve at one time at which anything happened to anybody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidenceStep {
    /// When.
    pub time: f64,
    /// How many were waiting right before. Who is last seen at an event's time was still waiting then.
    pub at_risk: usize,
    /// How many it happened to.
    pub events: usize,
    /// How many waits ended otherwise.
    pub competing: usize,
    /// How many were last seen waiting.
    pub censored: usize,
    /// The share that is still waiting: Kaplan and Meier's, all ends being events.
    pub waiting: f64,
    /// The share it has happened to by then.
    pub incidence: f64,
    /// The variance of that.
    pub variance: f64,
}

/// A cumulative incidence curve. Times are what they were given as; a time that is no number is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidence {
    /// How many subjects.
    pub n: usize,
    /// How many it happened to.
    pub events: usize,
    /// In the order of time, one a distinct time.
    pub steps: Vec<IncidenceStep>,
}

/// What the variance is summed from: it can be said at each time without going back over those before.
#[derive(Default)]
struct VarianceSums {
    /// Of d / (n (n - d)): all ends.
    all: f64,
    /// The same, times the incidence then.
    all_incidence: f64,
    /// The same, times its square.
    all_square: f64,
    /// Of S^2 (n - e) e / n^3: those it happened to.
    own: f64,
    /// Of S e / n^2.
    cross: f64,
    /// The same, times the incidence then.
    cross_incidence: f64,
}

impl Incidence {
    /// Estimates the curve. Ties are taken together; with nothing given it is empty, and nothing is claimed of it.
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

    /// The share it has happened to by `time`: `None` before the first event.
    pub fn incidence(&self, time: f64) -> f64 {
        self.at(time).map_or(0.0, |step| step.incidence)
    }

    /// The earliest time by which it has happened to the share `p` of all. The ends of its interval are where the
    /// log-log band's ends get so far.
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

    /// The last step at `time` or before.
    pub fn at(&self, time: f64) -> Option<&IncidenceStep> {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).and_then(|last| self.steps.get(last))
    }
}

impl IncidenceStep {
    /// The log-log interval: the share to the power of exp(-+ z sd(log(-log share))). It stays within 0..1. `None` at 0 and
    /// at 1, where the variance says nothing.
    pub fn log_log(&self) -> Option<ConfidenceInterval> {
        let log = self.incidence.ln();
        let half = Z * self.variance.sqrt() / (self.incidence * log.abs());
        let is_inside = 0.0 < self.incidence && self.incidence < 1.0 - SAME && half.is_finite();
        is_inside.then(|| ConfidenceInterval { low: (log * half.exp()).exp(), high: (log * (-half).exp()).exp() })
    }
}

impl VarianceSums {
    /// Of `n` who waited it happened to `e`, and `d` ended in all; `before` is the share that waited.
    fn add(&mut self, (n, e, d): (f64, f64, f64), before: f64, incidence: f64) {
        // When all are gone the incidence stays as it is from then on: its distance to what it will be is none.
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
