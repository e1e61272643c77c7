//! What must survive a crash: incidents, their journal and their outbox, all in one transaction.
//!
//! A [`StoreRequest`] names what it needs. The store loads and locks that, lends it as a [`Transaction`] to the request's
//! closure, and commits everything that the closure did or nothing. A closure may run again when a commit fails, so it
//! must be pure: it depends on the transaction alone.

mod anchor;
mod body;
mod clear_quarantined;
pub mod clock;
mod deadlines;
mod ended_windows;
mod error;
mod host;
mod index;
mod judgements;
mod line;
mod lookup;
pub mod memory;
mod open;
pub mod quarantine;
mod responses;
mod run;
mod schema_version;
pub mod sqlite;
mod touch;
mod transaction;
mod windows;
mod working_set;

pub use crate::core::{StoredLine, event::ANCHORS};
pub use clear_quarantined::clear_quarantined;
pub use clock::SteadyClock;
pub use ended_windows::ended_windows;
pub use error::StoreError;
pub use host::TransactionHost;
pub use judgements::Judgements;
pub use line::{ChainHead, JournalLine};
pub use lookup::{AskedIncidents, AskedQuery, AskedStanding, BriefOf, IncidentPortion, Lookup, RunPortion, earlier};
pub use memory::{MemoryNode, MemoryStore};
pub use open::{StoreConfig, open_store, read_store};
pub use quarantine::{LostIncident, QuarantineStatus, QuarantinedRow, RowKind, RowName, RowRemains};
pub use responses::{
    KeptResponse, KeptResponses, RESPONSE_KEPT, RESPONSES_BYTES_MAX, RESPONSES_MAX, RequestKey, RequestProgress,
};
pub use run::keep_run;
pub use schema_version::SchemaVersion;
pub use sqlite::SqliteStore;
pub use transaction::Transaction;
pub use windows::Windows;
pub use working_set::{ChangeSet, PageClaims, StoredIncident, WorkingSet};

use crate::core::{
    ContactProof, DrillRun, Event, Incident, IncidentId, IncidentKey, PageId, Priority, ResultCount, RunId,
    ScheduledRun, ShownText, SourceName, Timestamp, TriggerName,
    judgement::PendingAlert,
    record::{RecordCursor, RecordPortion},
};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// What survives a crash, and the clock that belongs to it. All methods may be called from many tasks at once.
pub trait Store: Lookup {
    /// The store's time: it never jumps, even if the wall clock does.
    fn now(&self) -> Timestamp;

    /// How far the wall clock is ahead of [`Store::now`], in microseconds; less than 0 if it is behind. Only a wall
    /// clock that was set, or that is set wrong, makes it large.
    fn clock_ahead_us(&self) -> i64 {
        0
    }

    /// What was wrong in the stored rows when the store was opened, and was mended, in words.
    fn mended(&self) -> Vec<String> {
        Vec::new()
    }

    /// Civil time: the wall clock's, where it can be right. Who is on call depends on it.
    fn civil_now(&self) -> Timestamp {
        self.now()
    }

    /// Runs a request's closure on what it needs and commits all of it or nothing. Returns only after the commit is
    /// durable.
    fn run(&self, request: StoreRequest) -> BoxFuture<'_, Result<CommittedEvents, StoreError>>;

    /// Calls `follower` after every commit of this node, in order, and before the caller gets its answer: what was
    /// committed must be acted on even if the caller has gone. It must not block. Only the first follower counts.
    fn follow(&self, follower: CommitListener);

    /// Incidents whose deadline is not after `now`, earliest first, at most `limit`.
    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>>;

    /// Whether transactions can be committed now: the error of the last commit, or that space for alerts has run out.
    fn health(&self) -> Result<(), StoreError>;

    /// Unreadable rows that were set aside, including those that somebody has looked at. Cheap. An unreadable incident
    /// is in no list and has no key and no deadline; asking for it gives [`StoreError::Corrupt`].
    fn quarantined(&self) -> Vec<QuarantinedRow>;

    /// Whether this incident was set aside. Cheap.
    fn is_quarantined(&self, id: IncidentId) -> bool;

    /// Sets aside a row that a user of this store could not read.
    fn found_unreadable(&self, row: RowName, why: String);

    /// What is left of a row that can not be read.
    fn remains(&self, row: RowName) -> BoxFuture<'_, Result<Vec<RowRemains>, StoreError>>;

    /// The space that is left; `None` for a store that needs none.
    fn room(&self) -> Option<DiskSpace> {
        None
    }

    /// Finishes what waits and releases everything that the store holds. Later calls fail with [`StoreError::Closed`].
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Resolves when the store has ended and can keep nothing any more; never for a store that can not end.
    fn ended(&self) -> BoxFuture<'_, ()>;

    /// The earliest deadline of all incidents. Cheap.
    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>>;

    /// The states of triggers and keys that are due at `now`, by their names, earliest first, at most `limit`.
    fn due_judgements(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// When the first of them is due. Cheap.
    fn next_judgement(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>>;

    /// What waits in these states, by their names; those in which nothing waits, or that can not be read, are left out.
    fn pending(&self, names: Vec<String>) -> BoxFuture<'_, Result<Vec<(String, PendingAlert)>, StoreError>>;

    /// Changes with every commit, of this node or (as far as the store can tell) another.
    fn changed(&self) -> tokio::sync::watch::Receiver<u64>;

    /// Renews this node's lease and returns when it ends. A node starts no send that may outlast its lease.
    fn renew_lease(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>>;

    /// Records that this node sends nothing any more and that nothing is in progress: whoever takes over its pages knows
    /// that none of them was begun. If this can not be kept, it is as if the node had died.
    fn leave(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Owed pages whose node is gone, at most `limit`, grouped by incident. [`Transaction::take_over`] takes them.
    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<OrphanPages, StoreError>>;

    /// Pages that this node owes, in order, after `after`, at most `limit`.
    fn owed(&self, after: Option<PageId>, limit: usize) -> BoxFuture<'_, Result<Vec<PageId>, StoreError>>;

    /// Whether this node must still send a page: it is queued, and claimed by this node. Cheap; asked right before a
    /// send.
    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Which incidents are open, as far as drills must know. Cheap; asked before a page of a drill is sent.
    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>>;

    /// One incident with its pages.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it can not be read; it is set aside then.
    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>>;

    /// Incidents with their pages, newest first. One that can not be read is set aside and left out.
    fn list(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>>;

    /// Journal lines after position `after`, in the order of their commits, of one chain or of all, at most `limit`.
    fn lines(
        &self,
        chain: Option<String>,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredLine>, StoreError>>;

    /// Compares one portion of the stored state with the journal, and what is named by its hash with its content. Chains
    /// are no part of it: whoever reads the lines follows them. A store whose state is nothing but its
    /// journal has nothing to compare.
    fn audit(&self, from: RecordCursor) -> BoxFuture<'_, Result<RecordPortion, StoreError>> {
        let _ = from;
        Box::pin(async { Ok(RecordPortion::default()) })
    }

    /// When each channel was last proven to reach each person. Who is missing was never reached, as far as is known. An
    /// unreadable row is set aside.
    fn proofs(&self) -> BoxFuture<'_, Result<Vec<ContactProof>, StoreError>>;

    /// A text that was shown, by its content hash, with placeholders in place of codes and links.
    fn text(&self, hash: String) -> BoxFuture<'_, Result<Option<String>, StoreError>>;

    /// Texts that were shown, after this position, at most `limit`, each with its position. Their order means nothing;
    /// a store that keeps no texts has none.
    fn texts(&self, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<(i64, ShownText)>, StoreError>> {
        let _ = (after, limit);
        Box::pin(async { Ok(Vec::new()) })
    }

    /// What is counted of alerts that opened nothing, by source.
    fn counted(&self) -> BoxFuture<'_, Result<Vec<(SourceName, ResultCount)>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// What is kept of a request with an idempotency key, if it still counts.
    fn response(&self, key: RequestKey) -> BoxFuture<'_, Result<Option<Arc<KeptResponse>>, StoreError>>;

    /// The key with which the packet of a request is encrypted; `None` if it has none, or if it was destroyed.
    fn request_key(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<[u8; 32]>, StoreError>>;

    /// The number for a new run: greater than that of every run, readable or not. A store that several nodes share
    /// gives no number twice.
    fn next_run(&self) -> BoxFuture<'_, Result<RunId, StoreError>>;

    /// Runs of drills, newest first, at most `limit`. An unreadable one is set aside and left out.
    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<DrillRun>, StoreError>>;

    /// Stores when a scenario runs next.
    fn keep_turn(&self, turn: ScheduledRun) -> BoxFuture<'_, Result<(), StoreError>>;

    /// When scheduled scenarios run next, by their names. An unreadable row is set aside and left out.
    fn turns(&self) -> BoxFuture<'_, Result<Vec<ScheduledRun>, StoreError>>;

    /// Anchors every chain that grew since the last anchor; `None` if none did. The anchor is a line of the chain
    /// [`ANCHORS`], returned to be logged.
    fn anchor(&self) -> BoxFuture<'_, Result<Option<StoredLine>, StoreError>>;

    /// The secret from which answer codes and links are derived. It is made once and stored.
    fn server_key(&self) -> [u8; 32];
}

/// The disk space of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free bytes.
    pub free: u64,
    /// Free bytes below which new alerts are refused.
    pub floor: u64,
    /// Whether space is reserved for open ladders.
    pub reserve_stands: bool,
}

/// Is called after every commit.
pub type CommitListener = Box<dyn Fn(&CommittedEvents) + Send + Sync>;

/// Page numbers by incident.
pub type OrphanPages = Vec<(IncidentId, Vec<u32>)>;

/// Which incidents are open, as far as drills must know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenNow {
    /// An open incident that is no drill, if there is one.
    pub live: Option<IncidentId>,
    /// All open drills.
    pub drills: Vec<IncidentId>,
}

/// Which incidents to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only open ones.
    pub open_only: bool,
    /// The most incidents to return.
    pub limit: usize,
}

/// A request for one transaction.
pub struct StoreRequest {
    /// Whether it may be refused when space runs low.
    pub class: RequestClass,
    /// What to load and lock before the closure runs.
    pub needs: LockSet,
    /// What to do. It may run more than once; only the last run counts.
    pub run: Box<dyn FnMut(&mut Transaction<'_>) + Send>,
}

/// What a transaction needs. It can use nothing that is not named here, even if the store happens to have it loaded.
#[derive(Debug, Clone, Default)]
pub struct LockSet {
    /// Incidents, by number.
    pub incidents: Vec<IncidentId>,
    /// Open incidents, by key, if there are any.
    pub keys: Vec<IncidentKey>,
    /// Windows of triggers.
    pub observed: Vec<String>,
    /// States of triggers and keys ([`Transaction::judge`]).
    pub judged: Vec<String>,
    /// Chains of sources ([`Transaction::record_source`]).
    pub sources: Vec<SourceName>,
    /// Requests with an idempotency key ([`Transaction::response`]).
    pub responses: Vec<RequestKey>,
    /// Whether a live incident is open ([`Transaction::live_open`]): no other transaction may open one in between.
    pub live_open: bool,
}

/// What may be refused when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestClass {
    /// New alerts: refused when space is low.
    Admission,
    /// Open ladders, answers, outcomes of pages: space is reserved for them.
    Ladder,
}

/// The events of a committed transaction.
#[derive(Debug, Default)]
pub struct CommittedEvents {
    /// The time of the commit.
    pub at: Timestamp,
    /// The events, in order.
    pub events: Vec<CommittedEvent>,
}

/// One event of one incident.
#[derive(Debug, Clone, PartialEq)]
pub struct CommittedEvent {
    /// The incident.
    pub incident: IncidentId,
    /// The event's place in the incident's chain.
    pub seq: u64,
    /// The time of the event.
    pub at: Timestamp,
    /// When the incident was opened.
    pub opened_at: Timestamp,
    /// Whether the incident is a drill.
    pub drill: bool,
    /// The trigger of the incident.
    pub trigger: TriggerName,
    /// Its priority.
    pub priority: Priority,
    /// For a page: when the step that it belongs to ends. `None` for other events.
    pub step_ends: Option<Timestamp>,
    /// For the engagement of a role: whether pages of the incident were kept in the sandbox. False for other events.
    pub sandboxed: bool,
    /// The event.
    pub event: Event,
}

/// Runs a closure in a transaction and returns its result: [`Store::run`] for callers that want an answer.
pub async fn transact<R: Send + 'static>(
    store: &dyn Store,
    class: RequestClass,
    needs: LockSet,
    mut f: impl FnMut(&mut Transaction<'_>) -> R + Send + 'static,
) -> Result<(R, CommittedEvents), StoreError> {
    let slot = Arc::new(Mutex::new(None));
    let inner = slot.clone();
    let run = Box::new(move |tx: &mut Transaction<'_>| {
        let result = f(tx);
        *inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
    });
    let committed = store.run(StoreRequest { class, needs, run }).await?;
    let result = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    result.map(|result| (result, committed)).ok_or(StoreError::Closed)
}
