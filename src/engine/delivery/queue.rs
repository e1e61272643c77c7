//! One channel's queue: whose time has come, who is the most urgent of those, what is under way.

use crate::{
    core::{IncidentId, PageId, Timestamp},
    engine::delivery::{
        destination::{Destination, PageReality},
        throttle::ChannelThrottle,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// How many of a channel's sends may be pages of drills. The real thing does not count them: it never waits for them.
pub const DRILLS_IN_FLIGHT_MAX: usize = 16;

/// Crisis before reminder before status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UrgencyLane {
    /// Not wanted any more: only to be reported as such, whatever else waits.
    Gone,
    /// A brief.
    Crisis,
    /// A brief again.
    Reminder,
    /// What asks for nothing.
    Status,
}

/// When a page may go, how urgent it is, and when it was due first: the order of a channel's queue. The last keeps one
/// room's cards from always going before another's where both wait for the same pace.
pub(super) type QueueTurn = (Timestamp, UrgencyLane, Timestamp, PageId);

/// One channel's queue, for the real thing or for drills.
#[derive(Debug, Default)]
pub(super) struct ChannelQueue {
    /// By time.
    pub queue: BTreeSet<QueueTurn>,
    /// Those whose time has come, the most urgent first: what was queued before must not keep a crisis waiting.
    due: BTreeSet<(UrgencyLane, Timestamp, Timestamp, PageId)>,
    /// Sends under way.
    pub in_flight: usize,
    /// What its provider bears.
    pub throttle: ChannelThrottle<Destination>,
    /// Rooms into which something is being sent: there, what was said later must not come before what was said earlier.
    pub busy: BTreeMap<IncidentId, BusyRoom>,
    /// When something was taken out of it last.
    pub moved_at: Timestamp,
}

/// A room into which something is being sent.
#[derive(Debug, Default)]
pub(super) struct BusyRoom {
    /// Since when.
    pub since: Timestamp,
    /// What waits for the end of that.
    pub waiting: BTreeSet<QueueTurn>,
}

impl ChannelQueue {
    /// How many sends may be under way.
    pub fn at_once(&self, reality: PageReality) -> usize {
        match reality {
            PageReality::Live => self.throttle.at_once(),
            PageReality::Drill => self.throttle.at_once().min(DRILLS_IN_FLIGHT_MAX),
        }
    }

    /// It has ended: what waited for its room may go.
    pub fn ended(&mut self, room: Option<IncidentId>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.queue.extend(room.and_then(|room| self.busy.remove(&room)).unwrap_or_default().waiting);
    }

    /// The most urgent of those whose time has come.
    pub fn most_urgent(&mut self, now: Timestamp) -> Option<QueueTurn> {
        while let Some(turn @ (at, lane, born_at, id)) = self.queue.first().copied().filter(|(at, ..)| *at <= now) {
            self.queue.remove(&turn);
            self.due.insert((lane, at, born_at, id));
        }
        self.due.first().map(|(lane, at, born_at, id)| (*at, *lane, *born_at, *id))
    }

    /// When the next one can go, as far as time alone decides.
    pub fn next_at(&self) -> Option<Timestamp> {
        let due = self.due.iter().map(|(_, at, ..)| *at).next();
        due.or_else(|| self.queue.first().map(|(at, ..)| *at))
    }

    /// A turn is given up, wherever it waits.
    pub fn forget(&mut self, turn: QueueTurn, id: PageId) {
        let (at, lane, born_at, page) = turn;
        if !self.queue.remove(&turn)
            && !self.due.remove(&(lane, at, born_at, page))
            && let Some(busy) = self.busy.get_mut(&id.incident)
        {
            busy.waiting.remove(&turn);
        }
    }

    /// A turn is used: its page leaves the queue, whatever becomes of it.
    pub fn take(&mut self, turn: QueueTurn, id: PageId, now: Timestamp) {
        self.forget(turn, id);
        self.in_flight += 1;
        self.moved_at = now;
    }

    /// Since when a page has waited for this queue, or its room, to move; a time to come while its turn has not.
    pub fn waits_since(&self, turn: QueueTurn) -> Timestamp {
        let (at, _, born_at, id) = turn;
        let room = self.busy.get(&id.incident).filter(|busy| busy.waiting.contains(&turn));
        at.max(born_at).max(room.map_or(self.moved_at, |busy| busy.since))
    }
}
