//! Requests to the writer.

use super::runs::SingleRow;
use crate::{
    core::{IncidentId, StoredLine},
    store::{CommittedEvents, StoreError, StoreRequest},
};
use tokio::sync::oneshot;

/// A request to the writer, and where to send the answer.
pub enum WriterRequest {
    /// Run a transaction.
    Run(StoreRequest, oneshot::Sender<Result<CommittedEvents, StoreError>>),
    /// Write an anchor over what changed.
    Anchor(oneshot::Sender<Result<Option<StoredLine>, StoreError>>),
    /// Store the clock's anchor.
    KeepClock(oneshot::Sender<()>),
    /// Check incidents that a reader could not read.
    Suspect(Vec<IncidentId>, oneshot::Sender<()>),
    /// Store a row by itself.
    Note(SingleRow, oneshot::Sender<Result<(), StoreError>>),
    /// Finish and close.
    Close(oneshot::Sender<()>),
}
