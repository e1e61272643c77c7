//! Time zones: which data they come from, and that what hangs on them (turns, texts, conditions) uses them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod common;
#[path = "zones/daemon.rs"]
mod daemon;
#[path = "zones/newer.rs"]
mod newer;
#[path = "zones/rules.rs"]
mod rules;
#[path = "zones/tree.rs"]
mod tree;
#[path = "zones/used.rs"]
mod used;
