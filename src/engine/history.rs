//! Reads the journals of many incidents, one portion at a time: for reports over any number of incidents in bounded
//! memory. Nothing is left out: a figure comes from the whole chain or not at all.

use crate::{
    core::{IncidentId, StoredLine},
    store::{IncidentFilter, Store, StoreError},
};

/// The number of lines that are read at once.
const LINES_AT_ONCE: usize = 1_000;

/// A portion of one incident's chain, in order.
#[derive(Debug, Clone, Copy)]
pub enum ChainPortion<'a> {
    /// Its next lines; never empty.
    Lines(&'a [StoredLine]),
    /// There are no more.
    End,
}

/// What the reader wants after a portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryControl {
    /// The rest of this incident.
    Rest,
    /// The incident that was opened before it.
    Older,
    /// No more.
    Enough,
}

/// Calls `look` with the chain of each incident, newest first, until it has enough or there are no more. An incident
/// without a chain is skipped.
pub async fn each_incident(
    store: &dyn Store,
    mut look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send,
) -> Result<(), StoreError> {
    let mut next = store.newest().await?;
    while let Some(id) = next {
        let mut has_lines = false;
        let counted = |id, portion: ChainPortion<'_>| {
            has_lines = true;
            look(id, portion)
        };
        if one_incident(store, id, counted).await? == HistoryControl::Enough {
            break;
        }
        next = match has_lines {
            true => Some(IncidentId(id.0 - 1)).filter(|id| 0 < id.0),
            false => below(store, id).await?,
        };
    }
    Ok(())
}

/// The next older incident. Used after a number without a chain: a damaged one may be so large that counting down from
/// it would not end.
async fn below(store: &dyn Store, id: IncidentId) -> Result<Option<IncidentId>, StoreError> {
    let listed = store.portion(IncidentFilter { open_only: false, limit: 1 }, Some(id)).await?.incidents;
    // An unreadable incident still has a journal, and counts.
    let set_aside =
        store.quarantined().into_iter().filter_map(|entry| entry.row.incident()).filter(|other| *other < id);
    Ok(listed.first().map(|incident| incident.id).into_iter().chain(set_aside).max().filter(|id| 0 < id.0))
}

/// Calls `look` with the chain of one incident from its first line; not at all if it has none.
pub async fn one_incident(
    store: &dyn Store,
    id: IncidentId,
    mut look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send,
) -> Result<HistoryControl, StoreError> {
    let mut after = 0;
    loop {
        let lines = store.lines(Some(id.to_string()), after, LINES_AT_ONCE).await?;
        let Some(last) = lines.last().map(|line| line.pos) else {
            return Ok(if after == 0 { HistoryControl::Older } else { look(id, ChainPortion::End) });
        };
        after = last;
        match look(id, ChainPortion::Lines(&lines)) {
            HistoryControl::Rest => {}
            next => return Ok(next),
        }
    }
}

/// The whole chain of one incident; empty if there is none.
pub async fn chain(store: &dyn Store, id: IncidentId) -> Result<Vec<StoredLine>, StoreError> {
    let mut all: Vec<StoredLine> = Vec::new();
    let take = |_, portion: ChainPortion<'_>| {
        if let ChainPortion::Lines(lines) = portion {
            all.extend_from_slice(lines);
        }
        HistoryControl::Rest
    };
    one_incident(store, id, take).await?;
    Ok(all)
}
