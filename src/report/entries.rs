//! How often a role was asked for in one incident, and how each time ended. A role is entered when its ladder begins,
//! again after it was handed back or opened again, and again after it was stood down and somebody is needed once more.
//! Only an engagement that stood is engaged. Each entry is a sample of its own for the time to engagement; `show`, reports and post-mortems measure it alike.

use crate::{
    core::{ChannelName, Event, Page, RoleName, Timestamp},
    report::{
        ended::Ended,
        incident_timeline::{AnswerStory, IncidentTimeline, RoleStages, RoleTimeline, StepStory, seconds},
    },
};
use std::collections::BTreeMap;

/// One time that a role was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleEntry {
    /// When it began to be asked for.
    pub began: Timestamp,
    /// When somebody had it, or it ended in another way; for an open role, the time of the report.
    pub until: Timestamp,
    /// How it ended.
    pub ended: Ended,
}

/// The entries of a role in their order; the last one is how it stands.
pub fn entries(timeline: &IncidentTimeline, role: &RoleTimeline) -> Vec<RoleEntry> {
    let incident = &timeline.incident;
    let (mut began, mut taken_at) = (role.required.then_some(incident.opened_at), None);
    let mut entries = Vec::new();
    for record in &timeline.records {
        match &record.event {
            Event::RoleEntered { role: whose, .. } if *whose == role.role => began = Some(record.at),
            Event::Engaged { role: whose, .. } | Event::Covered { role: whose, .. } if *whose == role.role => {
                taken_at = Some(record.at);
            }
            Event::StoodDown { role: whose } if *whose == role.role => {
                entries.extend(began.take().map(|began| RoleEntry::new(began, record.at, Ended::StoodDown)));
            }
            Event::HandedBack { role: whose, .. } if *whose == role.role => {
                let had = began.replace(record.at).zip(taken_at.take());
                entries.extend(had.map(|(began, until)| RoleEntry::new(began, until, Ended::HandedBack)));
            }
            Event::Reopened { role: whose, .. } if *whose == role.role => {
                let had = began.replace(record.at).zip(taken_at.take());
                entries.extend(had.map(|(began, until)| RoleEntry::new(began, until, Ended::Covered)));
            }
            _ => {}
        }
    }
    let Some(engagement) = incident.engagements.get(&role.role) else { return entries };
    let ended = Ended::of(incident, engagement);
    // The end of one that was stood down and not entered again is there already.
    if ended != Ended::StoodDown || entries.last().is_none_or(|last| last.until != role.until) {
        entries.push(RoleEntry::new(engagement.open_since(), role.until, ended));
    }
    entries
}

/// How the role stands.
pub fn last_entry(timeline: &IncidentTimeline, role: &RoleTimeline) -> Option<RoleEntry> {
    entries(timeline, role).pop()
}

impl RoleEntry {
    fn new(began: Timestamp, until: Timestamp, ended: Ended) -> Self {
        Self { began, until: until.max(began), ended }
    }

    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        seconds(self.began, self.until)
    }

    /// The briefs of the role that were made in it.
    pub fn briefs<'a>(&'a self, timeline: &'a IncidentTimeline, role: &'a RoleName) -> impl Iterator<Item = &'a Page> {
        let briefs = timeline.incident.briefs_of(role);
        briefs.filter(|page| self.began <= page.born_at && page.born_at <= self.until)
    }

    /// The channels that paged somebody in it, and since when.
    pub fn channels(&self, timeline: &IncidentTimeline, role: &RoleName) -> BTreeMap<ChannelName, Timestamp> {
        let mut channels = BTreeMap::new();
        for page in self.briefs(timeline, role) {
            channels.entry(page.channel.clone()).or_insert(page.born_at);
        }
        channels
    }

    /// The steps that it went through, and the answer that engaged the role. An answer to a page of before is none to a
    /// channel of this entry.
    pub fn steps(&self, timeline: &IncidentTimeline, role: &RoleName) -> (Vec<StepStory>, Option<AnswerStory>) {
        let steps = timeline.steps(role, self.began, self.until);
        let answer = timeline.answer(role, &steps, self.until).filter(|_| self.ended == Ended::Engaged);
        let is_of_now = |n: u32| self.briefs(timeline, role).any(|page| page.n == n);
        let answer = answer.map(|answer| match answer.page.is_none_or(is_of_now) {
            true => answer,
            false => AnswerStory { channel: None, ..answer },
        });
        (steps, answer)
    }

    /// When its pages first reached each stage.
    pub fn stages(&self, timeline: &IncidentTimeline, role: &RoleName) -> RoleStages {
        timeline.stages(role, self.began, (self.ended == Ended::Engaged).then_some(self.until))
    }
}
