//! How a human is reached: one file a channel, one small trait. Retry, pacing, recording and failing over are outside.

use crate::core::{Answer, Level, PageId, PersonName, Purpose, Receipt, RoleName};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use std::time::Duration;

/// A way to reach humans.
pub trait Channel: Send + Sync + 'static {
    /// Sends one message, once. The caller bounds the time: when the future is dropped, the outcome is unknown.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>>;
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
    /// This person can not be reached by this way.
    #[error("{why}")]
    Unreachable {
        /// The trouble, without secrets.
        why: String,
    },
    /// This channel reaches nobody: credentials, scope, account.
    #[error("{why}")]
    Broken {
        /// The trouble, without secrets.
        why: String,
    },
}

/// One message, ready to go.
#[derive(Debug, Clone)]
pub struct Message {
    /// The page; also what makes ids stable over attempts.
    pub page: PageId,
    /// An exercise: everything that shows it must say DRILL.
    pub drill: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// The role it is about.
    pub role: Option<RoleName>,
    /// Who or where.
    pub to: Recipient,
    /// What to show.
    pub text: Text,
    /// How it can be answered; none for what only tells.
    pub ask: Option<Ask>,
}

/// Who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A responder, with their contact data.
    Person(Contact),
    /// The incident's war room.
    Room {
        /// Its id, once it is made.
        id: Option<String>,
        /// What to call it when it is made: lower case, digits and hyphens.
        name: String,
        /// Only for those invited.
        private: bool,
        /// Slack ids of the people on call, to be invited.
        invite: Vec<String>,
    },
}

/// A responder's contact data. Never journaled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Their name in the matrix.
    pub person: String,
    /// How humans call them.
    pub name: String,
    /// E.164.
    pub phone: Option<String>,
    /// Mailbox.
    pub email: Option<String>,
    /// Slack user id.
    pub slack: Option<String>,
}

/// The rendered text, with codes and links filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
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
pub struct Ask {
    /// The code to reply with.
    pub code: SecretString,
    /// The link to the confirm page.
    pub link: SecretString,
    /// What the role demands.
    pub level: Level,
}

impl Ask {
    /// The answers to offer as buttons, the wanted one first.
    pub fn offers(&self) -> Vec<Answer> {
        let standby = Answer::Standby { span: crate::core::answer::STANDBY_DEFAULT };
        match self.level {
            Level::Wilco => vec![Answer::Wilco, Answer::Roger, standby, Answer::Unable],
            Level::Roger => vec![Answer::Roger, Answer::Wilco, standby, Answer::Unable],
        }
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
