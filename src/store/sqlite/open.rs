//! Opens the store: locks the directory, migrates the file, reads what the writer keeps in memory.

use super::{
    backup,
    begin::{self, NodeEpochs, begin_epoch, read_clock},
    connection::{FILE, connect},
    disk::{self, SpaceGuard, SpaceLimits},
    handle::SqliteStore,
    mend_columns, readers, responses, schema,
    shared::WriterShared,
    state,
    writer::SqliteWriter,
};
use crate::store::{QuarantinedRow, StoreError, clock::ClockSources};
use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};
use tokio::sync::{mpsc, watch};

/// Requests that may wait for the writer; later ones wait to be queued.
const WAITING: usize = 4096;

impl SqliteStore {
    /// Opens the store in `dir`, which is created if it is missing, with the default [`SpaceLimits`]. Spawns the writer
    /// on the current runtime.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has the directory, [`StoreError::ReadOnly`],
    /// [`StoreError::Newer`], [`StoreError::Full`] when there is not even room to open it, and whatever SQLite says.
    pub async fn open(dir: &Path, sources: Arc<dyn ClockSources>) -> Result<Arc<Self>, StoreError> {
        Self::open_with(dir, sources, SpaceLimits::default()).await
    }

    /// Opens the store with other limits of space.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[expect(clippy::disallowed_methods, reason = "the writer is a task of its own")]
    pub async fn open_with(
        dir: &Path,
        sources: Arc<dyn ClockSources>,
        limits: SpaceLimits,
    ) -> Result<Arc<Self>, StoreError> {
        let lock = disk::lock(dir).await?;
        let mut space = SpaceGuard::watch(dir, limits);
        space.look().await;
        let file = dir.join(FILE);
        disk::touch(&file)?;
        let mut conn = connect(&file).await?;
        backup::before_migration(&mut conn, dir).await?;
        schema::migrate(&mut conn).await?;
        let (NodeEpochs { epoch, left }, server_key, mut damaged) = begin_epoch(&mut conn).await?;
        let clock = read_clock(&mut conn, sources, &mut damaged).await?;
        if let Err(error) = state::forget_windows(&mut conn, clock.now()).await {
            tracing::warn!(%error, "old windows could not be removed");
        }
        if let Err(error) = responses::forget_responses(&mut conn, clock.now()).await {
            tracing::warn!(%error, "old responses could not be removed");
        }
        let shared = Arc::new(WriterShared {
            quarantine: Mutex::new(state::quarantine(&mut conn, clock.now()).await?),
            clock,
            published: Default::default(),
            plans: Default::default(),
            changed: watch::Sender::new(0),
            follower: OnceLock::new(),
            error: Mutex::new(None),
            epoch,
            left,
        });
        let mut mended = mend_columns::mend_quarantine(&mut conn, &shared).await;
        damaged.into_iter().for_each(|(row, why)| shared.set_aside(QuarantinedRow::new(row, shared.clock.now(), why)));
        begin::look_through(&mut conn, &shared).await;
        mended.extend(mend_columns::mend_columns(&mut conn, &shared).await);
        begin::mend_asked(&mut conn).await;
        let quarantine = shared.quarantine().clone();
        let state = state::state(&mut conn, &shared.plans, &quarantine, shared.clock.now()).await?;
        let readers = readers::open(&file);
        let (wanted, waiting) = mpsc::channel(WAITING);
        let writer = SqliteWriter::new(shared.clone(), conn, file, space, lock, state);
        tokio::spawn(writer.run(waiting));
        Ok(Arc::new(Self {
            shared,
            wanted,
            readers,
            server_key,
            dir: dir.to_owned(),
            limits,
            mended: mended.iter().map(ToString::to_string).collect(),
            _lock: None,
            is_read_only: false,
        }))
    }
}
