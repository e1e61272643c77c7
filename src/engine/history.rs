//! The journals of many incidents, one at a time: for reports over thousands of them in bounded memory.

use crate::{
    core::{IncidentId, StoredLine},
    store::{Filter, Store, StoreError},
};

/// Lines that are read at once.
const BATCH: usize = 5_000;

/// Lines of one incident that are read at most: a ladder that repeats for months goes on without a report of it.
pub const CHAIN_LINES_MAX: usize = 50_000;

/// Incidents that one report looks at, newest first.
pub const INCIDENTS_MAX: i64 = 100_000;

/// What is wanted after an incident was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The one that was opened before it.
    Older,
    /// No more.
    Enough,
}

/// Hands out the chain of each incident, from the newest on, until `look` has enough, there are no more or there were
/// [`INCIDENTS_MAX`]. An incident whose chain is gone is passed over.
pub async fn each_incident(
    store: &dyn Store,
    mut look: impl FnMut(IncidentId, Vec<StoredLine>) -> Next + Send,
) -> Result<(), StoreError> {
    let listed = store.list(Filter { open_only: false, limit: 1 }).await?.first().map_or(0, |incident| incident.id.0);
    // What can not be read has a journal all the same, and is counted by whoever reads that.
    let set_aside = store.quarantined().into_iter().filter_map(|entry| entry.row.incident()).map(|id| id.0);
    let newest = set_aside.fold(listed, i64::max);
    for id in (1..=newest).rev().take(usize::try_from(INCIDENTS_MAX).unwrap_or(usize::MAX)).map(IncidentId) {
        let lines = chain(store, id).await?;
        if !lines.is_empty() && look(id, lines) == Next::Enough {
            break;
        }
    }
    Ok(())
}

/// One incident's chain, from its first line; empty where there is none.
pub async fn chain(store: &dyn Store, id: IncidentId) -> Result<Vec<StoredLine>, StoreError> {
    let mut lines: Vec<StoredLine> = Vec::new();
    while lines.len() < CHAIN_LINES_MAX {
        let after = lines.last().map_or(0, |line| line.pos);
        let mut more = store.lines(Some(id.to_string()), after, BATCH).await?;
        let read = more.len();
        lines.append(&mut more);
        if read < BATCH {
            break;
        }
    }
    Ok(lines)
}
