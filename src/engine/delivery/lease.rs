//! The lease of this node, and the pages of nodes that lost theirs.

use super::Delivery;
use crate::{
    core::{IncidentId, Timestamp},
    engine::{context::each, delivery::queues::PageOrigin},
    store::{LockSet, RequestClass, StoreError, transact},
};
use std::sync::atomic::Ordering;

/// The most pages that are taken over from dead nodes in one round.
const ORPHANS_MAX: usize = 1024;

impl Delivery {
    /// Renews this node's lease.
    pub async fn tick_lease(&self) -> Result<(), StoreError> {
        let until = self.context.store.renew_lease().await?;
        self.lease_until.store(until.as_micros(), Ordering::Release);
        Ok(())
    }

    /// Takes over all pages of nodes that are gone. Returns how many.
    pub async fn tick_orphans(&self) -> Result<usize, StoreError> {
        let mut taken = 0;
        loop {
            let orphans = self.context.store.orphans(ORPHANS_MAX).await?;
            let takings = orphans.into_iter().map(|(id, pages)| self.take_over(id, pages));
            let round: usize = each(futures_util::future::join_all(takings).await)?.into_iter().sum();
            taken += round;
            if round == 0 {
                return Ok(taken);
            }
        }
    }

    async fn take_over(&self, id: IncidentId, pages: Vec<u32>) -> Result<usize, StoreError> {
        let config = self.context.config.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let (mine, _) = transact(&*self.context.store, RequestClass::Ladder, needs, move |tx| {
            let mine = tx.take_over(id, &pages, &config.matrix.roster);
            tx.incident(id).map(|incident| {
                let pages = mine.iter().filter_map(|n| incident.pages.get(n).cloned()).collect::<Vec<_>>();
                (incident.clone(), pages)
            })
        })
        .await?;
        let Some((incident, mine)) = mine else { return Ok(0) };
        for page in mine.iter().filter(|page| page.is_owed()) {
            self.queues().enqueue(PageOrigin::of(&incident, Some(page)), page);
        }
        Ok(mine.len())
    }

    /// When the lease of this node ends.
    pub(super) fn leased_until(&self) -> Timestamp {
        Timestamp::from_micros(self.lease_until.load(Ordering::Acquire))
    }
}
