//! Who has opted out of what: the fold of Stentor's own chain in the journal.

use crate::core::{ChannelName, PersonName, SourceEvent, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// Somebody whom a channel does not reach any more, by their own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// Who.
    pub person: PersonName,
    /// Which channel.
    pub channel: ChannelName,
    /// Since when.
    pub since: Timestamp,
    /// How it was seen.
    pub how: String,
    /// A mark of their number: it is that number which is closed, and a new one is open.
    #[serde(skip)]
    pub(super) number: String,
}

/// All of them.
#[derive(Debug, Default)]
pub struct OptOutRegister(BTreeMap<(ChannelName, PersonName), OptOut>);

impl OptOutRegister {
    /// Folds one line of Stentor's own chain.
    /// Every one.
    pub fn all(&self) -> Vec<OptOut> {
        self.0.values().cloned().collect()
    }

    /// What this person has said to this channel's provider, where they have opted out.
    pub fn get(&self, channel: &ChannelName, person: &PersonName) -> Option<OptOut> {
        self.0.get(&(channel.clone(), person.clone())).cloned()
    }

    /// Forgets one of which nothing was kept.
    pub fn forget(&mut self, channel: &ChannelName, person: &PersonName) {
        self.0.remove(&(channel.clone(), person.clone()));
    }

    /// Takes up what was journaled.
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
