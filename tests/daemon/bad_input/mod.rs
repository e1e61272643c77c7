//! Bad days: bodies that make no sense, a matrix that broke, texts that loop, gateways that hang, folders that are not
//! there.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod channels;
use crate::common;
mod fuzz;
use crate::house;
mod reload;
mod start;
use crate::wire;
