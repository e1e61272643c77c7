//! Data outside the journal: the texts that were shown, and the names of people.

use crate::core::{
    Incident, PersonName, RoleName,
    display_names::IncidentNames,
    role_words::{NamedReader, who_has},
};
use std::collections::BTreeMap;

/// Data outside the journal.
#[derive(Debug, Default)]
pub struct IncidentTexts {
    /// The people's names for display.
    pub names: BTreeMap<PersonName, String>,
    /// Texts that were shown, by content hash.
    pub texts: BTreeMap<String, String>,
}

impl IncidentTexts {
    /// A person's name for display.
    pub fn name<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }

    /// Who has a role of an incident, or who is asked for it, by name; empty if it has no such role.
    pub fn who_has(&self, incident: &Incident, role: &RoleName) -> String {
        let names = self.of(incident);
        let reader = NamedReader { names: &names, reader: None };
        incident.engagements.get(role).map_or_else(String::new, |engagement| who_has(incident, engagement, &reader))
    }

    /// What people read in place of the ids of an incident.
    pub fn of<'a>(&'a self, incident: &'a Incident) -> IncidentNames<'a> {
        IncidentNames { plan: &incident.plan, people: &self.names }
    }
}
