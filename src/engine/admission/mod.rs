//! What comes in and may open an incident: alerts, and roles paged by hand.

mod admit;
mod manual_page;

pub use admit::{AdmissionResult, AdmittedAlert};
pub use manual_page::{CALLS_MAX, CALLS_WITHIN, ManualPage, ManualPageResult};

use super::context::EngineContext;
use std::sync::Arc;

/// Lets alerts and manual pages in.
pub struct Admission {
    context: Arc<EngineContext>,
}

impl Admission {
    pub(super) fn new(context: Arc<EngineContext>) -> Self {
        Self { context }
    }
}
