//! A store in memory, for the simulation, drills and tests. Several nodes may share it; every future is ready at its
//! first poll.

mod host;
mod inner;
mod lookup;
mod pages;

use crate::{
    core::{
        ContactProof, DrillRun, Incident, IncidentId, PageId, ResultCount, RunId, ScheduledRun, ShownText, SourceName,
        Timestamp, event::ANCHORS, judgement::PendingAlert,
    },
    store::{
        CommitListener, CommittedEvents, IncidentFilter, KeptResponse, OpenNow, OrphanPages, RequestClass, RequestKey,
        Store, StoreError, StoreRequest, StoredLine, Transaction,
        anchor::anchor_event,
        line::{ChainHead, JournalLine},
        quarantine::{QuarantinedRow, RowName, RowRemains},
        working_set::ChangeSet,
    },
};
use futures_util::future::BoxFuture;
use host::MemoryHost;
use inner::MemoryState;
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How long a lease lasts. A node that does not renew it counts as dead.
pub const LEASE: Duration = Duration::from_secs(15);

/// What several nodes share.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<SharedMemory>,
}

/// One node's handle: its epoch and its lease are its own.
pub struct MemoryNode {
    shared: Arc<SharedMemory>,
    epoch: u64,
    follower: OnceLock<CommitListener>,
}

struct SharedMemory {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    seed: u64,
    changed: watch::Sender<u64>,
    kept: Mutex<MemoryState>,
}

impl MemoryStore {
    /// An empty store on this clock. If the clock goes back, the store's time stands still.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::seeded(clock, 0)
    }

    /// An empty store whose random values follow from `seed` alone, so that a run repeats. Stores with different seeds
    /// give their incidents different nonces, though all have the same server key.
    pub fn seeded(clock: impl Fn() -> Timestamp + Send + Sync + 'static, seed: u64) -> Self {
        let shared =
            SharedMemory { clock: Box::new(clock), seed, changed: watch::Sender::new(0), kept: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A new node with a lease of [`LEASE`] from now. A node dies by not renewing it.
    pub fn node(&self) -> MemoryNode {
        let mut inner = self.shared.lock();
        inner.last_epoch += 1;
        let epoch = inner.last_epoch;
        let until = self.shared.now(&mut inner) + LEASE;
        inner.leases.insert(epoch, until);
        MemoryNode { shared: self.shared.clone(), epoch, follower: OnceLock::new() }
    }

    /// Makes the next `n` commits of any node fail: their closures run, and nothing is kept.
    pub fn fail_next_commits(&self, n: u32) {
        self.shared.lock().commits_to_fail = n;
    }

    /// Makes an incident unreadable, like a damaged row.
    pub fn spoil(&self, id: IncidentId) {
        self.shared.lock().spoiled.insert(id);
    }

    /// Acts like a full disk while `is_full`: admissions are refused, ladders go on.
    pub fn set_full(&self, is_full: bool) {
        self.shared.lock().is_full = is_full;
    }
}

impl MemoryNode {
    /// The node's number: what its claims name.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn commit(&self, mut request: StoreRequest) -> Result<CommittedEvents, StoreError> {
        let mut inner = self.shared.lock();
        if inner.is_full && request.class == RequestClass::Admission {
            return Err(StoreError::Full);
        }
        let now = self.shared.now(&mut inner);
        inner.load(&request, now)?;
        let fails = 0 < inner.commits_to_fail;
        inner.commits_to_fail -= u32::from(fails);
        // Only what comes from outside can turn out to be unwritable, and that is admitted.
        let before = (fails || request.class == RequestClass::Admission).then(|| (inner.loaded.clone(), inner.last_id));
        let applied = self.apply(&mut inner, now, &mut request);
        let (committed, changes) = match (applied, before) {
            (Ok(kept), _) if !fails => kept,
            (applied, before) => {
                if let Some(before) = before {
                    (inner.loaded, inner.last_id) = before;
                }
                return Err(match applied {
                    Ok(_) => StoreError::Failed("a failure was asked for".into()),
                    Err(flaw) => StoreError::Unwritable(flaw),
                });
            }
        };
        let changed = !changes.is_empty();
        inner.keep(changes);
        drop(inner);
        if changed {
            self.shared.changed.send_modify(|n| *n += 1);
        }
        if let Some(follower) = self.follower.get() {
            follower(&committed);
        }
        Ok(committed)
    }

    fn apply(
        &self,
        inner: &mut MemoryState,
        now: Timestamp,
        request: &mut StoreRequest,
    ) -> Result<(CommittedEvents, ChangeSet), String> {
        let mut changes = ChangeSet::default();
        let MemoryState { loaded, last_id, leases, left, drawn, .. } = inner;
        let (seed, epoch) = (self.shared.seed, self.epoch);
        let host =
            MemoryHost { seed, epoch, now, leases, left, drawn: Cell::new(*drawn), last_id: Cell::new(*last_id) };
        let mut tx = Transaction::new(now, &host, &request.needs, loaded, &mut changes);
        (request.run)(&mut tx);
        let events = tx.finish();
        changes.observed.extend(loaded.observed.sweep(now));
        changes.judged.extend(loaded.judged.sweep(now));
        changes.responses.extend(loaded.responses.sweep(now));
        *drawn = host.drawn.get();
        *last_id = host.last_id.get();
        Ok((CommittedEvents { at: now, events: events? }, changes))
    }

    fn anchor_now(&self) -> Option<StoredLine> {
        let mut inner = self.shared.lock();
        let now = self.shared.now(&mut inner);
        let unanchored = std::mem::take(&mut inner.unanchored);
        let event = anchor_event(&unanchored)?;
        let head = inner.anchors.get_or_insert_with(|| ChainHead::before_first(ANCHORS));
        let line = JournalLine::write(ANCHORS, head, now, &event).ok()?;
        inner.keep(ChangeSet { lines: vec![line], ..ChangeSet::default() });
        inner.unanchored.clear();
        let line = inner.lines.last().cloned();
        drop(inner);
        self.shared.changed.send_modify(|n| *n += 1);
        line
    }
}

impl SharedMemory {
    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The locked state, after unreadable incidents were set aside.
    fn looked_at(&self) -> MutexGuard<'_, MemoryState> {
        let mut inner = self.lock();
        let now = self.now(&mut inner);
        inner.look_at_all(now);
        inner
    }

    fn now(&self, inner: &mut MemoryState) -> Timestamp {
        inner.last_time = inner.last_time.max((self.clock)());
        inner.last_time
    }
}

fn ready<'a, T: Send + 'a>(now: impl FnOnce() -> T + Send + 'a) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async move { Ok(now()) })
}

impl Store for MemoryNode {
    fn now(&self) -> Timestamp {
        self.shared.now(&mut self.shared.lock())
    }

    fn run(&self, request: StoreRequest) -> BoxFuture<'_, Result<CommittedEvents, StoreError>> {
        Box::pin(async move { self.commit(request) })
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.shared.lock().is_full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn quarantined(&self) -> Vec<QuarantinedRow> {
        self.shared.lock().quarantine.all()
    }

    fn is_quarantined(&self, id: IncidentId) -> bool {
        self.shared.lock().quarantine.holds(id).is_some()
    }

    fn found_unreadable(&self, row: RowName, why: String) {
        let mut inner = self.shared.lock();
        let now = self.shared.now(&mut inner);
        inner.quarantine.add(QuarantinedRow::new(row, now, why));
    }

    /// The memory store has no other place to look.
    fn remains(&self, _: RowName) -> BoxFuture<'_, Result<Vec<RowRemains>, StoreError>> {
        ready(Vec::new)
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn follow(&self, follower: CommitListener) {
        let _ = self.follower.set(follower);
    }

    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        ready(move || self.shared.lock().deadlines.due(now, limit))
    }

    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        ready(|| self.shared.lock().deadlines.first())
    }

    fn due_judgements(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        ready(move || self.shared.lock().loaded.judged.due(now, limit))
    }

    fn next_judgement(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        ready(|| self.shared.lock().loaded.judged.next_due())
    }

    fn pending(&self, names: Vec<String>) -> BoxFuture<'_, Result<Vec<(String, PendingAlert)>, StoreError>> {
        ready(move || {
            let inner = self.shared.lock();
            let pending = |name: String| {
                let pending = inner.loaded.judged.get(&name)?.pending()?.clone();
                Some((name, pending))
            };
            names.into_iter().filter_map(pending).collect()
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    fn renew_lease(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        ready(|| {
            let mut inner = self.shared.lock();
            let until = self.shared.now(&mut inner) + LEASE;
            inner.leases.insert(self.epoch, until);
            until
        })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(|| self.shared.lock().left.extend([self.epoch]))
    }

    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<OrphanPages, StoreError>> {
        ready(move || self.orphans_now(limit))
    }

    fn owed(&self, after: Option<PageId>, limit: usize) -> BoxFuture<'_, Result<Vec<PageId>, StoreError>> {
        ready(move || self.owed_now(after, limit))
    }

    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(move || self.is_wanted_now(page))
    }

    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>> {
        ready(|| self.shared.lock().loaded.open_now())
    }

    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>> {
        Box::pin(async move {
            let mut inner = self.shared.lock();
            let now = self.shared.now(&mut inner);
            inner.look_at(id, now);
            match inner.quarantine.holds(id) {
                Some(error) => Err(error),
                None => Ok(inner.loaded.incidents.get(&id).map(|kept| kept.incident.clone())),
            }
        })
    }

    fn list(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>> {
        ready(move || self.shared.looked_at().portion(filter, None).incidents)
    }

    fn lines(
        &self,
        chain: Option<String>,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredLine>, StoreError>> {
        ready(move || self.shared.lock().lines(chain.as_deref(), after, limit))
    }

    fn text(&self, hash: String) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        ready(move || self.shared.lock().texts.get(&hash).cloned())
    }

    fn texts(&self, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<(i64, ShownText)>, StoreError>> {
        ready(move || {
            let inner = self.shared.lock();
            let all = (1_i64..).zip(&inner.texts).filter(|(n, _)| after < *n).take(limit);
            all.map(|(n, (hash, body))| (n, ShownText { hash: hash.clone(), body: body.clone() })).collect()
        })
    }

    fn counted(&self) -> BoxFuture<'_, Result<Vec<(SourceName, ResultCount)>, StoreError>> {
        ready(|| {
            let inner = self.shared.lock();
            let counts = inner.loaded.counts.iter();
            counts.flat_map(|(source, counts)| counts.values().map(|count| (source.clone(), count.clone()))).collect()
        })
    }

    fn response(&self, key: RequestKey) -> BoxFuture<'_, Result<Option<Arc<KeptResponse>>, StoreError>> {
        ready(move || {
            let mut inner = self.shared.lock();
            let now = self.shared.now(&mut inner);
            inner.loaded.responses.get(&key).filter(|kept| kept.is_kept(now)).cloned()
        })
    }

    fn request_key(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<[u8; 32]>, StoreError>> {
        ready(move || self.shared.lock().request_keys.get(&id).copied())
    }

    fn next_run(&self) -> BoxFuture<'_, Result<RunId, StoreError>> {
        ready(move || RunId(1 + self.shared.lock().runs.keys().next_back().map_or(0, |newest| newest.0)))
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<DrillRun>, StoreError>> {
        ready(move || self.shared.lock().run_portion(limit, None).runs)
    }

    fn keep_turn(&self, turn: ScheduledRun) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(move || drop(self.shared.lock().turns.insert(turn.scenario.clone(), turn)))
    }

    fn turns(&self) -> BoxFuture<'_, Result<Vec<ScheduledRun>, StoreError>> {
        ready(|| self.shared.lock().turns.values().cloned().collect())
    }

    fn proofs(&self) -> BoxFuture<'_, Result<Vec<ContactProof>, StoreError>> {
        ready(|| self.shared.lock().proofs.values().cloned().collect())
    }

    fn anchor(&self) -> BoxFuture<'_, Result<Option<StoredLine>, StoreError>> {
        ready(|| self.anchor_now())
    }

    /// Always the same one, so that simulated runs repeat.
    fn server_key(&self) -> [u8; 32] {
        Sha256::digest(b"the memory store's key").into()
    }
}
