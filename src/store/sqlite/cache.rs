//! What readers see without a query: incidents as of the last commit, and all deadlines.

use crate::{
    core::{IncidentId, Timestamp},
    store::{Judgements, OpenNow, StoredIncident, deadlines::DeadlineIndex},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

/// Committed incidents. Only the writer changes it, and only after a commit.
#[derive(Default)]
pub struct PublishedState(RwLock<PublishedInner>);

#[derive(Default)]
struct PublishedInner {
    incidents: HashMap<IncidentId, StoredIncident>,
    deadlines: DeadlineIndex<IncidentId>,
    /// When states of triggers and keys are due.
    judged: DeadlineIndex<String>,
    /// Ladders whose work failed for its own sake, and until when they rest, whatever deadline the disk has.
    rests: BTreeMap<IncidentId, Timestamp>,
    open: OpenNow,
}

impl PublishedState {
    /// An incident as of the last commit, if it is in memory.
    pub fn get(&self, id: IncidentId) -> Option<StoredIncident> {
        self.read(|inner| inner.incidents.get(&id).cloned())
    }

    /// Whether page `n` is queued and claimed by `epoch`; `None` if the incident is not in memory.
    pub fn wants(&self, id: IncidentId, n: u32, epoch: u64) -> Option<bool> {
        self.read(|inner| inner.incidents.get(&id).map(|kept| kept.wants(n, epoch)))
    }

    /// See [`DeadlineIndex::due`].
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<IncidentId> {
        self.read(|inner| inner.deadlines.due(now, limit))
    }

    /// See [`DeadlineIndex::first`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.read(|inner| inner.deadlines.first())
    }

    /// See [`Judgements::due`].
    pub fn due_judgements(&self, now: Timestamp, limit: usize) -> Vec<String> {
        self.read(|inner| inner.judged.due(now, limit))
    }

    /// See [`Judgements::next_due`].
    pub fn next_judgement(&self) -> Option<Timestamp> {
        self.read(|inner| inner.judged.first())
    }

    /// Sets when states of triggers and keys are due; `None`: not any more.
    pub fn set_judged(&self, judged: Vec<(String, Option<Timestamp>)>) {
        if !judged.is_empty() {
            self.write(|inner| judged.into_iter().for_each(|(name, due)| inner.judged.set(name, due)));
        }
    }

    /// Replaces all of them with those on the disk.
    pub fn replace_judged(&self, judged: &Judgements) {
        self.write(|inner| inner.judged = judged.deadlines().clone());
    }

    /// What is open as of the last commit.
    pub fn open_now(&self) -> OpenNow {
        self.read(|inner| inner.open.clone())
    }

    /// Sets what is open.
    pub fn set_open(&self, open: OpenNow) {
        if self.read(|inner| inner.open != open) {
            self.write(|inner| inner.open = open);
        }
    }

    /// Publishes what was loaded or committed.
    pub fn show(&self, incidents: impl IntoIterator<Item = (IncidentId, StoredIncident)>) {
        self.write(|inner| inner.incidents.extend(incidents));
    }

    /// Forgets incidents that need not stay in memory; their deadlines stay.
    pub fn forget(&self, ids: &[IncidentId]) {
        self.write(|inner| ids.iter().for_each(|id| drop(inner.incidents.remove(id))));
    }

    /// Everything that is in memory.
    pub fn all(&self) -> BTreeMap<IncidentId, StoredIncident> {
        self.read(|inner| inner.incidents.iter().map(|(id, kept)| (*id, kept.clone())).collect())
    }

    /// Forgets every incident; deadlines stay.
    pub fn clear(&self) {
        self.write(|inner| inner.incidents.clear());
    }

    /// Replaces all deadlines with those on the disk. Ladders that rest go on resting.
    pub fn replace_deadlines(&self, deadlines: impl IntoIterator<Item = (IncidentId, Option<Timestamp>)>) {
        self.write(|inner| {
            inner.deadlines = DeadlineIndex::default();
            let mut rests = std::mem::take(&mut inner.rests);
            for (id, deadline) in deadlines {
                let rest = rests.remove(&id).filter(|_| deadline.is_some());
                inner.rests.extend(rest.map(|until| (id, until)));
                inner.deadlines.set(id, deadline.max(rest));
            }
        });
    }

    /// Sets committed deadlines; `None` removes one. A ladder that moved does not rest any more.
    pub fn set_deadlines(&self, deadlines: impl IntoIterator<Item = (IncidentId, Option<Timestamp>)>) {
        self.write(|inner| {
            for (id, deadline) in deadlines {
                inner.rests.remove(&id);
                inner.deadlines.set(id, deadline);
            }
        });
    }

    /// Lets ladders rest: they are not due before `until`.
    pub fn rest(&self, ids: impl IntoIterator<Item = IncidentId>, until: Timestamp) {
        self.write(|inner| {
            for id in ids {
                inner.rests.insert(id, until);
                inner.deadlines.set(id, Some(until));
            }
        });
    }

    fn read<T>(&self, f: impl FnOnce(&PublishedInner) -> T) -> T {
        f(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut PublishedInner) -> T) -> T {
        f(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}
