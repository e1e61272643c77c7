//! Bad days: bodies that make no sense, a matrix that broke, texts that loop, gateways that hang, folders that are not
//! there.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "doors/channels.rs"]
mod channels;
mod common;
#[path = "doors/fuzz.rs"]
mod fuzz;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/reload.rs"]
mod reload;
#[path = "doors/start.rs"]
mod start;
#[path = "doors/wire.rs"]
mod wire;
