//! What a transaction has in memory, and which part of it must be written.

use super::{
    OpenNow,
    judgements::Judgements,
    line::{ChainHead, JournalLine},
    quarantine::{QuarantinedRow, RowName},
    responses::{KeptResponses, RequestKey},
    windows::Windows,
};
use crate::core::{
    ChannelName, ContactProof, DrillRun, Incident, IncidentId, IncidentKey, Page, PageState, PersonName, ResultCount,
    ResultName, SourceName,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{self, Excluded, Included, Unbounded},
    sync::Arc,
};

/// What is loaded of the store, for one transaction or a batch of them. A store keeps one and may use its content as a
/// cache between batches.
#[derive(Debug, Clone, Default)]
pub struct WorkingSet {
    /// Incidents with their pages and what the store keeps besides.
    pub incidents: BTreeMap<IncidentId, StoredIncident>,
    /// Open incidents by key. A key that is loaded and free is absent.
    pub keys: BTreeMap<IncidentKey, IncidentId>,
    /// Windows of triggers.
    pub observed: Windows,
    /// States of triggers and keys.
    pub judged: Judgements,
    /// Counts of alerts that opened nothing, by source.
    pub counts: BTreeMap<SourceName, BTreeMap<ResultName, ResultCount>>,
    /// Heads of the sources' chains.
    pub sources: BTreeMap<SourceName, ChainHead>,
    /// What requests with an idempotency key were told.
    pub responses: KeptResponses,
}

impl WorkingSet {
    /// An open incident that is no drill.
    pub fn live_open(&self) -> Option<IncidentId> {
        let mut live = self.between(Unbounded, Excluded(DRILLS)).chain(self.between(Included(AFTER_DRILLS), Unbounded));
        live.next()
    }

    /// The open incidents whose key begins with `prefix`, by key.
    pub fn open_under(&self, prefix: &str) -> Vec<IncidentId> {
        let from = self.keys.range::<str, _>((Included(prefix), Unbounded));
        from.take_while(|(key, _)| key.as_str().starts_with(prefix)).map(|(_, id)| *id).collect()
    }

    /// Which incidents are open, as far as drills must know.
    pub fn open_now(&self) -> OpenNow {
        let drills = self.between(Included(DRILLS), Excluded(AFTER_DRILLS)).collect();
        OpenNow { live: self.live_open(), drills }
    }

    fn between(&self, from: Bound<&str>, to: Bound<&str>) -> impl Iterator<Item = IncidentId> {
        self.keys.range::<str, _>((from, to)).map(|(_, id)| *id)
    }
}

/// What the keys of drills begin with, and the first text after all of those.
const DRILLS: &str = IncidentKey::DRILLS.0;
const AFTER_DRILLS: &str = IncidentKey::DRILLS.1;

/// The epochs that claim owed pages, by page number. A copy shares what did not change.
pub type PageClaims = rpds::RedBlackTreeMapSync<u32, u64>;

/// One incident as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// The incident, shared with readers and copied on write.
    pub incident: Arc<Incident>,
    /// The head of its chain.
    pub head: ChainHead,
    /// The epochs that claim its owed pages, by page number.
    pub claims: PageClaims,
    /// The line of the newest alert that joined since an earlier version wrote the body; this one writes it each time.
    pub joined: Option<u64>,
}

/// What must be written. The rows are taken from the [`WorkingSet`] when they are written.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// Journal lines, in order.
    pub lines: Vec<JournalLine>,
    /// Incidents whose body changed (new ones included).
    pub bodies: BTreeSet<IncidentId>,
    /// Incidents whose head changed (sequence, hash, deadline).
    pub heads: BTreeSet<IncidentId>,
    /// Pages whose row changed.
    pub pages: BTreeSet<(IncidentId, u32)>,
    /// People who were asked in an incident, if that is new or if it may have changed whether it waits for them.
    pub asked: BTreeSet<(IncidentId, PersonName)>,
    /// Windows that changed.
    pub observed: BTreeSet<String>,
    /// States of triggers and keys that changed.
    pub judged: BTreeSet<String>,
    /// Counts that changed, or are gone.
    pub counts: BTreeSet<(SourceName, ResultName)>,
    /// Requests with an idempotency key of which more is kept, or nothing any more.
    pub responses: BTreeSet<RequestKey>,
    /// Runs of drills, new or changed, in order.
    pub runs: Vec<DrillRun>,
    /// Sources whose head changed.
    pub sources: BTreeSet<SourceName>,
    /// Texts to keep, by content hash.
    pub texts: BTreeMap<String, String>,
    /// Keys of requests; `None` destroys one.
    pub request_keys: BTreeMap<IncidentId, Option<[u8; 32]>>,
    /// Contacts that were proven, the last proof for each person and channel.
    pub proofs: BTreeMap<(PersonName, ChannelName), ContactProof>,
    /// Rows in quarantine whose state changed; `None` releases a row.
    pub quarantine: BTreeMap<RowName, Option<QuarantinedRow>>,
}

impl ChangeSet {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
            && self.heads.is_empty()
            && self.observed.is_empty()
            && self.judged.is_empty()
            && self.counts.is_empty()
            && self.responses.is_empty()
            && self.runs.is_empty()
            && self.texts.is_empty()
            && self.request_keys.is_empty()
            && self.quarantine.is_empty()
    }
}

impl StoredIncident {
    /// Whether page `n` is queued and claimed by `epoch`.
    pub fn wants(&self, n: u32, epoch: u64) -> bool {
        let queued = |page: &Arc<Page>| page.state == PageState::Queued;
        self.incident.pages.get(&n).is_some_and(queued) && self.claims.get(&n) == Some(&epoch)
    }
}
