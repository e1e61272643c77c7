//! Time to engagement over many incidents. Who was never engaged is not left out: a role that was covered, closed
//! without an answer or is still open is censored at that moment, so that silence makes the figures worse.
//!
//! A role's clock begins with its ladder: for a role that the trigger demands when the incident was opened, for one that
//! stands in when it was entered. A step's begins when it is entered, a channel's with its first page, and what engages
//! is the answer to a page of that step or channel; an answer to no page (the command line) counts for the step that
//! the role was on and for no channel. An incident's own is that of the last role it demands. Drills and the real thing
//! are never in the same figures; what was kept in the sandbox is in none, unless it is asked for; and what asks nobody
//! for anything (the announcement of a drill) is no incident.

use super::{
    Gather, facts,
    stages::{StageReport, StageTally},
    story::{RoleStory, Story, seconds},
    survival::{Curve, Observation, Quantile, Share},
};
use crate::core::{Finding, RoleName, Target, Timestamp};
use chrono::Timelike;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Points of a curve that a report carries; what is more is thinned out.
pub const CURVE_POINTS_MAX: usize = 500;

/// What engagements are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The role.
    #[default]
    Role,
    /// The role and its step.
    Step,
    /// The channel.
    Channel,
    /// The hour of the day at which the incident was opened.
    Hour,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Only incidents opened then or later.
    pub since: Option<Timestamp>,
    /// Only this role.
    pub role: Option<RoleName>,
    /// Sorted by what.
    pub by: By,
    /// Drills instead of the real thing.
    pub drills: bool,
    /// Incidents that turned out to be duplicates too.
    pub duplicates: bool,
    /// Incidents too of which pages were kept in the sandbox and sent to nobody.
    pub sandbox: bool,
    /// The zone of the hours; UTC where none is named.
    pub zone: Option<chrono_tz::Tz>,
    /// With the points of each curve, for pictures.
    pub curves: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TteReport {
    /// Only incidents opened then or later.
    pub since: Option<Timestamp>,
    /// When it was made; what was open then is censored there.
    pub until: Timestamp,
    /// Drills instead of the real thing.
    pub drills: bool,
    /// Sorted by what.
    pub by: By,
    /// Only this role.
    pub role: Option<RoleName>,
    /// The zone of the hours.
    pub zone: String,
    /// Incidents that were counted.
    pub incidents: usize,
    /// Incidents left out because they were duplicates.
    pub duplicates_left_out: usize,
    /// Incidents left out because pages of them were kept in the sandbox and sent to nobody.
    #[serde(default)]
    pub sandboxed_left_out: usize,
    /// Such incidents that were counted, because they were asked for.
    #[serde(default)]
    pub sandboxed: usize,
    /// Incidents whose journal could not be read.
    pub unreadable: usize,
    /// One a role, step, channel or hour.
    pub groups: Vec<GroupReport>,
    /// Whole incidents: all required roles engaged.
    pub whole: GroupReport,
    /// When each stage was reached, a role; only of roles that a trigger demands.
    pub stages: Vec<StageReport>,
}

/// One group's figures. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// What it is called.
    pub name: String,
    /// How many there were.
    pub n: usize,
    /// How many of them were engaged; the others are censored.
    pub engaged: usize,
    /// The median.
    pub p50: Quantile,
    /// Nine of ten.
    pub p90: Quantile,
    /// Ninety-nine of a hundred.
    pub p99: Quantile,
    /// The target and whether it is met; none where the group is no role or has none.
    pub target: Option<TargetReport>,
    /// The curve, where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
}

/// A target: the newest that the role had.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetReport {
    /// The bound, in seconds.
    pub within: f64,
    /// Of a hundred.
    pub percent: f64,
    /// The share that was engaged within the bound; none where nothing is known of it.
    pub share: Option<Share>,
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

/// The share engaged by a time, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// In seconds.
    pub time: f64,
    /// 0 to 1.
    pub share: f64,
    /// The lower end of the log-log interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How many were last looked at here, not engaged.
    pub censored: usize,
}

/// Gathers incidents, one at a time, newest first; holds a few numbers of each, never the incident.
#[derive(Debug)]
pub struct Tally {
    question: Question,
    incidents: usize,
    duplicates: usize,
    sandboxed: usize,
    unreadable: usize,
    groups: BTreeMap<String, Group>,
    whole: Group,
    stages: BTreeMap<RoleName, StageTally>,
}

#[derive(Debug, Default)]
struct Group {
    seen: Vec<Observation>,
    target: Option<Target>,
}

impl Gather for Tally {
    fn is_too_old(&self, opened_at: Timestamp) -> bool {
        self.question.since.is_some_and(|since| opened_at < since)
    }

    fn skip_unreadable(&mut self) {
        self.unreadable += 1;
    }

    fn add(&mut self, story: &Story, now: Timestamp) {
        let incident = &story.incident;
        let apart = incident.drill != self.question.drills || story.asks_nothing();
        if apart || self.is_too_old(incident.opened_at) {
            return;
        }
        let duplicate = incident.judgement.as_ref().is_some_and(|was| was.finding == Finding::Duplicate);
        if duplicate && !self.question.duplicates {
            self.duplicates += 1;
            return;
        }
        let sandboxed = incident.has_sandboxed_page();
        self.sandboxed += usize::from(sandboxed);
        if sandboxed && !self.question.sandbox {
            return;
        }
        self.incidents += 1;
        let mut roles = story.roles(now);
        self.add_whole(&roles);
        roles.retain(|role| self.question.role.as_ref().is_none_or(|wanted| *wanted == role.role));
        for role in &roles {
            self.add_role(story, role);
            if role.required {
                self.stages.entry(role.role.clone()).or_default().add(story, role);
            }
        }
    }
}

impl Tally {
    /// Before the first.
    pub fn new(question: Question) -> Self {
        Self {
            question,
            incidents: 0,
            duplicates: 0,
            sandboxed: 0,
            unreadable: 0,
            groups: BTreeMap::new(),
            whole: Group::default(),
            stages: BTreeMap::new(),
        }
    }

    fn add_whole(&mut self, roles: &[RoleStory]) {
        let longest = roles.iter().filter(|role| role.required).map(RoleStory::seconds).reduce(f64::max);
        if let Some(time) = longest {
            self.whole.seen.push(Observation { time, happened: facts::whole(roles).is_some() });
        }
    }

    fn add_role(&mut self, story: &Story, role: &RoleStory) {
        let own = Observation { time: role.seconds(), happened: role.engaged };
        match self.question.by {
            By::Role => self.group(role.role.to_string(), own, role.target),
            By::Hour => {
                let zone = self.question.zone.unwrap_or(chrono_tz::UTC);
                let hour = story.incident.opened_at.to_utc().with_timezone(&zone).hour();
                self.group(format!("{hour:02}:00"), own, None);
            }
            By::Step => {
                for step in &role.steps {
                    let answered = role.answer.as_ref().is_some_and(|answer| answer.step == Some(step.step));
                    let time = seconds(step.entered_at, role.until);
                    let name = format!("{} step {}", role.role, step.step + 1);
                    self.group(name, Observation { time, happened: answered }, None);
                }
            }
            By::Channel => {
                for (channel, first) in &role.channels {
                    let answered = role.answer.as_ref().is_some_and(|answer| answer.channel.as_ref() == Some(channel));
                    let time = seconds(*first, role.until);
                    self.group(channel.to_string(), Observation { time, happened: answered }, None);
                }
            }
        }
    }

    fn group(&mut self, name: String, seen: Observation, target: Option<Target>) {
        let group = self.groups.entry(name).or_default();
        group.seen.push(seen);
        group.target = group.target.or(target);
    }

    /// What was found, as of `now`.
    pub fn report(self, now: Timestamp) -> TteReport {
        let curves = self.question.curves;
        let group = |(name, group): (String, Group)| group.report(name, curves);
        TteReport {
            since: self.question.since,
            until: now,
            drills: self.question.drills,
            by: self.question.by,
            role: self.question.role,
            zone: self.question.zone.unwrap_or(chrono_tz::UTC).name().to_owned(),
            incidents: self.incidents,
            duplicates_left_out: self.duplicates,
            sandboxed_left_out: if self.question.sandbox { 0 } else { self.sandboxed },
            sandboxed: if self.question.sandbox { self.sandboxed } else { 0 },
            unreadable: self.unreadable,
            groups: self.groups.into_iter().map(group).collect(),
            whole: self.whole.report("whole incidents".into(), curves),
            stages: self.stages.into_iter().map(|(role, tally)| tally.report(role)).collect(),
        }
    }
}

impl Group {
    fn report(self, name: String, with_curve: bool) -> GroupReport {
        let curve = Curve::of(self.seen);
        GroupReport {
            name,
            n: curve.n,
            engaged: curve.events,
            p50: curve.quantile(0.5),
            p90: curve.quantile(0.9),
            p99: curve.quantile(0.99),
            target: self.target.map(|target| judged(&curve, target)),
            curve: if with_curve { points(&curve) } else { Vec::new() },
        }
    }
}

/// Holds a curve against a target.
pub fn judged(curve: &Curve, target: Target) -> TargetReport {
    let within = target.within.as_secs_f64();
    let share = curve.share_by(within);
    let wanted = target.percent / 100.0;
    let verdict = match share {
        Some(share) if wanted <= share.interval.low => TargetVerdict::Met,
        Some(share) if share.interval.high < wanted => TargetVerdict::NotMet,
        _ => TargetVerdict::TooFew,
    };
    TargetReport { within, percent: target.percent, share, verdict }
}

/// A curve's points, at most [`CURVE_POINTS_MAX`] and the last one always.
pub fn points(curve: &Curve) -> Vec<CurvePoint> {
    let every = curve.points.len().div_ceil(CURVE_POINTS_MAX).max(1);
    let last = curve.points.len().saturating_sub(1);
    let kept = curve.points.iter().enumerate().filter(|(n, _)| n % every == 0 || *n == last);
    kept.map(|(_, point)| CurvePoint {
        time: point.time,
        share: 1.0 - point.survival,
        low: point.log_log().map(|band| 1.0 - band.high),
        high: point.log_log().map(|band| 1.0 - band.low),
        censored: point.censored,
    })
    .collect()
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

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role => "role",
            Self::Step => "step",
            Self::Channel => "channel",
            Self::Hour => "hour",
        })
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Role, Self::Step, Self::Channel, Self::Hour];
        let found = all.into_iter().find(|by| by.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is nothing to sort by: say role, step, channel or hour"))
    }
}
