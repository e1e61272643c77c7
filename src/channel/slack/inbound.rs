//! What Slack sends, by HTTP or over a socket: presses of buttons, forms, and commands.

use super::{
    event::{SlackInbound, SlashCommand},
    interaction::{self, PressError},
    signature,
};
use crate::channel::{
    charset,
    inbound::{HookAddress, InboundRefusal, RequestHead, single_header},
};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use slack_morphism::{SlackMessageContent, SlackMessageResponseType, events::SlackCommandEventResponse};

/// The largest unsigned probe that is read, in bytes.
const PROBE_MAX: usize = 1024;

/// The result of an action in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundResult {
    /// Whether to acknowledge it to Slack: true if the action is durable, or has no effect for a reason that `text`
    /// gives. False if the store failed: then Slack shows the user that the action failed.
    pub kept: bool,
    /// A private response to the user, in Slack's markup; empty for none.
    pub text: String,
    /// The URL to which a private response can be sent later.
    pub response_url: Option<String>,
    /// What becomes of the modal, for a form that was sent: part of the acknowledgement.
    pub modal: Option<Value>,
}

/// A private response for a response URL. It does not replace the message of the button.
#[derive(Debug, Serialize)]
pub struct EphemeralReply {
    #[serde(flatten)]
    word: SlackCommandEventResponse,
    replace_original: bool,
}

/// Why a body is not a valid request of Slack.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The body has neither field, or is not a form.
    #[error("the form has no payload and no command")]
    Empty,
    /// The payload of a button or a form is not valid.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The command has no user.
    #[error("the command names no user")]
    NoUser,
    /// The payload of a command is not what Slack documents.
    #[error("the command's payload can not be read")]
    Command(#[source] serde_json::Error),
}

impl InboundResult {
    /// A result without a response text.
    pub fn silent() -> Self {
        Self { kept: true, text: String::new(), response_url: None, modal: None }
    }
}

impl EphemeralReply {
    /// A result with this response text.
    pub fn of(text: &str) -> Self {
        Self { word: ephemeral(text), replace_original: false }
    }
}

/// The largest body of a request whose head claims a fresh signature, in bytes. A press comes with its whole message.
const SIGNED_MAX: usize = 256 * 1024;

/// The largest body that is read: of what is not signed, or is a replay, a probe's.
pub(super) fn body_max(head: &RequestHead<'_>) -> usize {
    let stamp = single_header(head.headers, "x-slack-request-timestamp");
    let signature = single_header(head.headers, "x-slack-signature");
    if signature::claimed(stamp, signature, head.now_unix).is_ok() { SIGNED_MAX } else { PROBE_MAX }
}

/// Checks the head of the request.
pub(super) fn admit(head: &RequestHead<'_>) -> Result<(), InboundRefusal> {
    match (head.at, head.method) {
        (HookAddress::Report, _) => Err(InboundRefusal::NotFound("Slack reports nothing".to_owned())),
        (HookAddress::Inbox, &Method::GET | &Method::HEAD) => Ok(()),
        (HookAddress::Inbox, &Method::POST) => signed_or_short(head),
        (HookAddress::Inbox, _) => Err(InboundRefusal::Method),
    }
}

/// What claims no fresh signature may be a probe, and is no longer than one.
fn signed_or_short(head: &RequestHead<'_>) -> Result<(), InboundRefusal> {
    let stamp = single_header(head.headers, "x-slack-request-timestamp");
    let signature = single_header(head.headers, "x-slack-signature");
    let Err(error) = signature::claimed(stamp, signature, head.now_unix) else { return Ok(()) };
    let length = single_header(head.headers, "content-length").and_then(|length| length.parse().ok());
    if length.is_none_or(|length: usize| length <= PROBE_MAX) {
        return Ok(());
    }
    Err(InboundRefusal::Unauthorized(error.to_string()))
}

/// Reads the request. With GET, Slack only checks that the address exists and has a certificate that it trusts.
pub(super) fn receive(head: &RequestHead<'_>, body: &[u8]) -> Result<SlackInbound, InboundRefusal> {
    if *head.method != Method::POST {
        return Ok(SlackInbound::Other);
    }
    let stamp = single_header(head.headers, "x-slack-request-timestamp");
    let signature = single_header(head.headers, "x-slack-signature");
    if let Err(error) = signature::verify_any(head.secrets, stamp, signature, body, head.now_unix) {
        // A probe has no content, so anybody may get a response.
        let is_probe = body.len() <= PROBE_MAX && is_probe(body);
        return if is_probe { Ok(SlackInbound::Other) } else { Err(InboundRefusal::Unauthorized(error.to_string())) };
    }
    of_form(body).map_err(|error| InboundRefusal::Bad(error.to_string()))
}

/// Parses a verified body: the field `payload` of a button or a modal, or the fields of a command.
///
/// # Errors
///
/// [`InboundError`] if it is not what Slack documents.
pub fn of_form(body: &[u8]) -> Result<SlackInbound, InboundError> {
    std::str::from_utf8(body).map_err(|_| InboundError::Empty)?;
    let field = |name: &str| charset::field(body, name).map(|value| String::from_utf8_lossy(&value).into_owned());
    if let Some(payload) = field("payload") {
        return interaction(&payload);
    }
    if field("ssl_check").as_deref() == Some("1") {
        return Ok(SlackInbound::Other);
    }
    field("command").ok_or(InboundError::Empty)?;
    SlashCommand::of(field).map(SlackInbound::Command).ok_or(InboundError::NoUser)
}

/// Parses the payload of a socket envelope of this type.
///
/// # Errors
///
/// [`InboundError`] if it is not what Slack documents.
pub fn of_envelope(kind: &str, payload: Option<&RawValue>) -> Result<SlackInbound, InboundError> {
    let payload = payload.map_or("null", RawValue::get);
    match kind {
        "interactive" => interaction(payload),
        "slash_commands" => {
            let fields: Value = serde_json::from_str(payload).map_err(InboundError::Command)?;
            let command = SlashCommand::of(|name| fields[name].as_str().map(str::to_owned));
            command.map(SlackInbound::Command).ok_or(InboundError::NoUser)
        }
        _ => Ok(SlackInbound::Other),
    }
}

/// Whether a body, signed or not, is Slack's probe of a command's address. It has no content, so anybody may get a
/// response.
pub fn is_probe(body: &[u8]) -> bool {
    let has = |name: &str| charset::field(body, name).is_some();
    charset::field(body, "ssl_check").is_some_and(|value| value == b"1") && !has("payload") && !has("command")
}

fn interaction(payload: &str) -> Result<SlackInbound, InboundError> {
    match interaction::parse(payload) {
        Ok(ours) => Ok(ours),
        Err(PressError::NotOurs) => Ok(SlackInbound::Other),
        Err(error) => Err(error.into()),
    }
}

/// A private response to a user, in Slack's format.
pub fn ephemeral(text: &str) -> SlackCommandEventResponse {
    SlackCommandEventResponse::new(SlackMessageContent::new().with_text(text.to_owned()))
        .with_response_type(SlackMessageResponseType::Ephemeral)
}
