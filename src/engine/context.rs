//! What every part of the engine is given: the store, the configuration in use, the keys, what is measured.

use super::{keys::DerivedKeys, metrics::Metrics, runtime_config::RuntimeConfig};
use crate::{
    core::{IncidentId, IncidentInput},
    store::{CommittedEvent, LockSet, RequestClass, Store, StoreError, Transaction, transact},
};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Changes that a slow listener may fall behind before it must look afresh.
const CHANGES_KEPT: usize = 1024;

/// What the parts of one node share.
pub(super) struct EngineContext {
    /// What survives.
    pub store: Arc<dyn Store>,
    /// What may be reloaded.
    pub config: ArcSwap<RuntimeConfig>,
    /// The server key's derivations.
    pub keys: DerivedKeys,
    /// What is measured.
    pub metrics: Metrics,
    /// Where answer links lead, without a trailing slash.
    pub public_url: String,
    changes: broadcast::Sender<IncidentId>,
}

impl EngineContext {
    pub fn new(store: Arc<dyn Store>, config: Arc<RuntimeConfig>, public_url: &str) -> Self {
        Self {
            keys: DerivedKeys::new(store.server_key()),
            store,
            config: ArcSwap::new(config),
            metrics: Metrics::new(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            changes: broadcast::channel(CHANGES_KEPT).0,
        }
    }

    /// Incidents as they change. A receiver that lags must look at everything afresh.
    pub fn changes(&self) -> broadcast::Receiver<IncidentId> {
        self.changes.subscribe()
    }

    /// Tells whoever looks at this incident that it changed.
    pub fn changed(&self, id: IncidentId) {
        // Nobody listening is fine.
        let _ = self.changes.send(id);
    }

    /// Steps one incident and lets the rest of the node know.
    pub async fn step(&self, id: IncidentId, input: IncidentInput) -> Result<Vec<CommittedEvent>, StoreError> {
        let config = self.config.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            tx.step(id, input.clone(), &config.matrix.roster);
        };
        let ((), committed) = transact(&*self.store, RequestClass::Ladder, needs, run).await?;
        Ok(committed.events)
    }
}

/// What came of each of many incidents. That one of them can not be read is its own matter (it is set aside, and told of);
/// anything else is the store's.
pub(super) fn each<T>(results: Vec<Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    results.into_iter().filter(|result| !matches!(result, Err(StoreError::Corrupt { .. }))).collect()
}
