//! Drills on the live daemon, and their calendar.

mod announce;
pub mod calendar;
mod conduct;
pub mod drill_runner;
pub mod lifecycle;
mod watch;
