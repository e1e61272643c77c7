//! Proof that the loops turn.

use std::sync::atomic::{AtomicU64, Ordering};

/// Proof that the loops turn; the watchdog is fed only while they do.
#[derive(Debug, Default)]
pub struct LoopHeartbeat([AtomicU64; 3]);

/// A loop that must turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineLoop {
    /// Sends what is to be sent.
    Delivery,
    /// Moves ladders that are due.
    Timers,
    /// Renews this node's lease.
    Lease,
}

impl EngineLoop {
    /// Every one, in the order of [`LoopHeartbeat::beats`].
    pub const ALL: [Self; 3] = [Self::Delivery, Self::Timers, Self::Lease];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Timers => "timers",
            Self::Lease => "lease",
        }
    }
}

impl LoopHeartbeat {
    /// This loop has turned once more.
    pub fn turned(&self, which: EngineLoop) {
        self.0[which as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each loop has turned.
    pub fn beats(&self) -> [u64; 3] {
        [&self.0[0], &self.0[1], &self.0[2]].map(|beat| beat.load(Ordering::Relaxed))
    }
}
