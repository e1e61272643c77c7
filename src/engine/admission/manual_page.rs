//! Manual pages: a person's words open an incident for a role, as an alert would.

use crate::{
    core::{
        Alert, IncidentId, IncidentKey, IncidentOpening, PersonName, RoleName, SourceEvent, Timestamp,
        names::BY_HAND,
        trigger::{HOLD_MAX, TriggerThreshold},
    },
    engine::admission::{Admission, live_beside},
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{sync::Arc, time::Duration};

/// The most manual pages that one person may send within [`CALLS_WITHIN`]: a mistake must not page a whole house all
/// night.
pub const CALLS_MAX: usize = 20;

/// The period of [`CALLS_MAX`]. A request that is handed in again within it is recognized.
pub const CALLS_WITHIN: Duration = Duration::from_secs(10 * 60);

/// A person's request to page a role.
#[derive(Debug, Clone)]
pub struct ManualPage {
    /// Identifies the request, also when it is handed in again.
    pub id: String,
    /// Who asks, authenticated.
    pub by: PersonName,
    /// The role to page.
    pub role: RoleName,
    /// The text that its people read.
    pub words: String,
    /// Whether it is a drill.
    pub drill: bool,
    /// Where it was said, as its readers see it.
    pub place: Option<String>,
    /// When it was received in full.
    pub received_at: Timestamp,
}

/// The result of a manual page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualPageResult {
    /// An incident was opened.
    Opened(IncidentId),
    /// The same request was taken before.
    Again,
    /// It is a drill, and this live incident is open. Nobody is paged; it is in the journal.
    DrillRefused(IncidentId),
    /// This person has sent too many.
    TooMany,
    /// The matrix has no such role.
    NoSuchRole,
}

impl Admission {
    /// Pages a role by hand. The result is durable. Each request is an incident of its own: if two people say different
    /// things about the same role, both must be read.
    pub async fn page_by_hand(&self, call: ManualPage) -> Result<ManualPageResult, StoreError> {
        let config = self.context.config.load_full();
        let Some(plan) = config.matrix.plan_by_hand(&call.role) else { return Ok(ManualPageResult::NoSuchRole) };
        let summary = format!("{} calls {}: {}", config.name_of(&call.by), call.role, call.words);
        let key = IncidentKey::of_call(&call.id, call.drill);
        let (known, often) = (format!("call\u{1f}{}", call.id), format!("calls\u{1f}{}", call.by));
        let (alert, received_at) = (Arc::new(alert(&call)), call.received_at);
        let observed = vec![known.clone(), often.clone()];
        let sources = vec![alert.source.clone()];
        let needs = LockSet { keys: vec![key.clone()], observed, sources, live_open: call.drill, ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            if 1 < count(tx, &known) {
                return ManualPageResult::Again;
            }
            if CALLS_MAX < count(tx, &often) {
                return ManualPageResult::TooMany;
            }
            if let Some(live) = live_beside(tx, alert.drill) {
                let event = SourceEvent::DrillRefused { trigger: BY_HAND.into(), live, alert: alert.clone() };
                tx.record_alert(&alert.source, event);
                return ManualPageResult::DrillRefused(live);
            }
            let (key, summary, plan, alert) = (key.clone(), summary.clone(), plan.clone(), alert.clone());
            let opening =
                IncidentOpening { key, summary, plan, alert, received_at, terms: None, ask: None, nonce: None };
            ManualPageResult::Opened(tx.open(opening, &config.matrix.roster))
        };
        transact(&*self.context.store, RequestClass::Admission, needs, run).await.map(|(called, _)| called)
    }
}

fn count(tx: &mut Transaction<'_>, window: &str) -> usize {
    let (_, count) = tx.observe(window, TriggerThreshold { count: HOLD_MAX, within: CALLS_WITHIN, consecutive: false });
    count
}

fn alert(call: &ManualPage) -> Alert {
    let mut alert = Alert::new(format!("person:{}", call.by), "call");
    alert.id.clone_from(&call.id);
    alert.summary.clone_from(&call.words);
    alert.drill = call.drill;
    alert.labels.insert("role".into(), call.role.to_string());
    alert.labels.extend(call.place.clone().map(|place| ("place".into(), place)));
    alert
}
