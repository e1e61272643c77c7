//! War rooms: their lines, and the life of those whose card is kept up to date.

use super::Decider;
use crate::core::{
    answer::AnswerVerdict,
    engagement::Engagement,
    event::{Actor, Event},
    incident::{Incident, IncidentStatus},
    names::{ChannelName, PersonName},
    page::{PagePurpose, PageState},
    send_outcome::{SendOutcome, StandIn},
    sentence::sentence,
};
use std::collections::BTreeSet;

/// People whom a note of the timeline names before it counts the rest.
const NAMED_MAX: usize = 5;

/// The card itself is the first; updates are counted from here.
const FIRST_UPDATE: u32 = 2;

impl Decider<'_> {
    /// One line for each room that is made. Before that nothing is queued for it: the card tells.
    pub(super) fn line(&mut self, line: String) {
        let rooms: Vec<ChannelName> = self.incident.rooms.keys().cloned().collect();
        for room in rooms {
            self.post(room, PagePurpose::RoomLine { line: line.clone() });
        }
    }

    /// It is over: every room hears so.
    pub(super) fn tell_rooms_the_end(&mut self, by: &Actor, why: Option<&str>) {
        let rooms: Vec<ChannelName> = self.incident.rooms.keys().cloned().collect();
        for room in rooms {
            self.tell_room_the_end(room, by, why);
        }
    }

    /// A room was made: it gets what it needs, and hears what happened meanwhile.
    pub(super) fn room_made(&mut self, room: &ChannelName) {
        let living = self.incident.plan.living.contains_key(room);
        if self.is_stopped() {
            // Of a drill that was broken off it hears that alone.
        } else if living {
            self.post(room.clone(), PagePurpose::RoomFurnish);
        } else {
            let has = |(role, e): (_, &Engagement)| e.holder().map(|holder| format!("{role}: {holder} has it"));
            let taken: Vec<String> = self.incident.engagements.iter().filter_map(has).collect();
            for line in taken {
                self.post(room.clone(), PagePurpose::RoomLine { line });
            }
        }
        if let IncidentStatus::Resolved { by, why, .. } = self.incident.status.clone() {
            self.tell_room_the_end(room.clone(), &by, why.as_deref());
        }
    }

    /// After everything else of a step: cards that show what is not so any more, and people who were paged since.
    pub(super) fn keep_rooms(&mut self) {
        if self.is_stopped()
            || self.incident.plan.living.is_empty()
            || !self.events.iter().any(|event| concerns_rooms(self.incident, event))
        {
            return;
        }
        let notes: Vec<String> = self.events.iter().filter_map(noted).collect();
        for room in self.living_rooms() {
            for line in &notes {
                self.post(room.clone(), PagePurpose::RoomNote { line: line.clone() });
            }
            self.invite_to(&room);
            self.renew_card(&room);
        }
    }

    /// The rooms whose time has come are put away.
    pub(super) fn archive_rooms(&mut self) {
        let due = self.incident.archives().filter(|(_, due)| *due <= self.now);
        let due: Vec<ChannelName> = due.map(|(room, _)| room.clone()).collect();
        for room in due {
            self.post(room, PagePurpose::RoomArchive);
        }
    }

    fn tell_room_the_end(&mut self, room: ChannelName, by: &Actor, why: Option<&str>) {
        let living = self.incident.plan.living.contains_key(&room);
        let purpose = match living && !self.is_stopped() {
            true => PagePurpose::RoomSummary,
            false => PagePurpose::RoomLine { line: self.last_line(by, why) },
        };
        self.post(room, purpose);
    }

    /// Asks those in who were paged since the last time.
    fn invite_to(&mut self, room: &ChannelName) {
        let mut asked: BTreeSet<&PersonName> = BTreeSet::new();
        for page in self.incident.posts_to(room) {
            if let PagePurpose::RoomInvite { people } = &page.purpose {
                asked.extend(people);
            }
        }
        let briefed = self.incident.pages.values().filter(|page| page.purpose.is_brief());
        let people: BTreeSet<&PersonName> = briefed.filter_map(|page| page.person.as_ref()).collect();
        let people: Vec<PersonName> = people.difference(&asked).map(|person| (*person).clone()).collect();
        if self.incident.is_open() && !people.is_empty() {
            self.post(room.clone(), PagePurpose::RoomInvite { people });
        }
    }

    /// One update at a time: what is queued shows the state of the moment when it is sent, so that more changes need no
    /// more of them. Whether that moment was before the last change is looked at when it is settled.
    fn renew_card(&mut self, room: &ChannelName) {
        let last = self.incident.posts_to(room).find_map(|page| match &page.purpose {
            PagePurpose::RoomUpdate { revision, shows } => Some((*revision, shows.clone(), page.state)),
            _ => None,
        });
        let shows = self.incident.card_digest();
        let revision = match last {
            Some((_, _, PageState::Queued)) => return,
            Some((_, shown, _)) if shown == shows => return,
            Some((revision, _, _)) => revision.saturating_add(1),
            None if is_as_opened(self.incident) => return,
            None => FIRST_UPDATE,
        };
        self.post(room.clone(), PagePurpose::RoomUpdate { revision, shows });
    }

    /// Living rooms that are made.
    fn living_rooms(&self) -> Vec<ChannelName> {
        let living = self.incident.plan.living.keys();
        living.filter(|room| self.incident.rooms.contains_key(*room)).cloned().collect()
    }
}

/// What the timeline says of an event, for those who look. What everybody must notice has a line of its own.
fn noted(event: &Event) -> Option<String> {
    match event {
        Event::StepEntered { role, step, round, on_call, .. } => {
            let again = if *round == 0 { String::new() } else { format!(", round {}", round.saturating_add(1)) };
            let named: Vec<&str> = on_call.iter().take(NAMED_MAX).map(|person| person.as_str()).collect();
            let whom = match on_call.len().saturating_sub(NAMED_MAX) {
                _ if named.is_empty() => "nobody is on call".to_owned(),
                0 => format!("{} paged", named.join(", ")),
                more => format!("{} and {more} more paged", named.join(", ")),
            };
            Some(format!("{role} step {}{again}: {whom}", step.saturating_add(1)))
        }
        Event::Answered {
            verdict: AnswerVerdict::Received | AnswerVerdict::StandbyGranted { .. } | AnswerVerdict::Passed,
            ..
        }
        | Event::SourceSilent { .. } => Some(sentence(event)),
        _ => None,
    }
}

/// Whether an event may change what a card shows or who belongs into a room.
fn concerns_rooms(incident: &Incident, event: &Event) -> bool {
    match event {
        Event::Settled { page, settlement, .. } => {
            if settlement.stand_in() == Some(StandIn::Sandbox) {
                return true;
            }
            let ended = !matches!(settlement, SendOutcome::Retry { .. } | SendOutcome::Held { .. });
            let purpose = incident.pages.get(page).map(|page| &page.purpose);
            ended && matches!(purpose, Some(PagePurpose::RoomCard | PagePurpose::RoomUpdate { .. }))
        }
        Event::Paged { page } => page.purpose.is_brief(),
        Event::Opened(_)
        | Event::Joined { .. }
        | Event::AllClear { .. }
        | Event::SourceSilent { .. }
        | Event::RoleEntered { .. }
        | Event::StepEntered { .. }
        | Event::Answered { .. }
        | Event::Engaged { .. }
        | Event::Covered { .. }
        | Event::HandedBack { .. }
        | Event::Reopened { .. }
        | Event::StoodDown { .. }
        | Event::HandedOver { .. }
        | Event::Exhausted { .. }
        | Event::Preempted { .. }
        | Event::Resolved { .. } => true,
        Event::Overdue { .. }
        | Event::TakenOver { .. }
        | Event::Reported { .. }
        | Event::Undelivered { .. }
        | Event::Injected { .. }
        | Event::Judged { .. }
        | Event::Withdrawn { .. } => false,
    }
}

/// Whether nothing has happened since the opening that a card would show.
fn is_as_opened(incident: &Incident) -> bool {
    let quiet = |e: &Engagement| {
        e.is_open()
            && e.rung <= 1
            && e.waits_on.is_none()
            && !e.stood_by
            && e.unable.is_empty()
            && e.received.is_empty()
            && e.handed_back.is_empty()
    };
    let calm = incident.all_clear_at.is_none() && incident.silent_since.is_none();
    incident.is_open() && calm && incident.engagements.values().all(quiet)
}
