//! What people read in place of the ids of roles and of people.

use super::{
    actor::Actor,
    names::{PersonName, RoleName},
    plan::EscalationPlan,
};
use std::{borrow::Cow, collections::BTreeMap};

/// The names that people read: of a role as its plan has it, of a person as the matrix has it.
pub trait DisplayNames {
    /// A role's name, or its id if it has none.
    fn role<'a>(&'a self, role: &'a RoleName) -> &'a str;

    /// A person's name, or their id if it is not known.
    fn person<'a>(&'a self, person: &'a PersonName) -> &'a str;

    /// Somebody who closed or classified an incident.
    fn actor<'a>(&'a self, by: &'a Actor) -> Cow<'a, str> {
        match by {
            Actor::Person(person) => Cow::Borrowed(self.person(person)),
            Actor::Source(_) | Actor::Operator(_) | Actor::Clock | Actor::Deadline | Actor::Crisis(_) => {
                Cow::Owned(by.to_string())
            }
        }
    }
}

/// The ids themselves.
pub struct Ids;

impl DisplayNames for Ids {
    fn role<'a>(&'a self, role: &'a RoleName) -> &'a str {
        role.as_str()
    }

    fn person<'a>(&'a self, person: &'a PersonName) -> &'a str {
        person.as_str()
    }
}

/// The names of one incident: of its roles as its plan has them, of people as the matrix has them now.
#[derive(Debug, Clone, Copy)]
pub struct IncidentNames<'n> {
    /// The incident's plan.
    pub plan: &'n EscalationPlan,
    /// The people's names.
    pub people: &'n BTreeMap<PersonName, String>,
}

impl DisplayNames for IncidentNames<'_> {
    fn role<'a>(&'a self, role: &'a RoleName) -> &'a str {
        self.plan.called(role)
    }

    fn person<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.people.get(person).map_or(person.as_str(), String::as_str)
    }
}
