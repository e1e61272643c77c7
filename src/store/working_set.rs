//! What a transaction has in memory, and what of it must be written.

use super::{
    OpenNow,
    line::{ChainHead, JournalLine},
    quarantine::{QuarantinedRow, RowName},
};
use crate::core::{
    ChannelName, ContactProof, Incident, IncidentId, IncidentKey, Page, PageState, PersonName, SourceName,
    trigger::ThresholdWindow,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{self, Excluded, Included, Unbounded},
    sync::Arc,
};

/// What is loaded of the store: the working set of a transaction (or of a batch of them). A store keeps one and may
/// keep its content between batches as a cache.
#[derive(Debug, Clone, Default)]
pub struct WorkingSet {
    /// Incidents with their pages and what the store knows beside them.
    pub incidents: BTreeMap<IncidentId, StoredIncident>,
    /// Which open incident has which key. A key that is loaded and has none is absent.
    pub keys: BTreeMap<IncidentKey, IncidentId>,
    /// Windows of triggers.
    pub observed: BTreeMap<String, ThresholdWindow>,
    /// Heads of the sources' chains.
    pub sources: BTreeMap<SourceName, ChainHead>,
}

impl WorkingSet {
    /// An open incident that is no drill.
    pub fn live_open(&self) -> Option<IncidentId> {
        let mut live = self.between(Unbounded, Excluded(DRILLS)).chain(self.between(Included(AFTER_DRILLS), Unbounded));
        live.next()
    }

    /// The open incidents whose key begins so, by their keys.
    pub fn open_under(&self, prefix: &str) -> Vec<IncidentId> {
        let from = self.keys.range::<str, _>((Included(prefix), Unbounded));
        from.take_while(|(key, _)| key.as_str().starts_with(prefix)).map(|(_, id)| *id).collect()
    }

    /// What is open, as far as drills must know it.
    pub fn open_now(&self) -> OpenNow {
        let drills = self.between(Included(DRILLS), Excluded(AFTER_DRILLS)).collect();
        OpenNow { live: self.live_open(), drills }
    }

    fn between(&self, from: Bound<&str>, to: Bound<&str>) -> impl Iterator<Item = IncidentId> {
        self.keys.range::<str, _>((from, to)).map(|(_, id)| *id)
    }
}

/// What the keys of drills begin with, and the first text that is after all of those.
const DRILLS: &str = IncidentKey::DRILLS.0;
const AFTER_DRILLS: &str = IncidentKey::DRILLS.1;

/// One incident as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// The incident. Shared with readers; changed by copy where a reader holds it.
    pub incident: Arc<Incident>,
    /// Where its chain ends.
    pub head: ChainHead,
    /// Which epoch has claimed which owed page.
    pub claims: BTreeMap<u32, u64>,
    /// The line of the newest alert that joined since the body was last written.
    pub joined: Option<u64>,
}

/// What a transaction must write. Rows are read from [`WorkingSet`] when they are written.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// Journal lines, in order.
    pub lines: Vec<JournalLine>,
    /// Incidents whose body changed (new ones included).
    pub bodies: BTreeSet<IncidentId>,
    /// Incidents of which only the head (sequence, hash, deadline) changed.
    pub heads: BTreeSet<IncidentId>,
    /// Pages whose row changed.
    pub pages: BTreeSet<(IncidentId, u32)>,
    /// Who was asked in an incident, where that is new or it may wait for them no more, or again.
    pub asked: BTreeSet<(IncidentId, PersonName)>,
    /// Windows that changed.
    pub observed: BTreeSet<String>,
    /// Sources whose head changed.
    pub sources: BTreeSet<SourceName>,
    /// Texts to keep, by content hash.
    pub texts: BTreeMap<String, String>,
    /// Contacts that were proven, the last one of each person by each channel.
    pub proofs: BTreeMap<(PersonName, ChannelName), ContactProof>,
    /// Rows that were set aside and stand otherwise now; none is one that goes.
    pub quarantine: BTreeMap<RowName, Option<QuarantinedRow>>,
}

impl ChangeSet {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.observed.is_empty() && self.texts.is_empty() && self.quarantine.is_empty()
    }
}

impl StoredIncident {
    /// Whether page `n` is queued and claimed by `epoch`.
    pub fn wants(&self, n: u32, epoch: u64) -> bool {
        let queued = |page: &Arc<Page>| page.state == PageState::Queued;
        self.incident.pages.get(&n).is_some_and(queued) && self.claims.get(&n) == Some(&epoch)
    }
}
