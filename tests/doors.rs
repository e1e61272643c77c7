//! The doors for alerts: the native one, and the one that Prometheus knows.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "doors/alertmanager.rs"]
mod alertmanager;
mod common;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/native.rs"]
mod native;
#[path = "doors/wire.rs"]
mod wire;
