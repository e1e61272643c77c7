//! Why nothing was committed.

use crate::core::IncidentId;

/// Why nothing was committed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is too little space for new alerts; open ladders go on. The figures are those of `sqlite::disk`.
    #[error(
        "the disk of the state folder is nearly full (less than 16 MiB free): make 24 MiB free, then send it again. New \
         alerts are refused, open incidents go on"
    )]
    Full,
    /// The space for open ladders can not be reserved, though the disk has room.
    #[error(
        "the state folder has room, but space for open incidents can not be reserved there ({0}): new alerts are refused, \
         open incidents go on"
    )]
    NoReserve(String),
    /// The store can not be written.
    #[error("the state directory can not be written: {0}")]
    ReadOnly(String),
    /// Another daemon has the store open.
    #[error("another stentor uses the state directory {0}: stop it first, or give this one its own with --state")]
    Locked(String),
    /// The store was written by a newer program.
    #[error(
        "the state was written by a newer stentor (schema {found}, this one knows {known}): upgrade, or restore a backup"
    )]
    Newer {
        /// The schema version of the store.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// Something in the store can not be read.
    #[error("{what} in the store can not be read: {why}")]
    Corrupt {
        /// What can not be read.
        what: String,
        /// The reason.
        why: String,
    },
    /// What a transaction wrote could not be read back, so nothing of it was committed.
    #[error("nothing of this was kept, because it could not be read back: {0}")]
    Unwritable(String),
    /// Any other error of the database.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Why this incident can not be read, without its name.
    pub(super) fn reason(&self, id: &IncidentId) -> String {
        match self {
            Self::Corrupt { what, why } if *what == id.to_string() => why.clone(),
            error => error.to_string(),
        }
    }
}
