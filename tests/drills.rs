//! Drills on the live daemon: run, scored, broken off, interrupted, scheduled; and never beside the real thing.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "drills/agree.rs"]
mod agree;
#[path = "drills/calendar.rs"]
mod calendar;
mod common;
mod double;
mod fixture;
#[path = "drills/gives_way.rs"]
mod gives_way;
#[path = "drills/ground.rs"]
mod ground;
#[path = "doors/house.rs"]
mod house;
#[path = "drills/refused.rs"]
mod refused;
#[path = "drills/runs.rs"]
mod runs;
#[path = "drills/sandbox.rs"]
mod sandbox;
#[path = "doors/wire.rs"]
mod wire;
