//! The after-action review of a drill: hypotheses and results, the bottleneck, earlier drills, actions, a proposed
//! change of the matrix, and a dated record of which contact procedures were tested and worked.
//!
//! It does not know scenarios. The caller that ran the drill passes the expectations and other remarks; everything that
//! can be read from the incidents is read from them.

pub use super::cut_short::{CutShort, How};

use crate::{
    core::{RoleName, Timestamp},
    report::{
        ReportError,
        actions::ReviewAction,
        contacts::{ContactRow, contacts},
        facts::{IncidentReport, facts},
        incident_timeline::IncidentTimeline,
        picture,
        sheet::{self, DocumentPictures},
        texts::IncidentTexts,
        words::{bound, moment, span},
    },
    template::document::{DocumentKind, DocumentTemplates},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// How many earlier drills a review compares with.
pub const EARLIER_MAX: usize = 10;

/// The name of a hypothesis about the all-clear, in place of a role.
pub const ALL_CLEAR: &str = "all-clear";

/// A drill as it was run.
#[derive(Debug, Clone)]
pub struct DrillExercise {
    /// The scenario's name, e.g. `flash-crash-2010`.
    pub name: String,
    /// Its title for people.
    pub title: String,
    /// Its purpose, and the sources of its figures. Markdown is not interpreted here.
    pub about: Vec<String>,
    /// Whether people knew about it in advance.
    pub announced: bool,
    /// When its first inject was sent.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// The number by which the waits of its ladders were divided; 1 if they were not.
    pub compressed: u32,
    /// How it was stopped early; `None` if it was played to its end. If it was stopped, nothing is judged.
    pub cut_short: Option<CutShort>,
    /// The faults that were injected, as sentences.
    pub faults: Vec<String>,
    /// What was expected.
    pub hypotheses: Vec<ReviewHypothesis>,
    /// Earlier runs of the same scenario, newest first; the first [`EARLIER_MAX`] are shown.
    pub earlier: Vec<EarlierRun>,
    /// How many older runs are left out.
    pub earlier_left: usize,
    /// Actions in addition to those that follow from the facts.
    pub actions: Vec<ReviewAction>,
    /// The proposed change of the matrix.
    pub proposal: ReviewProposal,
}

impl DrillExercise {
    /// When it ended, and after how long: one that was broken off ends then, not with the last message about it.
    fn ended(&self) -> (Timestamp, Duration) {
        match &self.cut_short {
            Some(cut) => (self.started_at + cut.after, cut.after),
            None => (self.ended_at, self.ended_at.since(self.started_at)),
        }
    }
}

/// A hypothesis about a role, and its result.
#[derive(Debug, Clone)]
pub struct ReviewHypothesis {
    /// The role.
    pub role: RoleName,
    /// The time limit.
    pub within: Duration,
    /// The percentage, out of 100.
    pub percent: f64,
    /// The verdict.
    pub verdict: ReviewVerdict,
    /// Whether its pages were kept in the sandbox.
    pub sandboxed: bool,
    /// How long it took: one time for a single engagement, a quantile for many; `None` if it was not reached.
    pub measured: Option<Duration>,
    /// Further details: how many of how many, or why there is no verdict.
    pub remark: Option<String>,
}

/// The verdict on a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewVerdict {
    /// It was true.
    Held,
    /// It was not true.
    Failed,
    /// There were too few data.
    Open,
    /// The drill was not played to its end.
    NotJudged,
}

/// An earlier run.
#[derive(Debug, Clone)]
pub struct EarlierRun {
    /// When it was started.
    pub started_at: Timestamp,
    /// The number by which the waits of its ladders were divided; 1 if they were not.
    pub compressed: u32,
    /// How many hypotheses held.
    pub held: usize,
    /// The number of hypotheses.
    pub of: usize,
    /// The time to engagement of each role; `None` if it was not engaged.
    pub roles: BTreeMap<RoleName, Option<Duration>>,
    /// How it was stopped early, in one word: then none of it is judged.
    pub cut_short: Option<String>,
    /// Whether some of its pages were kept in the sandbox and sent to nobody.
    pub sandboxed: bool,
}

/// A change of the matrix that was tested and helps, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewProposal {
    /// The change as a diff of the matrix's files; `None` if none was found.
    pub diff: Option<String>,
    /// What the change does and what shows that it helps, or what was tried without success. If there is no diff, one
    /// sentence without a full stop.
    pub why: String,
}

impl ReviewProposal {
    /// No search was made.
    pub fn not_sought() -> Self {
        Self { diff: None, why: "no hypothesis was given that a change could be tried against".into() }
    }

    /// Adds one more remark for the reader: a clause that starts with a lower-case letter and has no full stop.
    pub fn adding(self, clause: String) -> Self {
        let Self { diff, why } = self;
        let why = match diff {
            Some(_) => format!("{why} But {clause}."),
            None => format!("{why}; {clause}"),
        };
        Self { diff, why }
    }
}

/// A review in two formats.
#[derive(Debug, Clone)]
pub struct WrittenReview {
    /// Markdown, for people to edit.
    pub markdown: String,
    /// The same, with pictures, in one file.
    pub html: String,
    /// What its template was given.
    pub facts: serde_json::Value,
}

#[derive(Serialize)]
struct ReviewContext<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a [String],
    announced: bool,
    started: String,
    /// When it was over, or broken off; for one that is running, the time of the review.
    ended: String,
    lasted: String,
    running: bool,
    compressed: u32,
    /// How it was stopped early, as a sentence without a full stop.
    cut_short: Option<String>,
    /// What stayed in the sandbox, one line for each incident.
    sandbox: Vec<String>,
    faults: &'a [String],
    held: usize,
    failed: usize,
    open: usize,
    hypotheses: Vec<HypothesisRow>,
    earlier_roles: Vec<String>,
    earlier_left: usize,
    earlier: Vec<EarlierRow>,
    retraction: Vec<String>,
    contacts: Vec<ContactRow>,
    actions: Vec<ReviewAction>,
    proposal: &'a ReviewProposal,
    incidents: Vec<IncidentReport>,
}

#[derive(Serialize)]
struct HypothesisRow {
    role: String,
    expected: String,
    measured: String,
    failed: bool,
    verdict: &'static str,
    remark: String,
}

#[derive(Serialize)]
struct EarlierRow {
    started: String,
    held: String,
    roles: Vec<String>,
}

/// Writes the review of a drill from the incidents that it opened.
pub fn review(
    exercise: &DrillExercise,
    timelines: &[IncidentTimeline],
    beside: &IncidentTexts,
    documents: &DocumentTemplates,
    now: Timestamp,
) -> Result<WrittenReview, ReportError> {
    let context = context(exercise, timelines, beside, now);
    let markdown = documents.render(DocumentKind::AfterAction, &context)?;
    let facts = serde_json::to_value(&context).unwrap_or_default();
    let mut pictures = DocumentPictures::default();
    for timeline in timelines {
        picture::add_to(&mut pictures, timeline, now);
    }
    let sandbox = if timelines.iter().any(|timeline| timeline.incident.is_sandboxed()) { " (SANDBOX)" } else { "" };
    let title = format!("DRILL {}{sandbox}: after-action review", exercise.title);
    let html = sheet::html(&title, &markdown, &pictures);
    Ok(WrittenReview { markdown, html, facts })
}

fn context<'a>(
    exercise: &'a DrillExercise,
    timelines: &[IncidentTimeline],
    beside: &IncidentTexts,
    now: Timestamp,
) -> ReviewContext<'a> {
    let broken_off = exercise.cut_short.is_some();
    let running = exercise.cut_short.as_ref().is_some_and(|cut| cut.how == How::GoesOn);
    let (ended_at, lasted) = exercise.ended();
    let told = |timeline: &IncidentTimeline| {
        facts(timeline, beside, broken_off || timeline.incident.was_broken_off(), now).of_drill(running)
    };
    let incidents: Vec<IncidentReport> = timelines.iter().map(told).collect();
    let mut actions = exercise.actions.clone();
    actions.extend(incidents.iter().flat_map(IncidentReport::actions));
    let count = |wanted| exercise.hypotheses.iter().filter(|hypothesis| hypothesis.verdict == wanted).count();
    let roles: Vec<&RoleName> = exercise.hypotheses.iter().map(|hypothesis| &hypothesis.role).collect();
    let sandbox = timelines.iter().filter_map(|timeline| Some((timeline.incident.id, timeline.incident.sandboxed()?)));
    let sandbox: Vec<String> = sandbox.map(|(id, sandboxed)| format!("{id}: {sandboxed}")).collect();
    ReviewContext {
        name: &exercise.name,
        title: &exercise.title,
        about: &exercise.about,
        announced: exercise.announced,
        started: moment(exercise.started_at),
        ended: moment(ended_at),
        lasted: span(lasted.as_secs_f64()),
        running,
        compressed: exercise.compressed,
        cut_short: exercise.cut_short.as_ref().map(CutShort::told),
        faults: &exercise.faults,
        held: count(ReviewVerdict::Held),
        failed: count(ReviewVerdict::Failed),
        open: count(ReviewVerdict::Open),
        hypotheses: exercise.hypotheses.iter().map(|row| hypothesis(row, exercise)).collect(),
        earlier: compared(exercise, &roles, !sandbox.is_empty()),
        earlier_left: exercise.earlier_left,
        earlier_roles: roles.iter().map(ToString::to_string).collect(),
        retraction: timelines.iter().map(retraction).collect(),
        contacts: contacts(timelines, beside),
        actions,
        proposal: &exercise.proposal,
        sandbox,
        incidents,
    }
}

fn hypothesis(hypothesis: &ReviewHypothesis, exercise: &DrillExercise) -> HypothesisRow {
    let cut_short = exercise.cut_short.as_ref();
    let verdict = match hypothesis.verdict {
        ReviewVerdict::Held if hypothesis.sandboxed => "held in the SANDBOX",
        ReviewVerdict::Failed | ReviewVerdict::Open if hypothesis.sandboxed => "not judged: SANDBOX",
        ReviewVerdict::Held => "held",
        ReviewVerdict::Failed => "failed",
        ReviewVerdict::Open => "too few to tell",
        ReviewVerdict::NotJudged => "not judged",
    };
    let cut = cut_short.map(CutShort::remark);
    let remark: Vec<String> = cut.into_iter().chain(hypothesis.remark.clone()).collect();
    HypothesisRow {
        role: hypothesis.role.to_string(),
        expected: format!("{} % within {}", hypothesis.percent, bound(hypothesis.within)),
        measured: measured(&hypothesis.role, hypothesis.measured, cut_short.is_some()),
        failed: hypothesis.verdict == ReviewVerdict::Failed,
        verdict,
        remark: remark.join("; "),
    }
}

/// How long it took. If it did not happen, that counts as failed only if it had the full time for it.
fn measured(role: &RoleName, took: Option<Duration>, is_cut_short: bool) -> String {
    match took {
        Some(took) => span(took.as_secs_f64()),
        None if is_cut_short => "not by then".into(),
        None if role.as_str() == ALL_CLEAR => "not told".into(),
        None => "not engaged".into(),
    }
}

/// This run first, then the earlier ones.
fn compared(exercise: &DrillExercise, roles: &[&RoleName], sandboxed: bool) -> Vec<EarlierRow> {
    let marked = |started: String, sandboxed: bool| if sandboxed { format!("{started}, SANDBOX") } else { started };
    let held = exercise.hypotheses.iter().filter(|hypothesis| hypothesis.verdict == ReviewVerdict::Held).count();
    let cut = exercise.cut_short.as_ref().map(|cut| match &cut.how {
        How::GoesOn => "running, so far".to_owned(),
        How::Ended(how) => how.clone(),
    });
    let took = |hypothesis: &ReviewHypothesis| measured(&hypothesis.role, hypothesis.measured, cut.is_some());
    let this = EarlierRow {
        started: marked(
            format!("{} (this one{})", moment(exercise.started_at), divided(exercise.compressed, ", ")),
            sandboxed,
        ),
        roles: exercise.hypotheses.iter().map(took).collect(),
        held: share_held(held, exercise.hypotheses.len(), cut.as_deref()),
    };
    let before = exercise.earlier.iter().take(EARLIER_MAX).map(|earlier| {
        let took = |role: &&RoleName| {
            earlier.roles.get(*role).map_or("-".into(), |took| measured(role, *took, earlier.cut_short.is_some()))
        };
        EarlierRow {
            started: marked(moment(earlier.started_at) + &divided(earlier.compressed, ": "), earlier.sandboxed),
            held: share_held(earlier.held, earlier.of, earlier.cut_short.as_deref()),
            roles: roles.iter().map(took).collect(),
        }
    });
    std::iter::once(this).chain(before).collect()
}

/// A remark on a run whose times must not be compared with those of other runs.
fn divided(by: u32, before: &str) -> String {
    if 1 < by { format!("{before}waits divided by {by}") } else { String::new() }
}

fn share_held(held: usize, of: usize, cut_short: Option<&str>) -> String {
    match (cut_short, of) {
        (Some(how), _) => format!("not judged ({how})"),
        (None, 0) => "nothing was expected".into(),
        (None, of) => format!("{held} of {of}"),
    }
}

/// When everybody who had been paged was told that it is over.
fn retraction(timeline: &IncidentTimeline) -> String {
    let id = timeline.incident.id;
    let Some(told) = timeline.incident.all_clear() else {
        return format!("{id}: not resolved yet, so nobody was told that it is over");
    };
    if told.people == 0 {
        return format!("{id}: nobody had been reached, so nobody was to be told");
    }
    let last = told
        .last_ms
        .map_or(String::new(), |ms| format!("; the last message was accepted {} after the end", span(ms / 1e3)));
    format!("{id}: {} of {} people were told that it is over{last}{}", told.told, told.people, told.untold())
}
