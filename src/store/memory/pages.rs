//! The pages that a node owes.

use super::MemoryNode;
use crate::{core::PageId, store::OrphanPages};

impl MemoryNode {
    pub(super) fn orphans_now(&self, limit: usize) -> OrphanPages {
        let mut inner = self.shared.lock();
        let now = self.shared.now(&mut inner);
        let is_dead = |epoch: u64| epoch != self.epoch && inner.leases.get(&epoch).is_none_or(|until| *until <= now);
        let mut left = limit;
        let mut orphans = Vec::new();
        for (id, kept) in inner.loaded.incidents.iter().filter(|(id, _)| inner.quarantine.holds(**id).is_none()) {
            let free = kept.claims.iter().filter(|(_, epoch)| is_dead(**epoch)).map(|(n, _)| *n);
            let pages: Vec<u32> = free.take(left).collect();
            left -= pages.len();
            if !pages.is_empty() {
                orphans.push((*id, pages));
            }
        }
        orphans
    }

    pub(super) fn owed_now(&self, after: Option<PageId>, limit: usize) -> Vec<PageId> {
        let inner = self.shared.lock();
        let claimed = inner.loaded.incidents.iter().flat_map(|(id, kept)| {
            let mine = kept.claims.iter().filter(|(_, epoch)| **epoch == self.epoch);
            mine.map(|(n, _)| PageId { incident: *id, n: *n })
        });
        claimed.filter(|page| after.is_none_or(|after| after < *page)).take(limit).collect()
    }

    pub(super) fn is_wanted_now(&self, page: PageId) -> bool {
        let inner = self.shared.lock();
        if inner.quarantine.holds(page.incident).is_some() {
            return false;
        }
        let Some(kept) = inner.loaded.incidents.get(&page.incident) else { return false };
        kept.wants(page.n, self.epoch)
    }
}
