//! Channels whose way is data, in a real daemon: rooms in Teams and Mattermost, an SMS gateway in JSON, a lamp, and a
//! system that is told.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod callbacks;
use crate::common;
use crate::double;
use crate::house;
mod laws;
mod push;
mod rooms;
mod town;
mod unreported;
mod vendor;
use crate::wire;
