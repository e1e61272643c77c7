//! Fair shares of a queue: the pages of one trigger go out in turn with those of the others, however many it has.

use crate::{
    core::PageId,
    engine::delivery::turn::{QueueTurn, ShareId, UrgencyLane},
};
use std::collections::{BTreeMap, HashMap};

/// The rounds of the pages that are due. In each round every trigger has one page for each lane: a page waits for those
/// of earlier rounds, and a trigger that has nothing waiting begins in the earliest round that is not done.
#[derive(Debug, Default)]
pub(super) struct FairShares {
    shares: BTreeMap<(UrgencyLane, ShareId), Share>,
    /// How many pages wait in each round.
    rounds: BTreeMap<(UrgencyLane, u64), usize>,
    pages: HashMap<PageId, (UrgencyLane, ShareId, u64)>,
}

/// The pages of one trigger.
#[derive(Debug, Default)]
struct Share {
    /// The round of the page that came last.
    last: u64,
    waiting: usize,
}

impl FairShares {
    /// The round of a page that is due. It keeps it until it leaves, also while it waits for a pace.
    pub fn round(&mut self, turn: &QueueTurn) -> u64 {
        let QueueTurn { lane, share, id, .. } = *turn;
        if let Some((known, _, round)) = self.pages.get(&id)
            && *known == lane
        {
            return *round;
        }
        self.leave(id);
        let earliest = self.rounds.range((lane, 0)..=(lane, u64::MAX)).next().map_or(0, |((_, round), _)| *round);
        let own = self.shares.entry((lane, share)).or_default();
        let round = if own.waiting == 0 { earliest } else { earliest.max(own.last + 1) };
        own.last = round;
        own.waiting += 1;
        *self.rounds.entry((lane, round)).or_default() += 1;
        self.pages.insert(id, (lane, share, round));
        round
    }

    /// The round of a page that is due; 0 for any other.
    pub fn known(&self, id: PageId) -> u64 {
        self.pages.get(&id).map_or(0, |(.., round)| *round)
    }

    /// A page is being sent, or is not wanted any more.
    pub fn leave(&mut self, id: PageId) {
        let Some((lane, share, round)) = self.pages.remove(&id) else { return };
        if let Some(waiting) = self.rounds.get_mut(&(lane, round)) {
            *waiting -= 1;
            if *waiting == 0 {
                self.rounds.remove(&(lane, round));
            }
        }
        if let Some(own) = self.shares.get_mut(&(lane, share)) {
            own.waiting -= 1;
            if own.waiting == 0 {
                self.shares.remove(&(lane, share));
            }
        }
    }
}
