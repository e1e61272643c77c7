//! Pages out: what may start when, one attempt to send each, and which channels reach anybody.
//!
//! Every loop body is a public `tick_*`, so that a simulation can interleave them.

pub mod breaker;
mod channel_watch;
mod compose;
mod destination;
mod drill;
mod lease;
mod owed;
mod queue;
pub mod queues;
mod room;
mod send;
mod throttle;

pub use compose::{ComposedMessage, render};
pub use send::{SendAttempt, again};

use super::{context::EngineContext, inbound::Inbound};
use crate::{
    core::{ChannelName, Event, IncidentId, PageId, PersonName, Timestamp},
    matrix::ChannelKind,
};
use breaker::ChannelBreakers;
use queues::DeliveryQueues;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicI64},
    time::Duration,
};
use tokio::sync::{Notify, futures::Notified};

/// Queues pages, sends them and settles them.
pub struct Delivery {
    context: Arc<EngineContext>,
    inbound: Arc<Inbound>,
    queues: Mutex<DeliveryQueues>,
    breakers: Mutex<ChannelBreakers>,
    /// What a drill holds back on purpose, and until when.
    late: Mutex<BTreeSet<(Timestamp, PageId)>>,
    /// Pages that were owed and in no queue at the last look.
    missing: Mutex<BTreeSet<PageId>>,
    lease_until: AtomicI64,
    /// Wakes the delivery loop.
    wake: Notify,
}

impl Delivery {
    pub(super) fn new(context: Arc<EngineContext>, inbound: Arc<Inbound>) -> Self {
        // A gauge that is absent can not be told from one that nobody watches.
        for channel in context.config.load().channels.keys() {
            context.metrics.channel_broken(channel, false);
        }
        Self {
            context,
            inbound,
            queues: Mutex::default(),
            breakers: Mutex::default(),
            late: Mutex::default(),
            missing: Mutex::default(),
            lease_until: AtomicI64::new(0),
            wake: Notify::new(),
        }
    }

    /// Takes up what an event of a commit means for the queues.
    pub(super) fn take_up(&self, incident: IncidentId, drill: bool, event: &Event) {
        self.queues().apply(incident, drill, event);
    }

    /// Wakes the delivery loop.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends when the delivery loop is woken.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// When [`Delivery::tick_delivery`] can have something next, if nothing else happens before.
    pub fn next_send(&self) -> Option<Timestamp> {
        self.queues().next_at()
    }

    /// When the oldest page that no channel has been given yet was born.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        self.queues().oldest_unsent()
    }

    /// Channels whose queue has not moved for longer than `most`, and since when.
    pub(super) fn stuck_queues(&self, now: Timestamp, most: Duration) -> BTreeMap<ChannelName, Timestamp> {
        self.queues().standing(now, most)
    }

    /// A desk of this person opened: what waits for it may go now.
    pub fn desk_opened(&self, person: &PersonName) {
        let (config, now) = (self.context.config.load(), self.context.store.now());
        let mut delivery = self.queues();
        for (name, active) in &config.channels {
            if active.kind == ChannelKind::Screen {
                delivery.nudge(name, person, now);
            }
        }
        drop(delivery);
        self.wake.notify_one();
    }

    /// A newly loaded matrix may have mended channels: the next page tries them.
    pub(super) fn look_again(&self) {
        self.breakers().look_again(self.context.store.now());
    }

    /// The channels that reach nobody now.
    pub fn breakers(&self) -> MutexGuard<'_, ChannelBreakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, DeliveryQueues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
