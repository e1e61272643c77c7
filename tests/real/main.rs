//! Stentor between real parts: Debian's Prometheus, Alertmanager, Kannel, exim and Chromium, and the clients of other
//! products, on loopback. Slack alone is a double. A test whose parts are not installed says SKIPPED and passes; with
//! `STENTOR_REAL=1` it fails instead. `.ci/run` installs them all.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods, reason = "real parts are awaited on the real clock and found by the environment")]

mod agents;
mod bank_chat;
mod browser;
mod canonical;
#[path = "../common/mod.rs"]
mod common;
mod crisis;
mod desk_requests;
mod desk_shape;
mod doctor;
#[path = "../double/mod.rs"]
mod double;
mod drill;
mod exim;
mod hand_back;
mod incident;
mod kannel;
mod letters;
mod monitors;
mod net;
mod openapi;
mod outage;
mod parts;
mod prometheus;
mod read_back;
mod receipt;
mod replies;
mod senders;
mod sheet;
mod slack_types;
mod texts;
