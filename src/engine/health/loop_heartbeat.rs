//! Heartbeats of the loops.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts how often each loop has run. The watchdog is fed only while all of them run.
#[derive(Debug, Default)]
pub struct LoopHeartbeat([AtomicU64; 3]);

/// A loop that must keep running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineLoop {
    /// Sends pages.
    Delivery,
    /// Moves ladders that are due.
    Timers,
    /// Renews this node's lease.
    Lease,
}

impl EngineLoop {
    /// All loops, in the order of [`LoopHeartbeat::beats`].
    pub const ALL: [Self; 3] = [Self::Delivery, Self::Timers, Self::Lease];

    /// The name in logs and health checks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Timers => "timers",
            Self::Lease => "lease",
        }
    }
}

impl LoopHeartbeat {
    /// Counts one more run of a loop.
    pub fn turned(&self, which: EngineLoop) {
        self.0[which as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each loop has run.
    pub fn beats(&self) -> [u64; 3] {
        [&self.0[0], &self.0[1], &self.0[2]].map(|beat| beat.load(Ordering::Relaxed))
    }
}
