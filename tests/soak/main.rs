//! Tests that may run for long: kills, storms and the simulation. Short by default; the environment makes them long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../double/mod.rs"]
mod double;
#[path = "../fixture/mod.rs"]
mod fixture;

mod crash;
mod record;
mod simulation;
mod storm;
mod waits;
