//! Opens the store that a configuration names: the one place that names a concrete one.

use super::{
    DiskSpace, SchemaVersion, Store, StoreError,
    clock::{ClockSources, SystemClock},
    sqlite::{
        self, SqliteStore,
        disk::{self, SpaceLimits},
    },
};
use crate::core::ContactProof;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Which store, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// One SQLite file in this state directory, for one node.
    Sqlite(PathBuf),
}

impl StoreConfig {
    /// The store that lies in a state directory.
    pub fn in_directory(dir: &Path) -> Self {
        Self::Sqlite(dir.to_owned())
    }

    /// Whether anything was ever stored there.
    pub fn exists(&self) -> bool {
        self.file().exists()
    }

    /// The proofs of contact in a store that no daemon has open; none where there is no store. Changes nothing.
    ///
    /// # Errors
    /// Those of [`read_store`].
    pub async fn read_proofs(&self) -> Result<Vec<ContactProof>, StoreError> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        let store = read_store(self, Arc::new(SystemClock)).await?;
        let proofs = store.proofs().await;
        store.close().await;
        proofs
    }

    /// The file that it is in.
    pub fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(dir) => dir.join(sqlite::FILE),
        }
    }

    /// Copies it into another directory, which must exist and have none. A daemon may have it open: the copy is what
    /// was committed when it began, of the version that the store has. It is for its owner only, and on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the copy is not sound, and whatever the store and the disk say.
    pub async fn copy_to(&self, dir: &Path) -> Result<SchemaVersion, StoreError> {
        match self {
            Self::Sqlite(from) => sqlite::copy(from, dir).await,
        }
    }

    /// The space under a store that no daemon has open; none where it needs none of this machine's.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn space(&self) -> io::Result<Option<DiskSpace>> {
        match self {
            Self::Sqlite(dir) => disk::room(dir, SpaceLimits::default()).map(Some),
        }
    }
}

/// Opens a store; its time goes on from `clock`. Call it on the runtime that shall run the store's own task.
///
/// # Errors
/// [`StoreError::Locked`] when another process has it open, [`StoreError::ReadOnly`], [`StoreError::Newer`],
/// [`StoreError::Full`] when there is not even room to open it, and whatever else the store says.
pub async fn open_store(config: &StoreConfig, clock: Arc<dyn ClockSources>) -> Result<Arc<dyn Store>, StoreError> {
    match config {
        StoreConfig::Sqlite(dir) => Ok(SqliteStore::open(dir, clock).await?),
    }
}

/// Opens a store to read it, and changes nothing of it: also for a copy, and on a file system that can not be written.
///
/// # Errors
/// [`StoreError::Locked`] while a daemon has it open, [`StoreError::Newer`], and whatever else the store says.
pub async fn read_store(config: &StoreConfig, clock: Arc<dyn ClockSources>) -> Result<Arc<dyn Store>, StoreError> {
    match config {
        StoreConfig::Sqlite(dir) => Ok(SqliteStore::open_read_only(dir, clock).await?),
    }
}
