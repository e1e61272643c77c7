//! Handoffs over many incidents: how long users waited until a person had their conversation, until one spoke to them, and
//! until it was done; how many left before anybody came, and how many needed nobody.
//!
//! Times are Kaplan-Meier estimates ([`super::survival`]): a user who left, and one who still waits, counts for as long as
//! they waited. Drills, and handoffs with pages that were kept in the sandbox, are left out. One that came out of hours asked
//! nobody: it is counted, and no time of it is.

use crate::{
    core::{
        EngagementOutcome, Event, HandoffState, HandoffStep, HandoffVerdict, Incident, RequestOutcome, Timestamp, Zone,
        handoff::WordingVariant,
    },
    report::{
        StoryTally,
        binomial::clopper_pearson,
        incident_timeline::IncidentTimeline,
        survival::{ConfidenceInterval, CurveQuantile, SurvivalCurve, SurvivalObservation},
    },
};
use chrono::Timelike;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How handoffs are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoffGrouping {
    /// The code of the reason.
    #[default]
    Reason,
    /// Warm or immediate.
    Tier,
    /// The role.
    Role,
    /// The hour of the day when it was opened.
    Hour,
    /// The wording that the user read.
    Variant,
}

/// A report on handoffs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffsReport {
    /// Only incidents opened at this time or later.
    pub since: Option<Timestamp>,
    /// When it was made.
    pub until: Timestamp,
    /// The grouping.
    pub by: HandoffGrouping,
    /// The time zone of the hours.
    pub zone: String,
    /// Left out because some of their pages were kept in the sandbox and sent to nobody.
    pub sandboxed_left_out: usize,
    /// Incidents whose journal could not be read.
    pub unreadable: usize,
    /// One for each reason, tier, role, hour or wording.
    pub groups: Vec<HandoffGroup>,
    /// All of them.
    pub whole: HandoffGroup,
}

/// The figures of a group; times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffGroup {
    /// Its name.
    pub name: String,
    /// How many there were.
    pub handoffs: usize,
    /// How many came out of hours.
    pub out_of_hours: usize,
    /// The median time until a person had it.
    pub taken: CurveQuantile,
    /// The median time until a person spoke to the user.
    pub connected: CurveQuantile,
    /// The median time until it was done.
    pub done: CurveQuantile,
    /// Users who left before a person had it, among those who waited.
    pub left: HandoffShare,
    /// Those whom nobody took in time, among those who waited.
    pub unanswered: HandoffShare,
    /// Those that needed nobody, among the finished ones.
    pub not_needed: HandoffShare,
    /// How many a person gave back to the machine.
    pub returned: usize,
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffShare {
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The interval of the share (Clopper-Pearson); none of nothing.
    pub interval: Option<ConfidenceInterval>,
}

impl HandoffShare {
    fn new(count: usize, of: usize) -> Self {
        Self { count, of, interval: clopper_pearson(count as f64, of as f64) }
    }
}

/// One handoff.
#[derive(Debug, Clone)]
struct MeasuredHandoff {
    state: HandoffState,
    /// Nothing out of hours.
    times: Option<[SurvivalObservation; 3]>,
    was_taken: bool,
    needed: Option<bool>,
}

/// Gathers handoffs, one incident at a time.
#[derive(Debug)]
pub struct HandoffTally {
    since: Option<Timestamp>,
    by: HandoffGrouping,
    zone: Zone,
    sandboxed: usize,
    unreadable: usize,
    groups: BTreeMap<String, Vec<MeasuredHandoff>>,
}

impl HandoffTally {
    /// A tally without any yet; it will count only incidents opened at `since` or later.
    pub fn new(since: Option<Timestamp>, by: HandoffGrouping, zone: Option<Zone>) -> Self {
        let zone = zone.unwrap_or_else(Zone::utc);
        Self { since, by, zone, sandboxed: 0, unreadable: 0, groups: BTreeMap::new() }
    }

    /// The figures as of `now`.
    pub fn report(self, now: Timestamp) -> HandoffsReport {
        let all: Vec<&MeasuredHandoff> = self.groups.values().flatten().collect();
        let whole = group("all", &all);
        let groups = self.groups.iter().map(|(name, of)| group(name, &of.iter().collect::<Vec<_>>())).collect();
        HandoffsReport {
            since: self.since,
            until: now,
            by: self.by,
            zone: self.zone.name().to_owned(),
            sandboxed_left_out: self.sandboxed,
            unreadable: self.unreadable,
            groups,
            whole,
        }
    }

    fn name(&self, incident: &Incident) -> Option<String> {
        let terms = incident.request.as_ref()?.ask.handoff.as_ref()?;
        Some(match self.by {
            HandoffGrouping::Reason => terms.reason.code.clone(),
            HandoffGrouping::Tier => terms.tier.as_str().to_owned(),
            HandoffGrouping::Role => incident.plan.required.first().map_or("-".to_owned(), ToString::to_string),
            HandoffGrouping::Hour => {
                format!("{:02}", incident.opened_at.to_utc().with_timezone(&self.zone).hour())
            }
            HandoffGrouping::Variant => match terms.variant {
                Some(WordingVariant::A) => "a".to_owned(),
                Some(WordingVariant::B) => "b".to_owned(),
                None => "-".to_owned(),
            },
        })
    }
}

impl StoryTally for HandoffTally {
    fn is_too_old(&self, opened_at: Timestamp) -> bool {
        self.since.is_some_and(|since| opened_at < since)
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(event, Event::HandoffMoved(_))
    }

    fn skip_unreadable(&mut self) {
        self.unreadable += 1;
    }

    fn add(&mut self, timeline: &IncidentTimeline, now: Timestamp) {
        let incident = &timeline.incident;
        let Some(name) = self.name(incident).filter(|_| !incident.drill && !self.is_too_old(incident.opened_at)) else {
            return;
        };
        if incident.has_sandboxed_page() {
            self.sandboxed += 1;
            return;
        }
        self.groups.entry(name).or_default().extend(measured(timeline, now));
    }
}

fn measured(timeline: &IncidentTimeline, now: Timestamp) -> Option<MeasuredHandoff> {
    let incident = &timeline.incident;
    let request = incident.request.as_ref()?;
    let state = request.handoff_state()?;
    let closed = request.ask.handoff.as_ref().is_some_and(|terms| terms.closed.is_some());
    let ended = request.ended.as_ref().map(|(_, at)| *at);
    let taken = first_taken(incident);
    let connected = timeline.records.iter().find_map(|record| match &record.event {
        Event::HandoffMoved(moved) if moved.step == HandoffStep::Connect && moved.verdict == HandoffVerdict::Done => {
            Some(record.at)
        }
        _ => None,
    });
    let is_done = matches!(state, HandoffState::Completed | HandoffState::Returned);
    let seen = |at: Option<Timestamp>| SurvivalObservation {
        time: at.or(ended).unwrap_or(now).since(incident.opened_at).as_secs_f64(),
        happened: at.is_some(),
    };
    let needed = match request.outcome() {
        Some(RequestOutcome::Completed { result, .. }) => Some(result.needed),
        _ => None,
    };
    let times = [seen(taken), seen(connected), seen(ended.filter(|_| is_done))];
    Some(MeasuredHandoff { state, times: (!closed).then_some(times), was_taken: taken.is_some(), needed })
}

/// When a person first had it, whether they gave it up later or not.
pub fn first_taken(incident: &Incident) -> Option<Timestamp> {
    let taken = incident.engagements.values().flat_map(|engagement| {
        let now = match engagement.outcome {
            Some(EngagementOutcome::Engaged { at, .. }) => Some(at),
            _ => None,
        };
        engagement.handed_back.iter().filter(|back| back.of.is_none()).map(|back| back.taken_at).chain(now)
    });
    taken.min()
}

fn group(name: &str, of: &[&MeasuredHandoff]) -> HandoffGroup {
    let waited: Vec<&[SurvivalObservation; 3]> = of.iter().filter_map(|one| one.times.as_ref()).collect();
    let median = |n: usize| SurvivalCurve::of(waited.iter().map(|times| times[n])).quantile(0.5);
    let count = |test: &dyn Fn(&MeasuredHandoff) -> bool| of.iter().filter(|one| test(one)).count();
    let left = count(&|one| one.state == HandoffState::Cancelled && !one.was_taken);
    let unanswered = count(&|one| one.state == HandoffState::Unanswered && one.times.is_some());
    HandoffGroup {
        name: name.to_owned(),
        handoffs: of.len(),
        out_of_hours: of.len() - waited.len(),
        taken: median(0),
        connected: median(1),
        done: median(2),
        left: HandoffShare::new(left, waited.len()),
        unanswered: HandoffShare::new(unanswered, waited.len()),
        not_needed: HandoffShare::new(count(&|one| one.needed == Some(false)), count(&|one| one.needed.is_some())),
        returned: count(&|one| one.state == HandoffState::Returned),
    }
}

impl HandoffGrouping {
    const ALL: [Self; 5] = [Self::Reason, Self::Tier, Self::Role, Self::Hour, Self::Variant];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Tier => "tier",
            Self::Role => "role",
            Self::Hour => "hour",
            Self::Variant => "variant",
        }
    }
}

impl fmt::Display for HandoffGrouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HandoffGrouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|by| by.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no grouping: reason, tier, role, hour or variant"))
    }
}
