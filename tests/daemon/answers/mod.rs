//! Answers by every way: each authenticated as a person, each by what their page gave them.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod command;
use crate::common;
mod crowd;
pub mod desk;
mod desk_changes;
mod desk_time;
use crate::fixture;
mod hand_back;
use crate::house;
mod laws;
mod mail_link;
mod replies;
pub mod slack;
pub mod sms;
mod words;
use crate::wire;
