//! What only drills meet: an announcement, a fault on purpose, a live incident.

use super::Decider;
use crate::core::{
    actor::Actor, drill::FaultKind, event::Event, identity::IncidentId, names::PersonName, page::PagePurpose,
};

impl Decider<'_> {
    /// Live incidents, and incidents that are over, are left alone.
    pub(super) fn preempt(&mut self, by: IncidentId) {
        if self.incident.is_open() && self.incident.drill {
            self.emit(Event::Preempted { by });
            self.resolve(Actor::Crisis(by), None);
        }
    }

    /// Uses every channel that reaches each person: nobody has to answer yet, so they have time to look at any of them.
    pub(super) fn announce(&mut self, people: &[PersonName]) {
        if !self.incident.is_open() || !self.incident.drill {
            return;
        }
        for person in people {
            for channel in self.roster.channels(person).to_vec() {
                self.page(None, Some(person.clone()), channel, PagePurpose::Announced, 0, None);
            }
        }
    }

    pub(super) fn injected(&mut self, page: u32, fault: FaultKind) {
        let known = self.incident.pages.contains_key(&page);
        if known && self.incident.drill {
            self.emit(Event::Injected { page, fault });
        }
    }
}
