//! How a daemon and the demo begin and end: stops, who owns the control socket, what is left of the terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::common;
mod connections;
mod full;
mod socket;
mod stop;
mod terminal;
