//! Making it so: the only place where core, store and channel meet.
//!
//! Every loop body is a public `tick_*`: [`run`] calls them for ever, the simulation interleaves them.

mod admit;
pub mod breaker;
mod call;
mod caught;
pub mod checkup;
mod compose;
pub mod delivery;
mod destination;
pub mod doctor;
mod drill;
pub mod entrance;
pub mod hearing;
pub mod history;
mod identity;
pub mod keys;
mod line;
pub mod live;
pub mod metrics;
mod opt_out;
mod owed;
mod people;
mod ping;
mod probe;
pub mod quarantine;
pub mod reach;
mod room;
mod run;
mod send;
mod speak;
mod throttle;
mod vitals;
mod wire;

pub use admit::{AdmissionResult, AdmittedAlert};
pub use call::{CALLS_MAX, CALLS_WITHIN, ManualPage, ManualPageResult};
pub use compose::render;
pub use live::{ActiveChannel, RuntimeConfig, SharedChannelParts};
pub use opt_out::OptOut;
pub use ping::{DeadManPinger, KNOCK_TIME_MAX, PING_TIME_MAX};
pub use probe::PROBE_TIME_MAX;
pub use run::{EngineLoop, LoopHeartbeat, anchor_last, run};
pub use send::{SendAttempt, again};
pub use speak::{AnswerError, CODE_KEPT, CodedPage, WaitingPages, asked_of};
pub use vitals::{LADDER_LATE_MAX, LOOP_STILL_MAX, PingStatus, QUEUE_STANDS_MAX, STORE_TIME_MAX};

use crate::{
    core::{Event, IncidentId, IncidentInput, PageId, SendOutcome, Timestamp, sentence::sentence},
    store::{CommittedEvent, CommittedEvents, LockSet, RequestClass, Store, StoreError, transact},
};
use arc_swap::ArcSwap;
use breaker::ChannelBreakers;
use caught::caught;
use delivery::DeliveryQueues;
use drill::LatePages;
use entrance::ListenerGauges;
use hearing::InboundConnections;
use keys::DerivedKeys;
use metrics::Metrics;
use opt_out::OptOuts;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicI64, atomic::Ordering},
};
use tokio::sync::{Notify, broadcast, watch};
use vitals::HealthState;

/// Incidents that one timer tick moves at most.
pub const DUE_MAX: usize = 256;

/// Pages that are taken over from dead nodes in one round.
pub const ORPHANS_MAX: usize = 1024;

/// Changes that a slow listener may fall behind before it must look afresh.
const CHANGES_KEPT: usize = 1024;

/// One node.
pub struct Engine {
    /// What survives.
    pub store: Arc<dyn Store>,
    /// What may be reloaded.
    pub live: ArcSwap<RuntimeConfig>,
    /// The server key's derivations.
    pub keys: DerivedKeys,
    /// What is measured.
    pub metrics: Metrics,
    delivery: Mutex<DeliveryQueues>,
    breakers: Mutex<ChannelBreakers>,
    /// What a drill holds back on purpose.
    late: Mutex<LatePages>,
    /// Proof that the loops turn.
    pub pulse: LoopHeartbeat,
    vitals: Mutex<HealthState>,
    /// How full its doors are.
    pub entrances: ListenerGauges,
    /// Pages that were owed and in no queue at the last look.
    missing: Mutex<BTreeSet<PageId>>,
    opted_out: Mutex<OptOuts>,
    hearings: Mutex<InboundConnections>,
    lease_until: AtomicI64,
    /// Wakes the delivery loop.
    wake: Notify,
    /// Tells screens which incident changed.
    changes: broadcast::Sender<IncidentId>,
    /// Tells those who keep something open as the matrix says.
    reloads: watch::Sender<()>,
    /// Where answer links lead, without a trailing slash.
    public_url: String,
}

impl Engine {
    /// A node over a store. `public_url` is where people's browsers reach it.
    pub fn new(store: Arc<dyn Store>, live: impl Into<Arc<RuntimeConfig>>, public_url: &str) -> Arc<Self> {
        let engine = Arc::new(Self {
            keys: DerivedKeys::new(store.server_key()),
            vitals: Mutex::new(HealthState::new(store.now())),
            store,
            live: ArcSwap::new(live.into()),
            metrics: Metrics::new(),
            delivery: Mutex::default(),
            breakers: Mutex::default(),
            late: Mutex::default(),
            pulse: LoopHeartbeat::default(),
            entrances: ListenerGauges::default(),
            missing: Mutex::default(),
            opted_out: Mutex::default(),
            hearings: Mutex::default(),
            lease_until: AtomicI64::new(0),
            wake: Notify::new(),
            changes: broadcast::channel(CHANGES_KEPT).0,
            reloads: watch::Sender::default(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        });
        // A gauge that is absent can not be told from one that nobody watches.
        for channel in engine.live.load().channels.keys() {
            engine.metrics.channel_broken(channel, false);
        }
        // Not the caller of a work but the commit itself is followed: a client that hangs up must not lose its pages.
        let node = Arc::downgrade(&engine);
        engine.store.follow(Box::new(move |committed| {
            if let Some(engine) = node.upgrade() {
                engine.absorb(committed);
            }
        }));
        engine
    }

    /// Incidents as they change. A receiver that lags must look at everything afresh.
    pub fn changes(&self) -> broadcast::Receiver<IncidentId> {
        self.changes.subscribe()
    }

    /// Takes a newly loaded matrix into use. What it has mended is seen at the next page.
    pub fn reload(&self, live: impl Into<Arc<RuntimeConfig>>) {
        self.live.store(live.into());
        let now = self.store.now();
        self.breakers().look_again(now);
        self.reloads.send_replace(());
    }

    /// Changes when a newly loaded matrix is in use.
    pub fn reloads(&self) -> watch::Receiver<()> {
        self.reloads.subscribe()
    }

    /// Where people's browsers reach this daemon, without a trailing slash.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Moves every ladder that is due; returns how many incidents it stepped. One that can not be stepped keeps none of
    /// the others from moving.
    pub async fn tick_timers(&self) -> Result<usize, StoreError> {
        let now = self.store.now();
        let due = self.store.due(now, DUE_MAX).await?;
        let steps = due.iter().map(|id| self.step(*id, IncidentInput::Tick));
        Ok(each(futures_util::future::join_all(steps).await)?.len())
    }

    /// Renews this node's lease.
    pub async fn tick_lease(&self) -> Result<(), StoreError> {
        let until = self.store.renew_lease().await?;
        self.lease_until.store(until.as_micros(), Ordering::Release);
        Ok(())
    }

    /// Takes over the pages of nodes that are gone, all of them; returns how many.
    pub async fn tick_orphans(&self) -> Result<usize, StoreError> {
        let mut taken = 0;
        loop {
            let orphans = self.store.orphans(ORPHANS_MAX).await?;
            let takings = orphans.into_iter().map(|(id, pages)| self.take_over(id, pages));
            let round: usize = each(futures_util::future::join_all(takings).await)?.into_iter().sum();
            taken += round;
            if round == 0 {
                return Ok(taken);
            }
        }
    }

    async fn take_over(&self, id: IncidentId, pages: Vec<u32>) -> Result<usize, StoreError> {
        let live = self.live.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let ((drill, mine), _) = transact(&*self.store, RequestClass::Ladder, needs, move |unit| {
            let mine = unit.take_over(id, &pages, &live.matrix.roster);
            let pages = unit.incident(id).map(|incident| {
                let pages = mine.iter().filter_map(|n| incident.pages.get(n).cloned()).collect::<Vec<_>>();
                (incident.drill, pages)
            });
            pages.unwrap_or_default()
        })
        .await?;
        for page in mine.iter().filter(|page| page.is_owed()) {
            self.delivery().enqueue(id, drill, page);
        }
        Ok(mine.len())
    }

    /// Anchors what changed; the anchor's hash goes to the log, where it can be kept elsewhere.
    pub async fn tick_anchor(&self) -> Result<(), StoreError> {
        if let Some(line) = self.store.anchor().await? {
            let hash = crate::core::event::hex(&line.hash);
            tracing::info!(journal.anchor.seq = line.seq, journal.anchor.hash = hash, "journal anchored");
        }
        Ok(())
    }

    /// Steps one incident and lets the rest of the node know.
    pub async fn step(&self, id: IncidentId, input: IncidentInput) -> Result<Vec<CommittedEvent>, StoreError> {
        let live = self.live.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |unit: &mut crate::store::Transaction<'_>| {
            unit.step(id, input.clone(), &live.matrix.roster);
        };
        let ((), committed) = transact(&*self.store, RequestClass::Ladder, needs, run).await?;
        Ok(committed.events)
    }

    /// When [`Engine::tick_delivery`] can have something next, if nothing else happens before.
    pub fn next_send(&self) -> Option<Timestamp> {
        self.delivery().next_at()
    }

    /// When the oldest page that no channel has been given yet was born.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        self.delivery().oldest_unsent()
    }

    /// A desk of this person opened: what waits for it may go now.
    pub fn desk_opened(&self, person: &crate::core::PersonName) {
        let (live, now) = (self.live.load(), self.store.now());
        let mut delivery = self.delivery();
        for (name, wired) in &live.channels {
            if wired.kind == crate::matrix::ChannelKind::SCREEN {
                delivery.nudge(name, person, now);
            }
        }
        drop(delivery);
        self.wake.notify_one();
    }

    /// What a commit means for this node: pages to send, pages to drop, lines to log, screens to tell.
    fn absorb(&self, committed: &CommittedEvents) {
        for CommittedEvent { incident, drill, event, .. } in &committed.events {
            if let Err(why) = caught(|| self.delivery().enact(*incident, *drill, event)) {
                tracing::error!(incident.id = %incident, why, "queueing a page panicked, which is a bug; it is looked for within a minute");
            }
        }
        // Pages go out while the log is still being written.
        if !committed.events.is_empty() {
            self.wake.notify_one();
        }
        let mut changed = None;
        for happened in &committed.events {
            let told = caught(|| {
                self.metrics.count(happened);
                log(happened);
            });
            if let Err(why) = told {
                tracing::error!(incident.id = %happened.incident, why, "counting or logging an event panicked, which is a bug");
            }
            if changed != Some(happened.incident) {
                changed = Some(happened.incident);
                // Nobody listening is fine.
                let _ = self.changes.send(happened.incident);
            }
        }
    }

    /// The channels that reach nobody now.
    pub fn breakers(&self) -> MutexGuard<'_, ChannelBreakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opted_out_of(&self) -> MutexGuard<'_, OptOuts> {
        self.opted_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing_before(&self) -> MutexGuard<'_, BTreeSet<PageId>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivery(&self) -> MutexGuard<'_, DeliveryQueues> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of each of many incidents. That one of them can not be read is its own matter (it is set aside, and told of);
/// anything else is the store's.
fn each<T>(results: Vec<Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    results.into_iter().filter(|result| !matches!(result, Err(StoreError::Corrupt { .. }))).collect()
}

/// One line an event: ladders and answers for everybody, single pages for those who look closer.
fn log(happened: &CommittedEvent) {
    let (incident, at, event) = (happened.incident, happened.at, &happened.event);
    match event {
        Event::Paged { .. } | Event::Joined { .. } | Event::Withdrawn { .. } | Event::Reported { .. } => {
            tracing::debug!(incident.id = %incident, event.at = %at, "{}", sentence(event));
        }
        Event::Settled { settlement: SendOutcome::Accepted { .. } | SendOutcome::Unsent, .. } => {
            tracing::debug!(incident.id = %incident, event.at = %at, "{}", sentence(event));
        }
        Event::Settled { .. }
        | Event::Undelivered { .. }
        | Event::Overdue { .. }
        | Event::TakenOver { .. }
        | Event::Preempted { .. }
        | Event::Exhausted { .. } => {
            tracing::warn!(incident.id = %incident, event.at = %at, "{}", sentence(event));
        }
        _ => tracing::info!(incident.id = %incident, event.at = %at, "{}", sentence(event)),
    }
}
