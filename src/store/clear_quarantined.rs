//! Marks unreadable rows as looked at.

use crate::{
    core::{Actor, IncidentInput, IncidentKey, Roster, SourceEvent, SourceName, names::SELF},
    store::{
        LockSet, QuarantineStatus, QuarantinedRow, RequestClass, RowName, Store, StoreError, quarantine::about,
        transact, transaction::Transaction,
    },
};
use std::sync::Arc;

/// Records that somebody has looked at a row, and ends the incident about it; with the last row, also the incident
/// about further ones. Returns whether the row was waiting for that.
///
/// # Errors
/// Those of [`Store::run`].
pub async fn clear_quarantined(
    store: &dyn Store,
    row: &RowName,
    by: &Actor,
    roster: Arc<Roster>,
) -> Result<bool, StoreError> {
    let entries = store.quarantined();
    let Some(entry) = entries.iter().find(|entry| entry.row == *row && entry.is_waiting()).cloned() else {
        return Ok(false);
    };
    let (source, who) = (SourceName::from(SELF), by.to_string());
    let is_last = !entries.iter().any(|other| other.row != *row && other.is_problem());
    let keys: Vec<IncidentKey> =
        about(&entry).into_iter().chain(is_last.then(IncidentKey::of_more_unreadable)).collect();
    let needs = LockSet { keys: keys.clone(), sources: vec![source.clone()], ..LockSet::default() };
    let by = by.clone();
    let run = move |tx: &mut Transaction<'_>| {
        let cleared = QuarantineStatus::Cleared { cleared_at: tx.now(), cleared_by: who.clone() };
        tx.quarantine(QuarantinedRow { standing: cleared, ..entry.clone() });
        let event = SourceEvent::QuarantineCleared { row: entry.row.to_string(), by: by.clone() };
        tx.record_source(&source, event);
        for id in keys.iter().filter_map(|key| tx.open_with_key(key)).collect::<Vec<_>>() {
            tx.step(id, IncidentInput::Resolve { by: by.clone(), why: None }, &roster);
        }
    };
    transact(store, RequestClass::Ladder, needs, run).await.map(|_| true)
}
