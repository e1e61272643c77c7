//! The embedded store: one SQLite file in the state directory, one writer with group commit, a few readers.

mod batch;
mod begin;
mod body;
mod cache;
pub mod disk;
mod failure;
mod look;
mod lookup;
mod lost;
mod read;
mod readers;
mod runs;
mod schema;
mod script;
mod state;
mod writer;

use super::{
    CommitListener, CommittedEvents, DiskSpace, IncidentFilter, OpenNow, OrphanPages, QuarantinedRow, RowName,
    RowRemains, Store, StoreError, StoreRequest, StoredLine, clock::ClockSources,
};
use crate::core::{ContactProof, DrillRun, Incident, IncidentId, PageId, RunId, ScheduledRun, Timestamp};
use begin::{NodeEpochs, begin_epoch, start_clock};
use disk::{SpaceGuard, SpaceLimits};
use failure::failure;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};
use writer::{SqliteWriter, WriterShared};

/// The database's name in the state directory.
pub const FILE: &str = "stentor.db";

/// Works that wait for the writer; whoever comes after them waits to wait.
const WAITING: usize = 4096;

/// The lease never has to be renewed: the lock on the directory is the lease, and it ends with the process.
const LEASE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The store of one machine.
pub struct SqliteStore {
    shared: Arc<WriterShared>,
    wanted: mpsc::Sender<WriterRequest>,
    readers: SqlitePool,
    server_key: [u8; 32],
    dir: PathBuf,
    limits: SpaceLimits,
}

/// What the writer is asked for.
enum WriterRequest {
    Run(StoreRequest, oneshot::Sender<Result<CommittedEvents, StoreError>>),
    Anchor(oneshot::Sender<Result<Option<StoredLine>, StoreError>>),
    KeepClock(oneshot::Sender<()>),
    /// Incidents that a reader could not read.
    Suspect(Vec<IncidentId>, oneshot::Sender<()>),
    Note(runs::SingleRow, oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<()>),
}

impl SqliteStore {
    /// Opens the store in `dir`, which is made where it is missing, with the usual [`SpaceLimits`]. Spawns the writer on
    /// the current runtime.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has the directory, [`StoreError::ReadOnly`],
    /// [`StoreError::Newer`], [`StoreError::Full`] when there is not even room to open it, and whatever SQLite says.
    pub async fn open(dir: &Path, sources: Arc<dyn ClockSources>) -> Result<Arc<Self>, StoreError> {
        Self::open_with(dir, sources, SpaceLimits::default()).await
    }

    /// The same with other limits of space.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[expect(clippy::disallowed_methods, reason = "the writer is a task of its own")]
    pub async fn open_with(
        dir: &Path,
        sources: Arc<dyn ClockSources>,
        limits: SpaceLimits,
    ) -> Result<Arc<Self>, StoreError> {
        let lock = disk::lock(dir)?;
        let mut space = SpaceGuard::watch(dir, limits);
        space.look().await;
        let file = dir.join(FILE);
        disk::touch(&file)?;
        let mut conn = connect(&file).await?;
        schema::migrate(&mut conn).await?;
        let (NodeEpochs { epoch, left }, server_key, mut damaged) = begin_epoch(&mut conn).await?;
        let clock = start_clock(&mut conn, sources, &mut damaged).await?;
        if let Err(error) = state::forget_windows(&mut conn, clock.now()).await {
            tracing::warn!(%error, "old windows could not be forgotten");
        }
        let shared = Arc::new(WriterShared {
            quarantine: Mutex::new(state::quarantine(&mut conn, clock.now()).await?),
            clock,
            published: Default::default(),
            plans: Default::default(),
            changed: watch::Sender::new(0),
            follower: OnceLock::new(),
            trouble: Mutex::new(None),
            epoch,
            left,
        });
        damaged.into_iter().for_each(|(row, why)| shared.set_aside(QuarantinedRow::new(row, shared.clock.now(), why)));
        begin::look_through(&mut conn, &shared).await;
        let quarantine = shared.quarantine().clone();
        let state = state::state(&mut conn, &shared.plans, &quarantine, shared.clock.now()).await?;
        let readers = readers::open(&file);
        let (wanted, waiting) = mpsc::channel(WAITING);
        let writer = SqliteWriter::new(shared.clone(), conn, file, space, lock, state);
        tokio::spawn(writer.run(waiting));
        Ok(Arc::new(Self { shared, wanted, readers, server_key, dir: dir.to_owned(), limits }))
    }

    /// Does what waits, writes everything into the one file and lets the directory go. Later calls are refused with
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        readers::close(&self.readers).await;
        let (reply, closed) = oneshot::channel();
        if self.wanted.send(WriterRequest::Close(reply)).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// This node's number: what its claims name.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// The wall clock's lead over the store's time, in microseconds; see [`SteadyClock::drift_us`].
    pub fn drift_us(&self) -> i64 {
        self.shared.clock.drift_us()
    }

    async fn ask<T>(&self, want: impl FnOnce(oneshot::Sender<T>) -> WriterRequest) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.wanted.send(want(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }
}

impl Store for SqliteStore {
    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn run(&self, work: StoreRequest) -> BoxFuture<'_, Result<CommittedEvents, StoreError>> {
        Box::pin(async move { self.ask(|reply| WriterRequest::Run(work, reply)).await? })
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.wanted.is_closed() {
            return Err(StoreError::Closed);
        }
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    fn room(&self) -> Option<DiskSpace> {
        disk::room(&self.dir, self.limits).ok()
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.wanted.closed())
    }

    fn follow(&self, follower: CommitListener) {
        let _ = self.shared.follower.set(follower);
    }

    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.due(now, limit)) })
    }

    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.next_deadline()) })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Keeps the clock's anchor, as far as the disk lets it.
    fn renew_lease(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move {
            self.ask(WriterRequest::KeepClock).await?;
            Ok(self.now() + LEASE)
        })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.ask(|reply| WriterRequest::Note(runs::SingleRow::Left(self.shared.epoch), reply)).await?
        })
    }

    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<OrphanPages, StoreError>> {
        Box::pin(self.read_orphans(limit))
    }

    fn owed(&self, after: Option<PageId>, most: usize) -> BoxFuture<'_, Result<Vec<PageId>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::owed(&mut conn, self.shared.epoch, after, limit(most)).await
        })
    }

    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            if self.shared.quarantine().holds(page.incident).is_some() {
                return Ok(false);
            }
            match self.shared.published.wants(page.incident, page.n, self.shared.epoch) {
                Some(wanted) => Ok(wanted),
                None => self.read_wanted(page).await,
            }
        })
    }

    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.open_now()) })
    }

    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>> {
        Box::pin(self.read_one(id))
    }

    fn quarantined(&self) -> Vec<QuarantinedRow> {
        self.shared.quarantine().all()
    }

    fn is_quarantined(&self, id: IncidentId) -> bool {
        self.shared.quarantine().holds(id).is_some()
    }

    fn found_unreadable(&self, row: RowName, why: String) {
        self.shared.set_aside(QuarantinedRow::new(row, self.now(), why));
    }

    fn remains(&self, row: RowName) -> BoxFuture<'_, Result<Vec<RowRemains>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            lost::remains(&mut conn, &row).await
        })
    }

    fn list(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>> {
        Box::pin(async move { Ok(self.read_portion(filter, None).await?.incidents) })
    }

    fn lines(
        &self,
        chain: Option<String>,
        after: i64,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredLine>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::lines(&mut conn, chain.as_deref(), after, limit(most)).await
        })
    }

    fn text(&self, hash: String) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let text = sqlx::query_scalar("SELECT body FROM text WHERE hash = ?").bind(hash);
            text.fetch_optional(&self.readers).await.map_err(failure)
        })
    }

    fn keep_run(&self, run: DrillRun) -> BoxFuture<'_, Result<(), StoreError>> {
        let note = runs::SingleRow::Run(Box::new(run));
        Box::pin(async move { self.ask(|reply| WriterRequest::Note(note, reply)).await? })
    }

    fn newest_run(&self) -> BoxFuture<'_, Result<Option<RunId>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            runs::newest(&mut conn).await
        })
    }

    fn runs(&self, most: usize) -> BoxFuture<'_, Result<Vec<DrillRun>, StoreError>> {
        Box::pin(async move { Ok(self.find_runs(most, None).await?.runs) })
    }

    fn keep_turn(&self, turn: ScheduledRun) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.ask(|reply| WriterRequest::Note(runs::SingleRow::Turn(turn), reply)).await? })
    }

    fn turns(&self) -> BoxFuture<'_, Result<Vec<ScheduledRun>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(self.readable(runs::turns(&mut conn).await?))
        })
    }

    fn proofs(&self) -> BoxFuture<'_, Result<Vec<ContactProof>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(self.readable(read::proofs(&mut conn).await?))
        })
    }

    fn anchor(&self) -> BoxFuture<'_, Result<Option<StoredLine>, StoreError>> {
        Box::pin(async move { self.ask(WriterRequest::Anchor).await? })
    }

    fn server_key(&self) -> [u8; 32] {
        self.server_key
    }
}

/// The proofs that lie in a state directory which no daemon uses. Nothing is changed.
///
/// # Errors
/// [`StoreError::Failed`] where the file can not be read, or is older than the proofs.
pub async fn read_proofs(dir: &Path) -> Result<Vec<ContactProof>, StoreError> {
    let file = dir.join(FILE);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let mut conn = options(&file).read_only(true).connect().await.map_err(failure)?;
    Ok(read::proofs(&mut conn).await?.0)
}

/// The writer's connection.
async fn connect(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = options(file).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut conn = options.connect().await.map_err(failure)?;
    sqlx::raw_sql(script::PREPARE).execute(&mut conn).await.map_err(failure)?;
    Ok(conn)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5)).disable_statement_logging()
}

fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
