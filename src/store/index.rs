//! The indexes of the memory store, as maps.

use crate::{
    core::{ChannelName, Incident, IncidentId, IncidentStatus, PageId, PersonName, Timestamp},
    store::{
        AskedIncidents, AskedQuery, AskedStanding,
        working_set::{ChangeSet, WorkingSet},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Finds incidents and pages without a scan.
#[derive(Debug, Default)]
pub struct IncidentIndex {
    open: BTreeSet<IncidentId>,
    asked: BTreeMap<PersonName, AskedIn>,
    receipts: BTreeMap<(ChannelName, String), PageId>,
}

/// The incidents in which one person was asked, by state.
#[derive(Debug, Default)]
struct AskedIn {
    waits: BTreeSet<IncidentId>,
    open: BTreeSet<IncidentId>,
    ended: BTreeSet<(Timestamp, IncidentId)>,
}

impl IncidentIndex {
    /// Applies what a commit changed.
    pub fn keep(&mut self, changes: &ChangeSet, loaded: &WorkingSet) {
        let incident = |id: &IncidentId| loaded.incidents.get(id).map(|kept| &*kept.incident);
        for id in changes.heads.union(&changes.bodies) {
            match incident(id) {
                Some(incident) if incident.is_open() => drop(self.open.insert(*id)),
                _ => drop(self.open.remove(id)),
            }
        }
        for (id, person) in &changes.asked {
            if let Some(incident) = incident(id) {
                self.asked.entry(person.clone()).or_default().set(incident, person);
            }
        }
        for (id, n) in &changes.pages {
            let Some(page) = incident(id).and_then(|incident| incident.pages.get(n)) else { continue };
            let Some(receipt) = &page.receipt else { continue };
            let (key, page) = ((page.channel.clone(), receipt.id.clone()), PageId { incident: *id, n: *n });
            let newest = self.receipts.entry(key).or_insert(page);
            *newest = (*newest).max(page);
        }
    }

    /// Open incidents with smaller numbers than `before`, newest first.
    pub fn open_before(&self, before: IncidentId) -> impl Iterator<Item = IncidentId> {
        self.open.range(..before).rev().copied()
    }

    /// The newest page to which this channel's provider gave this id.
    pub fn page_by_receipt(&self, channel: ChannelName, receipt: String) -> Option<PageId> {
        self.receipts.get(&(channel, receipt)).copied()
    }

    /// The incidents of a person in this state, of those that may be shown.
    pub fn asked(
        &self,
        person: &PersonName,
        query: AskedQuery,
        is_shown: impl Fn(IncidentId) -> bool,
    ) -> AskedIncidents {
        let Some(of) = self.asked.get(person) else { return AskedIncidents::default() };
        let (limit, oldest, shown) = (query.limit, query.oldest, |id: &IncidentId| is_shown(*id));
        match query.standing {
            AskedStanding::Waits => some_of(of.waits.iter().copied().filter(shown), oldest, limit),
            AskedStanding::Open => some_of(of.open.iter().copied().filter(shown), oldest, limit),
            AskedStanding::EndedSince(since) => {
                let ended = of.ended.range((since, IncidentId(i64::MIN))..).map(|(_, id)| *id);
                some_of(ended.filter(shown), oldest, limit)
            }
        }
    }
}

fn some_of(all: impl DoubleEndedIterator<Item = IncidentId> + Clone, oldest: bool, limit: usize) -> AskedIncidents {
    let total = all.clone().count();
    let incidents = if oldest { all.take(limit).collect() } else { all.rev().take(limit).collect() };
    AskedIncidents { incidents, total }
}

impl AskedIn {
    fn set(&mut self, incident: &Incident, person: &PersonName) {
        let id = incident.id;
        self.waits.remove(&id);
        self.open.remove(&id);
        match incident.status {
            IncidentStatus::Resolved { at, .. } => drop(self.ended.insert((at, id))),
            IncidentStatus::Open if incident.waits_for(person) => drop(self.waits.insert(id)),
            IncidentStatus::Open => drop(self.open.insert(id)),
        }
    }
}
