//! Admission: alerts and manual pages, which may open incidents.

mod admission_result;
mod admit;
mod assess;
mod conversation;
mod failed;
mod handoff;
mod judge;
mod keyed;
mod layers;
mod manual_page;
mod may_open;
mod new_facts;
mod opening_window;
mod overflow;
mod parts;
mod request;
mod silences;
mod sources;
mod waited;

pub use admission_result::{AdmissionResult, AdmittedAlert};
pub use conversation::IncomingAlert;
pub use keyed::{KeptResult, KeyedRequest, KeyedResponder, KeyedResult};
pub use manual_page::{CALLS_MAX, CALLS_WITHIN, ManualPage, ManualPageResult};
pub use new_facts::{NewFacts, NewFactsResult};
pub use opening_window::{OPENINGS_WITHIN, openings_window, source_openings_window};
pub use request::{AskWish, HandoffTrigger, RequestAdmission, RequestFault};
pub use silences::SilenceFault;
pub use sources::{KindCount, KindReport, SourceReport, SourceRequestReport, SourcesReport, StoredCount};

use super::context::EngineContext;
use crate::{
    core::{Alert, IncidentId, SourceName, Timestamp},
    store::Transaction,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Admits alerts and manual pages.
pub struct Admission {
    context: Arc<EngineContext>,
    /// Who may evaluate conditions that cost much: one request at a time.
    costly: Semaphore,
    /// Since when alerts could be heard.
    started_at: Timestamp,
}

/// The one gate for drills, by whatever way: nothing opens as a drill while this live incident is open. The transaction
/// must name that it asks for what is open.
fn live_beside(tx: &Transaction<'_>, drill: bool) -> Option<IncidentId> {
    drill.then(|| tx.live_open()).flatten()
}

impl Admission {
    pub(super) fn new(context: Arc<EngineContext>) -> Self {
        let started_at = context.store.now();
        Self { context, costly: Semaphore::new(1), started_at }
    }

    /// How long a source must wait before its alerts may open another incident, by its `openings_per_minute`; `None` if
    /// they may now.
    pub fn quota_wait(&self, source: &SourceName, drill: bool) -> Option<Duration> {
        self.context.openings.wait((source, drill), self.quota(source)?, self.context.store.now())
    }

    /// How many incidents the alerts of a source may open now.
    pub fn quota_left(&self, source: &SourceName, drill: bool) -> u32 {
        let now = self.context.store.now();
        self.quota(source).map_or(u32::MAX, |quota| self.context.openings.left((source, drill), quota, now))
    }

    /// How many incidents a source of the matrix may open in a minute.
    pub fn quota(&self, source: &SourceName) -> Option<u32> {
        Some(self.context.config.load().matrix.sources.get(source)?.openings_per_minute)
    }

    /// Looks whether an alert shows that its sender's clock differs from ours: `here` is our time, `there` that of the
    /// request, if the sender gave it. What is found is logged once, and shown by the doctor.
    pub fn look_at_clock(&self, alert: &Alert, ends_at: Option<Timestamp>, here: Timestamp, there: Option<Timestamp>) {
        if let Some(news) = self.context.alerts.clocks.look(alert, ends_at, here, there) {
            tracing::warn!(source = %alert.source, "{news}");
        }
    }
}
