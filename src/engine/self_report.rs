//! Incidents about Stentor itself: the operators are paged as for any other crisis.

use super::context::EngineContext;
use crate::{
    core::{Actor, Alert, ChannelName, IncidentId, IncidentInput, IncidentKey, IncidentOpening, names::SELF},
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::sync::Arc;

impl EngineContext {
    /// Opens an incident about one of Stentor's own channels, for the catch-all.
    pub async fn report_self(
        &self,
        key: IncidentKey,
        kind: &str,
        channel: &ChannelName,
        summary: String,
    ) -> Result<(), StoreError> {
        let config = self.config.load_full();
        let Some(plan) = config.matrix.operators_plan() else { return Ok(()) };
        let mut alert = Alert::new(SELF, kind);
        alert.labels.insert("channel".into(), channel.to_string());
        alert.summary.clone_from(&summary);
        let (received_at, alert) = (self.store.now(), Arc::new(alert));
        let needs = LockSet { keys: vec![key.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            let (key, summary, plan, alert) = (key.clone(), summary.clone(), plan.clone(), alert.clone());
            tx.open(
                IncidentOpening { key, summary, plan, alert, received_at, terms: None, ask: None, nonce: None },
                &config.matrix.roster,
            );
        };
        transact(&*self.store, RequestClass::Ladder, needs, run).await.map(drop)
    }

    /// Ends the incident with this key: the problem is gone.
    pub async fn report_self_mended(&self, key: IncidentKey) -> Result<(), StoreError> {
        let config = self.config.load_full();
        let needs = LockSet { keys: vec![key.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            let open: Option<IncidentId> = tx.open_with_key(&key);
            if let Some(id) = open {
                let ended = IncidentInput::Resolve { by: Actor::Source(SELF.into()), why: None };
                tx.step(id, ended, &config.matrix.roster);
            }
        };
        transact(&*self.store, RequestClass::Ladder, needs, run).await.map(drop)
    }
}
