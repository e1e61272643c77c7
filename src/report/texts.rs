//! What stands beside the journal: the texts that were shown, and the names of people.

use crate::core::PersonName;
use std::collections::BTreeMap;

/// What stands beside the journal.
#[derive(Debug, Default)]
pub struct IncidentTexts {
    /// How humans call the people of the matrix.
    pub names: BTreeMap<PersonName, String>,
    /// Texts that were shown, by content hash.
    pub texts: BTreeMap<String, String>,
}

impl IncidentTexts {
    /// How humans call a person.
    pub fn name<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }
}
