//! A store that survives nothing: for the simulation, for drills and for tests. Several nodes may share it; every
//! future is ready at its first poll.

mod lookup;

use super::{
    Class, Committed, Filter, Follower, Loaded, OpenNow, Orphans, Store, StoreError, StoredLine, Unit, Work,
    deadlines::Deadlines,
    index::Index,
    unit::{Changes, Head, Kept, Node, write_line},
};
use crate::core::{
    ChannelName, Incident, IncidentId, IncidentNonce, Page, PageId, PageState, PersonName, Proof, Run, RunId,
    Timestamp, Turn,
    event::{ANCHORS, AnchorEvent, hex},
};
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How long a lease holds. A node that does not renew it is taken for dead.
pub const LEASE: Duration = Duration::from_secs(15);

/// What several nodes share.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

/// One node's handle: its epoch and its lease are its own.
pub struct MemoryNode {
    shared: Arc<Shared>,
    epoch: u64,
    follower: OnceLock<Follower>,
}

struct Shared {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    seed: u64,
    changed: watch::Sender<u64>,
    kept: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    loaded: Loaded,
    index: Index,
    /// How many nonces were drawn.
    drawn: u64,
    deadlines: Deadlines,
    lines: Vec<StoredLine>,
    texts: BTreeMap<String, String>,
    runs: BTreeMap<RunId, Run>,
    turns: BTreeMap<String, Turn>,
    proofs: BTreeMap<(PersonName, ChannelName), Proof>,
    anchors: Option<Head>,
    unanchored: BTreeMap<String, Head>,
    leases: BTreeMap<u64, Timestamp>,
    last_epoch: u64,
    last_time: Timestamp,
    commits_to_fail: u32,
    is_full: bool,
}

impl MemoryStore {
    /// An empty store on this clock. Where the clock goes back, the store's time stands still.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::seeded(clock, 0)
    }

    /// The same; what is random in it follows from `seed` alone, so that a run repeats. Stores of different seeds give
    /// their incidents different nonces, though all have the same server key.
    pub fn seeded(clock: impl Fn() -> Timestamp + Send + Sync + 'static, seed: u64) -> Self {
        let shared = Shared { clock: Box::new(clock), seed, changed: watch::Sender::new(0), kept: Mutex::default() };
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

    /// Makes the next `n` commits of any node fail: their works have run, and nothing is kept.
    pub fn fail_next_commits(&self, n: u32) {
        self.shared.lock().commits_to_fail = n;
    }

    /// Behaves as with a full disk while `is_full`: admissions are refused, ladders go on.
    pub fn set_full(&self, is_full: bool) {
        self.shared.lock().is_full = is_full;
    }
}

impl MemoryNode {
    /// The node's number: what its claims name.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn commit(&self, mut work: Work) -> Result<Committed, StoreError> {
        let mut inner = self.shared.lock();
        if inner.is_full && work.class == Class::Admission {
            return Err(StoreError::Full);
        }
        let now = self.shared.now(&mut inner);
        let (committed, changes) = match inner.commits_to_fail {
            0 => self.apply(&mut inner, now, &mut work),
            _ => {
                inner.commits_to_fail -= 1;
                let before = inner.loaded.clone();
                self.apply(&mut inner, now, &mut work);
                inner.loaded = before;
                return Err(StoreError::Failed("a failure was asked for".into()));
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

    fn apply(&self, inner: &mut Inner, now: Timestamp, work: &mut Work) -> (Committed, Changes) {
        let mut changes = Changes::default();
        let Inner { loaded, leases, drawn, .. } = inner;
        let is_live = |epoch: u64| leases.get(&epoch).is_some_and(|until| now < *until);
        let counted = Cell::new(*drawn);
        let draw = || nonce(self.shared.seed, counted.replace(counted.get() + 1));
        let node = Node { epoch: self.epoch, is_live: &is_live, draw: &draw };
        let mut unit = Unit::new(now, node, &work.needs, loaded, &mut changes);
        (work.run)(&mut unit);
        let committed = Committed { at: now, events: unit.into_happened() };
        *drawn = counted.get();
        (committed, changes)
    }

    fn orphans_now(&self, limit: usize) -> Orphans {
        let mut inner = self.shared.lock();
        let now = self.shared.now(&mut inner);
        let is_dead = |epoch: u64| epoch != self.epoch && inner.leases.get(&epoch).is_none_or(|until| *until <= now);
        let mut left = limit;
        let mut orphans = Vec::new();
        for (id, kept) in &inner.loaded.incidents {
            let free = kept.claims.iter().filter(|(_, epoch)| is_dead(**epoch)).map(|(n, _)| *n);
            let pages: Vec<u32> = free.take(left).collect();
            left -= pages.len();
            if !pages.is_empty() {
                orphans.push((*id, pages));
            }
        }
        orphans
    }

    fn is_wanted_now(&self, page: PageId) -> bool {
        let inner = self.shared.lock();
        let Some(kept) = inner.loaded.incidents.get(&page.incident) else { return false };
        kept.wants(page.n, self.epoch)
    }

    fn anchor_now(&self) -> Option<StoredLine> {
        let mut inner = self.shared.lock();
        let now = self.shared.now(&mut inner);
        let unanchored = std::mem::take(&mut inner.unanchored);
        let event = anchor_event(&unanchored)?;
        let head = inner.anchors.get_or_insert_with(|| Head::before_first(ANCHORS));
        let line = write_line(ANCHORS, head, now, event);
        inner.keep(Changes { lines: vec![line], ..Changes::default() });
        inner.unanchored.clear();
        let line = inner.lines.last().cloned();
        drop(inner);
        self.shared.changed.send_modify(|n| *n += 1);
        line
    }
}

/// The nonce of that number under a seed.
fn nonce(seed: u64, n: u64) -> IncidentNonce {
    let hash = Sha256::digest([&b"nonce"[..], &seed.to_be_bytes(), &n.to_be_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    IncidentNonce::new(bytes)
}

/// The anchor over these heads; none over none.
pub(super) fn anchor_event(unanchored: &BTreeMap<String, Head>) -> Option<AnchorEvent> {
    let heads: Vec<_> = unanchored.iter().map(|(chain, head)| (chain.clone(), head.seq, hex(&head.hash))).collect();
    (!heads.is_empty()).then_some(AnchorEvent::Anchored { heads })
}

impl Kept {
    /// Whether page `n` is queued and claimed by `epoch`.
    pub(super) fn wants(&self, n: u32, epoch: u64) -> bool {
        let queued = |page: &Arc<Page>| page.state == PageState::Queued;
        self.incident.pages.get(&n).is_some_and(queued) && self.claims.get(&n) == Some(&epoch)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, inner: &mut Inner) -> Timestamp {
        inner.last_time = inner.last_time.max((self.clock)());
        inner.last_time
    }
}

impl Inner {
    fn keep(&mut self, changes: Changes) {
        self.index.keep(&changes, &self.loaded);
        for id in changes.heads.union(&changes.bodies) {
            let deadline = self.loaded.incidents.get(id).and_then(|kept| kept.incident.deadline());
            self.deadlines.set(*id, deadline);
        }
        for line in changes.lines {
            self.unanchored.insert(line.chain.clone(), Head { seq: line.seq, hash: line.hash });
            let pos = i64::try_from(self.lines.len()).unwrap_or(i64::MAX).saturating_add(1);
            let (chain, seq, body, hash) = (line.chain, line.seq, line.body, line.hash);
            self.lines.push(StoredLine { pos, chain, seq, body, hash });
        }
        for (hash, text) in changes.texts {
            self.texts.entry(hash).or_insert(text);
        }
        for (contact, proof) in changes.proofs {
            if self.proofs.get(&contact).is_none_or(|last| last.at <= proof.at) {
                self.proofs.insert(contact, proof);
            }
        }
    }

    fn lines(&self, chain: Option<&str>, after: i64, limit: usize) -> Vec<StoredLine> {
        let skip = usize::try_from(after).unwrap_or(0).min(self.lines.len());
        let wanted = self.lines[skip..].iter().filter(|line| chain.is_none_or(|chain| line.chain == chain));
        wanted.take(limit).cloned().collect()
    }
}

fn ready<'a, T: Send + 'a>(now: impl FnOnce() -> T + Send + 'a) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async move { Ok(now()) })
}

impl Store for MemoryNode {
    fn now(&self) -> Timestamp {
        self.shared.now(&mut self.shared.lock())
    }

    fn run(&self, work: Work) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move { self.commit(work) })
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.shared.lock().is_full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn follow(&self, follower: Follower) {
        let _ = self.follower.set(follower);
    }

    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        ready(move || self.shared.lock().deadlines.due(now, limit))
    }

    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        ready(|| self.shared.lock().deadlines.first())
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

    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<Orphans, StoreError>> {
        ready(move || self.orphans_now(limit))
    }

    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(move || self.is_wanted_now(page))
    }

    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>> {
        ready(|| self.shared.lock().loaded.open_now())
    }

    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>> {
        ready(move || self.shared.lock().loaded.incidents.get(&id).map(|kept| kept.incident.clone()))
    }

    fn list(&self, filter: Filter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>> {
        ready(move || self.shared.lock().portion(filter, None).incidents)
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

    fn keep_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(move || drop(self.shared.lock().runs.insert(run.id, run)))
    }

    fn newest_run(&self) -> BoxFuture<'_, Result<Option<RunId>, StoreError>> {
        ready(move || self.shared.lock().runs.keys().next_back().copied())
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        ready(move || self.shared.lock().run_portion(limit, None).runs)
    }

    fn keep_turn(&self, turn: Turn) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(move || drop(self.shared.lock().turns.insert(turn.scenario.clone(), turn)))
    }

    fn turns(&self) -> BoxFuture<'_, Result<Vec<Turn>, StoreError>> {
        ready(|| self.shared.lock().turns.values().cloned().collect())
    }

    fn proofs(&self) -> BoxFuture<'_, Result<Vec<Proof>, StoreError>> {
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
