//! Runs of drills: each row is kept with the line of Stentor's own chain that says so.

use super::{LockSet, RequestClass, Store, StoreError, Transaction, transact};
use crate::core::{DrillRun, SourceName, names::SELF};

/// Keeps a run of a drill, new or as it stands now, and journals its digest in the same transaction: a run that was
/// edited later, or is gone, is found by it.
///
/// # Errors
/// Those of the store; then nothing of it was kept.
pub async fn keep_run(store: &dyn Store, run: DrillRun) -> Result<(), StoreError> {
    let needs = LockSet { sources: vec![SourceName::from(SELF)], ..LockSet::default() };
    let work = move |tx: &mut Transaction<'_>| tx.keep_run(run.clone());
    transact(store, RequestClass::Ladder, needs, work).await.map(|((), _)| ())
}
