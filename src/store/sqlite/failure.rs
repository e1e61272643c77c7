//! What SQLite's errors mean.

use crate::store::StoreError;

/// What SQLite's error means for the store.
pub fn failure(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    /// The log's index could not grow.
    const IOERR_SHMSIZE: i32 = 4874;
    match (code, code.map(|code| code & 0xff)) {
        (Some(IOERR_SHMSIZE), _) | (_, Some(13)) => StoreError::Full,
        (_, Some(8)) => StoreError::ReadOnly(error.to_string()),
        (_, Some(11 | 26)) => StoreError::Corrupt { what: "the database".into(), why: error.to_string() },
        _ => match error {
            sqlx::Error::PoolClosed => StoreError::Closed,
            error => StoreError::Failed(error.to_string()),
        },
    }
}

/// Why a commit kept nothing.
pub enum CommitFailure {
    /// What it holds is refused: the same without it may be kept.
    Refused(StoreError),
    /// Nothing can be kept now.
    Failed(StoreError),
}

/// What an error of a commit means. What is too large, of the wrong kind, or has a place that is taken, is refused.
pub fn unkept(error: sqlx::Error) -> CommitFailure {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(18..=20) => CommitFailure::Refused(failure(error)),
        _ => CommitFailure::Failed(failure(error)),
    }
}
