//! The number of connections of a listener: a limit for all, and a share for each peer.

use crate::{
    engine::listeners::ListenerGauge,
    http::connection::{ShareOwner, limits::ConnectionLimits},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts the connections of one listener.
pub struct ConnectionLimit {
    free: Arc<Semaphore>,
    taken: Arc<PermitRefusal>,
}

/// Room for one connection of any peer. The semaphore is never closed, so acquiring it never fails.
pub struct TotalPermit(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

/// One counted connection; dropping it frees its place.
pub struct ConnectionPermit {
    taken: Arc<PermitRefusal>,
    origin: ShareOwner,
    _room: TotalPermit,
}

struct PermitRefusal {
    entrance: Arc<ListenerGauge>,
    share: usize,
    /// The largest number of connections of all peers that are not trusted.
    strangers_max: usize,
    peers: Mutex<PeerCounts>,
}

#[derive(Default)]
struct PeerCounts {
    /// The number of connections of each peer that is not trusted; peers without a connection have no entry.
    open: BTreeMap<ShareOwner, usize>,
    /// The total of `open`.
    all: usize,
    /// The peers that reached their limit and have stayed close to it since.
    spent: BTreeSet<ShareOwner>,
}

impl ConnectionLimit {
    /// Creates the counter with these limits.
    pub fn new(entrance: Arc<ListenerGauge>, limits: ConnectionLimits) -> Self {
        let free = Arc::new(Semaphore::new(entrance.most()));
        let strangers_max = entrance.most().saturating_sub(limits.kept);
        let taken = PermitRefusal { entrance, share: limits.share, strangers_max, peers: Mutex::default() };
        Self { free, taken: Arc::new(taken) }
    }

    /// Waits until there is room for another connection.
    pub async fn room(&self) -> TotalPermit {
        TotalPermit(self.free.clone().acquire_owned().await.ok())
    }

    /// Counts a connection of this peer; `None` if it has used its share.
    pub fn take(&self, room: TotalPermit, origin: ShareOwner) -> Option<ConnectionPermit> {
        if !self.taken.count(&origin) {
            self.taken.entrance.turned_away(&origin, self.taken.share);
            return None;
        }
        self.taken.entrance.entered();
        Some(ConnectionPermit { taken: self.taken.clone(), origin, _room: room })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.taken.entrance.left();
        if self.taken.forget(&self.origin) {
            self.taken.entrance.shares_are_free();
        }
    }
}

impl PermitRefusal {
    /// Counts one more; returns whether its peer may have it.
    fn count(&self, origin: &ShareOwner) -> bool {
        if *origin == ShareOwner::Trusted {
            return true;
        }
        let mut peers = self.peers();
        let open = peers.open.get(origin).copied().unwrap_or(0);
        if self.share <= open || self.strangers_max <= peers.all {
            peers.spent.insert(origin.clone());
            return false;
        }
        peers.open.insert(origin.clone(), open + 1);
        peers.all += 1;
        true
    }

    /// Counts one less; returns whether this was the last peer at its limit.
    fn forget(&self, origin: &ShareOwner) -> bool {
        let mut peers = self.peers();
        let Some(open) = peers.open.get_mut(origin) else { return false };
        *open -= 1;
        let left = *open;
        peers.all -= 1;
        if left == 0 {
            peers.open.remove(origin);
        }
        // Not at the first connection that ends: otherwise a peer at its limit would be logged again and again.
        let has_room = left <= self.share.saturating_sub((self.share / 10).max(1));
        has_room && peers.spent.remove(origin) && peers.spent.is_empty()
    }

    fn peers(&self) -> MutexGuard<'_, PeerCounts> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
