//! The register of opt-outs, folded from Stentor's own journal chain.

use crate::core::{ChannelName, PersonName, SourceEvent, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// A person who opted out of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// The person.
    pub person: PersonName,
    /// The channel.
    pub channel: ChannelName,
    /// When they opted out.
    pub since: Timestamp,
    /// What showed it.
    pub how: String,
    /// A mark of their phone number: the opt-out is for that number, and ends with a new one.
    #[serde(skip)]
    pub(super) number: String,
}

/// All opt-outs that are in force, by channel and person.
#[derive(Debug, Default)]
pub struct OptOutRegister(BTreeMap<(ChannelName, PersonName), OptOut>);

impl OptOutRegister {
    /// All opt-outs.
    pub fn all(&self) -> Vec<OptOut> {
        self.0.values().cloned().collect()
    }

    /// The opt-out of this person from this channel.
    pub fn get(&self, channel: &ChannelName, person: &PersonName) -> Option<OptOut> {
        self.0.get(&(channel.clone(), person.clone())).cloned()
    }

    /// Forgets an opt-out that could not be stored.
    pub fn forget(&mut self, channel: &ChannelName, person: &PersonName) {
        self.0.remove(&(channel.clone(), person.clone()));
    }

    /// Applies a journaled event.
    pub fn apply(&mut self, at: Timestamp, event: &SourceEvent) {
        match event {
            SourceEvent::OptedOut { channel, person, how, number } => {
                let key = (channel.clone(), person.clone());
                let (channel, person, how, number) = (channel.clone(), person.clone(), how.clone(), number.clone());
                self.0.insert(key, OptOut { person, channel, since: at, how, number });
            }
            SourceEvent::OptedIn { channel, person, .. } => drop(self.0.remove(&(channel.clone(), person.clone()))),
            _ => {}
        }
    }
}
