//! What people do in Slack, as it reaches the daemon: by signed requests and over sockets.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::common;
use crate::double;
use crate::house;
mod forms;
mod laws;
mod links;
mod orders;
mod rig;
mod vendor;
use crate::wire;
