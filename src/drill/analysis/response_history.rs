//! People and channels according to the journals: how long each person took to answer by each channel, who never did,
//! what arrived when.
//!
//! Both live incidents and drills count. A person who was asked in an incident is one trial. For each channel, the time
//! runs from the first page on the device (without a delivery report: from its acceptance plus half of the usual
//! delivery time) until the person's first answer to a page of that channel, whatever the answer was. All other times
//! are censored: by an answer through another channel, or when the last role that the person was asked for had its
//! outcome. Later answers do not count, as in the simulation. [`super::mixture`] describes how the times and the share
//! that never answers are estimated together, and how much the assumption counts. The assumption comes from the
//! scenario, or else from [`crate::drill::scenario::response_model`].
//!
//! The estimate treats the channels of one person as independent, while the simulation gives each person one rank on
//! all of them: a person with two channels is simulated a little slower than they are.
//!
//! People whom a drill made absent and faults that it injected say nothing about people and channels, and pages in the
//! sandbox reached nobody: these pages are left out.

pub use crate::drill::analysis::estimates::{
    ChannelFit, EstimateBasis, EstimatedShare, FittedModel, PersonFit, TimeFit,
};

use crate::{
    core::{
        Answer, AnswerVerdict, ChannelName, Event, FaultKind, Incident, Page, PageAttempt, PageAttempts, PersonName,
        RoleName, Timestamp,
    },
    report::{IncidentTimeline, StoryTally, incident_timeline::seconds},
};
use std::collections::{BTreeMap, BTreeSet};

/// What many journals show, as a few numbers for each page.
#[derive(Debug, Default)]
pub struct ResponseHistory {
    pub(crate) incidents: usize,
    pub(crate) drills: usize,
    /// Incidents with pages in the sandbox.
    pub(crate) sandboxed: usize,
    pub(crate) unreadable: usize,
    pub(crate) asked: BTreeMap<PersonName, Vec<AskedPerson>>,
    pub(crate) carried: BTreeMap<ChannelName, ChannelDelays>,
}

/// One person in one incident, from the first page that reached them.
#[derive(Debug)]
pub struct AskedPerson {
    /// Whether their first answer was unable; `None` if they did not answer in time.
    pub(crate) answered: Option<bool>,
    pub(crate) waits: Vec<SeenDelay>,
    /// For each channel that was tried, whether the first attempt was accepted; for a screen, whether it was open.
    pub(crate) at_once: BTreeMap<ChannelName, bool>,
}

/// How long a page waited for its person, in seconds.
#[derive(Debug)]
pub struct SeenDelay {
    pub(crate) channel: ChannelName,
    pub(crate) seconds: f64,
    /// Whether it is counted from the delivery to the device; otherwise from the acceptance.
    pub(crate) from_device: bool,
    /// Whether it ended with an answer.
    pub(crate) answered: bool,
}

/// The times and losses of a channel, in seconds.
#[derive(Debug, Default)]
pub struct ChannelDelays {
    pub(crate) accepts: Vec<f64>,
    pub(crate) delivers: Vec<f64>,
    pub(crate) lost: usize,
}

impl StoryTally for ResponseHistory {
    fn is_too_old(&self, _: Timestamp) -> bool {
        false
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(
            event,
            Event::Settled { .. }
                | Event::Undelivered { .. }
                | Event::Overdue { .. }
                | Event::Injected { .. }
                | Event::Answered { .. }
                | Event::Engaged { .. }
                | Event::Covered { .. }
        )
    }

    fn add(&mut self, timeline: &IncidentTimeline, now: Timestamp) {
        if timeline.asks_nothing() {
            return;
        }
        self.incidents += 1;
        self.drills += usize::from(timeline.incident.drill);
        self.sandboxed += usize::from(timeline.incident.has_sandboxed_page());
        let attempts = timeline.attempts();
        let firsts = first_attempts(&attempts);
        for person in people(&timeline.incident) {
            if let Some(asked) = asked(timeline, &person, &attempts, &firsts, now) {
                self.asked.entry(person).or_default().push(asked);
            }
        }
        for page in briefs(&timeline.incident) {
            self.carry(page, &firsts);
        }
        for record in &timeline.records {
            if let Event::Undelivered { page, .. } = &record.event
                && let Some(page) = timeline.incident.pages.get(page).filter(|page| page.purpose.is_brief())
                && page.stand_in().is_none()
            {
                self.carried.entry(page.channel.clone()).or_default().lost += 1;
            }
        }
    }

    fn skip_unreadable(&mut self) {
        self.unreadable += 1;
    }
}

impl ResponseHistory {
    fn carry(&mut self, page: &Page, firsts: &BTreeMap<u32, bool>) {
        let carried = self.carried.entry(page.channel.clone()).or_default();
        let stages = &page.stages;
        // A page that was refused first waited for its turn: that is not the provider's time.
        if let (Some(true), Some(sent), Some(accepted)) = (firsts.get(&page.n), stages.sent, stages.accepted) {
            carried.accepts.push(seconds(sent, accepted));
        }
        if let (Some(accepted), Some(delivered)) = (stages.accepted, on_device(page)) {
            carried.delivers.push(seconds(accepted, delivered));
        }
    }
}

fn briefs(incident: &Incident) -> impl Iterator<Item = &Page> {
    let pages = incident.pages.values().map(|page| &**page);
    pages.filter(|page| page.purpose.is_brief() && page.person.is_some())
}

/// When it was on the device, if that was reported. A page with only a "seen" report got both stages at once: somebody
/// may have looked at it long after it arrived.
fn on_device(page: &Page) -> Option<Timestamp> {
    page.stages.delivered.filter(|at| page.stages.seen != Some(*at))
}

fn people(incident: &Incident) -> BTreeSet<PersonName> {
    briefs(incident).filter_map(|page| page.person.clone()).collect()
}

/// For each page that its channel was asked to send, or that found no desk open: whether the first attempt was
/// accepted.
fn first_attempts(attempts: &BTreeMap<u32, PageAttempts<'_>>) -> BTreeMap<u32, bool> {
    let first = |attempts: &PageAttempts<'_>| {
        let told = attempts.attempts.iter().filter(|attempt| attempt.injected.is_none());
        let mut told = told.filter(|attempt| attempt.was_given_to_channel() || attempt.settlement.is_desk_closed());
        told.next().map(PageAttempt::is_taken)
    };
    attempts.iter().filter_map(|(n, attempts)| Some((*n, first(attempts)?))).collect()
}

/// `None` if no page reached them.
fn asked(
    timeline: &IncidentTimeline,
    person: &PersonName,
    attempts: &BTreeMap<u32, PageAttempts<'_>>,
    firsts: &BTreeMap<u32, bool>,
    now: Timestamp,
) -> Option<AskedPerson> {
    let absent = |page: &Page| {
        let injected = attempts.get(&page.n).and_then(PageAttempts::injected);
        matches!(injected, Some(FaultKind::Absent { .. }))
    };
    let mine = || briefs(&timeline.incident).filter(|page| page.person.as_ref() == Some(person) && !absent(page));
    let roles: BTreeSet<&RoleName> = mine().filter_map(|page| page.role.as_ref()).collect();
    let end = roles.into_iter().filter_map(|role| end(timeline, role, now)).max()?;
    let (answer, by) = match first_answer(timeline, person).filter(|(at, _, _)| *at <= end) {
        Some((at, answer, by)) => (Some((at, answer)), by),
        None => (None, None),
    };
    let until = answer.map_or(end, |(at, _)| at);
    let mut waits: BTreeMap<ChannelName, (Timestamp, bool)> = BTreeMap::new();
    let mut at_once = BTreeMap::new();
    for page in mine() {
        if let Some(first) = firsts.get(&page.n) {
            at_once.entry(page.channel.clone()).or_insert(*first);
        }
        let delivered = on_device(page);
        if let Some(since) = delivered.or(page.stages.accepted).filter(|since| *since <= until) {
            let known = waits.entry(page.channel.clone()).or_insert((since, delivered.is_some()));
            *known = (*known).min((since, delivered.is_some()));
        }
    }
    let waits: Vec<SeenDelay> = waits
        .into_iter()
        .map(|(channel, (since, from_device))| SeenDelay {
            answered: by == Some(&channel),
            seconds: seconds(since, until),
            from_device,
            channel,
        })
        .collect();
    let answered = answer.map(|(_, answer)| answer == Answer::Unable);
    (!waits.is_empty()).then_some(AskedPerson { answered, waits, at_once })
}

/// When nobody waited for a role's people any more: when somebody first had it. This stands even if they handed it back
/// later, because nobody else was asked until then.
fn end(timeline: &IncidentTimeline, role: &RoleName, now: Timestamp) -> Option<Timestamp> {
    let engagement = timeline.incident.engagements.get(role)?;
    let taken = timeline.records.iter().find(|record| match &record.event {
        Event::Engaged { role: whose, .. } | Event::Covered { role: whose, .. } => whose == role,
        _ => false,
    });
    let ended = || engagement.outcome.as_ref().map_or(now, crate::core::EngagementOutcome::at);
    Some(taken.map_or_else(ended, |record| record.at))
}

/// The first answer of a person who was asked, and its channel.
fn first_answer<'a>(
    timeline: &'a IncidentTimeline,
    person: &PersonName,
) -> Option<(Timestamp, Answer, Option<&'a ChannelName>)> {
    timeline.records.iter().find_map(|record| match &record.event {
        Event::Answered { person: who, answer, verdict, .. }
            if who == person && record.event.said_by().is_some() && !matches!(verdict, AnswerVerdict::NotAsked) =>
        {
            Some((record.at, *answer, timeline.channel_of(&record.event)))
        }
        _ => None,
    })
}
