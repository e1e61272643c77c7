//! Incidents in the form of the API's JSON, which `stentor show` also prints.

use super::{
    asked_view::AskedView,
    page_view::{PageView, after},
};
use crate::{
    core::{
        AllClear, Classification, EngagementOutcome, HandBack, Incident, IncidentStatus, OverflowKeys, Page,
        SandboxedCount, Timestamp,
        display_names::IncidentNames,
        engagement::Engagement,
        names::{PersonName, RoleName},
        role_words::{NamedReader, who_has},
        tier::TierDecision,
    },
    engine::RuntimeConfig,
    report::target::{engaged_after, role_in_time, took},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One incident with its roles.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IncidentView {
    /// `INC-42`.
    pub id: String,
    /// The mark beside its number in ids for other systems, which makes them unique; empty for incidents of older
    /// versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// Whether it is a drill.
    pub drill: bool,
    /// How many of its messages were kept in the sandbox and sent to nobody; `None` if none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxedCount>,
    /// The trigger that opened it.
    pub trigger: String,
    /// Its deduplication key.
    pub key: String,
    /// A summary in one line.
    pub summary: String,
    /// What is asked, if it is a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedView>,
    /// `open` or `resolved`.
    pub status: String,
    /// Who closed it.
    pub resolved_by: Option<String>,
    /// When it was closed.
    pub resolved_at: Option<Timestamp>,
    /// Its classification: `true`, `false`, `benign`, `duplicate`; `None` until somebody gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Classification>,
    /// When it was committed.
    pub opened_at: Timestamp,
    /// When it began, as the monitor says.
    pub detected_at: Option<Timestamp>,
    /// When the whole alert had been received.
    pub received_at: Timestamp,
    /// How urgently people are engaged, and why, where the matrix decides that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierDecision>,
    /// How many alerts belong to it.
    pub alerts: u64,
    /// How many all-clears of its monitors came.
    #[serde(default)]
    pub all_clears: u64,
    /// What it counts, if it is the overflow of its trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow: Option<OverflowView>,
    /// Since when the monitor is silent.
    pub silent_since: Option<Timestamp>,
    /// When the monitor reported that it is over.
    pub all_clear_at: Option<Timestamp>,
    /// Who has been told that it is over; `None` before it is.
    pub all_clear: Option<AllClear>,
    /// The ids of its rooms, by channel.
    pub rooms: BTreeMap<String, String>,
    /// Its roles: the required ones first.
    pub roles: Vec<RoleView>,
    /// Its messages: at most [`PAGES_MAX`].
    #[schemars(length(max = PAGES_MAX))]
    pub pages: Vec<PageView>,
    /// How many messages came before these.
    #[serde(default, skip_serializing_if = "is_none_before")]
    pub pages_before: usize,
}

/// The most messages in one answer; the newest, unless others are asked for.
pub const PAGES_MAX: usize = 5_000;

fn is_none_before(count: &usize) -> bool {
    *count == 0
}

/// What an overflow incident counts: the keys of incidents that its trigger would have opened.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OverflowView {
    /// How many keys.
    pub counted: usize,
    /// How many of them are over, as their monitor says.
    pub over: usize,
    /// Whether alerts with further keys came, which are not told apart.
    pub further: bool,
    /// The first keys that are not over, at most [`OVERFLOW_SHOWN`].
    #[schemars(length(max = OVERFLOW_SHOWN))]
    pub firing: Vec<String>,
}

/// The most keys of an overflow incident that are named.
pub const OVERFLOW_SHOWN: usize = 20;

impl OverflowView {
    fn of(overflow: &OverflowKeys) -> Self {
        Self {
            counted: overflow.counted(),
            over: overflow.over(),
            further: overflow.has_further(),
            firing: overflow.firing().take(OVERFLOW_SHOWN).map(ToString::to_string).collect(),
        }
    }
}

/// One role, with the stages of its time to engagement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RoleView {
    /// Its name in the matrix.
    pub role: String,
    /// What people read in its place, if its row in the matrix has a `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the trigger requires it; else it was entered instead of another role.
    pub required: bool,
    /// `paging`, `engaged`, `covered`, `handed over`, `exhausted`, `stood down`, `closed`.
    pub state: String,
    /// The same in words for people: who has it, or who is asked for it.
    #[serde(default)]
    pub says: String,
    /// The person who has it, by display name.
    pub holder: Option<String>,
    /// The role that covers it.
    pub covered_by: Option<String>,
    /// The people who handed it back, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_back: Vec<HandBackView>,
    /// Whether pages of it were kept in the sandbox: then its times say nothing about people who are really paged.
    #[serde(default)]
    pub sandbox: bool,
    /// Its current step, from 1.
    pub step: usize,
    /// The number of steps of its ladder.
    pub steps: usize,
    /// When the next step is due.
    pub deadline: Option<Timestamp>,
    /// When it was last entered, in milliseconds after the incident was opened: when its ladder began (0 for a role that
    /// the trigger demands), or when it was handed back.
    #[serde(default)]
    pub entered: f64,
    /// Its stages, in milliseconds after the incident was opened; negative means before.
    pub stages: StagesView,
    /// Time to engagement, in milliseconds since it was last entered; the same as in reports. `None` unless the role has
    /// its own required answer.
    pub tte_ms: Option<f64>,
    /// When another role's answer covered it, in milliseconds since it was last entered. That never counts as engaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_ms: Option<f64>,
    /// The target, in milliseconds.
    pub target_ms: Option<f64>,
    /// The percentage of engagements that must meet the target.
    pub target_percent: Option<f64>,
    /// Whether it met its target; `None` while that is unknown. `false` as soon as its target has passed.
    #[serde(default)]
    pub in_time: Option<bool>,
}

/// A hand-back of a role.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HandBackView {
    /// The person, by display name.
    pub person: String,
    /// The role that they handed back, if it is another one, which covered this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When they took it, in milliseconds after the incident was opened.
    pub taken: f64,
    /// When they handed it back, in milliseconds after the incident was opened.
    pub at: f64,
}

impl RoleView {
    /// Its name, as people read it.
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.role)
    }

    /// Whether somebody must still be found.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "paging" | "handed over" | "exhausted")
    }
}

/// When each stage was first reached, in milliseconds after the incident was opened.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct StagesView {
    /// The monitor detected it.
    pub detected: Option<f64>,
    /// The whole alert had been received.
    pub accepted: Option<f64>,
    /// It was committed.
    pub committed: Option<f64>,
    /// The first page was sent: its first attempt began, and its channel has taken it or may have.
    pub sent: Option<f64>,
    /// The first provider accepted a page.
    pub provider_accepted: Option<f64>,
    /// The first page was delivered to a device.
    pub delivered: Option<f64>,
    /// The first page was shown to a person.
    pub seen: Option<f64>,
    /// The answer that engaged the role itself; `None` if it was covered.
    pub answered: Option<f64>,
    /// The role got its own required answer; `None` if it was covered.
    pub engaged: Option<f64>,
}

/// The view of an incident with its newest messages, as of `now`.
pub fn incident(live: &RuntimeConfig, incident: &Incident, now: Timestamp) -> IncidentView {
    let before = incident.pages.len().saturating_sub(PAGES_MAX);
    let mut newest: Vec<PageView> =
        incident.pages.values().rev().take(PAGES_MAX).map(|row| PageView::of(incident, row)).collect();
    newest.reverse();
    IncidentView { pages: newest, pages_before: before, ..without_pages(live, incident, now) }
}

/// The view of an incident with its first messages after that one; and whether there are more.
pub fn incident_after(live: &RuntimeConfig, incident: &Incident, after: u32, now: Timestamp) -> (IncidentView, bool) {
    let before = incident.pages.keys().take_while(|n| **n <= after).count();
    let rest = incident.pages.values().skip(before);
    let pages: Vec<PageView> = rest.take(PAGES_MAX).map(|row| PageView::of(incident, row)).collect();
    let more = before + pages.len() < incident.pages.len();
    (IncidentView { pages, pages_before: before, ..without_pages(live, incident, now) }, more)
}

/// The view of an incident without its messages.
pub fn without_pages(live: &RuntimeConfig, incident: &Incident, now: Timestamp) -> IncidentView {
    let (resolved_by, resolved_at) = match &incident.status {
        IncidentStatus::Open => (None, None),
        IncidentStatus::Resolved { by, at, .. } => (Some(by.to_string()), Some(*at)),
    };
    let mut roles: Vec<RoleView> =
        incident.engagements.iter().map(|(name, engagement)| role(live, incident, name, engagement, now)).collect();
    roles.sort_by_key(|role| !role.required);
    IncidentView {
        id: incident.id.to_string(),
        mark: incident.identity().mark(),
        drill: incident.drill,
        sandbox: incident.sandboxed(),
        trigger: incident.trigger.to_string(),
        key: incident.key.to_string(),
        summary: incident.about().to_owned(),
        asked: AskedView::of(live, incident),
        status: if incident.is_open() { "open" } else { "resolved" }.into(),
        resolved_by,
        resolved_at,
        outcome: incident.judgement.clone(),
        opened_at: incident.opened_at,
        detected_at: incident.detected_at,
        received_at: incident.received_at,
        tier: incident.plan.tier.clone(),
        alerts: incident.alerts,
        all_clears: incident.all_clears(),
        overflow: incident.overflow.as_deref().map(OverflowView::of),
        silent_since: incident.silent_since,
        all_clear_at: incident.all_clear_at,
        all_clear: incident.all_clear(),
        rooms: incident.rooms.iter().map(|(channel, room)| (channel.to_string(), room.id.clone())).collect(),
        roles,
        pages: Vec::new(),
        pages_before: 0,
    }
}

fn role(
    live: &RuntimeConfig,
    incident: &Incident,
    name: &RoleName,
    engagement: &Engagement,
    now: Timestamp,
) -> RoleView {
    let row = incident.plan.roles.get(name);
    let covered_by = match &engagement.outcome {
        Some(EngagementOutcome::Covered { by, .. }) => Some(by.to_string()),
        _ => None,
    };
    let target = row.and_then(|row| row.target);
    let holder: Option<&PersonName> = engagement.holder();
    let stages = stages(incident, name, engagement);
    let names = IncidentNames { plan: &incident.plan, people: &live.names };
    RoleView {
        role: name.to_string(),
        name: row.and_then(|row| row.name.clone()),
        required: engagement.required,
        state: engagement.state().into(),
        says: who_has(incident, engagement, &NamedReader { names: &names, reader: None }),
        holder: holder.map(|person| live.name_of(person).to_owned()),
        covered_ms: covered_by.as_ref().and(took(engagement)).map(|seconds| seconds * 1e3),
        covered_by,
        handed_back: engagement.handed_back.iter().map(|back| hand_back(live, incident, back)).collect(),
        sandbox: incident.is_role_sandboxed(name),
        step: engagement.step + 1,
        steps: row.map_or(0, |row| row.steps.len()),
        deadline: engagement.deadline,
        entered: after(incident, engagement.open_since()),
        tte_ms: engaged_after(engagement).map(|seconds| seconds * 1e3),
        stages,
        target_ms: target.map(|target| target.within.as_secs_f64() * 1e3),
        target_percent: target.map(|target| target.percent),
        in_time: role_in_time(incident, name, now),
    }
}

fn hand_back(live: &RuntimeConfig, incident: &Incident, back: &HandBack) -> HandBackView {
    HandBackView {
        person: live.name_of(&back.person).to_owned(),
        of: back.of.as_ref().map(ToString::to_string),
        taken: after(incident, back.taken_at),
        at: after(incident, back.at),
    }
}

fn stages(incident: &Incident, role: &RoleName, engagement: &Engagement) -> StagesView {
    let after = |at: Timestamp| after(incident, at);
    let briefs = || incident.briefs_of(role).filter(|page| engagement.open_since() <= page.born_at);
    let first = |stage: fn(&Page) -> Option<Timestamp>| briefs().filter_map(stage).min().map(after);
    StagesView {
        detected: incident.detected_at.map(after),
        accepted: Some(after(incident.received_at)),
        committed: Some(0.0),
        sent: first(Page::sent_at),
        provider_accepted: first(|page| page.stages.accepted),
        delivered: first(|page| page.stages.delivered),
        seen: first(|page| page.stages.seen),
        answered: engagement.answered_at().map(after),
        engaged: engagement.answered_at().map(after),
    }
}
