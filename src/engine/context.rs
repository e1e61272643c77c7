//! What every part of the engine gets: the store, the configuration in use, keys and metrics.

use super::{
    alert_tally::AlertTally,
    anchor_copies::AnchorCopies,
    keys::DerivedKeys,
    metrics::Metrics,
    opening_quota::OpeningQuota,
    runtime_config::RuntimeConfig,
    silences::{ChangedSilences, SilenceRegister},
    watches::IncidentWatches,
};
use crate::{
    core::{IncidentId, IncidentInput, SourceEvent, SourceName, names::SELF},
    store::{CommittedEvent, LockSet, RequestClass, Store, StoreError, Transaction, transact},
};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::broadcast;

/// How many changes a slow receiver may fall behind before it must look afresh.
const CHANGES_KEPT: usize = 1024;

/// What the parts of one node share.
pub(super) struct EngineContext {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The configuration in use; a reload swaps it.
    pub config: ArcSwap<RuntimeConfig>,
    /// What is derived from the server key.
    pub keys: DerivedKeys,
    /// The metrics.
    pub metrics: Metrics,
    /// What became of alerts since the start.
    pub alerts: AlertTally,
    /// How many incidents each source has opened lately.
    pub openings: OpeningQuota,
    /// The silences that are in force.
    pub silences: SilenceRegister,
    /// The copies of anchors that wait for somebody else.
    pub anchors: AnchorCopies,
    /// The base of answer links, without a trailing slash.
    pub public_url: String,
    changes: broadcast::Sender<IncidentId>,
    /// Who waits for a change of one incident.
    pub watches: IncidentWatches,
}

impl EngineContext {
    pub fn new(store: Arc<dyn Store>, config: Arc<RuntimeConfig>, public_url: &str) -> Self {
        let metrics = Metrics::new();
        metrics.expect(&config);
        let silences = SilenceRegister::default();
        // Of what was held before the start, the matrix of today may hold less.
        silences.note_changed(ChangedSilences::All);
        Self {
            keys: DerivedKeys::new(store.server_key()),
            alerts: AlertTally::new(store.now()),
            store,
            config: ArcSwap::new(config),
            metrics,
            openings: OpeningQuota::default(),
            silences,
            anchors: AnchorCopies::default(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            changes: broadcast::channel(CHANGES_KEPT).0,
            watches: IncidentWatches::default(),
        }
    }

    /// The incidents that change. A receiver that lags behind must look at everything afresh.
    pub fn changes(&self) -> broadcast::Receiver<IncidentId> {
        self.changes.subscribe()
    }

    /// Tells screens, and who waits for it, that this incident changed.
    pub fn changed(&self, id: IncidentId) {
        self.watches.changed(id);
        // It is fine if nobody listens.
        let _ = self.changes.send(id);
    }

    /// Journals what happened to Stentor itself, in its own chain.
    pub async fn note(&self, event: SourceEvent) -> Result<(), StoreError> {
        let source = SourceName::from(SELF);
        let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| tx.record_source(&source, event.clone());
        transact(&*self.store, RequestClass::Ladder, needs, run).await.map(|(noted, _)| noted)
    }

    /// Steps one incident. Returns the events of the commit.
    pub async fn step(&self, id: IncidentId, input: IncidentInput) -> Result<Vec<CommittedEvent>, StoreError> {
        self.steps(id, vec![input]).await
    }

    /// Steps one incident several times, in one transaction. Returns the events of the commit.
    pub async fn steps(&self, id: IncidentId, inputs: Vec<IncidentInput>) -> Result<Vec<CommittedEvent>, StoreError> {
        let config = self.config.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            for input in &inputs {
                tx.step(id, input.clone(), &config.matrix.roster);
            }
        };
        let ((), committed) = transact(&*self.store, RequestClass::Ladder, needs, run).await?;
        Ok(committed.events)
    }
}

/// The results of many incidents, without those that can not be read (which are set aside and reported elsewhere); any
/// other error is the store's.
pub(super) fn each<T>(results: Vec<Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    results.into_iter().filter(|result| !matches!(result, Err(StoreError::Corrupt { .. }))).collect()
}
