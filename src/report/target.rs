//! Whether a target is met: the one function that every report, drill and simulation asks.
//!
//! A target is a promise about people: so many of a hundred are engaged within the bound. So it is held against the
//! cumulative incidence of engagement ([`super::incidence`]): a role that was covered by another one, let go, or whose
//! incident was closed before anybody had answered was not engaged. Only what is still waiting is left open, and what
//! that may become is in the interval.

use crate::{
    core::{EngagementOutcome, EngagementTarget, Incident, RoleName, Timestamp},
    report::{
        binomial::clopper_pearson,
        ended::Ended,
        incidence::{Ending, EndingKind, Incidence},
        incident_timeline::seconds,
        survival::{CONFIDENCE, ConfidenceInterval},
    },
};
use serde::{Deserialize, Serialize};

/// What is nearer to 1 is 1: sums of fractions are rounded.
const SAME: f64 = 1e-12;

/// By how much of itself an effective sample size may be off by rounding alone.
const ROUNDING: f64 = 1e-9;

/// A target and what was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetReport {
    /// The bound, in seconds.
    pub within: f64,
    /// Of a hundred.
    pub percent: f64,
    /// The share that was engaged within the bound; `None` if it is not known for anybody.
    pub share: Option<ReachedShare>,
    /// Whether the target is met.
    pub verdict: TargetVerdict,
}

/// Whether a target is met, with the confidence of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetVerdict {
    /// The whole interval is at the target or above.
    Met,
    /// The whole interval is below.
    NotMet,
    /// The target lies within the interval.
    TooFew,
}

/// The share engaged by some time, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReachedShare {
    /// The estimate.
    pub share: f64,
    /// What it would be if all were engaged in time who are still waited for and whom nobody has watched for so long.
    /// More than the estimate only if there is no other one to judge those by.
    pub most: f64,
    /// Clopper and Pearson's interval on the effective sample size, from the estimate's lower end to the upper end of
    /// [`ReachedShare::most`].
    pub interval: ConfidenceInterval,
    /// How many subjects, watched to their end, would be as informative.
    pub effective_n: f64,
}

/// Holds what was seen against a target.
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

/// Whether this one was engaged within so many seconds; `None` if nobody has watched it for so long.
pub fn in_time(ending: &Ending, within: f64) -> Option<bool> {
    match ending.how {
        EndingKind::Waiting if ending.time < within => None,
        EndingKind::Happened => Some(ending.time <= within),
        EndingKind::Waiting | EndingKind::Otherwise => Some(false),
    }
}

/// Whether this role met its own target by `now`; `None` if nobody can say: it has none, its pages were kept in the
/// sandbox, or nobody has watched it for so long.
pub fn role_in_time(incident: &Incident, role: &RoleName, now: Timestamp) -> Option<bool> {
    let target = incident.plan.roles.get(role).and_then(|row| row.target)?;
    let engagement = incident.engagements.get(role).filter(|_| !incident.is_role_sandboxed(role))?;
    let until = engagement.outcome.as_ref().map_or(now, EngagementOutcome::at).max(engagement.entered_at);
    let ended = Ended::of(incident, engagement).after(seconds(engagement.entered_at, until));
    in_time(&ended, target.within.as_secs_f64())
}

/// How many, all of them in time, are the first that show `percent`: the least n of which n is enough for
/// [`TargetVerdict::Met`]. `None` for 100 %, of which nobody can ever be sure.
pub fn enough(percent: f64) -> Option<u32> {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let n = (tail.ln() / (percent / 100.0).ln()).ceil();
    (percent < 100.0 && n.is_finite()).then_some(n as u32)
}

/// What the figures show of the percentage, as a part of a sentence: `shows 90 %`, `too few to say of 90 %, 36 in time and
/// none late would`.
pub fn shown_in_words(target: &TargetReport) -> String {
    let percent = target.percent;
    match (target.verdict, enough(percent)) {
        (TargetVerdict::Met, _) => format!("shows {percent} %"),
        (TargetVerdict::NotMet, _) => format!("shows less than {percent} %"),
        (TargetVerdict::TooFew, Some(n)) => format!("too few to say of {percent} %, {n} in time and none late would"),
        (TargetVerdict::TooFew, None) => format!("no number of runs shows {percent} %"),
    }
}

/// The ending of something that needs all of these: it happens with the last of them, and cannot any more as soon as
/// one of them has ended otherwise. None of none.
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
    /// The share by `time`, with an interval that holds for few subjects too: Clopper and Pearson's, on the effective
    /// sample size F (1 - F) / var F (F. J. Dorey, E. L. Korn, *Effective Sample Sizes for Confidence Intervals for
    /// Survival Probabilities*, Statistics in Medicine 6 (1987) 679-687, for a cumulative incidence). That is never taken
    /// for more than those whose fate by `time` is known: the variance does not see that a long flat end of the curve
    /// rests on one subject. With nobody censored it is their number, and the interval the exact one. `None` if of
    /// nobody the fate is known.
    pub fn by(seen: &Incidence, time: f64) -> Option<Self> {
        let lost: usize = seen.steps.iter().filter(|step| step.time < time).map(|step| step.censored).sum();
        let known = seen.n.saturating_sub(lost) as f64;
        let step = seen.at(time);
        let share = step.map_or(0.0, |step| step.incidence);
        let share = if 1.0 - SAME < share { 1.0 } else { share };
        let formula = step.map_or(f64::INFINITY, |step| share * (1.0 - share) / step.variance);
        // At 0 and 1 the formula says nothing; if nobody is censored it is their number but for rounding.
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
