//! What the daemon knows about its own health: broken channels, proven contacts, and `stentor doctor`.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "doors/breaker.rs"]
mod breaker;
#[path = "doors/checkup.rs"]
mod checkup;
mod common;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/wire.rs"]
mod wire;
