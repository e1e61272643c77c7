//! Answers by every way: each authenticated as a person, each by what their page gave them.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "doors/command.rs"]
mod command;
mod common;
#[path = "doors/crowd.rs"]
mod crowd;
#[path = "doors/desk.rs"]
mod desk;
#[path = "doors/desk_time.rs"]
mod desk_time;
mod fixture;
#[path = "doors/hand_back.rs"]
mod hand_back;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/laws.rs"]
mod laws;
#[path = "doors/mail_link.rs"]
mod mail_link;
#[path = "doors/replies.rs"]
mod replies;
#[path = "doors/slack.rs"]
mod slack;
#[path = "doors/sms.rs"]
mod sms;
#[path = "doors/wire.rs"]
mod wire;
