//! What was found when this node was looked at last.

use crate::core::Timestamp;

/// What is remembered between two looks.
#[derive(Debug, Default)]
pub struct HealthState {
    pub(super) turned: Option<[(u64, Timestamp); 3]>,
    pub(super) found: Vec<String>,
    /// Why the own door did not answer when it was called last.
    pub(super) shut: Option<String>,
    pub(super) pinged: PingStatus,
}

/// How the dead-man ping fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingStatus {
    /// When the receiver last took one.
    pub last: Option<Timestamp>,
    /// Why the last one did not go out, or was not taken.
    pub last_error: Option<String>,
}
