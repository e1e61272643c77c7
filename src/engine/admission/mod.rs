//! Admission: alerts and manual pages, which may open incidents.

mod admit;
mod manual_page;

pub use admit::{AdmissionResult, AdmittedAlert};
pub use manual_page::{CALLS_MAX, CALLS_WITHIN, ManualPage, ManualPageResult};

use super::context::EngineContext;
use std::sync::Arc;

/// Admits alerts and manual pages.
pub struct Admission {
    context: Arc<EngineContext>,
}

impl Admission {
    pub(super) fn new(context: Arc<EngineContext>) -> Self {
        Self { context }
    }
}
