//! SMS and calls by Twilio through the running daemon: what it sends, what it takes for an answer, what it takes for
//! nothing, and who has opted out.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;
mod double;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/wire.rs"]
mod wire;

#[path = "twilio/calls.rs"]
mod calls;
#[path = "twilio/laws.rs"]
mod laws;
#[path = "twilio/line.rs"]
mod line;
#[path = "twilio/opt_outs.rs"]
mod opt_outs;
#[path = "twilio/reports.rs"]
mod reports;
#[path = "twilio/texts.rs"]
mod texts;
#[path = "twilio/vendor.rs"]
mod vendor;
