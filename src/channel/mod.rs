//! How a human is reached: one folder a channel, one small trait. Retry, pacing, recording and failing over are outside.

mod certificate;
pub mod charset;
mod check;
pub mod client;
pub mod contact;
pub mod desk;
pub mod desk_hub;
pub mod exec;
pub mod guard;
pub mod http;
pub mod inbound;
pub mod kannel;
pub(crate) mod keys;
pub mod kind;
pub mod kinds;
pub(crate) mod mailbox;
pub mod outbox;
pub mod retry_after;
pub mod room_name;
pub mod settings;
pub mod slack;
pub mod smtp;
pub mod socket_settings;
pub mod telegram;
pub mod twilio;
pub mod voice;
pub mod webhook;

use self::contact::{ContactField, ContactValues};
use crate::core::{AnswerLevel, PageId, PagePurpose, PersonName, RoleName, SendReceipt, Timestamp};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, net::IpAddr, time::Duration};

/// A way to reach humans.
pub trait Channel: Send + Sync + 'static {
    /// Sends one message, once. The caller bounds the time: when the future is dropped, the outcome is unknown.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>>;

    /// Looks whether it would reach people, without paging anybody: credentials, permissions, the provider's clock.
    /// The caller bounds the time.
    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// The address by which a person hands in this code, so that their account is linked; none where nobody links
    /// anything here, or the provider can not be asked.
    fn link_address<'a>(&'a self, _code: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Looks people up at the provider, without paging anybody: whether they are there, and under which id. Says
    /// nothing of those whom it could not look up.
    fn check_people<'a>(&'a self, _people: &'a [ContactData]) -> BoxFuture<'a, Vec<PersonCheck>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// What a provider knows of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCheck {
    /// Their name in the matrix.
    pub person: String,
    /// Their id at the provider.
    pub id: Option<String>,
    /// Why they can not be reached by it, where that is so; without secrets.
    pub trouble: Option<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCheck {
    /// What: `login`, `scopes`, `clock`.
    pub what: &'static str,
    /// How it is.
    pub outcome: CheckOutcome,
    /// In words, without secrets; what to do where it is not fine.
    pub detail: String,
}

/// How something that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// As it should be.
    Fine,
    /// It may become a trouble, or could not be told.
    Doubtful,
    /// Nobody is reached like this.
    Failed,
}

/// What a channel makes of a message it can not deliver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now.
    #[error("{why}")]
    Retry {
        /// The provider's wish, where it has one.
        after: Option<Duration>,
        /// The trouble, without secrets.
        why: String,
        /// The request had left: it may have been sent all the same.
        unknown: bool,
    },
    /// Nobody has open what would show it. That is no fault of the channel.
    #[error("{why}")]
    DeskClosed {
        /// How soon to look again, where nobody opens it before.
        after: Duration,
        /// Whose, in words.
        why: String,
    },
    /// This person can not be reached by this way.
    #[error("{why}")]
    Unreachable {
        /// The trouble, without secrets.
        why: String,
        /// They have told the provider to stop: no later message by this way arrives either.
        opted_out: bool,
    },
    /// This channel reaches nobody: credentials, scope, account.
    #[error("{why}")]
    Broken {
        /// The trouble, without secrets.
        why: String,
    },
}

/// A channel's settings that can not be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A value that makes no sense, or is not safe.
    #[error("{key}: {why}")]
    Wrong {
        /// The setting.
        key: &'static str,
        /// What is wrong with it and what to write instead; without secrets.
        why: String,
    },
    /// A file that can not be read.
    #[error("{key}: can not read the file")]
    File {
        /// The setting.
        key: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// One message, ready to go.
#[derive(Debug, Clone)]
pub struct Message {
    /// The page, as people call it.
    pub page: PageId,
    /// What tells its incident from another one of the same number, beyond a restored backup: it stands in every id that
    /// goes out. Empty for an incident of before there were marks.
    pub mark: String,
    /// The same beside the page's own number: a backup may be restored while its incident is open.
    pub page_mark: String,
    /// An exercise: everything that shows it must say DRILL.
    pub drill: bool,
    /// What it is for.
    pub purpose: PagePurpose,
    /// The role it is about.
    pub role: Option<RoleName>,
    /// Who or where.
    pub to: Recipient,
    /// What to show.
    pub text: MessageText,
    /// How it can be answered: what is asked, or for the word that its reader has a role, how to hand that back. None for
    /// what only tells.
    pub ask: Option<ReplyOptions>,
    /// What a room needs to know beside the text; none for people.
    pub room: Option<RoomState>,
    /// Where the provider may report what became of it; it ends so that `&name=value` can follow.
    pub report: Option<SecretString>,
    /// Where people sign in to answer: for what others read too.
    pub desk: Option<String>,
    /// When the page was born.
    pub born_at: Timestamp,
    /// How long it is of use, where that is known: until its reader is called again by the same way.
    pub life: Option<Duration>,
}

/// Who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A responder, with their contact data.
    Person(ContactData),
    /// The incident's war room.
    Room {
        /// Its id, once it is made.
        id: Option<String>,
        /// The id of its card there, once it is posted.
        card: Option<String>,
        /// What to call it when it is made: lower case, digits and hyphens.
        name: String,
        /// Only for those invited.
        private: bool,
        /// Whom to ask in.
        invite: Vec<ContactData>,
    },
}

/// What a room needs to know of its incident beside the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomState {
    /// Whether the incident is open: then its card can be answered.
    pub open: bool,
    /// What the room is for.
    pub purpose: String,
    /// Where the runbook is: http or https.
    pub runbook: Option<String>,
}

/// A responder's contact data. Never journaled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactData {
    /// Their name in the matrix.
    pub person: String,
    /// How humans call them.
    pub name: String,
    /// What is known of them, by field.
    pub contacts: ContactValues,
}

/// The rendered text, with codes and links filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageText {
    /// The first line: DRILL or LIVE, what, what is wanted, by when, what otherwise, how to answer.
    pub headline: String,
    /// A mail's subject: stable over an incident.
    pub subject: String,
    /// The whole text, headline first, within the channel's limits.
    pub body: String,
    /// The whole text for mail readers that show HTML.
    pub html: Option<String>,
}

/// How a page can be answered.
#[derive(Debug, Clone)]
pub struct ReplyOptions {
    /// Which page code and link belong to: the message's own, or the brief by which its reader took a role.
    pub page: PageId,
    /// The code to reply with.
    pub code: SecretString,
    /// The link to the confirm page.
    pub link: SecretString,
    /// What a mail's message id carries: a reply or a bounce that names it comes from where the page went.
    pub proof: SecretString,
    /// What the role demands.
    pub level: AnswerLevel,
}

impl SendError {
    /// The request has not left, or was refused: nobody was reached by it.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into(), unknown: false }
    }

    /// The request had left: it may have been sent all the same.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into(), unknown: true }
    }

    /// Refused for now, with the provider's wish where it has one.
    pub fn throttled(after: Option<Duration>, why: impl Into<String>) -> Self {
        Self::Retry { after, why: why.into(), unknown: false }
    }

    /// Not this person by this way.
    pub fn unreachable(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into(), opted_out: false }
    }

    /// Not this person by this way, until they opt in again.
    pub fn opted_out(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into(), opted_out: true }
    }

    /// Nobody by this way.
    pub fn broken(why: impl Into<String>) -> Self {
        Self::Broken { why: why.into() }
    }
}

impl Message {
    /// An id for other systems, `inc-12-3-5a5a5a5a5a5a5a5a`: the same at every attempt, and never that of another message.
    pub fn id(&self) -> String {
        let number = self.page.to_string().to_lowercase().replace('.', "-");
        if self.page_mark.is_empty() { number } else { format!("{number}-{}", self.page_mark) }
    }

    /// DRILL or LIVE.
    pub fn stamp(&self) -> &'static str {
        if self.drill { "DRILL" } else { "LIVE" }
    }

    /// `text` with the stamp as its first word. Templates put it there; this is for those that do not, so that no
    /// template can make a drill look real or the real thing look like a drill.
    pub fn stamped<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = text.trim_start();
        let first = text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        if first == Some(self.stamp()) { Cow::Borrowed(text) } else { Cow::Owned(format!("{} {text}", self.stamp())) }
    }

    /// The whole text with its stamp, the headline alone where the body is empty.
    pub fn whole_text(&self) -> Cow<'_, str> {
        self.stamped(if self.text.body.trim().is_empty() { &self.text.headline } else { &self.text.body })
    }
}

/// Whether a URL's host is this machine: there, plain text and no proxy are right.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

impl ContactData {
    /// One field, where it is known.
    pub fn get(&self, field: ContactField) -> Option<&str> {
        self.contacts.get(&field).map(String::as_str)
    }

    /// One field that a message can not go without.
    ///
    /// # Errors
    ///
    /// Unreachable where it is not known.
    pub fn demand(&self, field: ContactField) -> Result<&str, SendError> {
        self.get(field).ok_or_else(|| SendError::unreachable(format!("no {} is known", field.spec().what)))
    }
}

impl Recipient {
    /// The person's name in the matrix, where it is one.
    pub fn person(&self) -> Option<PersonName> {
        match self {
            Self::Person(contact) => Some(PersonName::from(contact.person.as_str())),
            Self::Room { .. } => None,
        }
    }
}
