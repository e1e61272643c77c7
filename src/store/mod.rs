//! What must survive: incidents, their journal and their outbox, kept together or not at all.
//!
//! A [`StoreRequest`] names what it needs; the store loads and locks that, lends it as a [`Transaction`] to the work's pure closure
//! and keeps everything that the closure made happen, in one durable transaction. A closure may be run again when a
//! commit fails, so it must depend on nothing but the unit.

pub mod clock;
mod deadlines;
mod index;
mod line;
mod lookup;
pub mod memory;
pub mod quarantine;
pub mod sqlite;
mod touch;
mod unit;

pub use crate::core::{StoredLine, event::ANCHORS};
pub use clock::SteadyClock;
pub use line::{ChainHead, JournalLine};
pub use lookup::{AskedIncidents, AskedQuery, AskedStanding, BriefOf, IncidentPortion, Lookup, RunPortion, earlier};
pub use memory::{MemoryNode, MemoryStore};
pub use quarantine::{QuarantineStatus, QuarantinedRow, RowKind, RowName, RowRemains};
pub use sqlite::SqliteStore;
pub use unit::{ChangeSet, NodeIdentity, StoredIncident, Transaction, WorkingSet, ended_window};

use crate::core::{
    ContactProof, DrillRun, Event, Incident, IncidentId, IncidentKey, PageId, RunId, ScheduledRun, SourceName,
    Timestamp,
};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// What survives, and the time that goes with it. Every method may be called from many tasks at once.
pub trait Store: Lookup {
    /// The store's time: it never jumps, whatever the wall clock does.
    fn now(&self) -> Timestamp;

    /// Runs a work's closure on what it needs and keeps all or nothing. Returns only after the commit is durable.
    fn run(&self, work: StoreRequest) -> BoxFuture<'_, Result<CommittedEvents, StoreError>>;

    /// Lets `follower` hear of every commit of this node, in their order, before whoever asked for it is answered: what
    /// was committed must be acted on though its caller is gone. It must not wait for anything. Only the first one that
    /// is given counts.
    fn follow(&self, follower: CommitListener);

    /// Incidents whose deadline is not after `now`, earliest first, at most `limit`.
    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>>;

    /// Whether works are kept now: what the last commit said, or that space for alerts has run out.
    fn health(&self) -> Result<(), StoreError>;

    /// Rows that can not be read and were set aside, also those that somebody has looked at. Cheap. An incident among them
    /// is in no list, has no key and no deadline; whoever asks for it hears [`StoreError::Corrupt`].
    fn quarantined(&self) -> Vec<QuarantinedRow>;

    /// Whether this incident is one of them. Cheap.
    fn is_quarantined(&self, id: IncidentId) -> bool;

    /// Sets aside a row of which a user of this store has found that it can not be read.
    fn found_unreadable(&self, row: RowName, why: String);

    /// What is left of a row that can not be read.
    fn remains(&self, row: RowName) -> BoxFuture<'_, Result<Vec<RowRemains>, StoreError>>;

    /// The space that it has left; none where it needs none.
    fn room(&self) -> Option<DiskSpace> {
        None
    }

    /// Returns when the store has ended and will keep nothing any more. For ever where it can not end.
    fn ended(&self) -> BoxFuture<'_, ()>;

    /// The earliest deadline of all incidents. Cheap.
    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>>;

    /// Wakes whoever waits whenever something was committed, by this node or (as far as the store can tell) another.
    fn changed(&self) -> tokio::sync::watch::Receiver<u64>;

    /// Renews this node's lease and returns until when it holds. A node starts no send that may outlast it.
    fn renew_lease(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>>;

    /// This node sends nothing any more, and nothing is under way: whoever takes its pages over knows that none of them was
    /// begun. What it could not keep is as if it had died.
    fn leave(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Owed pages whose node is gone, at most `limit`, grouped by incident. Taking them is [`Transaction::take_over`].
    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<OrphanPages, StoreError>>;

    /// Pages that this node owes, in their order, after this one, at most `limit`.
    fn owed(&self, after: Option<PageId>, limit: usize) -> BoxFuture<'_, Result<Vec<PageId>, StoreError>>;

    /// Whether a page is still to be sent by this node: queued, and claimed by it. Cheap; asked right before a send.
    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Whether something live is open, and which drills are. Cheap; asked before a page of a drill is sent.
    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>>;

    /// One incident with its pages.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for one that can not be read; it is set aside then.
    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>>;

    /// Incidents, newest first, with their pages; one that can not be read is set aside and left out.
    fn list(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>>;

    /// Journal lines after position `after`, in the order of their commit, of one chain or of all.
    fn lines(
        &self,
        chain: Option<String>,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredLine>, StoreError>>;

    /// When each person was last proven to be reached by each channel, by person and channel. Who is not in it never
    /// was, as far as is known; a row that can not be read is set aside.
    fn proofs(&self) -> BoxFuture<'_, Result<Vec<ContactProof>, StoreError>>;

    /// A text that was shown, by its content hash; placeholders in place of codes and links.
    fn text(&self, hash: String) -> BoxFuture<'_, Result<Option<String>, StoreError>>;

    /// Keeps a run of a drill, new or as it stands now.
    fn keep_run(&self, run: DrillRun) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The newest run's number, whether or not its row can be read; none before the first.
    fn newest_run(&self) -> BoxFuture<'_, Result<Option<RunId>, StoreError>>;

    /// Runs of drills, newest first, at most `limit`; one whose row can not be read is set aside and left out.
    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<DrillRun>, StoreError>>;

    /// Keeps when a scenario runs next.
    fn keep_turn(&self, turn: ScheduledRun) -> BoxFuture<'_, Result<(), StoreError>>;

    /// When scheduled scenarios run next, by their names; one whose row can not be read is set aside and left out.
    fn turns(&self) -> BoxFuture<'_, Result<Vec<ScheduledRun>, StoreError>>;

    /// Anchors every head that changed since the last anchor; none when nothing did. The anchor is a line of the
    /// chain [`ANCHORS`] and is returned to be logged.
    fn anchor(&self) -> BoxFuture<'_, Result<Option<StoredLine>, StoreError>>;

    /// The secret from which answer codes and links are derived; made once and kept.
    fn server_key(&self) -> [u8; 32];
}

/// The space under what survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free bytes.
    pub free: u64,
    /// Free bytes below which new alerts are refused.
    pub floor: u64,
    /// Whether the space for open ladders is kept back.
    pub reserve_stands: bool,
}

/// Hears of commits.
pub type CommitListener = Box<dyn Fn(&CommittedEvents) + Send + Sync>;

/// Numbers of pages by their incident.
pub type OrphanPages = Vec<(IncidentId, Vec<u32>)>;

/// What is open, as far as drills must know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenNow {
    /// One that is no drill, where there is any.
    pub live: Option<IncidentId>,
    /// Every drill.
    pub drills: Vec<IncidentId>,
}

/// Which incidents to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only those that are open.
    pub open_only: bool,
    /// At most so many.
    pub limit: usize,
}

/// One transaction to be.
pub struct StoreRequest {
    /// Whether it may be refused when space runs out.
    pub class: RequestClass,
    /// What to load and lock before the closure runs.
    pub needs: LockSet,
    /// What to do. May be run more than once; only the last run counts.
    pub run: Box<dyn FnMut(&mut Transaction<'_>) + Send>,
}

/// What a work touches. What is not named here is not lent, whether it happens to be loaded or not.
#[derive(Debug, Clone, Default)]
pub struct LockSet {
    /// These incidents.
    pub incidents: Vec<IncidentId>,
    /// The open incidents with these keys, where there are any.
    pub keys: Vec<IncidentKey>,
    /// These windows of triggers ([`Transaction::observed`]).
    pub observed: Vec<String>,
    /// The chains of these sources ([`Transaction::record_source`]).
    pub sources: Vec<SourceName>,
}

/// Who goes on when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestClass {
    /// New alerts: refused first.
    Admission,
    /// Open ladders, answers, settlements: space is kept back for them.
    Ladder,
}

/// What a transaction made happen, after it was kept.
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
    /// Whose.
    pub incident: IncidentId,
    /// Its place in the incident's chain.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// When the incident was opened.
    pub opened_at: Timestamp,
    /// Whether the incident is a drill.
    pub drill: bool,
    /// Of a role's engagement: whether pages of its incident were kept in the sandbox. Of nothing else.
    pub sandboxed: bool,
    /// What.
    pub event: Event,
}

/// Why nothing was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too little space for new alerts; open ladders go on.
    #[error(
        "the disk under the state directory is full: new alerts are refused, open ladders go on from reserved space"
    )]
    Full,
    /// The file can not be written.
    #[error("the state directory can not be written: {0}")]
    ReadOnly(String),
    /// Another daemon has it.
    #[error("another stentor uses the state directory {0}: stop it first, or give this one its own with --state")]
    Locked(String),
    /// Written by a newer program.
    #[error(
        "the state was written by a newer stentor (schema {found}, this one knows {known}): upgrade, or restore a backup"
    )]
    Newer {
        /// What the file says.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// What is stored can not be understood.
    #[error("{what} in the store can not be read: {why}")]
    Corrupt {
        /// Where.
        what: String,
        /// Why.
        why: String,
    },
    /// What a work wrote could not be read back, so that nothing of it was kept.
    #[error("nothing of this was kept, for it could not be read back: {0}")]
    Unwritable(String),
    /// Anything else that the database says.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Runs a closure with a result of its own: [`Store::run`] for those who want an answer.
pub async fn transact<R: Send + 'static>(
    store: &dyn Store,
    class: RequestClass,
    needs: LockSet,
    mut f: impl FnMut(&mut Transaction<'_>) -> R + Send + 'static,
) -> Result<(R, CommittedEvents), StoreError> {
    let slot = Arc::new(Mutex::new(None));
    let inner = slot.clone();
    let run = Box::new(move |unit: &mut Transaction<'_>| {
        let result = f(unit);
        *inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
    });
    let committed = store.run(StoreRequest { class, needs, run }).await?;
    let result = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    result.map(|result| (result, committed)).ok_or(StoreError::Closed)
}
