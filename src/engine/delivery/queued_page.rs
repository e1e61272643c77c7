//! A page that this node has claimed, as its queue knows it.

use crate::{
    core::{
        HeldWhy, Incident, IncidentId, Page, PageId, PagePurpose, Priority, Timestamp, TriggerName, retry::SendPace,
    },
    engine::delivery::{
        destination::{Destination, LineName, PageReality},
        turn::{QueueTurn, ShareId, UrgencyLane},
    },
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// How often one room's card is edited. Changes in between show up with the next edit.
pub const CARD_PACE: SendPace = SendPace { every: Duration::from_secs(3), burst: 1 };

/// How often all cards of one channel are edited. Slack allows 50 edits a minute in a workspace; this leaves some for
/// others.
pub const CARDS_PACE: SendPace = SendPace { every: Duration::from_millis(1334), burst: 5 };

/// What a page belongs to.
#[derive(Debug, Clone, Copy)]
pub struct PageOrigin<'a> {
    /// Its incident.
    pub incident: IncidentId,
    /// Whether that is a drill.
    pub drill: bool,
    /// The trigger of the incident: pages of different triggers take turns.
    pub trigger: &'a TriggerName,
    /// Its priority: pages of a higher one have more turns.
    pub priority: Priority,
    /// When the step that the page belongs to ends; `None` if it belongs to none.
    pub ends_at: Option<Timestamp>,
}

impl<'a> PageOrigin<'a> {
    /// What a page of this incident belongs to.
    pub fn of(incident: &'a Incident, page: Option<&Page>) -> Self {
        Self {
            incident: incident.id,
            drill: incident.drill,
            trigger: &incident.trigger,
            priority: incident.plan.priority,
            ends_at: page.and_then(|page| incident.step_ends(page)),
        }
    }
}

#[derive(Debug)]
pub(super) struct QueuedPage {
    pub line: LineName,
    pub destination: Destination,
    pub lane: UrgencyLane,
    share: ShareId,
    /// Whether it asks for an answer.
    asks: bool,
    priority: Priority,
    ends_at: Timestamp,
    to: u64,
    /// Whether it is an edit of a card.
    pub is_update: bool,
    pub born_at: Timestamp,
    /// Whether it was ever handed to its channel, or only the desk of its person is not open.
    pub attempted: bool,
    /// Whether it waits for a desk that is not open.
    waits_for_desk: bool,
    /// Its place in the queue; `None` while it is being sent.
    pub turn: Option<QueueTurn>,
    pub withdrawn: bool,
    /// How often handling it panicked.
    pub panics: u32,
    /// How often it was taken out of the queue.
    pub taken: u32,
    /// The incident whose room it is being sent to; nothing else may be sent there meanwhile.
    pub holds: Option<IncidentId>,
}

impl QueuedPage {
    pub fn new(origin: PageOrigin<'_>, trigger: u32, page: &Page) -> Self {
        let reality = if origin.drill { PageReality::Drill } else { PageReality::Live };
        let destination = match &page.person {
            Some(person) => Destination::Person(reality, page.channel.clone(), person.clone()),
            None => Destination::Room(page.channel.clone(), origin.incident),
        };
        let news = page.person.is_some() && spares_work(&page.purpose);
        let lane = match &page.purpose {
            PagePurpose::Brief { round: 0 } => UrgencyLane::Crisis,
            _ if news => UrgencyLane::Crisis,
            PagePurpose::Brief { .. } => UrgencyLane::Reminder,
            PagePurpose::RoomCard | PagePurpose::RoomInvite { .. } => UrgencyLane::Room,
            _ => UrgencyLane::Status,
        };
        Self {
            line: (reality, page.channel.clone()),
            to: number(&destination),
            destination,
            lane,
            share: ShareId { trigger, news },
            asks: page.purpose.is_brief(),
            priority: origin.priority,
            ends_at: origin.ends_at.unwrap_or(Timestamp::MAX),
            is_update: matches!(page.purpose, PagePurpose::RoomUpdate { .. }),
            born_at: page.born_at,
            attempted: page.was_attempted() || page.held == Some(HeldWhy::DeskClosed),
            waits_for_desk: page.purpose.waits_for_desk(),
            turn: None,
            withdrawn: false,
            panics: 0,
            taken: 0,
            holds: None,
        }
    }

    pub fn turn(&self, at: Timestamp, id: PageId) -> QueueTurn {
        QueueTurn {
            at,
            lane: self.lane,
            born_at: self.born_at,
            id,
            share: self.share,
            to: self.to,
            priority: self.priority,
            ends_at: self.ends_at,
        }
    }

    /// Whether it asks for an answer and is still wanted.
    pub fn is_brief(&self) -> bool {
        self.asks && !self.withdrawn
    }

    /// Whether its reader can be told that it follows: a brief that waits and was not sent.
    pub fn follows(&self) -> bool {
        self.is_brief() && !self.attempted
    }

    /// Its destination and its trigger.
    pub fn flow(&self) -> (Destination, ShareId) {
        (self.destination.clone(), self.share)
    }

    pub fn take(&mut self) {
        self.turn = None;
        self.taken = self.taken.wrapping_add(1);
    }

    /// Whether it waits when its destination is held back for this reason. A page that does not wait for a desk must be
    /// told at once that the desk is closed.
    pub fn heeds(&self, why: HeldWhy) -> bool {
        self.waits_for_desk || why != HeldWhy::DeskClosed
    }

    /// The paces that it must keep.
    pub fn paces(&self, channels: SendPace, id: PageId) -> Vec<(Destination, SendPace)> {
        if !self.is_update {
            return vec![(self.destination.clone(), channels)];
        }
        let (reality, channel) = self.line.clone();
        let card = Destination::Card(channel.clone(), id.incident);
        vec![(card, CARD_PACE), (Destination::Cards(reality, channel), CARDS_PACE)]
    }
}

/// Whether it tells its reader that they need not do what they were asked: somebody has it, or it is over.
fn spares_work(purpose: &PagePurpose) -> bool {
    matches!(purpose, PagePurpose::Taken { .. } | PagePurpose::StoodDown | PagePurpose::Resolved)
}

/// A number for a destination. If two ever had the same one, their pages would take turns with each other.
fn number(destination: &Destination) -> u64 {
    let mut hasher = DefaultHasher::new();
    destination.hash(&mut hasher);
    hasher.finish()
}
