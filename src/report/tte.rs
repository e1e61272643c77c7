//! Time to engagement over many incidents. Roles that were never engaged are not left out: a role that was covered,
//! stood down or closed without an answer was not engaged by people, and only a role that is still open is censored
//! ([`super::incidence`]). So silence makes the figures worse.
//!
//! A role's time begins with its ladder: for a required role when the incident is opened, for a role that stands in
//! when it is entered. A step's time begins when it is entered, a channel's with its first page. They are engaged by an
//! answer to a page of that step or channel. An answer without a page (the command line) counts for no channel, and for a
//! step only if that one alone asked its person. An answer to a page of before the role was handed back counts for none.
//! Each time that a role was asked for is a sample of its own ([`super::entries`]): one that
//! was handed back counts once until then, as handed back and not as engaged, and once from the hand-back on. The time of an incident is that of its
//! last required role, from the opening to the engagement that stood. Drills and live incidents are never in the same figures, and neither are drills with divided waits and drills
//! at the matrix's own pace. Incidents in the sandbox are left out unless requested. An incident that asks nobody for
//! anything (the announcement of a drill) does not count.

use crate::{
    core::{ClassificationKind, EngagementTarget, Event, IncidentId, Page, PersonName, RoleName, Timestamp, Zone},
    report::{
        StoryTally,
        ended::Ended,
        entries::{RoleEntry, entries},
        group::{GroupReport, TteGroup},
        incidence::Ending,
        incident_timeline::{IncidentTimeline, RoleTimeline, seconds},
        stages::{StageReport, StageTally},
        target::all_of,
    },
};
use chrono::Timelike;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How engagements are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TteGrouping {
    /// The role.
    #[default]
    Role,
    /// The role and its step.
    Step,
    /// The channel.
    Channel,
    /// The hour of the day when the incident was opened.
    Hour,
}

/// The question.
#[derive(Debug, Clone, Default)]
pub struct TteQuestion {
    /// Only incidents opened at this time or later.
    pub since: Option<Timestamp>,
    /// Only this role.
    pub role: Option<RoleName>,
    /// The grouping.
    pub by: TteGrouping,
    /// Drills instead of live incidents.
    pub drills: bool,
    /// Whether duplicates count too.
    pub duplicates: bool,
    /// Whether incidents count that had pages in the sandbox, which were sent to nobody.
    pub sandbox: bool,
    /// The time zone of the hours; by default UTC.
    pub zone: Option<Zone>,
    /// Whether to include the points of each curve, for pictures.
    pub curves: bool,
}

/// A report on time to engagement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TteReport {
    /// Only incidents opened at this time or later.
    pub since: Option<Timestamp>,
    /// The time of the report; incidents that were open then are censored at this time.
    pub until: Timestamp,
    /// Drills instead of live incidents.
    pub drills: bool,
    /// The grouping.
    pub by: TteGrouping,
    /// Only this role.
    pub role: Option<RoleName>,
    /// The time zone of the hours.
    pub zone: String,
    /// What people call the roles in these figures, where that is not their name in the matrix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<RoleName, String>,
    /// Incidents left out because they were duplicates.
    pub duplicates_left_out: usize,
    /// Incidents left out because some of their pages were kept in the sandbox and sent to nobody.
    #[serde(default)]
    pub sandboxed_left_out: usize,
    /// Incidents whose journal could not be read.
    pub unreadable: usize,
    /// The figures; for drills, only those at the matrix's own pace.
    #[serde(flatten)]
    pub figures: GroupFigures,
    /// The figures of drills with divided waits, separately for each divisor. The people were not faster, so these
    /// figures say nothing about a real crisis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compressed: Vec<CompressedDrills>,
}

/// The figures of one pace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupFigures {
    /// The number of incidents.
    pub incidents: usize,
    /// How many of these had pages that were kept in the sandbox and sent to nobody; only if they were requested.
    #[serde(default)]
    pub sandboxed: usize,
    /// One for each role, step, channel or hour.
    pub groups: Vec<GroupReport>,
    /// Whole incidents: all required roles engaged.
    pub whole: GroupReport,
    /// When each stage was reached, for each required role.
    pub stages: Vec<StageReport>,
    /// Engagements that did not last because the role was handed back: newest incidents first, at most
    /// [`HAND_BACKS_MAX`].
    #[schemars(length(max = HAND_BACKS_MAX))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_back: Vec<HandBackReport>,
    /// The total number of hand-backs.
    #[serde(default)]
    pub hand_backs: usize,
}

/// The largest number of hand-backs that a report lists.
pub const HAND_BACKS_MAX: usize = 50;

/// An engagement that was handed back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandBackReport {
    /// The incident.
    pub incident: IncidentId,
    /// The role.
    pub role: RoleName,
    /// The person who had it.
    pub person: PersonName,
    /// When they took it.
    pub taken_at: Timestamp,
    /// When they handed it back.
    pub at: Timestamp,
}

/// Drills with divided waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompressedDrills {
    /// The divisor.
    pub compress: u32,
    /// The figures.
    #[serde(flatten)]
    pub figures: GroupFigures,
}

/// Gathers incidents, one at a time, newest first; keeps a few numbers for each, never the incident.
#[derive(Debug)]
pub struct TteTally {
    question: TteQuestion,
    duplicates: usize,
    sandboxed_left_out: usize,
    unreadable: usize,
    /// What people call the roles: the newest incident is read first.
    called: BTreeMap<RoleName, String>,
    /// The figures by divisor; 1 is the matrix's own pace.
    paces: BTreeMap<u32, PaceFigures>,
}

/// The figures of one pace.
#[derive(Debug, Default)]
struct PaceFigures {
    incidents: usize,
    sandboxed: usize,
    groups: BTreeMap<String, TteGroup>,
    whole: TteGroup,
    stages: BTreeMap<RoleName, StageTally>,
    handed_back: Vec<HandBackReport>,
    hand_backs: usize,
}

impl StoryTally for TteTally {
    fn is_too_old(&self, opened_at: Timestamp) -> bool {
        self.question.since.is_some_and(|since| opened_at < since)
    }

    /// The events that show roles, steps, answers and hand-backs.
    fn wants(&self, event: &Event) -> bool {
        matches!(
            event,
            Event::RoleEntered { .. }
                | Event::StepEntered { .. }
                | Event::StoodDown { .. }
                | Event::Answered { .. }
                | Event::Engaged { .. }
                | Event::Covered { .. }
                | Event::HandedBack { .. }
                | Event::Reopened { .. }
        )
    }

    fn skip_unreadable(&mut self) {
        self.unreadable += 1;
    }

    fn add(&mut self, timeline: &IncidentTimeline, now: Timestamp) {
        let incident = &timeline.incident;
        let apart = incident.drill != self.question.drills || timeline.asks_nothing();
        if apart || self.is_too_old(incident.opened_at) {
            return;
        }
        let duplicate = incident.judgement.as_ref().is_some_and(|was| was.finding == ClassificationKind::Duplicate);
        if duplicate && !self.question.duplicates {
            self.duplicates += 1;
            return;
        }
        let sandboxed = incident.has_sandboxed_page();
        if sandboxed && !self.question.sandbox {
            self.sandboxed_left_out += 1;
            return;
        }
        let roles = timeline.roles(now);
        let compress = incident.terms.as_ref().map_or(1, |terms| terms.compress.max(1));
        let (question, pace) = (&self.question, self.paces.entry(compress).or_default());
        pace.incidents += 1;
        pace.sandboxed += usize::from(sandboxed);
        pace.add_whole(timeline, &roles);
        for role in roles.iter().filter(|role| question.role.as_ref().is_none_or(|wanted| *wanted == role.role)) {
            self.called.entry(role.role.clone()).or_insert_with(|| role.name.clone());
            for entry in entries(timeline, role) {
                pace.add_entry(question, timeline, role, &entry);
                if role.required {
                    pace.stages.entry(role.role.clone()).or_default().add(timeline, role, &entry);
                }
            }
            pace.add_hand_backs(timeline, role);
        }
    }
}

impl TteTally {
    /// A tally without any incidents yet.
    pub fn new(question: TteQuestion) -> Self {
        Self {
            question,
            duplicates: 0,
            sandboxed_left_out: 0,
            unreadable: 0,
            called: BTreeMap::new(),
            paces: BTreeMap::new(),
        }
    }

    /// The figures as of `now`.
    pub fn report(mut self, now: Timestamp) -> TteReport {
        let curves = self.question.curves;
        let figures = self.paces.remove(&1).unwrap_or_default().report(curves);
        let compressed = self.paces.into_iter();
        TteReport {
            since: self.question.since,
            until: now,
            drills: self.question.drills,
            by: self.question.by,
            role: self.question.role,
            zone: self.question.zone.map_or_else(|| Zone::utc().to_string(), |zone| zone.to_string()),
            called: self.called.into_iter().filter(|(role, called)| role.as_str() != called).collect(),
            duplicates_left_out: self.duplicates,
            sandboxed_left_out: self.sandboxed_left_out,
            unreadable: self.unreadable,
            figures,
            compressed: compressed
                .map(|(compress, pace)| CompressedDrills { compress, figures: pace.report(curves) })
                .collect(),
        }
    }
}

impl PaceFigures {
    fn add_hand_backs(&mut self, timeline: &IncidentTimeline, role: &RoleTimeline) {
        for back in role.handed_back.iter().filter(|back| back.of.is_none()) {
            self.hand_backs += 1;
            if self.handed_back.len() < HAND_BACKS_MAX {
                self.handed_back.push(HandBackReport {
                    incident: timeline.incident.id,
                    role: role.role.clone(),
                    person: back.person.clone(),
                    taken_at: back.taken_at,
                    at: back.at,
                });
            }
        }
    }

    /// Engaged with the last required role, and ended by the first of them that ended in another way.
    fn add_whole(&mut self, timeline: &IncidentTimeline, roles: &[RoleTimeline]) {
        let required = || roles.iter().filter(|role| role.required);
        let ended = |role: &RoleTimeline| Ended::of_role(&timeline.incident, &role.role);
        let endings: Vec<Ending> = required().map(|role| ended(role).after(role.seconds())).collect();
        let Some(whole) = all_of(endings.iter().copied()) else { return };
        let by = required().zip(&endings).find(|(_, ending)| **ending == whole).map(|(role, _)| ended(role));
        let waits = || required().map(ended).find(|ended| ended.how() == whole.how);
        let has_page = |role: &RoleTimeline| timeline.incident.briefs_of(&role.role).any(Page::may_be_read);
        let is_reached = required().all(|role| role.engaged || has_page(role));
        // The last one engaged may not be the one that is still open.
        if let Some(ended) = by.or_else(waits) {
            self.whole.add(ended, whole.time, is_reached, None);
        }
    }

    fn add_entry(
        &mut self,
        question: &TteQuestion,
        timeline: &IncidentTimeline,
        role: &RoleTimeline,
        entry: &RoleEntry,
    ) {
        let ended = entry.ended;
        let is_reached =
            |of: &dyn Fn(&Page) -> bool| entry.briefs(timeline, &role.role).any(|page| page.may_be_read() && of(page));
        let (steps, answer) = entry.steps(timeline, &role.role);
        // An engagement by another step or channel.
        let own = |answered: bool| if ended == Ended::Engaged && !answered { Ended::Elsewhere } else { ended };
        match question.by {
            TteGrouping::Role => {
                self.count(role.role.to_string(), ended, entry.seconds(), is_reached(&|_| true), role.target)
            }
            TteGrouping::Hour => {
                let zone = question.zone.clone().unwrap_or_else(Zone::utc);
                let hour = timeline.incident.opened_at.to_utc().with_timezone(&zone).hour();
                self.count(format!("{hour:02}:00"), ended, entry.seconds(), is_reached(&|_| true), None);
            }
            TteGrouping::Step => {
                for step in &steps {
                    let answered = answer.as_ref().is_some_and(|answer| answer.step == Some(step.step));
                    let time = seconds(step.entered_at, entry.until);
                    let name = format!("{} step {}", role.role, step.step + 1);
                    let is_reached = is_reached(&|page| step.step_entries.contains(&page.step_entry));
                    self.count(name, own(answered), time, is_reached, None);
                }
            }
            TteGrouping::Channel => {
                for (channel, first) in &entry.channels(timeline, &role.role) {
                    let answered = answer.as_ref().is_some_and(|answer| answer.channel.as_ref() == Some(channel));
                    let time = seconds(*first, entry.until);
                    let is_reached = is_reached(&|page| page.channel == *channel);
                    self.count(channel.to_string(), own(answered), time, is_reached, None);
                }
            }
        }
    }

    fn count(&mut self, name: String, ended: Ended, seconds: f64, is_reached: bool, target: Option<EngagementTarget>) {
        self.groups.entry(name).or_default().add(ended, seconds, is_reached, target);
    }

    fn report(self, curves: bool) -> GroupFigures {
        GroupFigures {
            incidents: self.incidents,
            sandboxed: self.sandboxed,
            groups: self.groups.into_iter().map(|(name, group)| group.report(name, curves)).collect(),
            whole: self.whole.report("whole incidents".into(), curves),
            stages: self.stages.into_iter().map(|(role, tally)| tally.report(role)).collect(),
            handed_back: self.handed_back,
            hand_backs: self.hand_backs,
        }
    }
}

impl fmt::Display for TteGrouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role => "role",
            Self::Step => "step",
            Self::Channel => "channel",
            Self::Hour => "hour",
        })
    }
}

impl FromStr for TteGrouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Role, Self::Step, Self::Channel, Self::Hour];
        let found = all.into_iter().find(|by| by.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is nothing to sort by: say role, step, channel or hour"))
    }
}
