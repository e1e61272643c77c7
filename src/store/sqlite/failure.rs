//! The meaning of SQLite's errors.

use crate::store::StoreError;

/// An error of SQLite as an error of the store.
pub fn failure(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    /// The shared-memory index of the log could not grow.
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

/// Why a commit failed.
pub enum CommitFailure {
    /// Some of its content is refused: without it the commit may succeed.
    Refused(StoreError),
    /// Nothing can be committed now.
    Failed(StoreError),
}

/// An error of a commit. Content is refused if it is too large, of the wrong type, or if its place is taken.
pub fn unkept(error: sqlx::Error) -> CommitFailure {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(18..=20) => CommitFailure::Refused(failure(error)),
        _ => CommitFailure::Failed(failure(error)),
    }
}
