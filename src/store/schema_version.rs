//! Which version of the schema a store has.

/// The version of a store's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaVersion {
    /// That of the store.
    pub found: i64,
    /// The newest that this program knows.
    pub known: i64,
}

impl SchemaVersion {
    /// Whether no older program wrote it.
    pub fn is_current(self) -> bool {
        self.found == self.known
    }
}
