//! What keeps a commit from being kept, by what is to be done about it.

use crate::{
    core::IncidentId,
    store::{StoreError, sqlite::script::UnwritableValue},
};
use std::collections::BTreeMap;

/// Why an attempt kept nothing.
pub enum AttemptFailure {
    /// What caused it is out of the batch: the rest deserves another attempt.
    Again,
    /// What transactions made of this incident can not be kept.
    Of(IncidentId, StoreError),
    /// Something of it is refused. `begins` are the chains that it would have made longer, each with its first new line.
    Refused {
        /// What the database said.
        error: StoreError,
        /// The chains.
        begins: BTreeMap<String, u64>,
    },
    /// Nothing of it can be kept.
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
