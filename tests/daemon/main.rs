//! Tests of the program: each starts its own daemon, and talks to it as others would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../double/mod.rs"]
mod double;
#[path = "../fixture/mod.rs"]
mod fixture;
mod house;
#[path = "../past/mod.rs"]
mod past;
mod wire;

mod answers;
mod bad_days;
mod bad_input;
mod command_line;
mod docs;
mod doctor;
mod doors;
mod drills;
mod gateways;
mod hindsight;
mod journal;
mod lifecycle;
mod mail_in;
mod mcp;
mod ping;
mod quarantine;
mod report;
mod requests;
mod secrets;
mod slack;
mod systemd;
mod telegram;
mod twilio;
mod war_room;
mod zones;
