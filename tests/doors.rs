//! The doors for alerts: the native one, and the one that Prometheus knows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "doors/alertmanager.rs"]
mod alertmanager;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/native.rs"]
mod native;
#[path = "doors/wire.rs"]
mod wire;
