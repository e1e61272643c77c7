//! What readers see without asking the database: incidents as of the last commit, and all deadlines.

use crate::{
    core::{IncidentId, Timestamp},
    store::{OpenNow, StoredIncident, deadlines::DeadlineIndex},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

/// Committed incidents. The writer alone changes it, and only after a commit.
#[derive(Default)]
pub struct PublishedState(RwLock<PublishedInner>);

#[derive(Default)]
struct PublishedInner {
    incidents: HashMap<IncidentId, StoredIncident>,
    deadlines: DeadlineIndex,
    /// Ladders whose work failed for its own sake, and until when they rest, whatever deadline the disk has.
    rests: BTreeMap<IncidentId, Timestamp>,
    open: OpenNow,
}

impl PublishedState {
    /// An incident as of the last commit, where it is in memory.
    pub fn get(&self, id: IncidentId) -> Option<StoredIncident> {
        self.read(|inner| inner.incidents.get(&id).cloned())
    }

    /// Whether page `n` is queued and claimed by `epoch`; none where the incident is not in memory.
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

    /// Shows what was loaded or committed.
    pub fn show(&self, incidents: impl IntoIterator<Item = (IncidentId, StoredIncident)>) {
        self.write(|inner| inner.incidents.extend(incidents));
    }

    /// Forgets incidents that need not be in memory any more; their deadlines stay.
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

    /// Sets all deadlines anew, as the disk has them. Who rests goes on resting.
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

    /// Sets deadlines that were committed; none removes. A ladder that moved rests no more.
    pub fn set_deadlines(&self, deadlines: impl IntoIterator<Item = (IncidentId, Option<Timestamp>)>) {
        self.write(|inner| {
            for (id, deadline) in deadlines {
                inner.rests.remove(&id);
                inner.deadlines.set(id, deadline);
            }
        });
    }

    /// These ladders are not due before then.
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
