//! What a review says to do.

use serde::Serialize;

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewAction {
    /// What.
    pub what: String,
    /// By whom.
    pub owner: Option<String>,
    /// By when, as people write it.
    pub due: Option<String>,
}
