//! Alerts and incidents of the running daemon: fire, list, show, answer, resolve.

pub mod answer;
pub mod asked;
pub mod erase;
pub mod fire;
pub mod list;
pub mod resolve;
pub mod show;
