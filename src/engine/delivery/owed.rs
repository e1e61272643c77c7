//! Finds pages that this node owes but that are in no queue (a bug lost them), and queues them again.

use crate::{
    core::PageId,
    engine::delivery::{Delivery, queues::PageOrigin},
    store::StoreError,
};
use std::{
    collections::BTreeSet,
    sync::{MutexGuard, PoisonError},
};

/// The most owed pages that are read at once.
const OWED_MAX: usize = 1024;

impl Delivery {
    /// Compares the pages that this node owes with its queues, and queues those that were missing in the last check and
    /// still are. Returns how many. One check proves nothing: between a commit and its queueing a page is in neither.
    pub async fn tick_owed(&self) -> Result<usize, StoreError> {
        let missing = self.missing().await?;
        let before = std::mem::replace(&mut *self.missing_before(), missing.clone());
        let mut found = 0;
        for page in missing.intersection(&before) {
            found += usize::from(self.queue_again(*page).await?);
        }
        if 0 < found {
            self.wake.notify_one();
        }
        Ok(found)
    }

    async fn missing(&self) -> Result<BTreeSet<PageId>, StoreError> {
        let (mut missing, mut after) = (BTreeSet::new(), None);
        loop {
            let owed = self.context.store.owed(after, OWED_MAX).await?;
            let delivery = self.queues();
            missing.extend(owed.iter().filter(|page| !delivery.knows(**page)));
            drop(delivery);
            after = owed.last().copied();
            if owed.len() < OWED_MAX {
                return Ok(missing);
            }
        }
    }

    async fn queue_again(&self, id: PageId) -> Result<bool, StoreError> {
        let incident = self.context.store.view(id.incident).await?;
        let Some(incident) = incident else { return Ok(false) };
        let Some(page) = incident.pages.get(&id.n).filter(|page| page.is_owed()) else { return Ok(false) };
        let origin = PageOrigin::of(&incident, Some(page));
        self.queues().enqueue(origin, page);
        self.context.metrics.found_again();
        tracing::error!(page.id = %id, "this page was due but in no queue, which is a bug: it is queued again");
        Ok(true)
    }

    fn missing_before(&self) -> MutexGuard<'_, BTreeSet<PageId>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
