//! Results of the last health checks.

use crate::core::Timestamp;

/// What is remembered between two checks.
#[derive(Debug)]
pub struct HealthState {
    pub(super) turned: Option<[(u64, Timestamp); 3]>,
    /// When this daemon began: what was overdue then has had no time to move yet.
    pub(super) began: Timestamp,
    pub(super) found: Vec<String>,
    /// Why the daemon's own port did not answer the last call; `None` if it did.
    pub(super) shut: Option<String>,
    pub(super) pinged: PingStatus,
    /// Why the last reload was refused; `None` if it was not.
    pub(super) reload_refused: Option<String>,
}

impl HealthState {
    /// Nothing is known yet, at the time `began`.
    pub fn new(began: Timestamp) -> Self {
        Self { turned: None, began, found: Vec::new(), shut: None, pinged: PingStatus::default(), reload_refused: None }
    }
}

/// The state of the dead-man ping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingStatus {
    /// When the receiver last accepted a ping.
    pub last: Option<Timestamp>,
    /// Why the last ping was not sent or not accepted; `None` if it was.
    pub last_error: Option<String>,
}
