//! How people are reached: one folder for each channel, and one small trait. Retry, rate limits, recording and failover
//! are outside.

mod certificate;
pub mod charset;
pub mod chat;
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
pub mod option_button;
pub mod outbox;
pub(crate) mod program;
pub mod provider_connection;
mod request_notice;
pub mod retry_after;
pub mod room_name;
pub mod settings;
pub mod slack;
pub mod smtp;
pub mod telegram;
pub mod twilio;
pub mod voice;
pub mod webhook;

pub use self::request_notice::RequestNotice;

use self::{
    chat::ChatForm,
    contact::{ContactField, ContactValues},
    option_button::OptionButton,
};
use crate::core::{AnswerLevel, PageId, PagePurpose, PersonName, RoleName, SendReceipt, Timestamp};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, net::IpAddr, time::Duration};

/// A way to reach humans.
pub trait Channel: Send + Sync + 'static {
    /// Sends one message, once. The caller sets the timeout: if the future is dropped, the outcome is unknown.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>>;

    /// Checks whether it would reach people, without paging anybody: credentials, permissions, the provider's clock.
    /// The caller sets the timeout.
    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// The address by which a person hands in this code, so that their account is linked; none where nobody links
    /// anything here, or the provider can not be asked.
    fn link_address<'a>(&'a self, _code: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Shows a form to the user who has just pressed a button for it, where the chat can. The caller sets the timeout.
    ///
    /// # Errors
    ///
    /// Why it is not shown, without secrets.
    fn open_form<'a>(&'a self, _opening: &'a str, _form: &'a ChatForm) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(std::future::ready(Err(SendError::unreachable("this channel shows no forms"))))
    }

    /// Looks people up at the provider, without paging anybody: whether they exist, and under which id. Leaves out
    /// people whom it could not look up.
    fn check_people<'a>(&'a self, _people: &'a [ContactData]) -> BoxFuture<'a, Vec<PersonCheck>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// What a provider knows about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCheck {
    /// Their name in the matrix.
    pub person: String,
    /// Their id at the provider.
    pub id: Option<String>,
    /// Why they can not be reached by it, without secrets; `None` if they can.
    pub problem: Option<String>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCheck {
    /// What was checked: `login`, `scopes`, `clock`.
    pub what: &'static str,
    /// The outcome.
    pub outcome: CheckOutcome,
    /// Details without secrets; says what to do if the outcome is not fine.
    pub detail: String,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// Passed.
    Fine,
    /// It may become a problem, or could not be checked.
    Doubtful,
    /// The channel reaches nobody like this.
    Failed,
}

/// Why a channel could not deliver a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again later.
    #[error("{why}")]
    Retry {
        /// The wait that the provider asked for, if any.
        after: Option<Duration>,
        /// The reason, without secrets.
        why: String,
        /// Whether the request had left, so that the message may have been sent anyway.
        unknown: bool,
    },
    /// Nobody has the desk page open that would show it. That is not a fault of the channel.
    #[error("{why}")]
    DeskClosed {
        /// When to check again, if nobody opens it before.
        after: Duration,
        /// Whose desk page it is, in words.
        why: String,
    },
    /// This person can not be reached by this channel.
    #[error("{why}")]
    Unreachable {
        /// The reason, without secrets.
        why: String,
        /// Whether they have told the provider to stop, so that later messages will not arrive either.
        opted_out: bool,
    },
    /// This channel reaches nobody: credentials, scope, account.
    #[error("{why}")]
    Broken {
        /// The reason, without secrets.
        why: String,
    },
}

/// A channel's settings that can not be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A value that is not valid or not safe.
    #[error("{key}: {why}")]
    Wrong {
        /// The key of the setting.
        key: &'static str,
        /// What is wrong with it and what to write instead; without secrets.
        why: String,
    },
    /// A file that can not be read.
    #[error("{key}: can not read the file")]
    File {
        /// The key of the setting.
        key: &'static str,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
}

/// One message, ready to be sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// The page's id.
    pub page: PageId,
    /// Distinguishes its incident from another one with the same number after a backup was restored. It is part of
    /// every id that we send. Empty for incidents that an older version opened without a mark.
    pub mark: String,
    /// The same for the page's number, because a backup may be restored while the incident is open.
    pub page_mark: String,
    /// Whether it is a drill: then every display of it must say DRILL.
    pub drill: bool,
    /// Whether it was tried before, so that an earlier attempt may have done something.
    pub attempted: bool,
    /// What it is for.
    pub purpose: PagePurpose,
    /// The role it is about.
    pub role: Option<RoleName>,
    /// The recipient.
    pub to: Recipient,
    /// The text to show.
    pub text: MessageText,
    /// How it can be answered; for the message that its reader has a role, how to hand the role back. `None` for
    /// messages that only inform.
    pub ask: Option<ReplyOptions>,
    /// What a room needs beside the text; `None` for people.
    pub room: Option<RoomState>,
    /// The URL for delivery reports; `&name=value` can be appended to it.
    pub report: Option<SecretString>,
    /// The URL where people sign in to answer, for channels that others read too.
    pub desk: Option<String>,
    /// When the page was created.
    pub born_at: Timestamp,
    /// How long it is useful, if known: until its reader is paged again by the same channel.
    pub life: Option<Duration>,
    /// The request of its incident as it is now, for a notice about a request to the system that asked.
    pub request: Option<RequestNotice>,
}

/// The recipient of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A responder, with their contact data.
    Person(ContactData),
    /// The incident's war room.
    Room {
        /// Its id, once it is created.
        id: Option<String>,
        /// The id of its card, once it is posted.
        card: Option<String>,
        /// Its name when it is created: lower case, digits and hyphens.
        name: String,
        /// Whether only invited people can see it.
        private: bool,
        /// The people to invite.
        invite: Vec<ContactData>,
    },
}

/// What a room needs to know of its incident beside the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomState {
    /// Whether the incident is open, so that its card can be answered.
    pub open: bool,
    /// The purpose of the room.
    pub purpose: String,
    /// The runbook's URL: http or https.
    pub runbook: Option<String>,
    /// The options of a request that is open; empty for other incidents.
    pub options: Vec<OptionButton>,
    /// Whether a form is to be filled in, which no button can.
    pub fills_in: bool,
    /// Whether the one who approves may change the action.
    pub edits: bool,
    /// What must be repeated with an option, so that no button decides.
    pub repeats: Option<String>,
    /// The digest of what is asked, which a choice by the card names: the card may show an older question.
    pub digest: Option<String>,
}

/// A responder's contact data. Never journaled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactData {
    /// Their name in the matrix.
    pub person: String,
    /// Their display name.
    pub name: String,
    /// What is known of them, by field.
    pub contacts: ContactValues,
}

/// The rendered text, with codes and links filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageText {
    /// The first line: DRILL or LIVE, what happened, what to do, by when, what happens otherwise, how to answer.
    pub headline: String,
    /// The subject of a mail, the same during the whole incident.
    pub subject: String,
    /// The whole text, headline first, within the channel's limits.
    pub body: String,
    /// The whole text as HTML, for mail.
    pub html: Option<String>,
    /// The times in the text, for a channel that shows each reader their own.
    pub times: BTreeMap<String, Timestamp>,
}

/// How a page can be answered.
#[derive(Debug, Clone)]
pub struct ReplyOptions {
    /// The page that code and link belong to: the message itself, or the brief by which its reader took a role.
    pub page: PageId,
    /// The code to reply with.
    pub code: SecretString,
    /// The link to the confirm page.
    pub link: SecretString,
    /// The secret in a mail's message id: a reply or bounce that has it comes from where the page was sent.
    pub proof: SecretString,
    /// The answer that the role requires.
    pub level: AnswerLevel,
    /// The options of a request that is open; empty for other incidents.
    pub options: Vec<OptionButton>,
    /// Whether a form is to be filled in, which is done behind the link.
    pub fills_in: bool,
    /// Whether the one who approves may change the action, which is done behind the link, too.
    pub edits: bool,
    /// What must be repeated with an option, so that no button decides.
    pub repeats: Option<String>,
}

impl SendError {
    /// Try again later: the request has not left, or was refused.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into(), unknown: false }
    }

    /// The request had left, so that the message may have been sent anyway.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into(), unknown: true }
    }

    /// Rate limited, with the wait that the provider asked for, if any.
    pub fn throttled(after: Option<Duration>, why: impl Into<String>) -> Self {
        Self::Retry { after, why: why.into(), unknown: false }
    }

    /// This person can not be reached by this channel.
    pub fn unreachable(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into(), opted_out: false }
    }

    /// This person can not be reached by this channel until they opt in again.
    pub fn opted_out(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into(), opted_out: true }
    }

    /// This channel reaches nobody.
    pub fn broken(why: impl Into<String>) -> Self {
        Self::Broken { why: why.into() }
    }
}

impl Message {
    /// A unique id for other systems, `inc-12-3-5a5a5a5a5a5a5a5a`: the same for every attempt.
    pub fn id(&self) -> String {
        let number = self.page.to_string().to_lowercase().replace('.', "-");
        if self.page_mark.is_empty() { number } else { format!("{number}-{}", self.page_mark) }
    }

    /// The stamp: DRILL or LIVE.
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

    /// The whole text with its stamp; only the headline if the body is empty.
    pub fn whole_text(&self) -> Cow<'_, str> {
        self.stamped(if self.text.body.trim().is_empty() { &self.text.headline } else { &self.text.body })
    }
}

/// Whether a URL's host is this machine, so that plain text and no proxy are right.
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
    /// The person's name in the matrix, if the recipient is a person.
    pub fn person(&self) -> Option<PersonName> {
        match self {
            Self::Person(contact) => Some(PersonName::from(contact.person.as_str())),
            Self::Room { .. } => None,
        }
    }
}
