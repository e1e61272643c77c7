//! The queue of one channel: which pages are due, which is the most urgent, what is being sent.

use crate::{
    core::{IncidentId, Timestamp},
    engine::delivery::{
        destination::{Destination, PageReality},
        shares::FairShares,
        throttle::ChannelThrottle,
        turn::QueueTurn,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The most concurrent sends of a channel that may be pages of drills. Live pages do not count them and never wait for
/// them.
pub const DRILLS_IN_FLIGHT_MAX: usize = 16;

/// The queue of one channel, for live pages or for drills.
#[derive(Debug, Default)]
pub(super) struct ChannelQueue {
    /// Pages that wait, by time.
    pub queue: BTreeSet<QueueTurn>,
    /// Pages that are due, the most urgent first, and in each lane in turn: older pages must not keep a crisis waiting,
    /// nor many pages of one trigger a page of another.
    due: FairShares,
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
        while let Some(turn) = self.queue.first().copied().filter(|turn| turn.at <= now) {
            self.queue.remove(&turn);
            self.due.insert(turn);
        }
        self.due.first()
    }

    /// When the next page can go, if only time matters.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|turn| turn.at).or_else(|| self.queue.first().map(|turn| turn.at))
    }

    /// Removes a page from wherever it waits, to wait elsewhere: its trigger keeps its turn.
    pub fn move_away(&mut self, turn: QueueTurn) {
        if !self.queue.remove(&turn)
            && !self.due.remove(turn)
            && let Some(busy) = self.busy.get_mut(&turn.id.incident)
        {
            busy.waiting.remove(&turn);
        }
    }

    /// Removes a page for good.
    pub fn forget(&mut self, turn: QueueTurn) {
        self.move_away(turn);
        self.due.leave(turn.id);
    }

    /// Takes a page out of the queue to send it: its trigger has had a turn.
    pub fn take(&mut self, turn: QueueTurn, now: Timestamp) {
        self.due.take(turn);
        self.begin(now);
    }

    /// Takes a page out of the queue to record that it is not sent now.
    pub fn set_aside(&mut self, turn: QueueTurn, now: Timestamp) {
        self.forget(turn);
        self.begin(now);
    }

    fn begin(&mut self, now: Timestamp) {
        self.in_flight += 1;
        self.moved_at = now;
    }

    /// Since when a page has waited for this queue or its room to move; a future time if it is not due yet.
    pub fn waits_since(&self, turn: QueueTurn) -> Timestamp {
        let room = self.busy.get(&turn.id.incident).filter(|busy| busy.waiting.contains(&turn));
        turn.at.max(turn.born_at).max(room.map_or(self.moved_at, |busy| busy.since))
    }
}
