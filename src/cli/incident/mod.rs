//! Alerts and incidents of the running daemon: fire, list, show, answer, resolve.

pub mod answer;
pub mod erase;
pub mod fire;
pub mod list;
pub mod resolve;
pub mod show;
