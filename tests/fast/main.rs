//! Tests of the library: no daemon is started, nothing is sent, and most time is virtual.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../double/mod.rs"]
mod double;
#[path = "../fixture/mod.rs"]
mod fixture;
#[path = "../past/mod.rs"]
mod past;

mod admission;
mod assessment;
mod canonical;
mod channel;
mod crowd;
mod delivery;
mod drill_or_live;
mod escalation;
mod fitted;
mod forms;
mod fuzzed;
mod handoffs;
mod import;
mod judgement;
mod kept;
mod listening;
mod matrix;
mod openapi;
mod panics;
mod proposal;
mod receipt;
mod replies;
mod restored;
mod reviews;
mod scenario;
mod simulate;
mod statistics;
mod store;
mod template;
mod tidy;
