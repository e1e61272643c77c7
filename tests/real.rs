//! Stentor between real parts: Debian's Prometheus, amtool, Kannel, exim and Chromium, on loopback. Slack alone is a
//! double. A test whose parts are not installed says SKIPPED and passes; with `STENTOR_REAL=1` it fails instead.
//! `.ci/run` installs them all.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods, reason = "real parts are awaited on the real clock and found by the environment")]

mod common;
mod double;

#[path = "real/browser.rs"]
mod browser;
#[path = "real/crisis.rs"]
mod crisis;
#[path = "real/doctor.rs"]
mod doctor;
#[path = "real/drill.rs"]
mod drill;
#[path = "real/exim.rs"]
mod exim;
#[path = "real/hand_back.rs"]
mod hand_back;
#[path = "real/incident.rs"]
mod incident;
#[path = "real/kannel.rs"]
mod kannel;
#[path = "real/letters.rs"]
mod letters;
#[path = "real/monitors.rs"]
mod monitors;
#[path = "real/net.rs"]
mod net;
#[path = "real/outage.rs"]
mod outage;
#[path = "real/parts.rs"]
mod parts;
#[path = "real/prometheus.rs"]
mod prometheus;
#[path = "real/replies.rs"]
mod replies;
#[path = "real/sheet.rs"]
mod sheet;
#[path = "real/slack_types.rs"]
mod slack_types;
#[path = "real/texts.rs"]
mod texts;
