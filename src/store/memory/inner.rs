//! What the nodes over one memory store share.

use crate::{
    core::{ChannelName, ContactProof, DrillRun, IncidentId, PersonName, RunId, ScheduledRun, StoredLine, Timestamp},
    store::{
        StoreError, StoreRequest, WorkingSet,
        deadlines::DeadlineIndex,
        index::IncidentIndex,
        line::ChainHead,
        quarantine::{LostIncident, Quarantine, QuarantinedRow, RowName},
        working_set::ChangeSet,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is kept.
#[derive(Default)]
pub struct MemoryState {
    pub loaded: WorkingSet,
    /// The number of the last incident that was opened.
    pub last_id: i64,
    pub index: IncidentIndex,
    /// How many nonces were drawn.
    pub drawn: u64,
    pub deadlines: DeadlineIndex<IncidentId>,
    pub lines: Vec<StoredLine>,
    pub texts: BTreeMap<String, String>,
    pub request_keys: BTreeMap<IncidentId, [u8; 32]>,
    pub runs: BTreeMap<RunId, DrillRun>,
    pub turns: BTreeMap<String, ScheduledRun>,
    pub proofs: BTreeMap<(PersonName, ChannelName), ContactProof>,
    pub anchors: Option<ChainHead>,
    pub unanchored: BTreeMap<String, ChainHead>,
    pub leases: BTreeMap<u64, Timestamp>,
    /// Nodes that left in order.
    pub left: BTreeSet<u64>,
    pub last_epoch: u64,
    pub last_time: Timestamp,
    pub commits_to_fail: u32,
    pub is_full: bool,
    pub quarantine: Quarantine,
    pub spoiled: BTreeSet<IncidentId>,
}

impl MemoryState {
    /// Prepares what a transaction needs, and sets aside what can not be read of it. A request that names such an
    /// incident by number is refused; a key of it is free.
    pub fn load(&mut self, request: &StoreRequest, now: Timestamp) -> Result<(), StoreError> {
        let needs = &request.needs;
        let keyed = needs.keys.iter().filter_map(|key| self.loaded.keys.get(key).copied());
        for id in needs.incidents.iter().copied().chain(keyed).collect::<Vec<_>>() {
            self.look_at(id, now);
        }
        needs.incidents.iter().find_map(|id| self.quarantine.holds(*id)).map_or(Ok(()), Err)
    }

    /// Sets an incident aside if it can not be read.
    pub fn look_at(&mut self, id: IncidentId, now: Timestamp) {
        if !self.spoiled.contains(&id) || self.quarantine.holds(id).is_some() {
            return;
        }
        let Some(kept) = self.loaded.incidents.get(&id) else { return };
        let (key, summary, open) = (kept.incident.key.clone(), kept.incident.summary.clone(), kept.incident.is_open());
        let lost = LostIncident { key, summary: Some(summary), open };
        let entry = QuarantinedRow::new(RowName::Incident(id), now, "it was spoiled".into());
        self.quarantine.add(QuarantinedRow { incident: Some(lost), ..entry });
        self.loaded.keys.retain(|_, open| *open != id);
        self.deadlines.set(id, None);
    }

    pub fn keep(&mut self, changes: ChangeSet) {
        self.index.keep(&changes, &self.loaded);
        self.quarantine.keep(changes.quarantine);
        for id in changes.heads.union(&changes.bodies) {
            let deadline = self.loaded.incidents.get(id).and_then(|kept| kept.incident.deadline());
            self.deadlines.set(*id, deadline);
        }
        for line in changes.lines {
            self.unanchored.insert(line.chain.clone(), ChainHead { seq: line.seq, hash: line.hash });
            let pos = i64::try_from(self.lines.len()).unwrap_or(i64::MAX).saturating_add(1);
            let (chain, seq, body, hash) = (line.chain, line.seq, line.body, line.hash);
            self.lines.push(StoredLine { pos, chain, seq, body, hash });
        }
        self.runs.extend(changes.runs.into_iter().map(|run| (run.id, run)));
        for (hash, text) in changes.texts {
            self.texts.entry(hash).or_insert(text);
        }
        for (id, key) in changes.request_keys {
            match key {
                Some(key) => drop(self.request_keys.insert(id, key)),
                None => drop(self.request_keys.remove(&id)),
            }
        }
        for (contact, proof) in changes.proofs {
            if self.proofs.get(&contact).is_none_or(|last| last.at <= proof.at) {
                self.proofs.insert(contact, proof);
            }
        }
    }

    /// Sets aside all incidents that can not be read.
    pub fn look_at_all(&mut self, now: Timestamp) {
        for id in self.spoiled.clone() {
            self.look_at(id, now);
        }
    }

    /// Whether an incident may be shown: it is not in quarantine.
    pub fn is_shown(&self, id: IncidentId) -> bool {
        self.quarantine.holds(id).is_none()
    }

    pub fn lines(&self, chain: Option<&str>, after: i64, limit: usize) -> Vec<StoredLine> {
        let skip = usize::try_from(after).unwrap_or(0).min(self.lines.len());
        let wanted = self.lines[skip..].iter().filter(|line| chain.is_none_or(|chain| line.chain == chain));
        wanted.take(limit).cloned().collect()
    }
}
