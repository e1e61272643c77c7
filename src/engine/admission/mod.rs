//! Admission: alerts and manual pages, which may open incidents.

mod admission_result;
mod admit;
mod judge;
mod manual_page;
mod opening_window;
mod overflow;

pub use admission_result::{AdmissionResult, AdmittedAlert};
pub use manual_page::{CALLS_MAX, CALLS_WITHIN, ManualPage, ManualPageResult};
pub use opening_window::{OPENINGS_WITHIN, openings_window};

use super::context::EngineContext;
use crate::{core::IncidentId, store::Transaction};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Admits alerts and manual pages.
pub struct Admission {
    context: Arc<EngineContext>,
    /// Who may evaluate conditions that cost much: one request at a time.
    costly: Semaphore,
}

/// The one gate for drills, by whatever way: nothing opens as a drill while this live incident is open. The transaction
/// must name that it asks for what is open.
fn live_beside(tx: &Transaction<'_>, drill: bool) -> Option<IncidentId> {
    drill.then(|| tx.live_open()).flatten()
}

impl Admission {
    pub(super) fn new(context: Arc<EngineContext>) -> Self {
        Self { context, costly: Semaphore::new(1) }
    }
}
