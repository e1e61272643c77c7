//! Gauges of the daemon's listeners: how many connections they have and refuse. `/readyz`, the metrics and the ping
//! read them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The gauges of all listeners.
#[derive(Debug, Default)]
pub struct ListenerGauges(Mutex<BTreeMap<&'static str, Arc<ListenerGauge>>>);

/// How long after a warning about a peer's share the next one may come.
const SHARE_TOLD_AGAIN: Duration = Duration::from_secs(60);

/// The gauge of one listener: how many connections it has, and whether it has room for more.
#[derive(Debug)]
pub struct ListenerGauge {
    name: &'static str,
    most: usize,
    state: Mutex<ListenerState>,
}

#[derive(Debug, Default)]
struct ListenerState {
    open: usize,
    /// It was full and has not become much emptier since: being full is logged once.
    told_full: bool,
    /// When it last logged that a peer has its whole share.
    told_share: Option<Instant>,
    turned_away: u64,
    last_error: Option<String>,
}

/// How many connections a listener has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerFullness {
    /// Open connections.
    pub open: usize,
    /// The most connections that it takes.
    pub most: usize,
    /// Connections that were closed at once because their peer had its share.
    pub turned_away: u64,
}

impl ListenerGauges {
    /// Adds a listener that takes `most` connections. One with the same name replaces the earlier one.
    pub fn open(&self, name: &'static str, most: usize) -> Arc<ListenerGauge> {
        let entrance = Arc::new(ListenerGauge { name, most, state: Mutex::default() });
        self.all().insert(name, entrance.clone());
        entrance
    }

    /// The problems of all listeners.
    pub fn problems(&self) -> Vec<String> {
        self.all().values().filter_map(|entrance| entrance.sign()).collect()
    }

    /// How many connections each has.
    pub fn fullness(&self) -> BTreeMap<&'static str, ListenerFullness> {
        self.all().iter().map(|(name, entrance)| (*name, entrance.fullness())).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<ListenerGauge>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListenerGauge {
    /// The most connections that it takes.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Counts a connection that opened.
    pub fn entered(&self) {
        let mut state = self.state();
        state.open += 1;
        state.last_error = None;
        if self.most <= state.open && !state.told_full {
            state.told_full = true;
            tracing::warn!(
                listener = self.name,
                connections = state.open,
                "this listener is full: new connections wait"
            );
        }
    }

    /// Counts a connection that ended.
    pub fn left(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        // Not as soon as one place is free: a listener at its limit would log every connection.
        if state.told_full && state.open <= self.most.saturating_sub((self.most / 10).max(1)) {
            state.told_full = false;
            tracing::info!(listener = self.name, connections = state.open, "this listener has free connections again");
        }
    }

    /// Counts a connection that was closed because its peer has its share.
    pub fn turned_away(&self, peer: &impl std::fmt::Display, share: usize) {
        let mut state = self.state();
        state.turned_away += 1;
        if state.told_share.is_none_or(|told_at| SHARE_TOLD_AGAIN <= told_at.elapsed()) {
            state.told_share = Some(Instant::now());
            tracing::warn!(listener = self.name, %peer, share, "this peer has reached its limit of connections: further ones are closed");
        }
    }

    /// No peer has its full share any more. It counts only a while after the last warning: a peer that closes and opens
    /// connections at its limit would otherwise write two log lines for each.
    pub fn shares_are_free(&self) {
        if self.state().told_share.take_if(|told_at| SHARE_TOLD_AGAIN <= told_at.elapsed()).is_some() {
            tracing::info!(listener = self.name, "no peer is at its limit of connections any more");
        }
    }

    /// Records that no connection can be accepted.
    pub fn stuck(&self, error: &std::io::Error) {
        let before = self.state().last_error.replace(error.to_string());
        if before.is_none() {
            tracing::warn!(listener = self.name, %error, "connections can not be accepted; trying again");
        }
    }

    /// How many connections it has.
    pub fn fullness(&self) -> ListenerFullness {
        let state = self.state();
        ListenerFullness { open: state.open, most: self.most, turned_away: state.turned_away }
    }

    fn sign(&self) -> Option<String> {
        let (state, name) = (self.state(), self.name);
        match &state.last_error {
            Some(last_error) => Some(format!("the {name} listener can not accept connections: {last_error}")),
            None if self.most <= state.open => {
                Some(format!("the {name} listener is full: it has {} connections", state.open))
            }
            None => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, ListenerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
