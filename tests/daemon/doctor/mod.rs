//! What the daemon knows about its own health: broken channels, proven contacts, and `stentor doctor`.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod breaker;
mod checkup;
use crate::common;
use crate::house;
use crate::wire;
