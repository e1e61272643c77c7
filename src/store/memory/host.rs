//! What the memory store answers to a transaction.

use crate::{
    core::{IncidentId, IncidentNonce, Timestamp},
    store::{host::TransactionHost, working_set::WorkingSet},
};
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

/// A node while it runs one transaction: it holds the lock on everything, so its answers are those of all nodes.
pub struct MemoryHost<'a> {
    /// What is random follows from it.
    pub seed: u64,
    /// The node's own.
    pub epoch: u64,
    /// The transaction's time.
    pub now: Timestamp,
    /// Until when each node's lease holds.
    pub leases: &'a BTreeMap<u64, Timestamp>,
    /// Nodes that ended with nothing in progress.
    pub left: &'a BTreeSet<u64>,
    /// How many nonces were drawn.
    pub drawn: Cell<u64>,
    /// The number of the last incident that was opened.
    pub last_id: Cell<i64>,
}

impl TransactionHost for MemoryHost<'_> {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn is_live(&self, epoch: u64) -> bool {
        self.leases.get(&epoch).is_some_and(|until| self.now < *until)
    }

    fn has_left(&self, epoch: u64) -> bool {
        self.left.contains(&epoch)
    }

    fn next_id(&self) -> IncidentId {
        self.last_id.set(self.last_id.get() + 1);
        IncidentId(self.last_id.get())
    }

    fn draw(&self) -> IncidentNonce {
        nonce(self.seed, self.drawn.replace(self.drawn.get() + 1))
    }

    fn live_open(&self, loaded: &WorkingSet) -> Option<IncidentId> {
        loaded.live_open()
    }
}

/// The nonce of that number under a seed.
fn nonce(seed: u64, n: u64) -> IncidentNonce {
    let hash = Sha256::digest([&b"nonce"[..], &seed.to_be_bytes(), &n.to_be_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    IncidentNonce::new(bytes)
}
