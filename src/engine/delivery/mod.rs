//! Sends pages: queues, pace, throttling, circuit breakers, and the attempts themselves.
//!
//! Every loop body is a public `tick_*`, so that a simulation can interleave them.

pub mod breaker;
mod channel_watch;
mod compose;
mod destination;
mod drill;
mod kept;
mod lease;
mod owed;
mod queue;
mod queued_page;
pub mod queues;
mod room;
mod send;
mod shares;
mod throttle;
mod turn;

pub use compose::{ComposedMessage, render};
pub use send::{SendAttempt, again};

use super::{context::EngineContext, inbound::InboundResponses};
use crate::{
    core::{ChannelName, IncidentId, PageId, PersonName, Timestamp},
    matrix::ChannelKind,
    store::CommittedEvent,
};
use breaker::ChannelBreakers;
use queues::{DeliveryQueues, PageOrigin};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicI64},
    time::Duration,
};
use tokio::sync::{Notify, futures::Notified};

/// Queues pages, sends them and records the outcome.
pub struct Delivery {
    context: Arc<EngineContext>,
    inbound: Arc<InboundResponses>,
    queues: Mutex<DeliveryQueues>,
    breakers: Mutex<ChannelBreakers>,
    /// Pages that a drill delays, and until when.
    late: Mutex<BTreeSet<(Timestamp, PageId)>>,
    /// Pages that were owed but in no queue at the last check.
    missing: Mutex<BTreeSet<PageId>>,
    /// The hashes of texts that were kept before they were sent.
    kept_texts: Mutex<HashSet<String>>,
    lease_until: AtomicI64,
    /// Wakes the delivery loop.
    wake: Notify,
}

impl Delivery {
    pub(super) fn new(context: Arc<EngineContext>, inbound: Arc<InboundResponses>) -> Self {
        // A gauge that is absent looks like a channel that nobody watches.
        for channel in context.config.load().channels.keys() {
            context.metrics.channel_broken(channel, false);
        }
        Self {
            context,
            inbound,
            queues: Mutex::default(),
            breakers: Mutex::default(),
            late: Mutex::default(),
            kept_texts: Mutex::default(),
            missing: Mutex::default(),
            lease_until: AtomicI64::new(0),
            wake: Notify::new(),
        }
    }

    /// Applies a committed event to the queues.
    pub(super) fn take_up(&self, happened: &CommittedEvent) {
        let CommittedEvent { incident, drill, trigger, priority, step_ends, event, .. } = happened;
        let (incident, drill, priority, ends_at) = (*incident, *drill, *priority, *step_ends);
        self.queues().apply(PageOrigin { incident, drill, trigger, priority, ends_at }, event);
    }

    /// Wakes the delivery loop.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when the delivery loop is woken.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// When [`Delivery::tick_delivery`] has something next, if nothing else happens before.
    pub fn next_send(&self) -> Option<Timestamp> {
        self.queues().next_at()
    }

    /// The pages of an incident that wait here and were not handed to a channel yet; `None` if there are none.
    pub(super) fn unsent(&self, incident: IncidentId) -> Option<Vec<u32>> {
        Some(self.queues().unsent(incident)).filter(|pages| !pages.is_empty())
    }

    /// When the oldest page was created that was not handed to a channel yet. Drills do not count.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        self.queues().oldest_unsent()
    }

    /// The same for briefs alone: what asks for an answer.
    pub fn oldest_unsent_brief(&self) -> Option<Timestamp> {
        self.queues().oldest_unsent_brief()
    }

    /// Channels whose queue has not moved for longer than `most`, and since when.
    pub(super) fn stuck_queues(&self, now: Timestamp, most: Duration) -> BTreeMap<ChannelName, Timestamp> {
        self.queues().standing(now, most)
    }

    /// This person opened a desk: pages that wait for it may go now.
    pub fn desk_opened(&self, person: &PersonName) {
        let (config, now) = (self.context.config.load(), self.context.store.now());
        let mut delivery = self.queues();
        for (name, active) in &config.channels {
            if active.kind == ChannelKind::SCREEN {
                delivery.nudge(name, person, now);
            }
        }
        drop(delivery);
        self.wake.notify_one();
    }

    /// A new matrix may have repaired channels: every broken one is tried again.
    pub(super) fn look_again(&self) {
        self.breakers().look_again(self.context.store.now());
    }

    /// The breakers of the channels.
    pub fn breakers(&self) -> MutexGuard<'_, ChannelBreakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, DeliveryQueues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
