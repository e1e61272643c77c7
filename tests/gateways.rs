//! Channels whose way is data, in a real daemon: rooms in Teams and Mattermost, an SMS gateway in JSON, a lamp, and a
//! system that is told.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "gateways/callbacks.rs"]
mod callbacks;
mod common;
mod double;
#[path = "doors/house.rs"]
mod house;
#[path = "gateways/laws.rs"]
mod laws;
#[path = "gateways/rooms.rs"]
mod rooms;
#[path = "gateways/town.rs"]
mod town;
#[path = "gateways/vendor.rs"]
mod vendor;
#[path = "doors/wire.rs"]
mod wire;
