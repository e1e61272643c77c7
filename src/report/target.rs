//! Whether a target is met: all reports, drills and simulations use this one function.
//!
//! A target is a promise about people: this percentage is engaged within the time limit. So it is compared with the
//! cumulative incidence of engagement ([`super::incidence`]). A role that was covered by another one, stood down, or
//! whose incident was closed before anybody had answered was not engaged. Only roles that still wait are undecided; the
//! interval includes what they may become.

use crate::{
    core::{Engagement, EngagementTarget, Incident, RoleName, Timestamp},
    report::{
        binomial::clopper_pearson,
        ended::Ended,
        incidence::{Ending, EndingKind, Incidence},
        incident_timeline::seconds,
        survival::{CONFIDENCE, ConfidenceInterval},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value this close to 1 is 1: sums of fractions are rounded.
const SAME: f64 = 1e-12;

/// The relative rounding error of an effective sample size.
const ROUNDING: f64 = 1e-9;

/// A target and its data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetReport {
    /// The time limit, in seconds.
    pub within: f64,
    /// The percentage, out of 100.
    pub percent: f64,
    /// The share that was engaged within the time limit; `None` if it is not known for anybody.
    pub share: Option<ReachedShare>,
    /// Whether the target is met.
    pub verdict: TargetVerdict,
}

/// Whether a target is met, at the confidence level of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetVerdict {
    /// The whole interval is at or above the target.
    Met,
    /// The whole interval is below the target.
    NotMet,
    /// The target lies within the interval.
    TooFew,
}

/// The share engaged by some time, and its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReachedShare {
    /// The estimate.
    pub share: f64,
    /// The share if everyone who still waits and was not watched for that long were engaged in time. It differs from
    /// the estimate only if there are no other data to judge them by.
    pub most: f64,
    /// The Clopper-Pearson interval for the effective sample size, from the estimate's lower end to the upper end of
    /// `most`.
    pub interval: ConfidenceInterval,
    /// The number of fully observed subjects that would give the same information.
    pub effective_n: f64,
}

/// Compares the data with a target.
pub fn judge(seen: &Incidence, target: EngagementTarget) -> TargetReport {
    let within = target.within.as_secs_f64();
    let share = ReachedShare::by(seen, within);
    let wanted = target.percent / 100.0;
    let verdict = match share {
        Some(share) if wanted <= share.interval.low => TargetVerdict::Met,
        Some(share) if share.interval.high < wanted => TargetVerdict::NotMet,
        _ => TargetVerdict::TooFew,
    };
    TargetReport { within, percent: target.percent, share, verdict }
}

/// Whether this one was engaged within this many seconds; `None` if it was not watched for that long.
pub fn in_time(ending: &Ending, within: f64) -> Option<bool> {
    match ending.how {
        EndingKind::Waiting if ending.time < within => None,
        EndingKind::Happened => Some(ending.time <= within),
        EndingKind::Waiting | EndingKind::Otherwise => Some(false),
    }
}

/// Seconds from when a role was last entered to its outcome; `None` while it is open. A required role is entered when
/// the incident is opened, one that stands in when its ladder begins, one that was handed back at that moment.
pub fn took(engagement: &Engagement) -> Option<f64> {
    let began = engagement.open_since();
    Some(seconds(began, engagement.outcome.as_ref()?.at().max(began)))
}

/// Time to engagement of a role in seconds, since it was last asked for: `None` unless it has its own required answer.
/// One that another role covers is not engaged.
pub fn engaged_after(engagement: &Engagement) -> Option<f64> {
    engagement.answered_at().and(took(engagement))
}

/// Whether this role met its own target by `now`; `None` if that is unknown: it has no target, its pages were kept in
/// the sandbox, or it was not watched for that long.
pub fn role_in_time(incident: &Incident, role: &RoleName, now: Timestamp) -> Option<bool> {
    let target = incident.plan.roles.get(role).and_then(|row| row.target)?;
    let engagement = incident.engagements.get(role).filter(|_| !incident.is_role_sandboxed(role))?;
    let lasted = took(engagement).unwrap_or_else(|| seconds(engagement.open_since(), now.max(engagement.open_since())));
    let ended = Ended::of(incident, engagement).after(lasted);
    in_time(&ended, target.within.as_secs_f64())
}

/// The smallest number of subjects that shows `percent` if all of them are in time: the smallest n for which n of n is
/// [`TargetVerdict::Met`]. `None` for 100 %, which no sample can show.
pub fn enough(percent: f64) -> Option<u32> {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let n = (tail.ln() / (percent / 100.0).ln()).ceil();
    (percent < 100.0 && n.is_finite()).then_some(n as u32)
}

/// What the figures show about the percentage, as part of a sentence: `shows 90 %`, `too few to say of 90 %, 36 in time
/// and none late would`.
pub fn shown_in_words(target: &TargetReport) -> String {
    let percent = target.percent;
    match (target.verdict, enough(percent)) {
        (TargetVerdict::Met, _) => format!("shows {percent} %"),
        (TargetVerdict::NotMet, _) => format!("shows less than {percent} %"),
        (TargetVerdict::TooFew, Some(n)) => format!("too few to say of {percent} %, {n} in time and none late would"),
        (TargetVerdict::TooFew, None) => format!("no number of runs shows {percent} %"),
    }
}

/// The ending of something that needs all of these: it happens with the last of them, and becomes impossible as soon as
/// one of them has ended in another way. `None` without any.
pub fn all_of(endings: impl IntoIterator<Item = Ending> + Clone) -> Option<Ending> {
    let times = |how| endings.clone().into_iter().filter(move |ending: &Ending| ending.how == how).map(|e| e.time);
    if let Some(time) = times(EndingKind::Otherwise).reduce(f64::min) {
        return Some(Ending { time, how: EndingKind::Otherwise });
    }
    let how = if times(EndingKind::Waiting).next().is_some() { EndingKind::Waiting } else { EndingKind::Happened };
    let time = endings.into_iter().map(|ending| ending.time).reduce(f64::max)?;
    Some(Ending { time, how })
}

impl ReachedShare {
    /// The share by `time`, with an interval that is also valid for few subjects: the Clopper-Pearson interval for the
    /// effective sample size F (1 - F) / var F (F. J. Dorey, E. L. Korn, *Effective Sample Sizes for Confidence
    /// Intervals for Survival Probabilities*, Statistics in Medicine 6 (1987) 679-687, for a cumulative incidence). The
    /// effective sample size never exceeds the number of subjects whose outcome by `time` is known, because the
    /// variance does not show that a long flat end of the curve depends on one subject. Without censoring it is that
    /// number, and the interval is exact. `None` if no outcome is known.
    pub fn by(seen: &Incidence, time: f64) -> Option<Self> {
        let lost: usize = seen.steps.iter().filter(|step| step.time < time).map(|step| step.censored).sum();
        let known = seen.n.saturating_sub(lost) as f64;
        let step = seen.at(time);
        let share = step.map_or(0.0, |step| step.incidence);
        let share = if 1.0 - SAME < share { 1.0 } else { share };
        let formula = step.map_or(f64::INFINITY, |step| share * (1.0 - share) / step.variance);
        // At 0 and 1 the formula says nothing; without censoring it is the number of subjects apart from rounding.
        let is_less = 0.0 < formula && formula < known * (1.0 - ROUNDING);
        let effective_n = if is_less { formula } else { known };
        let is_watched = seen.steps.last().is_some_and(|last| time <= last.time);
        let open = if is_watched { 0.0 } else { step.map_or(0.0, |step| step.waiting) };
        let most = (share + open).min(1.0);
        let interval = ConfidenceInterval {
            low: clopper_pearson(share * effective_n, effective_n)?.low,
            high: clopper_pearson(most * effective_n, effective_n)?.high,
        };
        Some(Self { share, most, interval, effective_n })
    }
}

impl TargetVerdict {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::TooFew => "too few to say",
        }
    }
}
