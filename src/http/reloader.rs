//! What reads the matrix again, and what came of it.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::OnceLock};

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
    /// The keys of `[daemon]` that are not as the daemon started with: they wait for the next start.
    #[serde(default)]
    pub at_next_start: Vec<WaitingKey>,
}

/// A key of `[daemon]` that a reload does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingKey {
    /// Its name.
    pub key: String,
    /// What happens at the next start that nobody may have meant.
    pub warning: Option<String>,
}

impl fmt::Display for WaitingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "daemon.{} stays as it was until the next start", self.key)?;
        self.warning.as_ref().map_or(Ok(()), |warning| write!(f, "; {warning}"))
    }
}

/// Reads the matrix again, all or nothing. It reads files, so it blocks.
pub type Reloader = Box<dyn Fn() -> ReloadOutcome + Send + Sync>;

/// Set once the daemon is put together.
pub type ReloaderCell = OnceLock<Reloader>;
