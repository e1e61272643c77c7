//! Actions that a review lists.

use serde::Serialize;

/// An action for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewAction {
    /// The action.
    pub what: String,
    /// Who does it.
    pub owner: Option<String>,
    /// The due date, as people write it.
    pub due: Option<String>,
}
