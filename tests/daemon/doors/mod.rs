//! The doors for alerts: the native one, and the one that Prometheus knows.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod alertmanager;
mod cloudevents;
use crate::common;
mod described;
use crate::house;
mod mapped;
mod native;
mod opsgenie;
mod pagerduty;
mod refused;
mod repeated;
mod scopes;
mod shown_alerts;
mod silences;
mod sources;
mod strangers;
mod webhooks;
use crate::wire;
