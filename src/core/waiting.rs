//! Who was asked in an incident, and for whom it still waits: what a store indexes people's pages by, and who is named to
//! those who ask.

use super::{
    incident::Incident,
    names::{PersonName, RoleName},
    page::Page,
};
use std::collections::BTreeSet;

impl Page {
    /// Whom a brief asks; `None` for everything that only tells.
    pub fn asks(&self) -> Option<&PersonName> {
        self.person.as_ref().filter(|_| self.purpose.is_brief())
    }
}

impl Incident {
    /// Everybody who was asked for any role.
    pub fn asked(&self) -> BTreeSet<&PersonName> {
        self.pages.values().filter_map(|page| page.asks()).collect()
    }

    /// Whether this person was asked for any role.
    pub fn has_asked(&self, person: &PersonName) -> bool {
        self.pages.values().any(|page| page.asks() == Some(person))
    }

    /// The roles that this person was asked for, that nobody has yet and that this person has not passed on.
    pub fn waiting_roles<'a>(&'a self, person: &'a PersonName) -> impl Iterator<Item = &'a RoleName> {
        let open = self.engagements.iter().filter(|(_, e)| e.is_open() && !e.unable.contains(person));
        let open = open.filter(|_| self.is_open()).map(|(role, _)| role);
        open.filter(move |role| self.briefs_of(role).any(|page| page.person.as_ref() == Some(person)))
    }

    /// The role whose people are asked for this one now: itself, or the one at the end of what it waits on.
    pub fn asked_for<'a>(&'a self, role: &'a RoleName) -> &'a RoleName {
        let mut asked = role;
        // A chain longer than there are roles runs in a circle.
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
