//! A role called by hand: a person's words open an incident for it, as an alert would.

use crate::{
    core::{
        Alert, IncidentId, IncidentKey, IncidentOpening, PersonName, RoleName, Timestamp,
        trigger::{HOLD_MAX, TriggerThreshold},
    },
    engine::admission::Admission,
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{sync::Arc, time::Duration};

/// Calls that one person may make in [`CALLS_WITHIN`]: a hand that slips must not page a house all night.
pub const CALLS_MAX: usize = 20;

/// See [`CALLS_MAX`]. A call that is handed in again within this time is known again.
pub const CALLS_WITHIN: Duration = Duration::from_secs(10 * 60);

/// A person's call.
#[derive(Debug, Clone)]
pub struct ManualPage {
    /// What tells this call from every other, also when it is handed in again.
    pub id: String,
    /// Who calls, authenticated.
    pub by: PersonName,
    /// Whom.
    pub role: RoleName,
    /// What its people read.
    pub words: String,
    /// As an exercise.
    pub drill: bool,
    /// Where it was said, for those who read it.
    pub place: Option<String>,
    /// When the door had it whole.
    pub received_at: Timestamp,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualPageResult {
    /// An incident was opened.
    Opened(IncidentId),
    /// The same call was taken before.
    Again,
    /// This person has called too often.
    TooMany,
    /// The matrix has no such role.
    NoSuchRole,
}

impl Admission {
    /// Calls a role. What is answered is durable. Each call is an incident of its own: two people who say different
    /// things about the same role must both be read.
    pub async fn page_by_hand(&self, call: ManualPage) -> Result<ManualPageResult, StoreError> {
        let config = self.context.config.load_full();
        let Some(plan) = config.matrix.plan_by_hand(&call.role) else { return Ok(ManualPageResult::NoSuchRole) };
        let summary = format!("{} calls {}: {}", config.name_of(&call.by), call.role, call.words);
        let key = IncidentKey::of_call(&call.id, call.drill);
        let (known, often) = (format!("call\u{1f}{}", call.id), format!("calls\u{1f}{}", call.by));
        let (alert, received_at) = (Arc::new(alert(&call)), call.received_at);
        let observed = vec![known.clone(), often.clone()];
        let needs = LockSet { keys: vec![key.clone()], observed, ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            if 1 < count(tx, &known) {
                return ManualPageResult::Again;
            }
            if CALLS_MAX < count(tx, &often) {
                return ManualPageResult::TooMany;
            }
            let (key, summary, plan, alert) = (key.clone(), summary.clone(), plan.clone(), alert.clone());
            let opening = IncidentOpening { key, summary, plan, alert, received_at, terms: None, nonce: None };
            ManualPageResult::Opened(tx.open(opening, &config.matrix.roster))
        };
        transact(&*self.context.store, RequestClass::Admission, needs, run).await.map(|(called, _)| called)
    }
}

fn count(tx: &mut Transaction<'_>, window: &str) -> usize {
    let (_, count) = tx.observe(window, TriggerThreshold { count: HOLD_MAX, within: CALLS_WITHIN });
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
