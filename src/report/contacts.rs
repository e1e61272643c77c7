//! The dated record of tested contact procedures: for each person and channel, what was tried and what the result was.
//! A channel gets credit only for what was sent by it: an answer by SMS says nothing about the mail that was also sent,
//! and a desk page that shows a text says nothing about the channel that the text was sent by.

use crate::{
    core::{
        ChannelName, DeliveryHitch, Event, Page, PageAttempts, PageState, PersonName, StandIn, Timestamp,
        page::PageStage, send_outcome::tells_desk_closed,
    },
    report::{
        incident_timeline::{IncidentTimeline, is_of_desk},
        texts::IncidentTexts,
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One person and one channel.
#[derive(Debug, Serialize)]
pub struct ContactRow {
    person: String,
    channel: String,
    called: String,
    /// Whether the channel itself was given a page for them.
    tried: String,
    accepted: String,
    delivered: String,
    seen: String,
    /// Whether they answered by this channel.
    answered: String,
    remark: String,
}

/// The counts for them.
#[derive(Debug)]
struct ContactCount<'a> {
    called: Timestamp,
    pages: usize,
    tried: usize,
    accepted: usize,
    delivered: usize,
    seen: usize,
    sandboxed: usize,
    desk_closed: usize,
    injected: BTreeSet<String>,
    refusals: usize,
    last_error: Option<&'a str>,
    late: usize,
    paced: usize,
    unsettled: usize,
    withdrawn: usize,
}

/// The record for a drill's incidents, by person and channel.
pub fn contacts(timelines: &[IncidentTimeline], beside: &IncidentTexts) -> Vec<ContactRow> {
    let mut contacts: BTreeMap<(&PersonName, &ChannelName), ContactCount<'_>> = BTreeMap::new();
    let mut answered: BTreeSet<(&PersonName, &ChannelName)> = BTreeSet::new();
    for timeline in timelines {
        count(timeline, &mut contacts);
        answered.extend(timeline.answers().filter_map(|(person, channel)| Some((person, channel?))));
    }
    let row = |((person, channel), contact): (&(&PersonName, &ChannelName), &ContactCount<'_>)| {
        let by: Vec<&str> = answered.iter().filter(|(who, _)| who == person).map(|(_, by)| by.as_str()).collect();
        let answered = match (answered.contains(&(*person, *channel)), &by[..]) {
            (true, _) => "yes".to_owned(),
            (false, []) => "no".to_owned(),
            (false, by) => format!("no (they answered by {})", by.join(", ")),
        };
        contact.row(beside.name(person), channel, answered)
    };
    contacts.iter().map(row).collect()
}

fn count<'a>(
    timeline: &'a IncidentTimeline,
    contacts: &mut BTreeMap<(&'a PersonName, &'a ChannelName), ContactCount<'a>>,
) {
    let attempts = timeline.attempts();
    let at_desk: BTreeSet<u32> = timeline.records.iter().filter_map(|record| shown_at_desk(&record.event)).collect();
    for page in timeline.incident.pages.values().filter(|page| page.purpose.is_brief()) {
        let Some(person) = &page.person else { continue };
        let contact = contacts.entry((person, &page.channel)).or_insert_with(|| ContactCount::new(page.born_at));
        let theirs = attempts.get(&page.n);
        let given = |tries: &PageAttempts<'_>| tries.attempts.iter().any(|attempt| attempt.was_given_to_channel());
        let brought = page.stand_in() == Some(StandIn::Drill) && page.has_left();
        contact.called = contact.called.min(page.born_at);
        contact.pages += 1;
        contact.tried += usize::from(theirs.is_some_and(given) || brought);
        contact.accepted += usize::from(page.is_taken());
        contact.delivered += usize::from(page.stages.delivered.is_some() && is_providers_word(page));
        contact.seen +=
            usize::from(page.stages.seen.is_some() && !at_desk.contains(&page.n) && is_providers_word(page));
        contact.sandboxed += usize::from(page.is_sandboxed());
        contact.refusals += theirs.map_or(0, PageAttempts::refusals);
        contact.injected.extend(theirs.and_then(|theirs| theirs.injected()).map(ToString::to_string));
        match theirs.and_then(|theirs| theirs.hitch(page)) {
            Some(DeliveryHitch::DeskClosed) => contact.desk_closed += 1,
            Some(DeliveryHitch::Channel) => {
                contact.last_error = page.last_error.as_deref().or(contact.last_error);
                contact.late += usize::from(page.stages.accepted.is_some());
            }
            Some(DeliveryHitch::OwnPace) => {
                contact.paced += 1;
                contact.count_rest(page);
            }
            Some(DeliveryHitch::Injected(_)) => {}
            None if page.last_error.as_deref().is_some_and(tells_desk_closed) => contact.desk_closed += 1,
            Some(DeliveryHitch::NotKnown) | None => contact.count_rest(page),
        }
    }
}

/// The page that a desk showed although it was sent by another channel.
fn shown_at_desk(event: &Event) -> Option<u32> {
    match event {
        Event::Reported { page, stage: PageStage::Seen, at_desk: true } => Some(*page),
        _ => None,
    }
}

/// Older journals record what a desk showed as delivered and seen at the same moment, whatever channel it was sent by.
fn is_providers_word(page: &Page) -> bool {
    is_of_desk(page) || page.stages.seen.is_none() || page.stages.delivered != page.stages.seen
}

impl ContactCount<'_> {
    fn new(called: Timestamp) -> Self {
        Self {
            called,
            pages: 0,
            tried: 0,
            accepted: 0,
            delivered: 0,
            seen: 0,
            sandboxed: 0,
            desk_closed: 0,
            injected: BTreeSet::new(),
            refusals: 0,
            last_error: None,
            late: 0,
            paced: 0,
            unsettled: 0,
            withdrawn: 0,
        }
    }

    fn count_rest(&mut self, page: &Page) {
        match page.state {
            PageState::Queued => self.unsettled += 1,
            PageState::Withdrawn | PageState::Unsent => self.withdrawn += 1,
            PageState::Accepted | PageState::Unreachable => {}
        }
    }

    fn row(&self, person: &str, channel: &ChannelName, answered: String) -> ContactRow {
        let of = |count: usize| match self.tried {
            0 => "-".to_owned(),
            tried => format!("{count} of {tried}"),
        };
        let reported = |count: usize| if count == 0 && 0 < self.tried { "not reported".to_owned() } else { of(count) };
        ContactRow {
            person: person.to_owned(),
            channel: channel.to_string(),
            called: self.called.to_utc().format("%-d %b %Y, %H:%M:%S").to_string(),
            tried: if self.tried == 0 { "no".into() } else { format!("{} of {} page(s)", self.tried, self.pages) },
            accepted: of(self.accepted),
            delivered: reported(self.delivered),
            seen: reported(self.seen),
            answered,
            remark: self.remark(),
        }
    }

    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        if 0 < self.sandboxed {
            remarks.push(StandIn::Sandbox.to_string());
        }
        let tested = if self.tried == 0 { "not tested: " } else { "" };
        remarks.extend(self.injected.iter().map(|last_error| format!("{tested}{last_error}")));
        if 0 < self.desk_closed {
            remarks.push("not open: their desk was not open".into());
        }
        match (self.accepted, self.refusals, self.last_error) {
            (0, 0, None) => {}
            (0, _, last_error) => remarks.push(format!("DID NOT WORK: {}", last_error.unwrap_or("no reason given"))),
            (_, 0, None) => {}
            (_, 0, Some(last_error)) => remarks.push(format!("worked, and not always: {last_error}")),
            (_, refusals, last_error) => {
                let why = last_error.map_or(String::new(), |last_error| format!(", at last: {last_error}"));
                remarks.push(format!("worked, refused {refusals} time(s){why}"));
            }
        }
        if 0 < self.late {
            remarks.push(format!("{} page(s) taken later than its accept timeout", self.late));
        }
        if 0 < self.paced {
            remarks.push(format!("{} page(s) waited at our own pace for longer than its accept timeout", self.paced));
        }
        if 0 < self.unsettled {
            remarks.push(format!("{} page(s) not settled when the drill ended", self.unsettled));
        }
        if 0 < self.withdrawn {
            remarks.push(format!("{} page(s) withdrawn before they were accepted", self.withdrawn));
        }
        remarks.join("; ")
    }
}
