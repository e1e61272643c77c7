//! War rooms: their lines, and the lifecycle of rooms whose card is kept up to date.

use super::Decider;
use crate::core::{
    answer::AnswerVerdict,
    display_names::DisplayNames,
    engagement::Engagement,
    event::{Actor, Event},
    incident::{Incident, IncidentStatus},
    names::{ChannelName, PersonName},
    page::{PagePurpose, PageState},
    request::AskKind,
    send_outcome::{SendOutcome, StandIn},
    sentence::told,
};

/// How many people a timeline note names before it counts the rest.
const NAMED_MAX: usize = 5;

/// The card itself is revision 1; updates are counted from here.
const FIRST_UPDATE: u32 = 2;

impl Decider<'_> {
    /// Queues one line for each room that exists. Before a room exists nothing is queued for it: the card shows what
    /// happened.
    pub(super) fn line(&mut self, line: String) {
        let rooms: Vec<ChannelName> = self.incident.rooms.keys().cloned().collect();
        for room in rooms {
            self.post(room, PagePurpose::RoomLine { line: line.clone() });
        }
    }

    /// The incident is over: every room is told.
    pub(super) fn tell_rooms_the_end(&mut self, by: &Actor, why: Option<&str>) {
        let rooms: Vec<ChannelName> = self.incident.rooms.keys().cloned().collect();
        for room in rooms {
            self.tell_room_the_end(room, by, why);
        }
    }

    /// A room was created: it gets what it needs, and is told what happened meanwhile.
    pub(super) fn room_made(&mut self, room: &ChannelName) {
        let living = self.incident.plan.living.contains_key(room);
        if self.is_stopped() {
            // A room of a drill that was stopped early is told only that.
        } else if living {
            self.post(room.clone(), PagePurpose::RoomFurnish);
        } else {
            let names = self.names();
            let has = |(role, e): (_, &Engagement)| {
                e.holder().map(|holder| format!("{}: {} has it", names.role(role), names.person(holder)))
            };
            let taken: Vec<String> = self.incident.engagements.iter().filter_map(has).collect();
            for line in taken {
                self.post(room.clone(), PagePurpose::RoomLine { line });
            }
        }
        if let IncidentStatus::Resolved { by, why, .. } = self.incident.status.clone() {
            self.tell_room_the_end(room.clone(), &by, why.as_deref());
        }
    }

    /// Runs after everything else in a step: updates cards that are out of date, and invites people who were paged
    /// since.
    pub(super) fn keep_rooms(&mut self) {
        if self.is_stopped()
            || self.incident.plan.living.is_empty()
            || !self.events.iter().any(|event| concerns_rooms(self.incident, event))
        {
            return;
        }
        let names = self.names();
        let asked = self.incident.asks();
        let notes: Vec<String> = self.events.iter().filter_map(|event| noted(event, asked, &names)).collect();
        for room in self.living_rooms() {
            // People are invited before new lines are posted for them to read.
            self.invite_to(&room);
            for line in &notes {
                self.post(room.clone(), PagePurpose::RoomNote { line: line.clone() });
            }
            self.renew_card(&room);
        }
    }

    /// Archives the rooms that are due.
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

    /// Invites the people who were paged since the last invitation.
    fn invite_to(&mut self, room: &ChannelName) {
        let pages = &self.incident.pages;
        let people = pages.asked().into_iter().filter(|person| !pages.is_invited(room, person));
        let people: Vec<PersonName> = people.cloned().collect();
        if self.incident.is_open() && !people.is_empty() {
            self.post(room.clone(), PagePurpose::RoomInvite { people });
        }
    }

    /// Queues at most one update at a time: a queued update shows the state at the time when it is sent, so further
    /// changes need no further updates. When it has been sent, the state is compared with what it showed.
    fn renew_card(&mut self, room: &ChannelName) {
        let last = self.incident.pages.room_update(room).and_then(|page| match &page.purpose {
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

    /// Living rooms that exist and are not being archived: nothing can be written into them any more.
    fn living_rooms(&self) -> Vec<ChannelName> {
        let living = self.incident.plan.living.keys();
        let is_there =
            |room: &&ChannelName| self.incident.rooms.contains_key(*room) && !self.incident.is_archived(room);
        living.filter(is_there).cloned().collect()
    }
}

/// The timeline's text for an event, for people who look there. Events that everybody must notice have their own line.
fn noted(event: &Event, asked: Option<AskKind>, names: &dyn DisplayNames) -> Option<String> {
    match event {
        Event::StepEntered { role, step, round, on_call, .. } => {
            let again = if *round == 0 { String::new() } else { format!(", round {}", round.saturating_add(1)) };
            let named: Vec<&str> = on_call.iter().take(NAMED_MAX).map(|person| names.person(person)).collect();
            let whom = match on_call.len().saturating_sub(NAMED_MAX) {
                _ if named.is_empty() => "nobody is on call".to_owned(),
                0 => format!("{} paged", named.join(", ")),
                more => format!("{} and {more} more paged", named.join(", ")),
            };
            Some(format!("{} step {}{again}: {whom}", names.role(role), step.saturating_add(1)))
        }
        Event::Answered {
            verdict: AnswerVerdict::Received | AnswerVerdict::StandbyGranted { .. } | AnswerVerdict::Passed,
            ..
        }
        | Event::SourceSilent { .. }
        | Event::Raised { .. } => Some(told(event, asked, names)),
        _ => None,
    }
}

/// Whether an event may change what a card shows or who belongs in a room.
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
        | Event::Chosen { .. }
        | Event::HandoffMoved(_)
        | Event::Erased { .. }
        | Event::RequestEnded { .. }
        | Event::Joined { .. }
        | Event::Overflowed { .. }
        | Event::OverflowCleared { .. }
        | Event::AllClear { .. }
        | Event::SourceSilent { .. }
        | Event::Raised { .. }
        | Event::RoleEntered { .. }
        | Event::StepEntered { .. }
        | Event::StepProlonged { .. }
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
        | Event::Unreported { .. }
        | Event::TakenOver { .. }
        | Event::Reported { .. }
        | Event::Undelivered { .. }
        | Event::Injected { .. }
        | Event::Judged { .. }
        | Event::Withdrawn { .. } => false,
        Event::Repeated { changes, .. } => changes.is_some(),
    }
}

/// Whether nothing has happened since the opening that a card would show.
fn is_as_opened(incident: &Incident) -> bool {
    let quiet = |e: &Engagement| {
        e.is_open()
            && e.step_entry <= 1
            && e.waits_on.is_none()
            && !e.stood_by
            && e.unable.is_empty()
            && e.received.is_empty()
            && e.handed_back.is_empty()
    };
    let calm = incident.all_clear_at.is_none() && incident.silent_since.is_none();
    incident.is_open() && calm && incident.engagements.values().all(quiet)
}
