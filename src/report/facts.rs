//! The facts of one incident for a review: only what its journal contains, as text for a template.

use crate::{
    core::{
        Engagement, EngagementOutcome, Event, HandBack, IncidentStatus, Page, PagePurpose, PageReach, PageState,
        SendOutcome, StandIn, Timestamp, display_names::DisplayNames, drill::INJECTED, page::PageStage, sentence::told,
    },
    report::{
        actions::ReviewAction,
        bottleneck::{self, IncidentBottleneck},
        ended::Ended,
        entries::last_entry,
        findings::{self, IncidentFindings},
        incident_timeline::{IncidentTimeline, RoleTimeline, seconds},
        target::{engaged_after, role_in_time},
        texts::IncidentTexts,
        words::{after, bound, clock, maybe, moment, span},
    },
};
use serde::Serialize;

/// How many timeline lines a review shows: the first lines and as many of the last. The heading says how many are left
/// out.
pub const TIMELINE_MAX: usize = 400;

/// The same limit for the pages that it lists.
pub const PAGES_MAX: usize = 400;

/// One incident, ready for a template.
#[derive(Debug, Serialize)]
pub struct IncidentReport {
    id: String,
    word: &'static str,
    drill: bool,
    /// What stayed in the sandbox, in words; `None` if everything was sent.
    sandbox: Option<String>,
    /// Whether any role was required. Without one, statements about all roles are left out.
    asks: bool,
    /// Whether the drill was not played to its end: what it had not shown by then does not count as failed.
    broken_off: bool,
    /// Whether it is not broken off, but has not reached its end yet.
    running: bool,
    summary: String,
    trigger: String,
    key: String,
    matrix: String,
    source: String,
    alerts: u64,
    all_clears: u64,
    detected: Option<String>,
    received: String,
    opened: String,
    all_clear: Option<String>,
    silent_since: Option<String>,
    resolved: Option<String>,
    resolved_by: Option<String>,
    resolved_why: Option<String>,
    lasted: Option<String>,
    outcome: Option<String>,
    outcome_note: Option<String>,
    outcome_by: Option<String>,
    /// The time from the opening until the last required role was engaged; `None` if one never was.
    engaged_after: Option<String>,
    roles: Vec<RoleFacts>,
    pages: Vec<PageFacts>,
    pages_left_out: usize,
    texts: Vec<TextFacts>,
    timeline: Vec<LineFacts>,
    timeline_left_out: usize,
    bottleneck: Option<IncidentBottleneck>,
    #[serde(flatten)]
    findings: IncidentFindings,
}

#[derive(Debug, Serialize)]
struct RoleFacts {
    role: String,
    required: bool,
    /// How it ended or its current state, and whether a page of it ever reached anybody.
    state: String,
    holder: Option<String>,
    took: Option<String>,
    target: Option<String>,
    /// Whether this one was in time, which alone says little about the percentage; `None` if that is not known yet.
    met: Option<bool>,
    /// Why it is unknown whether its target was met, if it has one.
    not_judged: Option<String>,
    stages: StageFacts,
    /// The people who had it before and handed it back.
    handed_back: Vec<HandBackFacts>,
}

#[derive(Debug, Serialize)]
struct HandBackFacts {
    who: String,
    /// The role that they handed back, if it is another one that covered this role.
    of: Option<String>,
    from: String,
    to: String,
    held: String,
}

/// Times since the role was entered last.
#[derive(Debug, Serialize)]
struct StageFacts {
    sent: String,
    accepted: String,
    delivered: String,
    seen: String,
    answered: String,
    engaged: String,
}

#[derive(Debug, Serialize)]
struct PageFacts {
    n: u32,
    after: String,
    to: String,
    channel: String,
    what: String,
    role: Option<String>,
    became: String,
    /// The index of its text below; `None` if no text was made.
    text: Option<usize>,
    /// Whether its reader has it, or may have it.
    left: bool,
}

#[derive(Debug, Serialize)]
struct TextFacts {
    n: usize,
    hash: String,
    /// Whether anybody has a page with it, or may have it.
    shown: bool,
    /// `None` if the store does not have it (any more).
    text: Option<String>,
}

#[derive(Debug, Serialize)]
struct LineFacts {
    at: String,
    after: String,
    text: String,
}

impl IncidentReport {
    /// The same as part of a drill that may be running, though this incident is over.
    pub fn of_drill(self, is_running: bool) -> Self {
        Self { running: self.running || is_running, ..self }
    }

    /// Actions that follow from the facts. People fill in owners and dates.
    pub fn actions(&self) -> impl Iterator<Item = ReviewAction> {
        self.findings.to_do.iter().map(|what| ReviewAction { what: what.clone(), owner: None, due: None })
    }
}

/// Gathers the facts of a story at `now`; `broken_off` if it was not played to its end.
pub fn facts(timeline: &IncidentTimeline, beside: &IncidentTexts, broken_off: bool, now: Timestamp) -> IncidentReport {
    let incident = &timeline.incident;
    let roles = timeline.roles(now);
    let (resolved, by, why) = match &incident.status {
        IncidentStatus::Open => (None, None, None),
        IncidentStatus::Resolved { by, at, why } => {
            (Some(*at), Some(beside.of(incident).actor(by).into_owned()), why.clone())
        }
    };
    let (pages, texts) = pages(timeline, beside);
    let lines = timeline_lines(timeline, beside);
    let judgement = incident.judgement.as_ref();
    IncidentReport {
        id: incident.id.to_string(),
        word: if incident.drill { "DRILL" } else { "LIVE" },
        drill: incident.drill,
        sandbox: incident.sandboxed().map(|sandboxed| sandboxed.to_string()),
        asks: !timeline.asks_nothing(),
        broken_off,
        running: broken_off && incident.is_open(),
        summary: incident.about().to_owned(),
        trigger: incident.trigger.to_string(),
        key: incident.key.to_string(),
        matrix: incident.plan.matrix.clone(),
        source: incident.alert.source.to_string(),
        alerts: incident.alerts,
        all_clears: incident.all_clears(),
        detected: incident.detected_at.map(|at| beside_opening(timeline, at)),
        received: beside_opening(timeline, incident.received_at),
        opened: moment(incident.opened_at),
        all_clear: incident.all_clear_at.map(|at| beside_opening(timeline, at)),
        silent_since: incident.silent_since.map(|at| beside_opening(timeline, at)),
        resolved: resolved.map(moment),
        resolved_by: by,
        resolved_why: why,
        lasted: resolved.map(|at| span(seconds(incident.opened_at, at))),
        outcome: judgement.map(|was| was.finding.to_string()),
        outcome_note: judgement.and_then(|was| was.note.clone()),
        outcome_by: judgement.map(|was| beside.of(incident).actor(&was.by).into_owned()),
        engaged_after: whole(&roles).map(span),
        bottleneck: bottleneck::of(timeline, &roles, beside).filter(|_| !broken_off),
        findings: findings::of(timeline, &roles, broken_off, beside),
        roles: roles.iter().map(|role| role_facts(timeline, role, beside)).collect(),
        pages_left_out: pages.len().saturating_sub(PAGES_MAX),
        pages: ends(pages, PAGES_MAX),
        texts,
        timeline_left_out: lines.len().saturating_sub(TIMELINE_MAX),
        timeline: ends(lines, TIMELINE_MAX),
    }
}

/// The first and the last elements, at most `most` in total: the end must never be cut off.
fn ends<T>(mut all: Vec<T>, most: usize) -> Vec<T> {
    let over = all.len().saturating_sub(most);
    let first = most / 2;
    if 0 < over {
        all.drain(first..first + over);
    }
    all
}

/// The time to engagement of the whole incident: that of its last required role. `None` if one is not engaged.
pub fn whole(roles: &[RoleTimeline]) -> Option<f64> {
    let required = || roles.iter().filter(|role| role.required);
    let all = required().all(|role| role.engaged) && required().next().is_some();
    all.then(|| required().map(RoleTimeline::seconds).fold(0.0, f64::max))
}

fn beside_opening(timeline: &IncidentTimeline, at: Timestamp) -> String {
    format!("{} ({})", moment(at), after(seconds(timeline.incident.opened_at, at)))
}

fn role_facts(timeline: &IncidentTimeline, role: &RoleTimeline, beside: &IncidentTexts) -> RoleFacts {
    // As in `show` and the report of times: what it took since it was entered last.
    let (stages, began, took) = match last_entry(timeline, role) {
        Some(entry) => (entry.stages(timeline, &role.role), entry.began, entry.seconds()),
        None => (role.stages, role.entered_at, role.seconds()),
    };
    let since = |at: Option<Timestamp>| maybe(at.map(|at| seconds(began, at)));
    let ended = Ended::of_role(&timeline.incident, &role.role);
    let engaged = timeline.incident.engagements.get(&role.role).and_then(engaged_after);
    let met = role_in_time(&timeline.incident, &role.role, role.until);
    RoleFacts {
        role: role.name.clone(),
        required: role.required,
        state: state(timeline, role, beside),
        holder: role.holder.as_ref().map(|person| beside.name(person).to_owned()),
        took: engaged.map(span),
        target: role.target.map(|target| format!("{} % within {}", target.percent, bound(target.within))),
        met,
        not_judged: role.target.filter(|_| met.is_none()).map(|_| not_judged(role, ended, took)),
        stages: StageFacts {
            sent: since(stages.sent),
            accepted: since(stages.accepted),
            delivered: since(stages.delivered),
            seen: since(stages.seen),
            answered: since(stages.answered),
            engaged: since(stages.engaged),
        },
        handed_back: role.handed_back.iter().map(|back| hand_back_facts(timeline, back, beside)).collect(),
    }
}

/// Why it is unknown whether a role was in time.
fn not_judged(role: &RoleTimeline, ended: Ended, took: f64) -> String {
    match ended {
        _ if role.sandboxed => "not judged: SANDBOX".into(),
        Ended::Open => format!("not known yet, after {}", span(took)),
        _ => format!("not judged: over after {}", span(took)),
    }
}

fn hand_back_facts(timeline: &IncidentTimeline, back: &HandBack, beside: &IncidentTexts) -> HandBackFacts {
    HandBackFacts {
        who: beside.name(&back.person).to_owned(),
        of: back.of.as_ref().map(|of| timeline.incident.plan.called(of).to_owned()),
        from: clock(back.taken_at),
        to: clock(back.at),
        held: span(seconds(back.taken_at, back.at)),
    }
}

fn state(timeline: &IncidentTimeline, role: &RoleTimeline, beside: &IncidentTexts) -> String {
    let is_closed = |engagement: &Engagement| matches!(engagement.outcome, Some(EngagementOutcome::Closed { .. }));
    let engagement = timeline.incident.engagements.get(&role.role);
    let state = match Ended::of_role(&timeline.incident, &role.role) {
        Ended::Open => beside.who_has(&timeline.incident, &role.role),
        ended if engagement.is_some_and(is_closed) => {
            format!("{}; {}", beside.who_has(&timeline.incident, &role.role), ended.as_str())
        }
        ended => ended.as_str().to_owned(),
    };
    let briefs = || timeline.incident.briefs_of(&role.role);
    let has_one = |page: &Page| page.may_be_read() && page.reach() == PageReach::Accepted;
    match role.engaged || briefs().any(has_one) {
        true => state,
        false if briefs().any(Page::may_be_read) => format!("{state}, perhaps never reached"),
        false => format!("{state}, never reached"),
    }
}

fn pages(timeline: &IncidentTimeline, beside: &IncidentTexts) -> (Vec<PageFacts>, Vec<TextFacts>) {
    let mut texts: Vec<TextFacts> = Vec::new();
    let mut rows = Vec::new();
    for page in timeline.incident.pages.values() {
        let left = page.may_be_read();
        let text = page.text.as_ref().map(|hash| {
            let index = texts.iter().position(|known| known.hash == *hash).unwrap_or_else(|| {
                let (n, text) = (texts.len() + 1, beside.texts.get(hash).cloned());
                texts.push(TextFacts { n, hash: hash.clone(), shown: false, text });
                n - 1
            });
            texts.get_mut(index).into_iter().for_each(|text| text.shown |= left);
            index + 1
        });
        rows.push(PageFacts {
            n: page.n,
            after: after(seconds(timeline.incident.opened_at, page.born_at)),
            to: page.person.as_ref().map_or("the war room".into(), |person| beside.name(person).to_owned()),
            channel: page.channel.to_string(),
            what: purpose(&page.purpose).into(),
            role: page.role.as_ref().map(|role| timeline.incident.plan.called(role).to_owned()),
            became: became(page),
            text,
            left,
        });
    }
    (rows, texts)
}

fn purpose(purpose: &PagePurpose) -> &'static str {
    match purpose {
        PagePurpose::Brief { round: 0 } => "brief",
        PagePurpose::Brief { .. } => "reminder",
        PagePurpose::Taken { .. } => "message that it is taken",
        PagePurpose::HandedBack { .. } => "message that it was handed back",
        PagePurpose::StoodDown => "message to stand down",
        PagePurpose::Announced => "message that a drill begins",
        PagePurpose::Resolved => "message that it is over",
        PagePurpose::RoomCard => "war room",
        PagePurpose::RoomLine { .. } => "line in the war room",
        PagePurpose::RoomNote { .. } => "note in the war room",
        PagePurpose::RoomUpdate { .. } => "newer card of the war room",
        PagePurpose::RoomFurnish => "topic and pin of the war room",
        PagePurpose::RoomInvite { .. } => "invitation into the war room",
        PagePurpose::RoomSummary => "summary in the war room",
        PagePurpose::RoomArchive => "archiving of the war room",
        PagePurpose::Notice { .. } => "message to another system",
    }
}

fn became(page: &Page) -> String {
    let since = |at: Timestamp| after(seconds(page.born_at, at));
    let mut became = match (page.state, page.stand_in(), page.stages.accepted) {
        // For a page that the drill took, say what the drill did.
        (PageState::Accepted, Some(StandIn::Drill), _) => said(page),
        (PageState::Accepted, Some(stand_in), _) => stand_in.to_string(),
        (PageState::Accepted, None, Some(at)) => format!("accepted {}", since(at)),
        _ => page.standing().to_owned(),
    };
    for (name, at) in [("delivered", page.stages.delivered), ("seen", page.stages.seen)] {
        became.extend(at.map(|at| format!(", {name} {}", since(at))));
    }
    if page.maybe_repeated {
        became.push_str(", may have been sent twice");
    }
    became.extend(page.remark().map(|remark| format!(": {remark}")));
    became
}

fn said(page: &Page) -> String {
    page.receipt.as_ref().map_or_else(String::new, |receipt| receipt.id.clone())
}

/// What people and ladders did. The table of pages has the creation and acceptance of single pages.
fn timeline_lines(timeline: &IncidentTimeline, beside: &IncidentTexts) -> Vec<LineFacts> {
    let tells = |event: &Event| match event {
        Event::Paged { .. } | Event::Withdrawn { .. } => false,
        // The line before says what a drill did to the page.
        Event::Settled { settlement: SendOutcome::Retry { why, .. } | SendOutcome::Unreachable { why }, .. } => {
            !why.starts_with(INJECTED)
        }
        Event::Settled { settlement, .. } => !matches!(settlement, SendOutcome::Accepted { .. } | SendOutcome::Unsent),
        Event::Reported { stage, .. } => *stage == PageStage::Seen,
        _ => true,
    };
    let names = beside.of(&timeline.incident);
    let lines = timeline.records.iter().filter(|record| tells(&record.event));
    lines
        .map(|record| LineFacts {
            at: clock(record.at),
            after: after(seconds(timeline.incident.opened_at, record.at)),
            text: told(&record.event, timeline.incident.asks(), &names),
        })
        .collect()
}
