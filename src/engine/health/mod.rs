//! Health of this node: checks, the dead-man ping, the doctor, inbound connections, unreadable rows.

pub mod checkup;
mod connection_watch;
pub mod doctor;
mod health_checks;
mod health_state;
pub mod inbound_connection;
mod loop_heartbeat;
mod people;
mod ping;
pub mod quarantine;

pub use health_checks::{LADDER_LATE_MAX, LOOP_STILL_MAX, QUEUE_STANDS_MAX, STORE_TIME_MAX};
pub use health_state::PingStatus;
pub use loop_heartbeat::{EngineLoop, LoopHeartbeat};
pub(super) use people::{REST, REST_WHOLE};
pub use ping::{DeadManPinger, KNOCK_TIME_MAX, PING_TIME_MAX};

use super::{context::EngineContext, delivery::Delivery, inbound::InboundResponses};
use crate::engine::listeners::ListenerGauges;
use health_state::HealthState;
use inbound_connection::InboundConnections;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Checks the node's own work: loops, store, queues, listeners, connections, people.
pub struct Health {
    context: Arc<EngineContext>,
    inbound: Arc<InboundResponses>,
    delivery: Arc<Delivery>,
    heartbeat: LoopHeartbeat,
    listeners: ListenerGauges,
    state: Mutex<HealthState>,
    connections: Mutex<InboundConnections>,
}

impl Health {
    pub(super) fn new(context: Arc<EngineContext>, inbound: Arc<InboundResponses>, delivery: Arc<Delivery>) -> Self {
        Self {
            state: Mutex::new(HealthState::new(context.store.now())),
            context,
            inbound,
            delivery,
            heartbeat: LoopHeartbeat::default(),
            listeners: ListenerGauges::default(),
            connections: Mutex::default(),
        }
    }

    /// The heartbeats of the loops.
    pub fn heartbeat(&self) -> &LoopHeartbeat {
        &self.heartbeat
    }

    /// How many connections the node's listeners have.
    pub fn listeners(&self) -> &ListenerGauges {
        &self.listeners
    }

    fn state(&self) -> MutexGuard<'_, HealthState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, InboundConnections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
