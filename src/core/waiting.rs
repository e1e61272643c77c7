//! Who was asked in an incident, and who it still waits for. The store indexes people's pages by this, and people who
//! ask are shown these names.

use super::{
    incident::Incident,
    names::{PersonName, RoleName},
    page::Page,
};
use std::collections::BTreeSet;

impl Page {
    /// The person whom a brief asks; `None` for pages that only inform.
    pub fn asks(&self) -> Option<&PersonName> {
        self.person.as_ref().filter(|_| self.purpose.is_brief())
    }
}

impl Incident {
    /// Everybody who was asked for any role.
    pub fn asked(&self) -> BTreeSet<&PersonName> {
        self.pages.asked()
    }

    /// Whether this person was asked for any role.
    pub fn has_asked(&self, person: &PersonName) -> bool {
        self.pages.has_asked(person)
    }

    /// The roles that this person was asked for, that nobody has yet, and that this person has not passed on.
    pub fn waiting_roles<'a>(&'a self, person: &'a PersonName) -> impl Iterator<Item = &'a RoleName> {
        let open = self.engagements.iter().filter(|(_, e)| e.is_open() && !e.unable.contains(person));
        let open = open.filter(|_| self.is_open()).map(|(role, _)| role);
        open.filter(move |role| self.pages.has_asked_for(role, person))
    }

    /// The role whose people are now asked for this one: itself, or the one at the end of the chain that it waits on.
    pub fn asked_for<'a>(&'a self, role: &'a RoleName) -> &'a RoleName {
        let mut asked = role;
        // A chain that is longer than the number of roles is a cycle.
        for _ in 0..self.engagements.len() {
            match self.engagements.get(asked).and_then(|engagement| engagement.waits_on.as_ref()) {
                Some(next) => asked = next,
                None => break,
            }
        }
        asked
    }

    /// Whether a role waits for this person.
    pub fn waits_for(&self, person: &PersonName) -> bool {
        self.waiting_roles(person).next().is_some()
    }
}
