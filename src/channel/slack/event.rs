//! What a Slack user did, whichever way Slack told us.

use std::collections::BTreeMap;

/// An action of a Slack user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackInbound {
    /// One of our buttons was pressed.
    Press(ButtonPress),
    /// One of our forms was sent.
    Form(SentForm),
    /// A slash command was typed.
    Command(SlashCommand),
    /// Something that only needs an acknowledgement: another app's button, an event, a probe of the address.
    Other,
}

/// A press of one of our buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonPress {
    /// Who pressed it: a Slack user id.
    pub user: String,
    /// Whether the payload says that a bot pressed it.
    pub is_bot: bool,
    /// The answer's word: `wilco`, `roger`, `standby`, `unable`.
    pub action: String,
    /// The button's value: `PAGE:CODE`, or `INCIDENT:room`.
    pub value: String,
    /// The URL to which a private response can be sent for 30 minutes.
    pub response_url: Option<String>,
    /// What lets us show this user something, once and within three seconds.
    pub trigger_id: Option<String>,
    /// The timestamp (id) of the button's message.
    pub message_ts: Option<String>,
    /// The Slack channel of that message.
    pub channel: Option<String>,
}

/// A form of ours that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentForm {
    /// Who sent it: a Slack user id.
    pub user: String,
    /// Whether the payload says that a bot sent it.
    pub is_bot: bool,
    /// What the form held for us (`private_metadata`), not yet verified.
    pub metadata: String,
    /// What was typed, by the names of the fields.
    pub typed: BTreeMap<String, String>,
    /// What was repeated of the facts.
    pub repeated: Option<String>,
}

/// A slash command as Slack sends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlashCommand {
    /// Who typed it: a Slack user id.
    pub user: String,
    /// Whether the payload says that a bot typed it.
    pub is_bot: bool,
    /// The command's name in this workspace, with its slash.
    pub name: String,
    /// The text after the command.
    pub text: String,
    /// The URL to which a private response can be sent for 30 minutes.
    pub response_url: Option<String>,
    /// A unique id of this invocation.
    pub trigger_id: Option<String>,
    /// The name of the Slack channel in which it was typed.
    pub channel: Option<String>,
}
