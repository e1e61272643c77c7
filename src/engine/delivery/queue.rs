//! The queue of one channel: which pages are due, which is the most urgent, what is being sent.

use crate::{
    core::{IncidentId, PageId, Timestamp},
    engine::delivery::{
        destination::{Destination, PageReality},
        throttle::ChannelThrottle,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The most concurrent sends of a channel that may be pages of drills. Live pages do not count them and never wait for
/// them.
pub const DRILLS_IN_FLIGHT_MAX: usize = 16;

/// How urgent a page is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UrgencyLane {
    /// Withdrawn: it is only reported as such, before anything else.
    Gone,
    /// A brief.
    Crisis,
    /// A brief that was sent before.
    Reminder,
    /// A message that asks for nothing.
    Status,
}

/// When a page may go, how urgent it is, and when it was first due: the order of a queue. The last part keeps one
/// room's cards from always going before another's when both wait for the same pace.
pub(super) type QueueTurn = (Timestamp, UrgencyLane, Timestamp, PageId);

/// The queue of one channel, for live pages or for drills.
#[derive(Debug, Default)]
pub(super) struct ChannelQueue {
    /// Pages that wait, by time.
    pub queue: BTreeSet<QueueTurn>,
    /// Pages that are due, the most urgent first: older pages must not keep a crisis waiting.
    due: BTreeSet<(UrgencyLane, Timestamp, Timestamp, PageId)>,
    /// The number of sends in progress.
    pub in_flight: usize,
    /// How many sends its provider accepts.
    pub throttle: ChannelThrottle<Destination>,
    /// Rooms to which something is being sent: messages to one room keep their order.
    pub busy: BTreeMap<IncidentId, BusyRoom>,
    /// When a page last left the queue.
    pub moved_at: Timestamp,
}

/// A room to which something is being sent.
#[derive(Debug, Default)]
pub(super) struct BusyRoom {
    /// When that send began.
    pub since: Timestamp,
    /// Pages that wait for it to end.
    pub waiting: BTreeSet<QueueTurn>,
}

impl ChannelQueue {
    /// The most sends that may be in progress.
    pub fn at_once(&self, reality: PageReality) -> usize {
        match reality {
            PageReality::Live => self.throttle.at_once(),
            PageReality::Drill => self.throttle.at_once().min(DRILLS_IN_FLIGHT_MAX),
        }
    }

    /// A send ended: pages that waited for its room may go.
    pub fn ended(&mut self, room: Option<IncidentId>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.queue.extend(room.and_then(|room| self.busy.remove(&room)).unwrap_or_default().waiting);
    }

    /// The most urgent page that is due.
    pub fn most_urgent(&mut self, now: Timestamp) -> Option<QueueTurn> {
        while let Some(turn @ (at, lane, born_at, id)) = self.queue.first().copied().filter(|(at, ..)| *at <= now) {
            self.queue.remove(&turn);
            self.due.insert((lane, at, born_at, id));
        }
        self.due.first().map(|(lane, at, born_at, id)| (*at, *lane, *born_at, *id))
    }

    /// When the next page can go, if only time matters.
    pub fn next_at(&self) -> Option<Timestamp> {
        let due = self.due.iter().map(|(_, at, ..)| *at).next();
        due.or_else(|| self.queue.first().map(|(at, ..)| *at))
    }

    /// Removes a page from wherever it waits.
    pub fn forget(&mut self, turn: QueueTurn, id: PageId) {
        let (at, lane, born_at, page) = turn;
        if !self.queue.remove(&turn)
            && !self.due.remove(&(lane, at, born_at, page))
            && let Some(busy) = self.busy.get_mut(&id.incident)
        {
            busy.waiting.remove(&turn);
        }
    }

    /// Takes a page out of the queue to send it.
    pub fn take(&mut self, turn: QueueTurn, id: PageId, now: Timestamp) {
        self.forget(turn, id);
        self.in_flight += 1;
        self.moved_at = now;
    }

    /// Since when a page has waited for this queue or its room to move; a future time if it is not due yet.
    pub fn waits_since(&self, turn: QueueTurn) -> Timestamp {
        let (at, _, born_at, id) = turn;
        let room = self.busy.get(&id.incident).filter(|busy| busy.waiting.contains(&turn));
        at.max(born_at).max(room.map_or(self.moved_at, |busy| busy.since))
    }
}
