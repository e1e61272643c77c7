//! Opens a store for reading and changes nothing: no file of its directory is written, made or removed.
//!
//! SQLite itself would make `-wal` and `-shm` beside a file that it only reads. So the file is opened as one that
//! nobody changes, while a shared lock keeps daemons away. A file with a log that was not written back (its daemon was
//! killed), or of an older version, is copied into the temporary directory first, and the copy is brought up to date.

use super::{
    begin::{look_through, read_clock, read_epoch, read_key},
    connection::{FILE, connect, options},
    disk,
    failure::failure,
    handle::SqliteStore,
    schema,
    shared::WriterShared,
    state,
};
use crate::store::{QuarantinedRow, StoreError, clock::ClockSources};
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};
use tokio::sync::{mpsc, watch};

/// Logs that SQLite may have left beside the file: what is in them is part of the store.
const LOGS: [&str; 2] = ["-wal", "-journal"];

impl SqliteStore {
    /// Opens the store in `dir` to read it. Whatever would change it fails with [`StoreError::Closed`]; a row that can
    /// not be read is set aside in memory alone.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while a daemon has the directory, [`StoreError::Newer`], [`StoreError::Failed`] where a
    /// private copy is needed and can not be made, and whatever SQLite says.
    pub async fn open_read_only(dir: &Path, sources: Arc<dyn ClockSources>) -> Result<Arc<Self>, StoreError> {
        let lock = disk::lock_shared(dir)?;
        let readers = open(&dir.join(FILE)).await?;
        let mut conn = readers.acquire().await.map_err(failure)?;
        let mut damaged = Vec::new();
        let epoch = read_epoch(&mut conn, &mut damaged).await?;
        let server_key = read_key(&mut conn, &mut damaged).await?.unwrap_or_default();
        let clock = read_clock(&mut conn, sources, &mut damaged).await?;
        let shared = Arc::new(WriterShared {
            quarantine: Mutex::new(state::quarantine(&mut conn, clock.now()).await?),
            clock,
            published: Default::default(),
            plans: Default::default(),
            changed: watch::Sender::new(0),
            follower: OnceLock::new(),
            error: Mutex::new(None),
            epoch,
            left: None,
        });
        damaged.into_iter().for_each(|(row, why)| shared.set_aside(QuarantinedRow::new(row, shared.clock.now(), why)));
        look_through(&mut conn, &shared).await;
        drop(conn);
        // Nobody receives: a request for the writer is answered as by a store that was closed.
        let (wanted, _) = mpsc::channel(1);
        let limits = disk::SpaceLimits::default();
        let dir = dir.to_owned();
        let mended = Vec::new();
        Ok(Arc::new(Self { shared, wanted, readers, server_key, dir, limits, mended, _lock: lock, is_read_only: true }))
    }
}

/// The file as it lies there, or a copy of it that is up to date.
async fn open(file: &Path) -> Result<SqlitePool, StoreError> {
    let has_log = has_log(file);
    if !has_log {
        let as_it_lies = as_it_lies(file);
        let mut conn = as_it_lies.clone().connect().await.map_err(failure)?;
        if schema::found(&mut conn).await?.is_current() {
            return one_reader(as_it_lies).await;
        }
    }
    let copy = private_copy(file, has_log)?;
    let mut conn = connect(&copy.file).await?;
    schema::migrate(&mut conn).await?;
    conn.close().await.map_err(failure)?;
    // Once it is open, the copy needs no names any more: nothing is left of it, however this process ends.
    one_reader(options(&copy.file)).await
}

/// The same, of the version that the file has.
pub async fn as_stored(file: &Path) -> Result<SqlitePool, StoreError> {
    if !has_log(file) {
        return one_reader(as_it_lies(file)).await;
    }
    let copy = private_copy(file, true)?;
    one_reader(options(&copy.file)).await
}

fn as_it_lies(file: &Path) -> SqliteConnectOptions {
    options(file).read_only(true).immutable(true)
}

fn has_log(file: &Path) -> bool {
    LOGS.iter().any(|log| fs::metadata(beside(file, log)).is_ok_and(|meta| 0 < meta.len()))
}

fn private_copy(file: &Path, has_log: bool) -> Result<PrivateCopy, StoreError> {
    PrivateCopy::of(file).map_err(|error| {
        let (file, temp) = (file.display(), std::env::temp_dir());
        let why = if has_log { "its daemon was killed and left a log" } else { "an older version wrote it" };
        StoreError::Failed(format!(
            "{file} can not be read as it is ({why}), nor copied to {}: {error}; set TMPDIR to a folder with room",
            temp.display()
        ))
    })
}

/// One connection, open from now on.
async fn one_reader(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    let pool = pool.connect_with(options).await.map_err(failure)?;
    // SQLite opens its files at the first read.
    sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&pool).await.map_err(failure)?;
    Ok(pool)
}

fn beside(file: &Path, log: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(log);
    name.into()
}

/// A copy that nobody else can read, removed when it is dropped.
struct PrivateCopy {
    dir: PathBuf,
    file: PathBuf,
}

impl PrivateCopy {
    fn of(file: &Path) -> io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("stentor-read-{:016x}", rand::random::<u64>()));
        DirBuilder::new().mode(0o700).create(&dir)?;
        let copy = Self { file: dir.join(FILE), dir };
        copy_file(file, &copy.file)?;
        for log in LOGS {
            match copy_file(&beside(file, log), &beside(&copy.file, log)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(copy)
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let mut from = fs::File::open(from)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut from, &mut to)
}
