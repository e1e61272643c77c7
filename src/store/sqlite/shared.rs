//! What the writer and the readers share.

use super::cache::PublishedState;
use crate::store::{
    CommitListener, QuarantinedRow, SteadyClock, StoreError, body::SharedPlans, quarantine::Quarantine,
};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;

/// What the writer and the store's handle share.
pub struct WriterShared {
    /// The store's time.
    pub clock: SteadyClock,
    /// What readers see.
    pub published: PublishedState,
    /// The plans in memory.
    pub plans: SharedPlans,
    /// Incremented after each commit.
    pub changed: watch::Sender<u64>,
    /// Called after each commit.
    pub follower: OnceLock<CommitListener>,
    /// Why nothing, or no new alert, can be committed now.
    pub error: Mutex<Option<StoreError>>,
    /// This node's number.
    pub epoch: u64,
    /// The last node that ended in order, if there is one.
    pub left: Option<u64>,
    /// The unreadable rows.
    pub quarantine: Mutex<Quarantine>,
}

impl WriterShared {
    /// The unreadable rows.
    pub fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a row aside that can not be read.
    pub fn set_aside(&self, entry: QuarantinedRow) {
        let (row, why) = (entry.row.clone(), entry.why.clone());
        if self.quarantine().add(entry) {
            tracing::error!(%row, why, "a row of the store can not be read: it is set aside");
        }
    }
}
