//! How full the daemon's own doors are: what `/readyz`, the metrics and the ping know of the entrance.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Every door of this daemon.
#[derive(Debug, Default)]
pub struct ListenerGauges(Mutex<BTreeMap<&'static str, Arc<ListenerGauge>>>);

/// One door: how many connections it has, and whether it has room.
#[derive(Debug)]
pub struct ListenerGauge {
    name: &'static str,
    most: usize,
    state: Mutex<ListenerState>,
}

#[derive(Debug, Default)]
struct ListenerState {
    open: usize,
    /// It was full, and much of it has not become free since: what is told once is not told again.
    told_full: bool,
    told_share: bool,
    turned_away: u64,
    trouble: Option<String>,
}

/// How full a door is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerFullness {
    /// Connections that it has.
    pub open: usize,
    /// Connections that it takes at most.
    pub most: usize,
    /// Connections that were closed at once, because their peer had its share.
    pub turned_away: u64,
}

impl ListenerGauges {
    /// A door that takes so many connections at once. One that is named again takes the place of the one before.
    pub fn open(&self, name: &'static str, most: usize) -> Arc<ListenerGauge> {
        let entrance = Arc::new(ListenerGauge { name, most, state: Mutex::default() });
        self.all().insert(name, entrance.clone());
        entrance
    }

    /// What is wrong with any of them.
    pub fn problems(&self) -> Vec<String> {
        self.all().values().filter_map(|entrance| entrance.sign()).collect()
    }

    /// Each with how full it is.
    pub fn fullness(&self) -> BTreeMap<&'static str, ListenerFullness> {
        self.all().iter().map(|(name, entrance)| (*name, entrance.fullness())).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<ListenerGauge>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListenerGauge {
    /// Connections that it takes at most.
    pub fn most(&self) -> usize {
        self.most
    }

    /// A connection was taken in.
    pub fn entered(&self) {
        let mut state = self.state();
        state.open += 1;
        state.trouble = None;
        if self.most <= state.open && !state.told_full {
            state.told_full = true;
            tracing::warn!(door = self.name, connections = state.open, "this door is full: whoever comes now waits");
        }
    }

    /// A connection ended.
    pub fn left(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        // Not at the first place that is free: a door at its limit would tell of every connection.
        if state.told_full && state.open <= self.most.saturating_sub((self.most / 10).max(1)) {
            state.told_full = false;
            tracing::info!(door = self.name, connections = state.open, "this door has room again");
        }
    }

    /// A peer that has its share was turned away.
    pub fn turned_away(&self, peer: &impl std::fmt::Display, share: usize) {
        let mut state = self.state();
        state.turned_away += 1;
        if !state.told_share {
            state.told_share = true;
            tracing::warn!(door = self.name, %peer, share, "this peer has its share of the connections: more are closed");
        }
    }

    /// Nobody has their share any more.
    pub fn shares_are_free(&self) {
        if std::mem::take(&mut self.state().told_share) {
            tracing::info!(door = self.name, "no peer has its whole share of the connections any more");
        }
    }

    /// No connection can be taken in.
    pub fn stuck(&self, error: &std::io::Error) {
        let before = self.state().trouble.replace(error.to_string());
        if before.is_none() {
            tracing::warn!(door = self.name, %error, "connections can not be taken; trying again");
        }
    }

    /// How full it is.
    pub fn fullness(&self) -> ListenerFullness {
        let state = self.state();
        ListenerFullness { open: state.open, most: self.most, turned_away: state.turned_away }
    }

    fn sign(&self) -> Option<String> {
        let (state, name) = (self.state(), self.name);
        match &state.trouble {
            Some(trouble) => Some(format!("the {name} door can not take connections: {trouble}")),
            None if self.most <= state.open => {
                Some(format!("the {name} door is full: it has {} connections", state.open))
            }
            None => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, ListenerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
