//! What people do in a chat, the same for every kind: the kind's folder reads it into a [`ChatEvent`], a [`ChatHost`]
//! acts on it, and the folder shows the user what the host says.

use crate::core::{Answer, Form, IncidentId, RoleName, form_answer::FieldFault};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;

/// Something that a user of a chat did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatEvent {
    /// Their account, as the contacts of people name it.
    pub user: String,
    /// Whether the provider says that it is a bot's.
    pub is_bot: bool,
    /// The provider's id of the event, if the provider may hand it over again: then it is acted on once.
    pub id: Option<String>,
    /// The text as they wrote it; empty for a button.
    pub text: String,
    /// What they did.
    pub action: ChatAction,
    /// What the kind says to them.
    pub words: ChatWords,
}

/// What a user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatAction {
    /// A button of ours was pressed.
    Press {
        /// The answer's word: `wilco`, `roger`, `standby`, `unable`.
        answer: String,
        /// What the button belongs to.
        button: ChatButton,
    },
    /// They asked for the form of a request, to fill it in in the chat itself.
    OpenForm {
        /// What the button belongs to.
        button: ChatButton,
        /// What the provider gave for showing them something.
        opening: String,
    },
    /// They sent a form that was shown to them in the chat.
    FillIn(FilledForm),
    /// They wrote an answer in words.
    Text {
        /// The receipt of the message of ours that they reply to.
        about: Option<String>,
    },
    /// They asked for pages to come here, with the code of a link if they have one.
    Start {
        /// The code that links their account to a person.
        code: Option<String>,
    },
    /// They typed a command.
    Command(TypedCommand),
    /// They typed a command that this chat does not have: they are told which ones it has.
    Unknown,
    /// They are told these words, once; nothing else happens.
    Tell(String),
}

/// What a button belongs to, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatButton {
    /// A person's own page, with the code that proves it.
    Page {
        /// The page's id.
        page: String,
        /// Its code.
        code: String,
    },
    /// The card of a room, which everybody in it can press.
    Card {
        /// The incident's id.
        incident: String,
        /// The incident's mark; empty for an incident without one.
        mark: String,
    },
}

/// A form as it is shown to one user.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatForm {
    /// Whether it is a drill: then it must say DRILL.
    pub drill: bool,
    /// The incident that asks.
    pub incident: IncidentId,
    /// What stands over the fields: the question, or why it is shown again.
    pub about: String,
    /// What is to be filled in.
    pub form: Form,
    /// What stands in the fields already, by their names.
    pub typed: BTreeMap<String, String>,
    /// The button that it was opened by: the same proves what is sent.
    pub button: ChatButton,
    /// The digest of the question that it shows.
    pub digest: String,
    /// Whether it approves an action, as far as the fields change it.
    pub edits: bool,
    /// What must be repeated with it.
    pub repeats: Option<String>,
}

/// A form that a user sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledForm {
    /// The button that it was opened by, not yet verified.
    pub button: ChatButton,
    /// The digest of the question that it showed.
    pub digest: String,
    /// What was typed, by the names of the fields.
    pub typed: BTreeMap<String, String>,
    /// What was repeated of the facts.
    pub repeated: Option<String>,
}

/// A command and where it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedCommand {
    /// The word that it begins with: `/stentor`.
    pub name: String,
    /// A unique id of this use of it.
    pub id: Option<String>,
    /// The name of the room in which it was typed.
    pub place: Option<String>,
    /// What it asks for, or what to type instead.
    pub command: Result<ChatCommand, String>,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// Show how commands are used.
    Help,
    /// Show the status.
    Status,
    /// List the open incidents.
    List,
    /// Answer in the user's own name.
    Answer {
        /// The incident.
        incident: IncidentId,
        /// The answer.
        answer: Answer,
        /// Whether it was a no and nothing more.
        is_no: bool,
        /// The role, if it was given.
        role: Option<RoleName>,
    },
    /// Page a role manually.
    Page {
        /// The role.
        role: RoleName,
        /// The text of the page.
        words: String,
        /// Whether it is a drill. This is a separate word of the command, so that no text can turn a live page into a
        /// drill.
        drill: bool,
    },
    /// Resolve an incident.
    Resolve {
        /// The incident.
        incident: IncidentId,
        /// The reason, if it was given.
        reason: Option<String>,
    },
}

/// The kind's own words for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatWords {
    /// How this chat is used.
    pub help: String,
    /// For a user whom the matrix does not know; `None` if they get no answer.
    pub stranger: Option<String>,
}

/// Whether the provider may be told that an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatFate {
    /// It may: what was done is durable, or has no effect for a reason that the text gives.
    Kept,
    /// Nothing can be stored now: hand it over again until something can.
    NotNow,
    /// This one could not be stored, though others could.
    Unkept,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatResult {
    /// Whether the provider may be told that it came.
    pub fate: ChatFate,
    /// The text for the user; empty for none.
    pub text: String,
    /// What becomes of the form that they sent; `None` if it was no form, or is done with.
    pub form: Option<FormReply>,
}

/// What becomes of a form that was sent and is not done with.
#[derive(Debug, Clone, PartialEq)]
pub enum FormReply {
    /// These fields do not fit: nothing was taken.
    Faults(Vec<FieldFault>),
    /// It is shown again with what they typed, below the text.
    Again(Box<ChatForm>),
}

/// Acts on what people do in the chats of one channel.
pub trait ChatHost: Send + Sync {
    /// Acts on an event. When this returns [`ChatFate::Kept`], its effect is durable. An event with an id that is
    /// handed in again changes nothing.
    fn act(&self, event: ChatEvent) -> BoxFuture<'_, ChatResult>;

    /// Posts JSON, once, to an address that the provider gave for a text to one user. The caller has checked the
    /// address and sets the timeout.
    ///
    /// # Errors
    ///
    /// Why the provider did not accept it, without the address.
    fn post<'a>(&'a self, url: &'a str, json: String) -> BoxFuture<'a, Result<(), String>>;

    /// Whether a test has named this address as one that stands for a provider's.
    fn is_test_address(&self, url: &str) -> bool;
}

impl ChatResult {
    /// Kept, with this text.
    pub fn kept(text: impl Into<String>) -> Self {
        Self { fate: ChatFate::Kept, text: text.into(), form: None }
    }
}
