//! One node: the four parts of the engine over one store, and what a commit means for them.

use super::{
    admission::Admission,
    caught::caught,
    context::{EngineContext, each},
    delivery::Delivery,
    health::Health,
    inbound::InboundResponses,
    keys::DerivedKeys,
    metrics::Metrics,
    read::EngineReader,
    runtime_config::RuntimeConfig,
    silences::ChangedSilences,
    watches::{IncidentWatch, WatchesFull},
};
use crate::{
    core::{
        Actor, DrillRun, Event, HeldWhy, IncidentId, IncidentInput, JournalRecord, PersonName, RunId, ScheduledRun,
        SendOutcome, SourceEvent, SourceName, Timestamp,
        event::AnchorEvent,
        result_count::COUNT_PERIOD,
        sentence::{log_sentence, sentence},
        time::StepTime,
    },
    store::{
        CommittedEvent, CommittedEvents, LockSet, RequestClass, Store, StoreError, Transaction, keep_run, transact,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::{broadcast, watch};

/// The most incidents that one timer tick moves.
pub const DUE_MAX: usize = 256;

/// One node: the engine over one store.
pub struct Engine {
    context: Arc<EngineContext>,
    admission: Admission,
    inbound: Arc<InboundResponses>,
    delivery: Arc<Delivery>,
    health: Arc<Health>,
    reads: EngineReader,
    /// Tells those who keep connections open for the matrix that it changed.
    reloads: watch::Sender<()>,
}

impl Engine {
    /// A node over a store. `public_url` is the address of this daemon for people's browsers.
    pub fn new(store: Arc<dyn Store>, config: impl Into<Arc<RuntimeConfig>>, public_url: &str) -> Arc<Self> {
        let context = Arc::new(EngineContext::new(store.clone(), config.into(), public_url));
        let inbound = Arc::new(InboundResponses::new(context.clone()));
        let delivery = Arc::new(Delivery::new(context.clone(), inbound.clone()));
        let health = Arc::new(Health::new(context.clone(), inbound.clone(), delivery.clone()));
        let engine = Arc::new(Self {
            admission: Admission::new(context.clone()),
            context,
            inbound,
            delivery,
            health,
            reads: EngineReader::new(store.clone()),
            reloads: watch::Sender::default(),
        });
        // The commit itself is followed, not its caller: a client that hangs up must not lose its pages.
        let node = Arc::downgrade(&engine);
        store.follow(Box::new(move |committed| {
            if let Some(engine) = node.upgrade() {
                engine.on_commit(committed);
            }
        }));
        engine
    }

    /// Admits alerts and manual pages.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Takes answers, reports of delivery and opt-outs.
    pub fn inbound(&self) -> &InboundResponses {
        &self.inbound
    }

    /// Queues and sends pages.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Checks whether this node does its work.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Reads of the store.
    pub fn reads(&self) -> &EngineReader {
        &self.reads
    }

    /// The configuration in use. A reload swaps it as a whole; a copy that was taken before stays as it is.
    pub fn config(&self) -> Arc<RuntimeConfig> {
        self.context.config.load_full()
    }

    /// The codes, links and sessions of the server key.
    pub fn keys(&self) -> &DerivedKeys {
        &self.context.keys
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// The store's time.
    pub fn now(&self) -> Timestamp {
        self.context.store.now()
    }

    /// The store's time, and civil time.
    pub fn time(&self) -> StepTime {
        StepTime { now: self.context.store.now(), civil: self.context.store.civil_now() }
    }

    /// How far the wall clock is ahead of the store's time, in microseconds; less than 0 if it is behind.
    pub fn clock_ahead_us(&self) -> i64 {
        self.context.store.clock_ahead_us()
    }

    /// What was wrong in the stored rows when the store was opened, and was mended.
    pub fn mended(&self) -> Vec<String> {
        self.context.store.mended()
    }

    /// The incidents that change. A receiver that lags behind must look at everything afresh.
    pub fn changes(&self) -> broadcast::Receiver<IncidentId> {
        self.context.changes()
    }

    /// Watches one incident for a source, until what this returns is dropped.
    ///
    /// # Errors
    /// [`WatchesFull`] if too many wait.
    pub fn watch(&self, id: IncidentId, source: &SourceName) -> Result<IncidentWatch, WatchesFull> {
        self.context.watches.watch(id, source)
    }

    /// How many wait for a change of an incident now.
    pub fn watches(&self) -> usize {
        self.context.watches.count()
    }

    /// Takes a new configuration into use. Channels that it repaired are tried with the next page.
    pub fn reload(&self, config: impl Into<Arc<RuntimeConfig>>) {
        let config = config.into();
        self.context.metrics.expect(&config);
        self.context.config.store(config);
        self.delivery.look_again();
        // The matrix may have other maintenance windows, and other triggers that can not be silenced.
        self.context.silences.note_changed(ChangedSilences::All);
        self.reloads.send_replace(());
    }

    /// Changes whenever a new configuration is in use.
    pub fn reloads(&self) -> watch::Receiver<()> {
        self.reloads.subscribe()
    }

    /// The address of this daemon for people's browsers, without a trailing slash.
    pub fn public_url(&self) -> &str {
        &self.context.public_url
    }

    /// Moves every ladder that is due. Returns how many incidents it stepped. One that fails does not stop the others.
    pub async fn tick_timers(&self) -> Result<usize, StoreError> {
        let now = self.context.store.now();
        let due = self.context.store.due(now, DUE_MAX).await?;
        let steps = due.iter().map(|id| self.tick_ladder(*id));
        Ok(each(futures_util::future::join_all(steps).await)?.len())
    }

    /// A ladder does not pass people whose pages this node has not sent yet, for a while.
    async fn tick_ladder(&self, id: IncidentId) -> Result<Vec<CommittedEvent>, StoreError> {
        let unsent = self.delivery.unsent(id).map(|pages| IncidentInput::Unsent { pages });
        self.context.steps(id, unsent.into_iter().chain([IncidentInput::Tick]).collect()).await
    }

    /// Anchors what changed. A signed copy goes to the log and to the receivers of the matrix.
    pub async fn tick_anchor(&self) -> Result<(), StoreError> {
        self.tell_counts().await?;
        let Some(line) = self.context.store.anchor().await? else { return Ok(()) };
        let record = serde_json::from_str::<JournalRecord<AnchorEvent>>(&line.body).ok();
        let at = record.map_or_else(|| self.context.store.now(), |record| record.at);
        let Some(copy) = self.context.keys.sign_anchor(line.seq, &line.hash, at) else { return Ok(()) };
        tracing::info!(
            journal.anchor.seq = copy.seq,
            journal.anchor.hash = copy.hash,
            journal.anchor.at = %copy.at,
            journal.anchor.site = copy.site,
            journal.anchor.signature = copy.signature,
            "journal anchored"
        );
        self.context.anchors.add(&self.context.config.load(), &copy);
        Ok(())
    }

    /// Hands copies of anchors to the receivers of the matrix. Returns whether they took all of them.
    pub async fn tick_anchor_copies(&self) -> bool {
        let config = self.context.config.load_full();
        self.context.anchors.tick(&config, self.context.store.now()).await
    }

    /// Returns when there is a new copy of an anchor, or after `most`.
    pub(super) async fn anchor_copied(&self, most: Duration) {
        self.context.anchors.wait(most).await;
    }

    /// Journals what was counted of alerts that opened nothing, as far as it is due.
    async fn tell_counts(&self) -> Result<(), StoreError> {
        let now = self.context.store.now();
        let counted = self.context.store.counted().await?;
        let due = counted.into_iter().filter(|(_, count)| count.began_at + COUNT_PERIOD <= now);
        let sources: BTreeSet<SourceName> = due.map(|(source, _)| source).collect();
        for source in sources {
            let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
            let run = move |tx: &mut Transaction<'_>| tx.tell_counts(&source);
            transact(&*self.context.store, RequestClass::Ladder, needs, run).await?;
        }
        Ok(())
    }

    /// Steps one incident. Returns the events of the commit.
    pub async fn step(&self, id: IncidentId, input: IncidentInput) -> Result<Vec<CommittedEvent>, StoreError> {
        self.context.step(id, input).await
    }

    /// The store, for the loops.
    pub(super) fn store(&self) -> &dyn Store {
        &*self.context.store
    }

    /// Runs a transaction: see [`transact`].
    pub(crate) async fn transact<R: Send + 'static>(
        &self,
        class: RequestClass,
        needs: LockSet,
        run: impl FnMut(&mut Transaction<'_>) -> R + Send + 'static,
    ) -> Result<R, StoreError> {
        transact(&*self.context.store, class, needs, run).await.map(|(result, _)| result)
    }

    /// Ends every session and desk link of a person that was made so far, durably.
    pub(crate) async fn sign_out(&self, person: &PersonName, by: Actor) -> Result<(), StoreError> {
        self.note(SourceEvent::DesksSignedOut { person: person.clone(), by }).await?;
        self.context.keys.sign_out(person);
        Ok(())
    }

    /// The number of the next run of a drill.
    pub(crate) async fn next_run(&self) -> Result<RunId, StoreError> {
        self.context.store.next_run().await
    }

    /// Keeps a run of a drill, new or as it stands now, and journals that.
    pub(crate) async fn keep_run(&self, run: DrillRun) -> Result<(), StoreError> {
        keep_run(&*self.context.store, run).await
    }

    /// Journals what happened to this daemon itself, in Stentor's own chain.
    pub(crate) async fn note(&self, event: SourceEvent) -> Result<(), StoreError> {
        self.context.note(event).await
    }

    /// Keeps when a scenario runs next.
    pub(crate) async fn keep_turn(&self, turn: ScheduledRun) -> Result<(), StoreError> {
        self.context.store.keep_turn(turn).await
    }

    /// Applies a commit to this node: pages to send or drop, log lines, screens to update.
    fn on_commit(&self, committed: &CommittedEvents) {
        for happened in &committed.events {
            if let Err(why) = caught(|| self.delivery.take_up(happened)) {
                tracing::error!(incident.id = %happened.incident, why, "queueing a page panicked, which is a bug; it is queued again within a minute");
            }
        }
        // Pages are sent, and who waits is told, while the log is still being written.
        if !committed.events.is_empty() {
            self.delivery.wake();
        }
        let mut changed = None;
        for happened in &committed.events {
            if changed != Some(happened.incident) {
                changed = Some(happened.incident);
                self.context.changed(happened.incident);
            }
        }
        for happened in &committed.events {
            let told = caught(|| {
                self.context.metrics.count(happened);
                log(happened);
            });
            if let Err(why) = told {
                tracing::error!(incident.id = %happened.incident, why, "counting or logging an event panicked, which is a bug");
            }
        }
    }
}

/// Logs one line for each event: ladders and answers at the normal levels, single pages at debug.
fn log(happened: &CommittedEvent) {
    let (incident, at, event) = (happened.incident, happened.at, &happened.event);
    match event {
        Event::Paged { .. }
        | Event::Joined { .. }
        | Event::Overflowed { .. }
        | Event::Repeated { .. }
        | Event::Withdrawn { .. }
        | Event::Reported { .. } => {
            tracing::debug!(incident.id = %incident, event.at = %at, "{}", log_sentence(event));
        }
        Event::Settled { settlement: SendOutcome::Accepted { .. } | SendOutcome::Unsent, .. } => {
            tracing::debug!(incident.id = %incident, event.at = %at, "{}", log_sentence(event));
        }
        // That nobody has a desk open is no fault.
        Event::Overdue { desk_closed: true, .. }
        | Event::Settled { settlement: SendOutcome::Held { why: HeldWhy::DeskClosed, .. }, .. } => {
            tracing::info!(incident.id = %incident, event.at = %at, "{}", log_sentence(event));
        }
        Event::Settled { .. }
        | Event::Undelivered { .. }
        | Event::Overdue { .. }
        | Event::Unreported { .. }
        | Event::TakenOver { .. }
        | Event::Preempted { .. }
        | Event::Exhausted { .. } => {
            tracing::warn!(incident.id = %incident, event.at = %at, "{}", log_sentence(event));
        }
        _ => tracing::info!(incident.id = %incident, event.at = %at, "{}", log_sentence(event)),
    }
    let foreign = matches!(event, Event::Opened(_) | Event::Joined { .. } | Event::Overflowed { .. });
    if foreign || matches!(event, Event::Resolved { .. } | Event::Judged { .. }) {
        tracing::debug!(incident.id = %incident, event.at = %at, "in words: {}", sentence(event));
    }
}
