//! The desk pages that are open in browsers. A page is sent to a screen by waking it: what it shows, it fetches anew.

use super::{Channel, Contact, Message, Recipient, SendError};
use crate::core::{PersonName, Receipt};
use futures_util::future::BoxFuture;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{broadcast, watch};

/// How soon to look again whether a desk page was opened.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Nudges that a slow reader may lag behind; past that it must draw everything anew.
const NUDGES: usize = 256;

/// Which desk pages are open. Cheap to clone; all clones are one hub.
#[derive(Clone)]
pub struct Hub {
    desks: Arc<Mutex<BTreeMap<PersonName, usize>>>,
    nudges: broadcast::Sender<Nudge>,
    changed: watch::Sender<u64>,
}

/// The desks of this person shall draw anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    /// Whose.
    pub person: PersonName,
}

/// One open desk page; it is closed by dropping it.
#[must_use = "the desk page counts as closed as soon as this is dropped"]
pub struct Desk {
    hub: Hub,
    person: PersonName,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// No desk page is open.
    pub fn new() -> Self {
        Self { desks: Arc::default(), nudges: broadcast::Sender::new(NUDGES), changed: watch::Sender::new(0) }
    }

    /// Counts a desk page of this person as open until the guard is dropped, and wakes those who wait for one.
    /// Subscribe before connecting, else a nudge in between is missed.
    pub fn connect(&self, person: PersonName) -> Desk {
        *self.desks().entry(person.clone()).or_default() += 1;
        self.changed.send_modify(|count| *count += 1);
        Desk { hub: self.clone(), person }
    }

    /// Whether a desk page of this person is open.
    pub fn is_connected(&self, person: &PersonName) -> bool {
        self.desks().contains_key(person)
    }

    /// Wakes the desks of this person.
    pub fn nudge(&self, person: PersonName) {
        // An error says that nobody listens; then there is nobody to wake.
        let _ = self.nudges.send(Nudge { person });
    }

    /// The nudges from now on, of all people. A reader that lags (`RecvError::Lagged`) must draw everything anew.
    pub fn subscribe(&self) -> broadcast::Receiver<Nudge> {
        self.nudges.subscribe()
    }

    /// Changes whenever a desk page is opened or closed: time to try again the pages that wait for one.
    pub fn connected_changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn wake(&self, contact: &Contact) -> Result<Receipt, SendError> {
        let person = PersonName::from(contact.person.as_str());
        let open = self.desks().get(&person).copied().unwrap_or(0);
        if open == 0 {
            let name = if contact.name.is_empty() { &contact.person } else { &contact.name };
            return Err(SendError::throttled(Some(LOOK_AGAIN), format!("no desk page of {name} is open")));
        }
        self.nudge(person);
        let desks = if open == 1 { "desk" } else { "desks" };
        Ok(Receipt { id: format!("{open} {desks}"), room: None })
    }

    fn desks(&self) -> MutexGuard<'_, BTreeMap<PersonName, usize>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel for Hub {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(async move {
            match &message.to {
                Recipient::Person(contact) => self.wake(contact),
                Recipient::Room { .. } => Err(SendError::unreachable("a desk page is no room")),
            }
        })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let mut desks = self.hub.desks();
        if let Some(open) = desks.get_mut(&self.person) {
            *open -= 1;
            if *open == 0 {
                desks.remove(&self.person);
            }
        }
        drop(desks);
        self.hub.changed.send_modify(|count| *count += 1);
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("desks", &self.desks()).finish_non_exhaustive()
    }
}
