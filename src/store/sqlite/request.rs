//! What the writer is asked for.

use super::runs::DrillRow;
use crate::{
    core::{IncidentId, StoredLine},
    store::{CommittedEvents, StoreError, StoreRequest},
};
use tokio::sync::oneshot;

/// What the writer is asked for, and where it answers.
pub enum WriterRequest {
    /// One transaction.
    Run(StoreRequest, oneshot::Sender<Result<CommittedEvents, StoreError>>),
    /// An anchor over what changed.
    Anchor(oneshot::Sender<Result<Option<StoredLine>, StoreError>>),
    /// The clock's anchor is kept.
    KeepClock(oneshot::Sender<()>),
    /// Incidents that a reader could not read.
    Suspect(Vec<IncidentId>, oneshot::Sender<()>),
    /// A run of a drill, or when one runs next.
    Note(DrillRow, oneshot::Sender<Result<(), StoreError>>),
    /// The end.
    Close(oneshot::Sender<()>),
}
