//! Drills on the live daemon: run, scored, broken off, interrupted, scheduled; and never beside the real thing.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod agree;
mod calendar;
use crate::common;
use crate::double;
use crate::fixture;
mod gives_way;
mod ground;
use crate::house;
mod refused;
mod runs;
mod sandbox;
use crate::wire;
