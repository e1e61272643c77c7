//! The register of linked accounts, folded from Stentor's own journal chain: codes that were handed out, and accounts that
//! people linked by them. The journal has codes as hashes and accounts sealed.

use crate::{
    core::{ChannelName, PersonName, SourceEvent, Timestamp},
    engine::keys::DerivedKeys,
};
use std::collections::{BTreeMap, HashMap};

/// A person by one channel.
pub(super) type PersonByChannel = (ChannelName, PersonName);

/// A code that was handed out and not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinkOffer {
    pub to: PersonByChannel,
    pub until: Timestamp,
}

/// All codes and links that are in force.
#[derive(Default)]
pub(super) struct LinkRegister {
    offers: BTreeMap<String, LinkOffer>,
    accounts: BTreeMap<PersonByChannel, String>,
    /// Who has an account, for what comes in from it. Of two who linked the same one it is who did so last.
    people: HashMap<(ChannelName, String), PersonName>,
}

impl LinkRegister {
    /// The account that a person linked at a channel.
    pub fn account(&self, of: &PersonByChannel) -> Option<&str> {
        self.accounts.get(of).map(String::as_str)
    }

    /// The person who linked this account at a channel.
    pub fn person(&self, channel: &ChannelName, account: &str) -> Option<&PersonName> {
        self.people.get(&(channel.clone(), account.to_owned()))
    }

    /// Who has linked an account, at which channel.
    pub fn linked(&self) -> impl Iterator<Item = &PersonByChannel> {
        self.accounts.keys()
    }

    /// Takes the offer of this code, so that nobody else can use it.
    pub fn take(&mut self, code: &str) -> Option<LinkOffer> {
        self.offers.remove(code)
    }

    /// Gives back an offer whose use could not be stored.
    pub fn give_back(&mut self, code: String, offer: LinkOffer) {
        self.offers.insert(code, offer);
    }

    /// Whether there is anything to revoke.
    pub fn has(&self, of: &PersonByChannel) -> bool {
        self.accounts.contains_key(of) || self.offers.values().any(|offer| offer.to == *of)
    }

    /// Applies a journaled event. A new code replaces the one before it. An account that these keys do not open (the
    /// server key was lost) is not linked: its person has to link it again.
    pub fn apply(&mut self, event: &SourceEvent, keys: &DerivedKeys) {
        match event {
            SourceEvent::LinkOffered { channel, person, code, until, .. } => {
                let to = (channel.clone(), person.clone());
                self.offers.retain(|_, offer| offer.to != to);
                self.offers.insert(code.clone(), LinkOffer { to, until: *until });
            }
            SourceEvent::Linked { channel, person, code, account } => {
                self.offers.remove(code);
                let of = (channel.clone(), person.clone());
                self.forget(&of);
                if let Some(account) = keys.unseal(&whose(&of), code, account) {
                    self.people.insert((channel.clone(), account.clone()), person.clone());
                    self.accounts.insert(of, account);
                }
            }
            SourceEvent::Unlinked { channel, person, .. } => {
                let of = (channel.clone(), person.clone());
                self.offers.retain(|_, offer| offer.to != of);
                self.forget(&of);
            }
            _ => {}
        }
    }

    fn forget(&mut self, of: &PersonByChannel) {
        let Some(account) = self.accounts.remove(of) else { return };
        let (channel, person) = of;
        let key = (channel.clone(), account);
        if self.people.get(&key) == Some(person) {
            self.people.remove(&key);
        }
    }
}

/// For whom an account is sealed.
pub(super) fn whose((channel, person): &PersonByChannel) -> String {
    format!("{channel}\u{1f}{person}")
}
