//! Places of a door: so many in all, and a share of them for each peer.

use crate::{
    engine::entrance::ListenerGauge,
    http::connection::{ShareOwner, limits::ConnectionLimits},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All of them.
pub struct ConnectionLimit {
    free: Arc<Semaphore>,
    taken: Arc<PermitRefusal>,
}

/// Room for one connection, whosever it will be. Nobody closes the semaphore, so that there is always one.
pub struct TotalPermit(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

/// One place; it is free again when this is dropped.
pub struct ConnectionPermit {
    taken: Arc<PermitRefusal>,
    origin: ShareOwner,
    _room: TotalPermit,
}

struct PermitRefusal {
    entrance: Arc<ListenerGauge>,
    share: usize,
    /// How many all who are not trusted may have together.
    strangers_max: usize,
    peers: Mutex<PeerCounts>,
}

#[derive(Default)]
struct PeerCounts {
    /// How many each has who is not trusted; nobody is kept who has none.
    open: BTreeMap<ShareOwner, usize>,
    /// How many they have together.
    all: usize,
    /// Those who have had all that they may have, and not much less since.
    spent: BTreeSet<ShareOwner>,
}

impl ConnectionLimit {
    /// As many as the entrance has, shared out by these limits.
    pub fn new(entrance: Arc<ListenerGauge>, limits: ConnectionLimits) -> Self {
        let free = Arc::new(Semaphore::new(entrance.most()));
        let strangers_max = entrance.most().saturating_sub(limits.kept);
        let taken = PermitRefusal { entrance, share: limits.share, strangers_max, peers: Mutex::default() };
        Self { free, taken: Arc::new(taken) }
    }

    /// Waits until there is room for one more.
    pub async fn room(&self) -> TotalPermit {
        TotalPermit(self.free.clone().acquire_owned().await.ok())
    }

    /// A place for this peer; none where it has its share.
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
    /// Counts one more; whether its peer may have it.
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

    /// Counts one less; whether it was the last whose share was spent.
    fn forget(&self, origin: &ShareOwner) -> bool {
        let mut peers = self.peers();
        let Some(open) = peers.open.get_mut(origin) else { return false };
        *open -= 1;
        let left = *open;
        peers.all -= 1;
        if left == 0 {
            peers.open.remove(origin);
        }
        // Not at the first that ends: a peer at its limit would be told of again and again.
        let has_room = left <= self.share.saturating_sub((self.share / 10).max(1));
        has_room && peers.spent.remove(origin) && peers.spent.is_empty()
    }

    fn peers(&self) -> MutexGuard<'_, PeerCounts> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
