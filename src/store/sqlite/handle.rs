//! The store's handle, with its readers and the way to ask the writer.

use super::{disk::SpaceLimits, request::WriterRequest, shared::WriterShared};
use crate::store::StoreError;
use sqlx::SqlitePool;
use std::{fs::File, path::PathBuf, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// The store of one machine: one SQLite file.
pub struct SqliteStore {
    pub(super) shared: Arc<WriterShared>,
    pub(super) wanted: mpsc::Sender<WriterRequest>,
    pub(super) readers: SqlitePool,
    pub(super) server_key: [u8; 32],
    pub(super) dir: PathBuf,
    pub(super) limits: SpaceLimits,
    /// What was wrong in its rows when it was opened, and was mended.
    pub(super) mended: Vec<String>,
    /// Keeps daemons away while a store is open only to be read; the writer holds its own lock.
    pub(super) _lock: Option<File>,
    /// Whether it has no writer.
    pub(super) is_read_only: bool,
}

impl SqliteStore {
    /// The number of this node: what its claims name.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// How far the wall clock is ahead of the store's time, in microseconds; negative if it is behind.
    pub fn drift_us(&self) -> i64 {
        self.shared.clock.drift_us()
    }

    pub(super) async fn ask<T>(&self, want: impl FnOnce(oneshot::Sender<T>) -> WriterRequest) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.wanted.send(want(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }
}
