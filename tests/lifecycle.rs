//! How a daemon and the demo begin and end: stops, who owns the control socket, what is left of the terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;
#[path = "lifecycle/connections.rs"]
mod connections;
#[path = "lifecycle/full.rs"]
mod full;
#[path = "lifecycle/socket.rs"]
mod socket;
#[path = "lifecycle/stop.rs"]
mod stop;
#[path = "lifecycle/terminal.rs"]
mod terminal;
