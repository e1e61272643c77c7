//! The desk pages that are open in browsers. Each follows the incidents by itself: a page counts as accepted if a desk
//! of its person is open to show it.

use crate::{
    channel::{Channel, ContactData, Message, ProbeCheck, Recipient, SendError},
    core::{PersonName, SendReceipt, send_outcome::desk_closed},
};
use futures_util::future::BoxFuture;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often to check again whether a desk page was opened. This is only a fallback: a desk that opens gets its waiting
/// pages immediately.
const LOOK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Which desk pages are open. Cheap to clone; all clones are one hub.
#[derive(Clone, Default)]
pub struct DeskHub {
    desks: Arc<Mutex<BTreeMap<PersonName, usize>>>,
}

/// One open desk page; dropping it closes it.
#[must_use = "the desk page counts as closed as soon as this is dropped"]
pub struct OpenDesk {
    hub: DeskHub,
    person: PersonName,
}

impl DeskHub {
    /// A hub without open desk pages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a desk page of this person as open until the guard is dropped.
    pub fn connect(&self, person: PersonName) -> OpenDesk {
        *self.desks().entry(person.clone()).or_default() += 1;
        OpenDesk { hub: self.clone(), person }
    }

    /// Whether a desk page of this person is open.
    pub fn is_connected(&self, person: &PersonName) -> bool {
        self.desks().contains_key(person)
    }

    fn shown_to(&self, contact: &ContactData) -> Result<SendReceipt, SendError> {
        let person = PersonName::from(contact.person.as_str());
        let open = self.desks().get(&person).copied().unwrap_or(0);
        if open == 0 {
            let name = if contact.name.is_empty() { &contact.person } else { &contact.name };
            return Err(SendError::DeskClosed { after: LOOK_AGAIN, why: desk_closed(name) });
        }
        let desks = if open == 1 { "desk" } else { "desks" };
        Ok(SendReceipt::of(format!("{open} {desks}")))
    }

    fn desks(&self) -> MutexGuard<'_, BTreeMap<PersonName, usize>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel for DeskHub {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(async move {
            match &message.to {
                Recipient::Person(contact) => self.shown_to(contact),
                Recipient::Room { .. } => Err(SendError::unreachable("a desk page can not be a war room")),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        let check = match self.desks().len() {
            0 => ProbeCheck::doubtful("desks", "no desk page is open: `stentor desk-link NAME` prints a link to one"),
            1 => ProbeCheck::fine("desks", "one person has a desk page open"),
            n => ProbeCheck::fine("desks", format!("{n} people have a desk page open")),
        };
        Box::pin(std::future::ready(vec![check]))
    }
}

impl Drop for OpenDesk {
    fn drop(&mut self) {
        let mut desks = self.hub.desks();
        if let Some(open) = desks.get_mut(&self.person) {
            *open -= 1;
            if *open == 0 {
                desks.remove(&self.person);
            }
        }
    }
}

impl std::fmt::Debug for DeskHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("desks", &self.desks()).finish_non_exhaustive()
    }
}
