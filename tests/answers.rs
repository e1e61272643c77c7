//! Answers by every way: each authenticated as a person, each by what their page gave them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "doors/command.rs"]
mod command;
#[path = "doors/desk.rs"]
mod desk;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/laws.rs"]
mod laws;
#[path = "doors/mail_link.rs"]
mod mail_link;
#[path = "doors/slack.rs"]
mod slack;
#[path = "doors/sms.rs"]
mod sms;
#[path = "doors/wire.rs"]
mod wire;
