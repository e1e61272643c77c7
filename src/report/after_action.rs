//! The after-action review of a drill: hypotheses against what happened, the bottleneck, the drills of before, actions,
//! a proposed change of the matrix, and the dated record of which contact procedures were tested and worked.
//!
//! It knows nothing of scenarios: whoever ran the drill says here what was expected and what else there is to say, and
//! everything that can be read from the incidents is read from them.

use super::{
    ReportError,
    facts::{Beside, Facts, facts},
    picture,
    sheet::{self, Pictures},
    story::Story,
    words::{bound, moment, span},
};
use crate::{
    core::{Page, PageState, Purpose, RoleName, Timestamp},
    template::document::{Document, Documents},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Drills of before that a review compares with.
pub const EARLIER_MAX: usize = 10;

/// One drill as it was run.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// The scenario's name, e.g. `flash-crash-2010`.
    pub name: String,
    /// Its title for humans.
    pub title: String,
    /// What it is for, and where its figures are from; Markdown is not understood here.
    pub about: Vec<String>,
    /// Whether people knew of it.
    pub announced: bool,
    /// When its first inject was sent.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// By how much the waits of its ladders were divided; 1 where they were not.
    pub compressed: u32,
    /// Why it ended before its time (pre-empted by a live incident, aborted by a rule); none where it did not.
    pub cut_short: Option<String>,
    /// The faults that were injected, as sentences.
    pub faults: Vec<String>,
    /// What was expected.
    pub hypotheses: Vec<Hypothesis>,
    /// Runs of the same scenario before this one, newest first; the first [`EARLIER_MAX`] are shown.
    pub earlier: Vec<Earlier>,
    /// What is to be done, beside what follows from the facts.
    pub actions: Vec<Action>,
    /// What the matrix should say instead.
    pub proposal: Proposal,
}

/// What was expected of a role, and whether it held.
#[derive(Debug, Clone)]
pub struct Hypothesis {
    /// The role.
    pub role: RoleName,
    /// The bound.
    pub within: Duration,
    /// Of a hundred.
    pub percent: f64,
    /// What became of it.
    pub verdict: Verdict,
    /// How long it took, where it was one engagement; a quantile where it was many; none where it was not reached.
    pub measured: Option<Duration>,
    /// Anything else: how many of how many, or why it can not be said.
    pub remark: Option<String>,
}

/// What became of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was so.
    Held,
    /// It was not.
    Failed,
    /// The drill was cut short before it could be seen.
    Open,
}

/// A run of before.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// When it was started.
    pub started_at: Timestamp,
    /// By how much the waits of its ladders were divided; 1 where they were not.
    pub compressed: u32,
    /// How many hypotheses held.
    pub held: usize,
    /// Of how many.
    pub of: usize,
    /// Time to engagement of each role; none where it was not engaged.
    pub roles: BTreeMap<RoleName, Option<Duration>>,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What.
    pub what: String,
    /// By whom.
    pub owner: Option<String>,
    /// By when, as people write it.
    pub due: Option<String>,
}

/// A change of the matrix that was tried and helps, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The change as a diff of the matrix's files; none where none was found.
    pub diff: Option<String>,
    /// What it does and what shows that it helps; or what was tried in vain. One sentence without a full stop where
    /// there is no diff.
    pub why: String,
}

impl Proposal {
    /// Nobody has looked for one.
    pub fn not_sought() -> Self {
        Self { diff: None, why: "no hypothesis was given that a change could be tried against".into() }
    }
}

/// A review in both forms.
#[derive(Debug, Clone)]
pub struct Written {
    /// For people to go on writing in.
    pub markdown: String,
    /// The same, with pictures, in one file.
    pub html: String,
}

#[derive(Serialize)]
struct Context<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a [String],
    announced: bool,
    started: String,
    ended: String,
    lasted: String,
    compressed: u32,
    cut_short: Option<&'a str>,
    faults: &'a [String],
    held: usize,
    failed: usize,
    hypotheses: Vec<HypothesisRow>,
    earlier_roles: Vec<String>,
    earlier: Vec<EarlierRow>,
    retraction: Vec<String>,
    contacts: Vec<ContactRow>,
    actions: Vec<Action>,
    proposal: &'a Proposal,
    incidents: Vec<Facts>,
}

#[derive(Serialize)]
struct HypothesisRow {
    role: String,
    expected: String,
    measured: Option<String>,
    verdict: Verdict,
    remark: Option<String>,
}

#[derive(Serialize)]
struct EarlierRow {
    started: String,
    held: String,
    roles: Vec<String>,
}

/// One person by one channel: was the way tried, did it work.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct ContactRow {
    person: String,
    channel: String,
    tried: String,
    result: String,
}

/// Writes the review of a drill from the incidents that it opened.
pub fn review(
    exercise: &Exercise,
    stories: &[Story],
    beside: &Beside,
    documents: &Documents,
    now: Timestamp,
) -> Result<Written, ReportError> {
    let markdown = documents.render(Document::AfterAction, &context(exercise, stories, beside, now))?;
    let mut pictures = Pictures::default();
    for story in stories {
        picture::add_to(&mut pictures, story, now);
    }
    let title = format!("DRILL {}: after-action review", exercise.title);
    let html = sheet::html(&title, &markdown, &pictures);
    Ok(Written { markdown, html })
}

fn context<'a>(exercise: &'a Exercise, stories: &[Story], beside: &Beside, now: Timestamp) -> Context<'a> {
    let incidents: Vec<Facts> = stories.iter().map(|story| facts(story, beside, now)).collect();
    let mut actions = exercise.actions.clone();
    actions.extend(incidents.iter().flat_map(Facts::actions));
    let count = |wanted| exercise.hypotheses.iter().filter(|hypothesis| hypothesis.verdict == wanted).count();
    let roles: Vec<&RoleName> = exercise.hypotheses.iter().map(|hypothesis| &hypothesis.role).collect();
    Context {
        name: &exercise.name,
        title: &exercise.title,
        about: &exercise.about,
        announced: exercise.announced,
        started: moment(exercise.started_at),
        ended: moment(exercise.ended_at),
        lasted: span(exercise.ended_at.since(exercise.started_at).as_secs_f64()),
        compressed: exercise.compressed,
        cut_short: exercise.cut_short.as_deref(),
        faults: &exercise.faults,
        held: count(Verdict::Held),
        failed: count(Verdict::Failed),
        hypotheses: exercise.hypotheses.iter().map(hypothesis).collect(),
        earlier: compared(exercise, &roles),
        earlier_roles: roles.iter().map(ToString::to_string).collect(),
        retraction: stories.iter().map(retraction).collect(),
        contacts: contacts(stories, beside),
        actions,
        proposal: &exercise.proposal,
        incidents,
    }
}

fn hypothesis(hypothesis: &Hypothesis) -> HypothesisRow {
    HypothesisRow {
        role: hypothesis.role.to_string(),
        expected: format!("{} % within {}", hypothesis.percent, bound(hypothesis.within)),
        measured: hypothesis.measured.map(|measured| span(measured.as_secs_f64())),
        verdict: hypothesis.verdict,
        remark: hypothesis.remark.clone(),
    }
}

/// This run first, then those of before.
fn compared(exercise: &Exercise, roles: &[&RoleName]) -> Vec<EarlierRow> {
    let took = |took: Option<Duration>| took.map_or_else(|| "not engaged".into(), |took| span(took.as_secs_f64()));
    let held = exercise.hypotheses.iter().filter(|hypothesis| hypothesis.verdict == Verdict::Held).count();
    let this = EarlierRow {
        started: format!("{} (this one{})", moment(exercise.started_at), divided(exercise.compressed, ", ")),
        held: format!("{held} of {}", exercise.hypotheses.len()),
        roles: exercise.hypotheses.iter().map(|hypothesis| took(hypothesis.measured)).collect(),
    };
    let before = exercise.earlier.iter().take(EARLIER_MAX).map(|earlier| EarlierRow {
        started: moment(earlier.started_at) + &divided(earlier.compressed, ": "),
        held: format!("{} of {}", earlier.held, earlier.of),
        roles: roles.iter().map(|role| earlier.roles.get(*role).map_or("-".into(), |span| took(*span))).collect(),
    });
    std::iter::once(this).chain(before).collect()
}

/// Said of a run whose times are not to be compared with others'.
fn divided(by: u32, before: &str) -> String {
    if 1 < by { format!("{before}waits divided by {by}") } else { String::new() }
}

/// When everybody who had been paged was told that it is over.
fn retraction(story: &Story) -> String {
    let id = story.incident.id;
    let crate::core::Status::Resolved { at: over, .. } = &story.incident.status else {
        return format!("{id}: not resolved yet, so nobody was told that it is over");
    };
    let words = || story.incident.pages.values().filter(|page| page.purpose == Purpose::Resolved);
    let told = words().filter_map(|page| page.stages.accepted);
    let last = told.clone().max().map(|last| span(last.since(*over).as_secs_f64()));
    let missed = words().count() - told.count();
    match last {
        None if words().next().is_none() => format!("{id}: nobody had been reached, so nobody was to be told"),
        None => format!("{id}: none of {missed} people was told by any channel"),
        Some(last) if missed == 0 => {
            format!("{id}: the last of {} message(s) was accepted {last} after the end", words().count())
        }
        Some(last) => {
            format!("{id}: the last accepted message came {last} after the end; {missed} did not get through")
        }
    }
}

fn contacts(stories: &[Story], beside: &Beside) -> Vec<ContactRow> {
    let mut rows = BTreeMap::new();
    for story in stories {
        for page in story.incident.pages.values().filter(|page| page.purpose.is_brief()) {
            let Some(person) = &page.person else { continue };
            let row = ContactRow {
                person: beside.name(person).to_owned(),
                channel: page.channel.to_string(),
                tried: moment(page.born_at),
                result: contact_result(story, page),
            };
            let worked = page.stages.accepted.is_some();
            let key = (row.person.clone(), row.channel.clone());
            // One that worked at any time is shown as working.
            if worked || !rows.contains_key(&key) {
                rows.insert(key, row);
            }
        }
    }
    rows.into_values().collect()
}

fn contact_result(story: &Story, page: &Page) -> String {
    let trouble = page.trouble.as_deref().unwrap_or("no reason given");
    let person = page.person.as_ref();
    let answered = person.is_some_and(|person| super::findings::spoke(story, person));
    match page.state {
        PageState::Unreachable => format!("DID NOT WORK: {trouble}"),
        _ if page.stages.accepted.is_none() && 0 < page.refusals => format!("DID NOT WORK: {trouble}"),
        _ if page.stages.accepted.is_none() => "not settled when the drill ended".into(),
        _ if page.stages.seen.is_some() && answered => "accepted, seen; the person answered".into(),
        _ if page.stages.delivered.is_some() && answered => "accepted, delivered; the person answered".into(),
        _ if answered => "accepted; the person answered".into(),
        _ => "accepted; the person did not answer".into(),
    }
}
