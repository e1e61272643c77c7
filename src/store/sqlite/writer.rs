//! The one task that writes. Requests that wait are run in one transaction: the closures in memory, then one script.

mod attempt_failure;
mod load;
mod mend;
mod recall;

use super::{
    batch::WriteBatch, cached::CachedIncidents, column::scalar, disk::SpaceGuard, failure::CommitFailure,
    request::WriterRequest, runs, script::WriteScript, shared::WriterShared, state, waiting::WaitingRequests,
};
use crate::{
    core::{IncidentId, IncidentNonce, StoredLine, Timestamp, event::ANCHORS},
    store::{
        ChainHead, ChangeSet, CommittedEvents, JournalLine, RequestClass, StoreError, StoreRequest, Transaction,
        TransactionHost, WorkingSet, anchor::anchor_event, body::StoredPlans,
    },
};
use attempt_failure::AttemptFailure;
use sqlx::{Connection, SqliteConnection};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, PoisonError},
};
use tokio::sync::mpsc;

/// How SQLite handles its log while space is low: checkpoint every 64 pages (256 KiB), and truncate the log.
const TIGHT: &str = "PRAGMA wal_autocheckpoint = 64; PRAGMA wal_checkpoint(TRUNCATE)";

/// While there is enough space: checkpoint every 4000 pages (16 MiB). A page that many commits changed is written once.
const EASY: &str = "PRAGMA wal_autocheckpoint = 4000";

/// Rows in the log after which a checkpoint is made as soon as nobody waits. SQLite would make it within a commit,
/// before its alerts are answered and paged. It is about a third of what [`EASY`] allows.
const GROWN: usize = 800;

/// The writer and its state.
pub struct SqliteWriter {
    shared: Arc<WriterShared>,
    conn: SqliteConnection,
    file: PathBuf,
    space: SpaceGuard,
    loaded: WorkingSet,
    /// The number of the last incident that was opened.
    last_id: i64,
    anchors: Option<ChainHead>,
    unanchored: BTreeMap<String, ChainHead>,
    plans: StoredPlans,
    cached: CachedIncidents,
    turn: u64,
    /// Rows in the log since the last checkpoint.
    grown: usize,
    /// Whether memory may be ahead of the disk, because a commit failed or a closure panicked.
    is_ahead: bool,
    is_tight: Option<bool>,
    _lock: File,
}

impl SqliteWriter {
    /// A writer over the state that was read from the disk.
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
            last_id: 0,
            anchors: None,
            unanchored: BTreeMap::new(),
            plans: StoredPlans::default(),
            cached: CachedIncidents::default(),
            turn: 0,
            grown: 0,
            is_ahead: false,
            is_tight: None,
            _lock: lock,
        };
        writer.adopt(state);
        writer
    }

    /// Runs until the store is closed or dropped; then writes the log back into the file and unlocks the directory.
    pub async fn run(mut self, mut wanted: mpsc::Receiver<WriterRequest>) {
        let (mut close, mut was_shared, mut waiting) = (None, false, WaitingRequests::default());
        while waiting.gather(&mut wanted, was_shared).await {
            let mut batch = waiting.next_batch();
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
            // After the transactions, because alerts and ladders must not wait for these.
            for (note, reply) in notes {
                let _ = reply.send(runs::keep(&mut self.conn, &note).await);
            }
            if GROWN <= self.grown && waiting.is_empty() && wanted.is_empty() {
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

    /// An error here will show in a commit too, and is reported there.
    async fn write_back(&mut self) {
        self.grown = 0;
        let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut self.conn).await;
    }

    async fn turn(&mut self, mut batch: WriteBatch) {
        self.turn += 1;
        self.space.look().await;
        self.bound_log().await;
        if self.space.is_low() {
            batch.refuse(RequestClass::Admission, &self.space.refusal());
        }
        // The last part is next. A divided batch keeps the order of its requests.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            parts.extend(self.part(part).await);
        }
    }

    /// Commits a batch, or answers it with an error. If something in it is refused and it is unknown what, returns the
    /// parts that it was divided into, last requests first.
    async fn part(&mut self, mut batch: WriteBatch) -> Vec<WriteBatch> {
        while !batch.is_empty() {
            match self.attempt(&mut batch).await {
                Ok(anchor) => {
                    self.note(self.space.is_low().then(|| self.space.refusal()));
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
                        self.put_off(&job.request);
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

    /// While space is low, the log is written back early, so that it takes little of what is left: when nothing is left
    /// it can not be written back.
    async fn bound_log(&mut self) {
        let is_tight = self.space.is_low();
        if self.is_tight.replace(is_tight) == Some(is_tight) {
            return;
        }
        let pragmas = if is_tight { TIGHT } else { EASY };
        if let Err(error) = sqlx::raw_sql(pragmas).execute(&mut self.conn).await {
            tracing::warn!(%error, "the store's write-ahead log could not be checkpointed");
        }
    }

    /// Releases the reserve, but only for open ladders.
    fn give_way(&mut self, batch: &WriteBatch) -> bool {
        let ladders = batch.jobs.iter().any(|job| job.request.class == RequestClass::Ladder);
        let gave = ladders && self.space.release();
        if gave {
            tracing::error!(
                "the disk of the state folder is full: new alerts are refused, open incidents go on in the space reserved for them"
            );
        }
        gave
    }

    /// Before anybody is answered: the caller may be gone, and what was committed must be acted on.
    fn tell(&self, batch: &WriteBatch) {
        if let Some(follower) = self.shared.follower.get() {
            // A panic of the follower must not end the writer.
            let told = AssertUnwindSafe(|| batch.jobs.iter().for_each(|job| follower(&job.result)));
            if catch_unwind(told).is_err() {
                tracing::error!("acting on a commit panicked, which is a bug; its pages are queued within a minute");
            }
        }
    }

    fn note(&self, error: Option<StoreError>) {
        *self.shared.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    async fn attempt(&mut self, batch: &mut WriteBatch) -> Result<Option<StoredLine>, AttemptFailure> {
        if self.is_ahead {
            self.catch_up().await?;
        }
        self.load(batch).await?;
        let now = self.shared.clock.now();
        let mut changes = ChangeSet::default();
        self.run_jobs(batch, now, &mut changes)?;
        changes.observed.extend(self.loaded.observed.sweep(now));
        changes.judged.extend(self.loaded.judged.sweep(now));
        changes.responses.extend(self.loaded.responses.sweep(now));
        let anchor = if batch.anchors.is_empty() { None } else { self.write_anchor(now, &mut changes) };
        if changes.is_empty() && batch.leases.is_empty() {
            return Ok(None);
        }
        // From here until the commit is done, memory is ahead of the disk.
        self.is_ahead = true;
        self.commit(&changes, anchor.is_some(), !batch.leases.is_empty(), now).await?;
        self.is_ahead = false;
        if changes.request_keys.values().any(Option::is_none) {
            // The log must not keep what was destroyed.
            let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.conn).await;
        }
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
        let host = SqliteHost { epoch: self.shared.epoch, left: self.shared.left, last_id: Cell::new(self.last_id) };
        for i in 0..batch.jobs.len() {
            let StoreRequest { needs, run, .. } = &mut batch.jobs[i].request;
            let mut tx = Transaction::new(self.shared.clock.step_time(now), &host, needs, &mut self.loaded, changes);
            let ran = catch_unwind(AssertUnwindSafe(|| run(&mut tx)));
            let error = match (ran, tx.finish()) {
                (Ok(()), Ok(events)) => {
                    batch.jobs[i].result = CommittedEvents { at: now, events };
                    continue;
                }
                (Err(_), _) => StoreError::Failed("a transaction panicked; nothing of it was kept".into()),
                (Ok(()), Err(flaw)) => StoreError::Unwritable(flaw),
            };
            self.is_ahead = true;
            let job = batch.jobs.remove(i);
            self.put_off(&job.request);
            let _ = job.reply.send(Err(error));
            return Err(AttemptFailure::Again);
        }
        self.last_id = host.last_id.get();
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
        let judged = std::mem::take(&mut script.judged);
        script.run(&mut self.conn).await.map_err(|error| self.known(error, changes))?;
        self.plans.committed(plans);
        self.shared.published.set_deadlines(deadlines);
        self.shared.published.set_judged(judged);
        Ok(())
    }

    /// An error of the disk while no space is left means a full disk.
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

    /// The anchor is the last line of its commit. Its position is only for information: it was committed, whatever this
    /// returns.
    async fn place(&mut self, line: StoredLine) -> StoredLine {
        let pos = scalar(&mut self.conn, "SELECT max(pos) FROM journal").await.unwrap_or(0);
        StoredLine { pos, ..line }
    }
}

/// The one node of this store: the directory is locked, so its memory answers for everybody.
struct SqliteHost {
    epoch: u64,
    left: Option<u64>,
    last_id: Cell<i64>,
}

impl TransactionHost for SqliteHost {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whoever else has claimed a page is gone.
    fn is_live(&self, epoch: u64) -> bool {
        epoch == self.epoch
    }

    fn has_left(&self, epoch: u64) -> bool {
        self.left == Some(epoch)
    }

    fn next_id(&self) -> IncidentId {
        self.last_id.set(self.last_id.get() + 1);
        IncidentId(self.last_id.get())
    }

    /// From the system's own source of randomness.
    fn draw(&self) -> IncidentNonce {
        IncidentNonce::new(rand::random())
    }

    /// The keys of all open incidents are in memory.
    fn live_open(&self, loaded: &WorkingSet) -> Option<IncidentId> {
        loaded.live_open()
    }
}

fn grown(heads: &mut BTreeMap<String, ChainHead>, changes: &ChangeSet) {
    for line in &changes.lines {
        heads.insert(line.chain.clone(), ChainHead { seq: line.seq, hash: line.hash });
    }
}
