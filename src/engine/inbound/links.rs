//! Accounts that people link themselves: the matrix says of a person that their account at a channel is `linked`, and the
//! person proves which one it is by a code that only they were handed. The matrix stays the authority: a link counts only
//! as long as it says so.
//!
//! Codes are random, are good once and for [`LINK_LIFE`], and stand in the journal as hashes; accounts stand there sealed
//! under the server key.

use super::{
    InboundResponses,
    link_register::{LinkRegister, PersonByChannel, whose},
};
use crate::{
    channel::{Recipient, contact::ContactField},
    core::{Actor, ChannelName, PersonName, SourceEvent, Timestamp, event::hex, names::SELF},
    engine::RuntimeConfig,
    store::StoreError,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::MutexGuard, time::Duration};

/// How long a code to link an account can be used.
pub const LINK_LIFE: Duration = Duration::from_secs(60 * 60);

/// A code that was handed out.
#[derive(Debug)]
pub struct OfferedLink {
    /// The code.
    pub code: SecretString,
    /// Until when it can be used.
    pub until: Timestamp,
}

/// Why nothing was linked or handed out.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The matrix does not want it.
    #[error("{0}")]
    NotWanted(String),
    /// No such code was handed out for this channel, or it was used, replaced or revoked, or its time is over.
    #[error("this code is not known, was used, or is too old")]
    UnknownCode,
    /// The account can not be sealed.
    #[error("this account is too long to be kept")]
    TooLong,
    /// The store can not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RuntimeConfig {
    /// The field of this person whose value they link themselves at this channel; none where the matrix does not say so.
    pub fn links(&self, channel: &ChannelName, person: &PersonName) -> Option<ContactField> {
        let field = self.matrix.channel(channel)?.needs()?;
        let given = self.matrix.people.get(person)?.contact(field)?;
        (field.spec().linked == Some(given)).then_some(field)
    }
}

impl InboundResponses {
    /// Makes a code by which this person can link their account at a channel. It replaces the one before it.
    ///
    /// # Errors
    ///
    /// [`LinkError`] when the matrix does not say that they link it, or the store can not keep it.
    pub async fn offer_link(
        &self,
        channel: &ChannelName,
        person: &PersonName,
        by: Actor,
    ) -> Result<OfferedLink, LinkError> {
        self.wanted(channel, person)?;
        let code = SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()));
        let until = self.context.store.now() + LINK_LIFE;
        let (channel, person, hash) = (channel.clone(), person.clone(), hashed(code.expose_secret()));
        let event = SourceEvent::LinkOffered { channel, person, code: hash, until, by };
        self.context.note(event.clone()).await?;
        self.link_register().apply(&event, &self.context.keys);
        Ok(OfferedLink { code, until })
    }

    /// Links an account to the person to whom this code was handed out; says to whom.
    ///
    /// # Errors
    ///
    /// [`LinkError`]: the code is good no more once it was used.
    pub async fn link(&self, channel: &ChannelName, code: &str, account: &str) -> Result<PersonName, LinkError> {
        let hash = hashed(code);
        let offer = self.link_register().take(&hash).ok_or(LinkError::UnknownCode)?;
        let (to, person) = &offer.to;
        if to != channel || offer.until <= self.context.store.now() {
            // By another channel nothing is learned about it, and it stays good by its own.
            if to != channel {
                self.link_register().give_back(hash, offer);
            }
            return Err(LinkError::UnknownCode);
        }
        self.wanted(channel, person)?;
        let (channel, person) = offer.to.clone();
        let sealed = self.context.keys.seal(&whose(&offer.to), &hash, account).ok_or(LinkError::TooLong)?;
        let event = SourceEvent::Linked { channel, person: person.clone(), code: hash.clone(), account: sealed };
        if let Err(error) = self.context.note(event.clone()).await {
            self.link_register().give_back(hash, offer);
            return Err(error.into());
        }
        self.link_register().apply(&event, &self.context.keys);
        Ok(person)
    }

    /// Forgets which account a person linked, and the code that was handed out to them; whether there was either.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be kept; then they are still linked.
    pub async fn unlink(&self, channel: &ChannelName, person: &PersonName, by: Actor) -> Result<bool, StoreError> {
        let of = (channel.clone(), person.clone());
        if !self.link_register().has(&of) {
            return Ok(false);
        }
        let event = SourceEvent::Unlinked { channel: of.0, person: of.1, by };
        self.context.note(event.clone()).await?;
        self.link_register().apply(&event, &self.context.keys);
        Ok(true)
    }

    /// Forgets the accounts of people who do not link them any more by the matrix, so that the next person with that
    /// name does not get their account.
    pub async fn drop_unwanted_links(&self) {
        let config = self.context.config.load_full();
        let all: Vec<PersonByChannel> = self.link_register().linked().cloned().collect();
        // A channel that is not there now may come back.
        let is_gone = |(channel, person): &&PersonByChannel| {
            config.matrix.channel(channel).is_some() && config.links(channel, person).is_none()
                || !config.matrix.people.contains_key(person)
        };
        for (channel, person) in all.iter().filter(is_gone) {
            match self.unlink(channel, person, Actor::Source(SELF.into())).await {
                Ok(_) => tracing::info!(person = %person, channel = %channel, "the matrix does not link them any more"),
                Err(error) => tracing::error!(%error, person = %person, "an account could not be unlinked"),
            }
        }
    }

    /// The person who linked this account at a channel.
    pub fn linked_person(&self, channel: &ChannelName, account: &str) -> Option<PersonName> {
        let person = self.link_register().person(channel, account).cloned()?;
        self.context.config.load().links(channel, &person).map(|_| person)
    }

    /// Who is to link an account at which channel and has not: they can not be reached by it.
    pub fn unlinked(&self) -> BTreeSet<PersonByChannel> {
        let config = self.context.config.load();
        let register = self.link_register();
        let pairs = config.matrix.people.keys().flat_map(|person| {
            config.matrix.roster.channels(person).iter().map(move |channel| (channel.clone(), person.clone()))
        });
        pairs.filter(|of| config.links(&of.0, &of.1).is_some() && register.account(of).is_none()).collect()
    }

    /// The recipient with the account that they linked at this channel. The error says that they have not.
    pub(in crate::engine) fn with_account(
        &self,
        config: &RuntimeConfig,
        channel: &ChannelName,
        mut to: Recipient,
    ) -> Result<Recipient, String> {
        let Recipient::Person(contact) = &mut to else { return Ok(to) };
        let of = (channel.clone(), PersonName::from(contact.person.as_str()));
        let Some(field) = config.links(channel, &of.1) else { return Ok(to) };
        let account = self.link_register().account(&of).map(str::to_owned);
        let why = || format!("they have not linked their {} yet: stentor people link {}", field.spec().what, of.1);
        contact.contacts.insert(field, account.ok_or_else(why)?);
        Ok(to)
    }

    fn wanted(&self, channel: &ChannelName, person: &PersonName) -> Result<ContactField, LinkError> {
        let config = self.context.config.load();
        let refused = |why: String| Err(LinkError::NotWanted(why));
        let Some(settings) = config.matrix.channel(channel) else {
            return refused(format!("the matrix has no channel {channel:?}"));
        };
        if !config.matrix.people.contains_key(person) {
            return refused(format!("the matrix knows no person {person:?}"));
        }
        let Some((field, word)) = settings.needs().and_then(|field| Some((field, field.spec().linked?))) else {
            return refused(format!("nobody links anything at a channel of kind {}", settings.kind()));
        };
        config
            .links(channel, person)
            .map_or_else(|| refused(format!("write {} = {word:?} for {person} in the matrix first", field.key())), Ok)
    }

    pub(super) fn link_register(&self) -> MutexGuard<'_, LinkRegister> {
        self.links.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A code is as long as a key, so that its plain hash gives nothing away.
fn hashed(code: &str) -> String {
    hex(&Sha256::digest(code.as_bytes()))
}
