//! SMS and calls by Twilio through the running daemon: what it sends, what it takes for an answer, what it takes for
//! nothing, and who has opted out.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::common;
use crate::double;
use crate::house;
use crate::wire;

mod calls;
mod laws;
mod line;
mod opt_outs;
mod reports;
mod texts;
mod vendor;
