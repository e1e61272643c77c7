//! What people do in Slack, as it reaches the daemon: by signed requests and over sockets.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;
mod double;
#[path = "doors/house.rs"]
mod house;
#[path = "slack/laws.rs"]
mod laws;
#[path = "slack/links.rs"]
mod links;
#[path = "slack/orders.rs"]
mod orders;
#[path = "slack/rig.rs"]
mod rig;
#[path = "slack/vendor.rs"]
mod vendor;
#[path = "doors/wire.rs"]
mod wire;
