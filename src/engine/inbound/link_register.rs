//! The register of linked accounts, folded from Stentor's own journal chain: codes that were handed out, and accounts that
//! people linked by them. No code and no account stands in it in the clear.

use crate::core::{ChannelName, PersonName, SourceEvent, Timestamp};
use std::collections::BTreeMap;

/// A person by one channel.
pub(super) type PersonByChannel = (ChannelName, PersonName);

/// A code that was handed out and not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinkOffer {
    pub to: PersonByChannel,
    pub until: Timestamp,
}

/// An account that a person linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountLink {
    /// The hash of the code by which it was linked.
    pub code: String,
    /// The account, sealed under the server key.
    pub account: String,
}

/// All codes and links that are in force.
#[derive(Debug, Default)]
pub(super) struct LinkRegister {
    offers: BTreeMap<String, LinkOffer>,
    links: BTreeMap<PersonByChannel, AccountLink>,
}

impl LinkRegister {
    /// The account that a person linked.
    pub fn link(&self, of: &PersonByChannel) -> Option<&AccountLink> {
        self.links.get(of)
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = (&PersonByChannel, &AccountLink)> {
        self.links.iter()
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
        self.links.contains_key(of) || self.offers.values().any(|offer| offer.to == *of)
    }

    /// Applies a journaled event. A new code replaces the one before it.
    pub fn apply(&mut self, event: &SourceEvent) {
        match event {
            SourceEvent::LinkOffered { channel, person, code, until, .. } => {
                let to = (channel.clone(), person.clone());
                self.offers.retain(|_, offer| offer.to != to);
                self.offers.insert(code.clone(), LinkOffer { to, until: *until });
            }
            SourceEvent::Linked { channel, person, code, account } => {
                self.offers.remove(code);
                let link = AccountLink { code: code.clone(), account: account.clone() };
                self.links.insert((channel.clone(), person.clone()), link);
            }
            SourceEvent::Unlinked { channel, person, .. } => {
                let of = (channel.clone(), person.clone());
                self.offers.retain(|_, offer| offer.to != of);
                self.links.remove(&of);
            }
            _ => {}
        }
    }
}
