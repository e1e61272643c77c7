//! Time zones: which data they come from, and that what hangs on them (turns, texts, conditions) uses them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use crate::common;
mod daemon;
mod newer;
mod rules;
mod tree;
mod used;
