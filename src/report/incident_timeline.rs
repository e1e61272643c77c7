//! One incident as its journal tells it: each role's way from step to step, its stages, the answer that counted.

use crate::{
    core::{
        Answer, AnswerVerdict, AnswerVia, ChannelName, EngagementOutcome, EngagementTarget, Event, HandBack, Incident,
        IncidentId, JournalRecord, Page, PageAttempts, PersonName, RoleName, StoredLine, Timestamp, attempts,
    },
    journal::{self, JournalError},
};
use std::collections::BTreeMap;

/// An incident and the records that it was folded from.
#[derive(Debug, Clone)]
pub struct IncidentTimeline {
    /// As it is after the last record.
    pub incident: Incident,
    /// What happened, in order. In a story that was read for a report over many incidents only what that report wants.
    pub records: Vec<JournalRecord>,
}

/// A story in the making, from the lines of one chain in their order.
#[derive(Debug)]
pub struct StoryReader {
    id: IncidentId,
    incident: Option<Incident>,
    records: Vec<JournalRecord>,
}

/// One role in one incident, from its ladder's beginning to its end or to now.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleStory {
    /// Which role.
    pub role: RoleName,
    /// Demanded by the trigger, or entered in another's place.
    pub required: bool,
    /// When its ladder began: for a required role when the incident was opened.
    pub entered_at: Timestamp,
    /// When it had its outcome; for an open one the time it was looked at.
    pub until: Timestamp,
    /// Whether its own required answer came. Covered, stood down, closed and open are not that.
    pub engaged: bool,
    /// One word for how it stands.
    pub state: &'static str,
    /// Who has it.
    pub holder: Option<PersonName>,
    /// Its target, where the plan has one.
    pub target: Option<EngagementTarget>,
    /// The steps it went through.
    pub steps: Vec<StepStory>,
    /// By which channels it was paged, and since when.
    pub channels: BTreeMap<ChannelName, Timestamp>,
    /// When its pages first got how far.
    pub stages: RoleStages,
    /// The answer that engaged it.
    pub answer: Option<AnswerStory>,
    /// Who had it before and handed it back, in order. Not what its time to engagement is.
    pub handed_back: Vec<HandBack>,
    /// Pages of it were kept in the sandbox: how fast it was engaged says nothing about people who are really paged.
    pub sandboxed: bool,
}

/// One step of a ladder, its repeats included.
#[derive(Debug, Clone, PartialEq)]
pub struct StepStory {
    /// Which, from 0.
    pub step: usize,
    /// When it was entered first.
    pub entered_at: Timestamp,
    /// The rungs (entered steps, counted from 1 in each role) that it had.
    pub rungs: Vec<u32>,
    /// Who was on call.
    pub on_call: Vec<PersonName>,
}

/// The first time that any brief of a role got so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoleStages {
    /// An attempt began.
    pub sent: Option<Timestamp>,
    /// A provider took one.
    pub accepted: Option<Timestamp>,
    /// A device had one.
    pub delivered: Option<Timestamp>,
    /// A screen showed one.
    pub seen: Option<Timestamp>,
    /// A human said something about the role, whatever it was.
    pub answered: Option<Timestamp>,
    /// Its own required answer came.
    pub engaged: Option<Timestamp>,
}

/// The answer that engaged a role.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerStory {
    /// Whose.
    pub person: PersonName,
    /// By which way.
    pub via: AnswerVia,
    /// The one channel that it shows to reach them; `None` if it shows that of no channel (the command line, a page that
    /// was kept in the sandbox).
    pub channel: Option<ChannelName>,
    /// The step of that page; the step that the role was on, if it was to no page.
    pub step: Option<usize>,
}

impl StoryReader {
    /// Before the first line.
    pub fn new(id: IncidentId) -> Self {
        Self { id, incident: None, records: Vec::new() }
    }

    /// Folds the next lines, and keeps the records of those events that are wanted.
    ///
    /// # Errors
    /// [`JournalError::Fold`] where a line cannot be understood, or the first one is no opening.
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

    /// When the incident was opened, once its first line was read.
    pub fn opened_at(&self) -> Option<Timestamp> {
        self.incident.as_ref().map(|incident| incident.opened_at)
    }

    /// After the last line.
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
        let mut reader = StoryReader::new(id);
        reader.read(lines, |_| true)?;
        reader.finish()
    }

    /// Whether it asks nobody for anything: the announcement of a drill. It is no incident to measure.
    pub fn asks_nothing(&self) -> bool {
        self.incident.plan.required.is_empty()
    }

    /// What was tried with each page, by its number.
    pub fn attempts(&self) -> BTreeMap<u32, PageAttempts<'_>> {
        attempts(self.records.iter().map(|record| (record.at, &record.event)))
    }

    /// The answers of people, each with the one channel that it shows to reach them.
    pub fn answers(&self) -> impl Iterator<Item = (&PersonName, Option<&ChannelName>)> {
        self.records.iter().filter_map(|record| Some((record.event.said_by()?, self.channel_of(&record.event))))
    }

    /// The channel that an answer shows to reach its person. Journals of older versions do not say it: then it is that of the page,
    /// where it went by it.
    pub fn channel_of<'a>(&'a self, answered: &'a Event) -> Option<&'a ChannelName> {
        let Event::Answered { person, answer, via, page, channel, .. } = answered else { return None };
        if channel.is_some() || *via == AnswerVia::Cli || (*via, *answer) == (AnswerVia::Mail, Answer::Unable) {
            return channel.as_ref();
        }
        let page =
            page.and_then(|n| self.incident.pages.get(&n)).filter(|page| page.person.as_ref() == Some(person))?;
        (page.has_left() && is_of_desk(page) == (*via == AnswerVia::Desk)).then_some(&page.channel)
    }

    /// Its roles, those that the trigger demands first; open ones as they stand at `now`.
    pub fn roles(&self, now: Timestamp) -> Vec<RoleStory> {
        let mut roles: Vec<RoleStory> = self.incident.engagements.keys().filter_map(|r| self.role(r, now)).collect();
        roles.sort_by_key(|role| !role.required);
        roles
    }

    fn role(&self, role: &RoleName, now: Timestamp) -> Option<RoleStory> {
        let engagement = self.incident.engagements.get(role)?;
        let engaged = matches!(engagement.outcome, Some(EngagementOutcome::Engaged { .. }));
        let until = engagement.outcome.as_ref().map_or(now, EngagementOutcome::at).max(engagement.entered_at);
        let steps = self.steps(role, engagement.entered_at);
        let mut channels = BTreeMap::new();
        for page in self.incident.briefs_of(role).filter(|page| engagement.entered_at <= page.born_at) {
            channels.entry(page.channel.clone()).or_insert(page.born_at);
        }
        Some(RoleStory {
            role: role.clone(),
            required: engagement.required,
            entered_at: engagement.entered_at,
            until,
            engaged,
            state: state_of(engagement),
            holder: engagement.holder().cloned(),
            target: self.incident.plan.roles.get(role).and_then(|row| row.target),
            channels,
            stages: self.stages(role, engaged.then_some(until)),
            answer: self.answer(role, &steps).filter(|_| engaged),
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

    fn steps(&self, role: &RoleName, since: Timestamp) -> Vec<StepStory> {
        let mut steps: Vec<StepStory> = Vec::new();
        let mut rung = 0;
        for record in &self.records {
            let Event::StepEntered { role: whose, step, on_call, .. } = &record.event else { continue };
            if whose != role {
                continue;
            }
            rung += 1;
            match steps.last_mut().filter(|last| last.step == *step) {
                Some(last) => last.rungs.push(rung),
                None => steps.push(StepStory {
                    step: *step,
                    entered_at: record.at,
                    rungs: vec![rung],
                    on_call: on_call.clone(),
                }),
            }
        }
        // A role that was let go and entered again begins again.
        steps.retain(|step| since <= step.entered_at);
        steps
    }

    fn stages(&self, role: &RoleName, engaged: Option<Timestamp>) -> RoleStages {
        let first =
            |stage: fn(&crate::core::Page) -> Option<Timestamp>| self.incident.briefs_of(role).filter_map(stage).min();
        let heard = |record: &&JournalRecord| match &record.event {
            Event::Answered { role: about, verdict, .. } => {
                about.as_ref() == Some(role)
                    && record.event.said_by().is_some()
                    && !matches!(verdict, AnswerVerdict::NotAsked | AnswerVerdict::WhichRole { .. })
            }
            _ => false,
        };
        RoleStages {
            sent: first(|page| page.stages.sent),
            accepted: first(|page| page.stages.accepted),
            delivered: first(|page| page.stages.delivered),
            seen: first(|page| page.stages.seen),
            answered: self.records.iter().find(heard).map(|record| record.at),
            engaged,
        }
    }

    fn answer(&self, role: &RoleName, steps: &[StepStory]) -> Option<AnswerStory> {
        let engaging = |record: &&JournalRecord| match &record.event {
            Event::Answered { role: about, verdict, .. } => {
                about.as_ref() == Some(role) && *verdict == AnswerVerdict::Engages
            }
            _ => false,
        };
        let record = self.records.iter().rfind(engaging)?;
        let Event::Answered { person, via, page, .. } = &record.event else { return None };
        let page = page.and_then(|n| self.incident.pages.get(&n));
        let step = match page {
            Some(page) => steps.iter().find(|step| step.rungs.contains(&page.rung)),
            None => steps.iter().rfind(|step| step.entered_at <= record.at),
        };
        Some(AnswerStory {
            person: person.clone(),
            via: *via,
            channel: self.channel_of(&record.event).cloned(),
            step: step.map(|step| step.step),
        })
    }
}

/// Whether a screen took a page: it counts the desks that are open.
pub(super) fn is_of_desk(page: &Page) -> bool {
    page.receipt.as_ref().is_some_and(|receipt| receipt.id.ends_with(" desk") || receipt.id.ends_with(" desks"))
}

impl RoleStory {
    /// Seconds from its ladder's beginning until it was engaged, or until it was last seen not to be.
    pub fn seconds(&self) -> f64 {
        seconds(self.entered_at, self.until)
    }
}

/// The signed seconds between two times.
pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.micros_since(from) as f64 / 1e6
}

/// One word for how far a role is.
pub fn state_of(engagement: &crate::core::Engagement) -> &'static str {
    match &engagement.outcome {
        Some(EngagementOutcome::Engaged { .. }) => "engaged",
        Some(EngagementOutcome::Covered { .. }) => "covered",
        Some(EngagementOutcome::StoodDown { .. }) => "stood down",
        Some(EngagementOutcome::Closed { .. }) => "not engaged",
        None if engagement.waits_on.is_some() => "handed over",
        None if engagement.exhausted => "exhausted",
        None => "paging",
    }
}

/// Whether this person said anything in this incident.
pub fn spoke(story: &IncidentTimeline, person: &PersonName) -> bool {
    story.records.iter().any(|record| record.event.said_by() == Some(person))
}
