//! What reads the matrix again, and what came of it.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// What came of a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadOutcome {
    /// The revision of the matrix that is in use now.
    pub revision: String,
    /// Why it was refused, with the place of each fault; `None` if it was loaded.
    pub refused: Option<String>,
    /// The warnings of `check`, as people read them; empty if there are none.
    pub warnings: String,
    /// What is new or gone, and whose turn it is that was not before: one sentence each.
    pub changes: Vec<String>,
}

/// Reads the matrix again, all or nothing. It reads files, so it blocks.
pub type Reloader = Box<dyn Fn() -> ReloadOutcome + Send + Sync>;

/// Set once the daemon is put together.
pub type ReloaderCell = OnceLock<Reloader>;
