//! One incident according to its journal: each role's steps, its stages, and the answer that counted.

use crate::{
    core::{
        Answer, AnswerVerdict, AnswerVia, ChannelName, EngagementOutcome, EngagementTarget, Event, HandBack, Incident,
        IncidentId, JournalRecord, Page, PageAttempts, PersonName, RoleName, StoredLine, Timestamp, attempts,
    },
    journal::{self, JournalError},
};
use std::collections::{BTreeMap, BTreeSet};

/// An incident and the records that it was folded from.
#[derive(Debug, Clone)]
pub struct IncidentTimeline {
    /// Its state after the last record.
    pub incident: Incident,
    /// The records in order. A story that was read for a report over many incidents has only the records that the
    /// report needs.
    pub records: Vec<JournalRecord>,
}

/// A story under construction, from the lines of one chain in their order.
#[derive(Debug)]
pub struct TimelineReader {
    id: IncidentId,
    incident: Option<Incident>,
    records: Vec<JournalRecord>,
}

/// One role in one incident, from the start of its ladder to its end or to now.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleTimeline {
    /// The role.
    pub role: RoleName,
    /// Its name, as people read it.
    pub name: String,
    /// Whether the trigger requires it; otherwise it was entered in place of another.
    pub required: bool,
    /// When its ladder began; for a required role, when the incident was opened.
    pub entered_at: Timestamp,
    /// When it had its outcome; for an open role, the time of the report.
    pub until: Timestamp,
    /// Whether it got its own required answer. Covered, stood down, closed and open do not count.
    pub engaged: bool,
    /// Who has it.
    pub holder: Option<PersonName>,
    /// Its target, if the plan has one.
    pub target: Option<EngagementTarget>,
    /// The steps it went through.
    pub steps: Vec<StepStory>,
    /// The channels that it was paged by, and since when.
    pub channels: BTreeMap<ChannelName, Timestamp>,
    /// When its pages first reached each stage.
    pub stages: RoleStages,
    /// The answer that engaged it.
    pub answer: Option<AnswerStory>,
    /// The people who had it before and handed it back, in order. They do not count for its time to engagement.
    pub handed_back: Vec<HandBack>,
    /// Whether pages of it were kept in the sandbox: then its time to engagement says nothing about people who are
    /// really paged.
    pub sandboxed: bool,
}

/// One step of a ladder, including repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct StepStory {
    /// The step, from 0.
    pub step: usize,
    /// When it was first entered.
    pub entered_at: Timestamp,
    /// Its steps (the entered steps, counted from 1 in each role).
    pub step_entries: Vec<u32>,
    /// Who was on call.
    pub on_call: Vec<PersonName>,
}

/// The first time that any brief of a role reached each stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoleStages {
    /// The first attempt began of a page that its channel has taken, or may have.
    pub sent: Option<Timestamp>,
    /// A provider accepted one.
    pub accepted: Option<Timestamp>,
    /// One was on a device.
    pub delivered: Option<Timestamp>,
    /// A screen showed one.
    pub seen: Option<Timestamp>,
    /// The answer that engaged the role.
    pub answered: Option<Timestamp>,
    /// The role got its own required answer.
    pub engaged: Option<Timestamp>,
}

/// The answer that engaged a role.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerStory {
    /// The person.
    pub person: PersonName,
    /// The way it arrived.
    pub via: AnswerVia,
    /// The page that it answers, if it names one.
    pub page: Option<u32>,
    /// The one channel that it proves to reach them; `None` if it proves that of no channel (the command line, a page
    /// that was kept in the sandbox).
    pub channel: Option<ChannelName>,
    /// The step of the page that it answers; without a page, the only step that asked its person. `None` where nobody
    /// knows.
    pub step: Option<usize>,
}

impl TimelineReader {
    /// A story without any lines yet.
    pub fn new(id: IncidentId) -> Self {
        Self { id, incident: None, records: Vec::new() }
    }

    /// Folds the next lines, and keeps the records of the wanted events.
    ///
    /// # Errors
    /// [`JournalError::Fold`] if a line cannot be understood, or the first one is not an opening.
    pub fn read(&mut self, lines: &[StoredLine], wants: impl Fn(&Event) -> bool) -> Result<(), JournalError> {
        for record in journal::records(self.id, lines)? {
            match &mut self.incident {
                Some(incident) => incident.apply(&record.event, record.at),
                None => self.incident = Some(journal::fold(self.id, std::slice::from_ref(&record))?),
            }
            if wants(&record.event) {
                self.records.push(record);
            }
        }
        Ok(())
    }

    /// When the incident was opened, once its first line has been read.
    pub fn opened_at(&self) -> Option<Timestamp> {
        self.incident.as_ref().map(|incident| incident.opened_at)
    }

    /// Finishes the story after the last line.
    ///
    /// # Errors
    /// [`JournalError::Fold`] if there was no line.
    pub fn finish(self) -> Result<IncidentTimeline, JournalError> {
        let incident = self.incident.map_or_else(|| journal::fold(self.id, &[]), Ok)?;
        Ok(IncidentTimeline { incident, records: self.records })
    }
}

impl IncidentTimeline {
    /// Reads one incident's chain, from its first line.
    pub fn read(id: IncidentId, lines: &[StoredLine]) -> Result<Self, JournalError> {
        let mut reader = TimelineReader::new(id);
        reader.read(lines, |_| true)?;
        reader.finish()
    }

    /// Whether it asks nobody for anything, like the announcement of a drill. Then it is not measured.
    pub fn asks_nothing(&self) -> bool {
        self.incident.plan.required.is_empty()
    }

    /// The attempts with each page, by page number.
    pub fn attempts(&self) -> BTreeMap<u32, PageAttempts<'_>> {
        attempts(self.records.iter().map(|record| (record.at, &record.event)))
    }

    /// The answers of people, each with the one channel that it proves to reach them.
    pub fn answers(&self) -> impl Iterator<Item = (&PersonName, Option<&ChannelName>)> {
        self.records.iter().filter_map(|record| Some((record.event.said_by()?, self.channel_of(&record.event))))
    }

    /// The channel that an answer proves to reach its person. Older journals do not record it: then it is the channel
    /// of the page, if the answer came by it.
    pub fn channel_of<'a>(&'a self, answered: &'a Event) -> Option<&'a ChannelName> {
        let Event::Answered { person, answer, via, page, channel, .. } = answered else { return None };
        if channel.is_some() || *via == AnswerVia::Cli || (*via, *answer) == (AnswerVia::Mail, Answer::Unable) {
            return channel.as_ref();
        }
        let page =
            page.and_then(|n| self.incident.pages.get(&n)).filter(|page| page.person.as_ref() == Some(person))?;
        (page.has_left() && is_of_desk(page) == (*via == AnswerVia::Desk)).then_some(&page.channel)
    }

    /// Its roles, required ones first; open roles with their state at `now`.
    pub fn roles(&self, now: Timestamp) -> Vec<RoleTimeline> {
        let mut roles: Vec<RoleTimeline> = self.incident.engagements.keys().filter_map(|r| self.role(r, now)).collect();
        roles.sort_by_key(|role| !role.required);
        roles
    }

    fn role(&self, role: &RoleName, now: Timestamp) -> Option<RoleTimeline> {
        let engagement = self.incident.engagements.get(role)?;
        let engaged = matches!(engagement.outcome, Some(EngagementOutcome::Engaged { .. }));
        let until = engagement.outcome.as_ref().map_or(now, EngagementOutcome::at).max(engagement.entered_at);
        let steps = self.steps(role, engagement.entered_at, until);
        let mut channels = BTreeMap::new();
        for page in self.incident.briefs_of(role).filter(|page| engagement.entered_at <= page.born_at) {
            channels.entry(page.channel.clone()).or_insert(page.born_at);
        }
        Some(RoleTimeline {
            role: role.clone(),
            required: engagement.required,
            entered_at: engagement.entered_at,
            until,
            engaged,
            name: self.incident.plan.called(role).to_owned(),
            holder: engagement.holder().cloned(),
            target: self.incident.plan.roles.get(role).and_then(|row| row.target),
            channels,
            stages: self.stages(role, Timestamp::default(), engagement.answered_at()),
            answer: self.answer(role, &steps, until).filter(|_| engaged),
            sandboxed: self.incident.is_role_sandboxed(role),
            steps,
            handed_back: self.handed_back(role),
        })
    }

    fn handed_back(&self, role: &RoleName) -> Vec<HandBack> {
        let mut taken_at = None;
        let mut backs = Vec::new();
        for record in &self.records {
            let (person, of) = match &record.event {
                Event::Engaged { role: whose, .. } | Event::Covered { role: whose, .. } if whose == role => {
                    taken_at = Some(record.at);
                    continue;
                }
                Event::HandedBack { role: whose, person } if whose == role => (person, None),
                Event::Reopened { role: whose, of, person } if whose == role => (person, Some(of.clone())),
                _ => continue,
            };
            let (at, person) = (record.at, person.clone());
            backs.push(HandBack { person, of, taken_at: taken_at.unwrap_or(at), at });
        }
        backs
    }

    /// The steps that the role entered in this time.
    pub(super) fn steps(&self, role: &RoleName, since: Timestamp, until: Timestamp) -> Vec<StepStory> {
        let mut steps: Vec<StepStory> = Vec::new();
        let mut step_entry = 0;
        for record in &self.records {
            let Event::StepEntered { role: whose, step, on_call, .. } = &record.event else { continue };
            if whose != role {
                continue;
            }
            step_entry += 1;
            // A role that was entered again starts again.
            if record.at < since || until < record.at {
                continue;
            }
            match steps.last_mut().filter(|last| last.step == *step) {
                Some(last) => last.step_entries.push(step_entry),
                None => steps.push(StepStory {
                    step: *step,
                    entered_at: record.at,
                    step_entries: vec![step_entry],
                    on_call: on_call.clone(),
                }),
            }
        }
        steps
    }

    /// When the role's briefs of this time or later first reached each stage; `answered` is when the answer came that
    /// engaged it.
    pub(super) fn stages(&self, role: &RoleName, since: Timestamp, answered: Option<Timestamp>) -> RoleStages {
        let briefs = || self.incident.briefs_of(role).filter(|page| since <= page.born_at);
        let first = |stage: fn(&Page) -> Option<Timestamp>| briefs().filter_map(stage).min();
        RoleStages {
            sent: first(Page::sent_at),
            accepted: first(|page| page.stages.accepted),
            delivered: first(|page| page.stages.delivered),
            seen: first(|page| page.stages.seen),
            answered,
            engaged: answered,
        }
    }

    /// The last answer that engaged the role until then.
    pub(super) fn answer(&self, role: &RoleName, steps: &[StepStory], until: Timestamp) -> Option<AnswerStory> {
        let engaging = |record: &&JournalRecord| match &record.event {
            Event::Answered { role: about, verdict, .. } => {
                about.as_ref() == Some(role) && *verdict == AnswerVerdict::Engages
            }
            _ => false,
        };
        let record = self.records.iter().filter(|record| record.at <= until).rfind(engaging)?;
        let Event::Answered { person, via, page, .. } = &record.event else { return None };
        let answered = page.and_then(|n| self.incident.pages.get(&n));
        let step_of = |page: &Page| steps.iter().find(|step| step.step_entries.contains(&page.step_entry));
        let step = match answered {
            Some(page) => step_of(page).map(|step| step.step),
            None => {
                let theirs = self.incident.briefs_of(role).filter(|page| page.person.as_ref() == Some(person));
                let asked: BTreeSet<usize> = theirs.filter_map(step_of).map(|step| step.step).collect();
                asked.first().copied().filter(|_| asked.len() == 1)
            }
        };
        let channel = self.channel_of(&record.event).cloned();
        Some(AnswerStory { person: person.clone(), via: *via, page: *page, channel, step })
    }
}

/// Whether a screen accepted a page: its receipt counts the open desk pages.
pub(super) fn is_of_desk(page: &Page) -> bool {
    page.receipt.as_ref().is_some_and(|receipt| receipt.id.ends_with(" desk") || receipt.id.ends_with(" desks"))
}

impl RoleTimeline {
    /// Seconds from the start of its ladder until it was engaged, or until it was last seen not engaged.
    pub fn seconds(&self) -> f64 {
        seconds(self.entered_at, self.until)
    }
}

/// The signed seconds between two times.
pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.micros_since(from) as f64 / 1e6
}

/// Whether this person gave any answer in this incident.
pub fn spoke(timeline: &IncidentTimeline, person: &PersonName) -> bool {
    timeline.records.iter().any(|record| record.event.said_by() == Some(person))
}
