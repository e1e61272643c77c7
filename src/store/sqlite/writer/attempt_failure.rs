//! Why an attempt to commit failed, by what to do about it.

use crate::{
    core::IncidentId,
    store::{StoreError, sqlite::script::UnwritableValue},
};
use std::collections::BTreeMap;

/// Why an attempt to commit failed.
pub enum AttemptFailure {
    /// Its cause was removed from the batch: try the rest again.
    Again,
    /// The changes of this incident can not be written.
    Of(IncidentId, StoreError),
    /// Something in it is refused. `begins` has the chains that it would have extended, each with its first new line.
    Refused {
        /// The error of the database.
        error: StoreError,
        /// The chains.
        begins: BTreeMap<String, u64>,
    },
    /// Nothing of it can be committed.
    Failed(StoreError),
}

impl From<UnwritableValue> for AttemptFailure {
    fn from(UnwritableValue { incident, why }: UnwritableValue) -> Self {
        match incident {
            Some(id) => Self::Of(id, StoreError::Unwritable(format!("{id}: {why}"))),
            None => Self::Failed(StoreError::Unwritable(why)),
        }
    }
}

impl From<StoreError> for AttemptFailure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
