//! Reports: time to engagement, triggers, post-mortems, reviews of drills, pictures; and the dashboard.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods)]

mod common;
mod fixture;

#[path = "report/command.rs"]
mod command;
#[path = "report/dashboard.rs"]
mod dashboard;
#[path = "report/documents.rs"]
mod documents;
#[path = "report/evidence.rs"]
mod evidence;
#[path = "report/figures.rs"]
mod figures;
#[path = "report/past.rs"]
mod past;
