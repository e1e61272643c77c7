//! Fair shares of a queue: the pages of one trigger go out in turn with those of the others, however many it has. A
//! trigger of a higher priority has more turns, and none is left without. News that spares its reader work (somebody has
//! it, it is over) has turns of its own beside the briefs of its trigger, and goes first where the turn is the same.
//!
//! Turns are taken twice: among the pages for one destination, because its pace is what they wait for, and among the
//! destinations, because a channel does only so much at once.

use crate::{
    core::{PageId, Priority, Timestamp},
    engine::delivery::turn::{QueueTurn, ShareId, UrgencyLane},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The pages that are due.
#[derive(Debug, Default)]
pub(super) struct FairShares {
    /// The first page of each destination.
    firsts: TurnOrder,
    destinations: HashMap<u64, DestinationShares>,
    /// The pages that are due, or were and wait for a pace.
    known: HashMap<PageId, u64>,
}

/// The pages of one destination. Its triggers keep their places as long as any of them waits.
#[derive(Debug, Default)]
struct DestinationShares {
    due: TurnOrder,
    waiting: usize,
}

impl FairShares {
    /// The page whose turn it is.
    pub fn first(&self) -> Option<QueueTurn> {
        self.firsts.first()
    }

    /// A page is due.
    pub fn insert(&mut self, turn: QueueTurn) {
        if self.known.insert(turn.id, turn.to).is_none() {
            self.destinations.entry(turn.to).or_default().waiting += 1;
        }
        self.change(turn, |due| due.insert(turn));
    }

    /// A page waits elsewhere: it is not due any more. Returns whether it was.
    pub fn remove(&mut self, turn: QueueTurn) -> bool {
        self.change(turn, |due| due.remove(turn)).unwrap_or(false)
    }

    /// A page is sent: its trigger has had a turn.
    pub fn take(&mut self, turn: QueueTurn) {
        self.firsts.take(turn);
        self.change(turn, |due| due.take(turn));
        self.leave(turn.id);
    }

    /// A page is being sent, or is not wanted any more.
    pub fn leave(&mut self, id: PageId) {
        let Some(to) = self.known.remove(&id) else { return };
        let Some(destination) = self.destinations.get_mut(&to) else { return };
        destination.waiting -= 1;
        if destination.waiting == 0 {
            self.destinations.remove(&to);
        }
    }

    /// Changes what is due for the destination of this page, and offers whichever page is its first then.
    fn change<T>(&mut self, turn: QueueTurn, change: impl FnOnce(&mut TurnOrder) -> T) -> Option<T> {
        let due = &mut self.destinations.get_mut(&turn.to)?.due;
        let before = due.first();
        let result = change(due);
        let after = due.first();
        if before != after {
            if let Some(turn) = before {
                self.firsts.remove(turn);
            }
            if let Some(turn) = after {
                self.firsts.insert(turn);
            }
        }
        Some(result)
    }
}

/// Turns of triggers by start-time fair queueing (Goyal, Vin and Cheng, 1996). Each trigger has a tag, and the lowest tag
/// is next; each page that goes raises the tag of its trigger by what a turn costs at its priority. A trigger that had
/// nothing to send comes back at the tag of the page that went last: it has saved no turns.
#[derive(Debug, Default)]
struct TurnOrder {
    shares: BTreeMap<(UrgencyLane, ShareId), Share>,
    /// The triggers that have pages, in the order of their turns.
    order: BTreeSet<SharePlace>,
    /// The tag of the page that went last.
    passed: BTreeMap<UrgencyLane, u64>,
}

/// The pages of one trigger.
#[derive(Debug, Default)]
struct Share {
    /// Its pages. The one whose step ends first goes first.
    pages: BTreeSet<(Timestamp, QueueTurn)>,
    tag: u64,
}

/// The place of a trigger. Where two have the same tag, priority counts, then news before briefs, then whose step ends
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SharePlace {
    lane: UrgencyLane,
    tag: u64,
    priority: Priority,
    is_brief: bool,
    ends_at: Timestamp,
    /// Its first page.
    first: QueueTurn,
}

impl TurnOrder {
    fn first(&self) -> Option<QueueTurn> {
        self.order.first().map(|place| place.first)
    }

    fn insert(&mut self, turn: QueueTurn) {
        let passed = self.passed.get(&turn.lane).copied().unwrap_or(0);
        self.change(turn, |share| {
            if share.pages.is_empty() {
                share.tag = share.tag.max(passed);
            }
            share.pages.insert((turn.ends_at, turn))
        });
    }

    /// Returns whether it was here.
    fn remove(&mut self, turn: QueueTurn) -> bool {
        self.change(turn, |share| share.pages.remove(&(turn.ends_at, turn)))
    }

    fn take(&mut self, turn: QueueTurn) {
        let tag = self.change(turn, |share| {
            share.pages.remove(&(turn.ends_at, turn));
            let tag = share.tag;
            share.tag += turn.priority.turn_cost();
            tag
        });
        let passed = self.passed.entry(turn.lane).or_default();
        *passed = tag.max(*passed);
    }

    /// Changes the share of this page, and gives it its new place.
    fn change<T>(&mut self, turn: QueueTurn, change: impl FnOnce(&mut Share) -> T) -> T {
        let share = self.shares.entry((turn.lane, turn.share)).or_default();
        let before = place(turn.lane, share);
        let result = change(share);
        let after = place(turn.lane, share);
        if before != after {
            if let Some(place) = before {
                self.order.remove(&place);
            }
            self.order.extend(after);
        }
        result
    }
}

fn place(lane: UrgencyLane, share: &Share) -> Option<SharePlace> {
    let (ends_at, first) = *share.pages.first()?;
    Some(SharePlace { lane, tag: share.tag, priority: first.priority, is_brief: !first.share.news, ends_at, first })
}
