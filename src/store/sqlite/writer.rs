//! The one task that writes. Whatever waits is run in one transaction: the closures in memory, then one script.

mod load;
mod mend;
mod recall;
mod trouble;

use super::{
    StoreError, WriterRequest,
    batch::WriteBatch,
    body::{SharedPlans, StoredPlans},
    cache::PublishedState,
    connect,
    disk::SpaceGuard,
    failure::CommitFailure,
    lost, read, runs,
    script::WriteScript,
    state,
};
use crate::{
    core::{IncidentId, IncidentNonce, StoredLine, Timestamp, event::ANCHORS},
    store::{
        ChainHead, ChangeSet, CommitListener, CommittedEvents, JournalLine, QuarantinedRow, RequestClass, SteadyClock,
        StoreRequest, Transaction, WorkingSet, memory::anchor_event, quarantine::Quarantine, unit::NodeIdentity,
    },
};
use sqlx::{Connection, SqliteConnection};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::sync::{mpsc, watch};
use trouble::AttemptFailure;

/// At most so many works share a commit.
const BATCH: usize = 512;

/// At most so many incidents are kept in memory.
const CACHED: usize = 20_000;

/// How SQLite treats its log while space is low: written back every 64 pages (256 KiB), and given back to the disk.
const TIGHT: &str = "PRAGMA wal_autocheckpoint = 64; PRAGMA wal_checkpoint(TRUNCATE)";

/// And while there is enough: every 4000 pages (16 MiB). A page that many commits changed is written back once.
const EASY: &str = "PRAGMA wal_autocheckpoint = 4000";

/// Rows after which the log is written back as soon as nobody waits: SQLite itself does it within a commit, before the
/// alerts in that are answered and paged. It is about a third of what [`EASY`] allows.
const GROWN: usize = 800;

/// What the writer and the store's handle share.
pub struct WriterShared {
    /// The store's time.
    pub clock: SteadyClock,
    /// What readers see.
    pub published: PublishedState,
    /// Plans in memory.
    pub plans: SharedPlans,
    /// Bumped after each commit.
    pub changed: watch::Sender<u64>,
    /// Hears of every commit.
    pub follower: OnceLock<CommitListener>,
    /// Why nothing, or no alert, is kept now.
    pub trouble: Mutex<Option<StoreError>>,
    /// This node's number.
    pub epoch: u64,
    /// The last node that left in order, where there is one.
    pub left: Option<u64>,
    /// What can not be read.
    pub quarantine: Mutex<Quarantine>,
}

impl WriterShared {
    /// What can not be read.
    pub fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a row that can not be read.
    pub fn set_aside(&self, entry: QuarantinedRow) {
        let (row, why) = (entry.row.clone(), entry.why.clone());
        if self.quarantine().add(entry) {
            tracing::error!(%row, why, "a row of the store can not be read: it is set aside");
        }
    }
}

/// The writer and all that is its own.
pub struct SqliteWriter {
    shared: Arc<WriterShared>,
    conn: SqliteConnection,
    file: PathBuf,
    space: SpaceGuard,
    loaded: WorkingSet,
    anchors: Option<ChainHead>,
    unanchored: BTreeMap<String, ChainHead>,
    plans: StoredPlans,
    used: HashMap<IncidentId, u64>,
    turn: u64,
    /// Rows in the log since it was last written back.
    grown: usize,
    /// A commit failed or a closure panicked: memory may be ahead of the disk.
    is_ahead: bool,
    is_tight: Option<bool>,
    _lock: File,
}

impl SqliteWriter {
    /// A writer over what `state` says is on the disk.
    pub fn new(
        shared: Arc<WriterShared>,
        conn: SqliteConnection,
        file: PathBuf,
        space: SpaceGuard,
        lock: File,
        state: state::StartState,
    ) -> Self {
        let mut writer = Self {
            shared,
            conn,
            file,
            space,
            loaded: WorkingSet::default(),
            anchors: None,
            unanchored: BTreeMap::new(),
            plans: StoredPlans::default(),
            used: HashMap::new(),
            turn: 0,
            grown: 0,
            is_ahead: false,
            is_tight: None,
            _lock: lock,
        };
        writer.adopt(state);
        writer
    }

    /// Works until the store is closed or dropped; then writes the log back into the file and lets the directory go.
    pub async fn run(mut self, mut wanted: mpsc::Receiver<WriterRequest>) {
        let (mut close, mut was_shared) = (None, false);
        while let Some(first) = wanted.recv().await {
            let mut batch = WriteBatch::default();
            batch.add(first);
            if was_shared {
                // Whoever was just answered may want more at once: it shall share the next commit, not wait for it.
                tokio::task::yield_now().await;
            }
            while batch.len() < BATCH
                && let Ok(next) = wanted.try_recv()
            {
                batch.add(next);
            }
            if let Some(reply) = batch.close.take() {
                wanted.close();
                close = Some(reply);
            }
            was_shared = 1 < batch.len();
            let (notes, suspects) = (std::mem::take(&mut batch.notes), std::mem::take(&mut batch.suspects));
            for (ids, reply) in suspects {
                self.look_at(&mut batch, &ids).await;
                let _ = reply.send(());
            }
            self.turn(batch).await;
            // After the works: alerts and ladders do not wait for them.
            for (note, reply) in notes {
                let _ = reply.send(runs::keep(&mut self.conn, &note).await);
            }
            if GROWN <= self.grown && wanted.is_empty() {
                self.write_back().await;
            }
        }
        let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.conn).await;
        let _ = self.conn.close().await;
        drop(self._lock);
        if let Some(reply) = close {
            let _ = reply.send(());
        }
    }

    /// What goes wrong with it goes wrong with a commit, too, and is told there.
    async fn write_back(&mut self) {
        self.grown = 0;
        let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut self.conn).await;
    }

    async fn turn(&mut self, mut batch: WriteBatch) {
        self.turn += 1;
        self.space.look().await;
        self.bound_log().await;
        if self.space.is_low() {
            batch.refuse(RequestClass::Admission, &StoreError::Full);
        }
        // The last one is next. A batch that is divided keeps the order of its works.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            parts.extend(self.part(part).await);
        }
    }

    /// Keeps a batch, or answers it with an error; returns what it was divided into, last works first, where something
    /// of it is refused and nobody knows what.
    async fn part(&mut self, mut batch: WriteBatch) -> Vec<WriteBatch> {
        while !batch.is_empty() {
            match self.attempt(&mut batch).await {
                Ok(anchor) => {
                    self.note(self.space.is_low().then_some(StoreError::Full));
                    self.tell(&batch);
                    batch.answer(anchor);
                    break;
                }
                Err(AttemptFailure::Again) => {}
                Err(AttemptFailure::Of(id, error)) => {
                    let touching = batch.take_touching(id);
                    if touching.is_empty() {
                        return self.failed(batch, &error);
                    }
                    for job in touching {
                        self.put_off(&job.work);
                        let _ = job.reply.send(Err(error.clone()));
                    }
                }
                Err(AttemptFailure::Refused { error, begins }) => match self.mend(&mut batch, &begins).await {
                    Ok(true) => {}
                    Ok(false) => match batch.divide() {
                        Some(rest) => return vec![rest, batch],
                        None => return self.refused(batch, &error),
                    },
                    Err(error) => return self.failed(batch, &error),
                },
                Err(AttemptFailure::Failed(StoreError::Full)) if self.give_way(&batch) => {
                    self.bound_log().await;
                    batch.refuse(RequestClass::Admission, &StoreError::Full);
                }
                Err(AttemptFailure::Failed(error)) => return self.failed(batch, &error),
            }
        }
        Vec::new()
    }

    fn failed(&self, batch: WriteBatch, error: &StoreError) -> Vec<WriteBatch> {
        self.note(Some(error.clone()));
        batch.fail(error);
        Vec::new()
    }

    /// While space is low the log is written back early, so that it takes little of what is left; it can not be
    /// written back when nothing is.
    async fn bound_log(&mut self) {
        let is_tight = self.space.is_low();
        if self.is_tight.replace(is_tight) == Some(is_tight) {
            return;
        }
        let pragmas = if is_tight { TIGHT } else { EASY };
        if let Err(error) = sqlx::raw_sql(pragmas).execute(&mut self.conn).await {
            tracing::warn!(%error, "the store's log could not be written back");
        }
    }

    /// Frees the reserve for open ladders. Only ladders are worth it.
    fn give_way(&mut self, batch: &WriteBatch) -> bool {
        let ladders = batch.jobs.iter().any(|job| job.work.class == RequestClass::Ladder);
        let gave = ladders && self.space.release();
        if gave {
            tracing::error!("the disk is full: new alerts are refused, open ladders go on from the reserve");
        }
        gave
    }

    /// Before anybody is answered: whoever asked may be gone, and what was kept must be acted on all the same.
    fn tell(&self, batch: &WriteBatch) {
        if let Some(follower) = self.shared.follower.get() {
            // A follower that panics must not take the writer with it.
            let told = AssertUnwindSafe(|| batch.jobs.iter().for_each(|job| follower(&job.result)));
            if catch_unwind(told).is_err() {
                tracing::error!(
                    "acting on a commit panicked, which is a bug; its pages are looked for within a minute"
                );
            }
        }
    }

    fn note(&self, trouble: Option<StoreError>) {
        *self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    async fn attempt(&mut self, batch: &mut WriteBatch) -> Result<Option<StoredLine>, AttemptFailure> {
        if self.is_ahead {
            self.catch_up().await?;
        }
        self.load(batch).await?;
        let now = self.shared.clock.now();
        let mut changes = ChangeSet::default();
        self.run_jobs(batch, now, &mut changes)?;
        let anchor = if batch.anchors.is_empty() { None } else { self.write_anchor(now, &mut changes) };
        if changes.is_empty() && batch.leases.is_empty() {
            return Ok(None);
        }
        // Whatever goes wrong from here on, memory is ahead of the disk until the commit is done.
        self.is_ahead = true;
        self.commit(&changes, anchor.is_some(), !batch.leases.is_empty(), now).await?;
        self.is_ahead = false;
        self.grown += changes.lines.len() + changes.heads.len() + changes.pages.len() + changes.texts.len();
        self.settle(changes);
        match anchor {
            Some(line) => Ok(Some(self.place(line).await)),
            None => Ok(None),
        }
    }

    fn run_jobs(
        &mut self,
        batch: &mut WriteBatch,
        now: Timestamp,
        changes: &mut ChangeSet,
    ) -> Result<(), AttemptFailure> {
        let epoch = self.shared.epoch;
        // The directory is locked: whoever else has claimed a page is gone.
        let is_live = |other: u64| other == epoch;
        let left = self.shared.left;
        let has_left = |other: u64| left == Some(other);
        for i in 0..batch.jobs.len() {
            let StoreRequest { needs, run, .. } = &mut batch.jobs[i].work;
            let node = NodeIdentity { epoch, is_live: &is_live, has_left: &has_left, draw: &draw };
            let mut unit = Transaction::new(now, node, needs, &mut self.loaded, changes);
            let ran = catch_unwind(AssertUnwindSafe(|| run(&mut unit)));
            let error = match (ran, unit.finish()) {
                (Ok(()), Ok(events)) => {
                    batch.jobs[i].result = CommittedEvents { at: now, events };
                    continue;
                }
                (Err(_), _) => StoreError::Failed("a work panicked; nothing of it was kept".into()),
                (Ok(()), Err(flaw)) => StoreError::Unwritable(flaw),
            };
            self.is_ahead = true;
            let job = batch.jobs.remove(i);
            self.put_off(&job.work);
            let _ = job.reply.send(Err(error));
            return Err(AttemptFailure::Again);
        }
        Ok(())
    }

    async fn commit(
        &mut self,
        changes: &ChangeSet,
        anchored: bool,
        keep_clock: bool,
        now: Timestamp,
    ) -> Result<(), AttemptFailure> {
        let anchors = self.anchors.filter(|_| anchored).map(|head| (ANCHORS.to_owned(), head));
        let chains = anchors.into_iter().collect();
        let mut script = WriteScript::write(changes, &self.loaded, &mut self.plans, &chains, now)?;
        if keep_clock {
            script.keep_clock(serde_json::to_string(&self.shared.clock.anchor()).unwrap_or_default());
        }
        let (deadlines, plans) = (std::mem::take(&mut script.deadlines), std::mem::take(&mut script.plans));
        script.run(&mut self.conn).await.map_err(|error| self.known(error, changes))?;
        self.plans.committed(plans);
        self.shared.published.set_deadlines(deadlines);
        Ok(())
    }

    /// An error of the disk while nothing is left on it is that of a full disk.
    fn known(&self, error: CommitFailure, changes: &ChangeSet) -> AttemptFailure {
        match error {
            CommitFailure::Refused(error) => {
                let mut begins = BTreeMap::new();
                for line in &changes.lines {
                    begins.entry(line.chain.clone()).or_insert(line.seq);
                }
                AttemptFailure::Refused { error, begins }
            }
            CommitFailure::Failed(StoreError::Failed(_)) if self.space.is_exhausted() => {
                AttemptFailure::Failed(StoreError::Full)
            }
            CommitFailure::Failed(error) => AttemptFailure::Failed(error),
        }
    }

    fn write_anchor(&mut self, now: Timestamp, changes: &mut ChangeSet) -> Option<StoredLine> {
        let mut heads = self.unanchored.clone();
        grown(&mut heads, changes);
        let event = anchor_event(&heads)?;
        let head = self.anchors.get_or_insert_with(|| ChainHead::before_first(ANCHORS));
        let line = JournalLine::write(ANCHORS, head, now, &event).ok()?;
        let stored =
            StoredLine { pos: 0, chain: line.chain.clone(), seq: line.seq, body: line.body.clone(), hash: line.hash };
        changes.lines.push(line);
        Some(stored)
    }

    /// The anchor is its commit's last line. Its place is only information: it is kept, whatever this says.
    async fn place(&mut self, line: StoredLine) -> StoredLine {
        let pos = read::scalar(&mut self.conn, "SELECT max(pos) FROM journal").await.unwrap_or(0);
        StoredLine { pos, ..line }
    }
}

/// From the system's own source of randomness.
fn draw() -> IncidentNonce {
    IncidentNonce::new(rand::random())
}

fn grown(heads: &mut BTreeMap<String, ChainHead>, changes: &ChangeSet) {
    for line in &changes.lines {
        heads.insert(line.chain.clone(), ChainHead { seq: line.seq, hash: line.hash });
    }
}
