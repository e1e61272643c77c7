//! What Slack hands in, by HTTP or over a socket: the same two things, a button pressed or a command typed.

use super::{
    interaction::{self, PressError},
    signature,
};
use crate::channel::inbound::{
    HookAddress, Inbound, InboundRefusal, RequestHead, SlackInbound, SlashCommand, single_header,
};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use slack_morphism::{SlackMessageContent, SlackMessageResponseType, events::SlackCommandEventResponse};

/// The largest unsigned probe that is looked at, in bytes.
const PROBE_MAX: usize = 1024;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundResult {
    /// Whether Slack may be told that it came: what was said is durable, or comes to nothing for a reason that `text`
    /// gives. Not so where the store could not keep it: then the user sees in Slack itself that it failed.
    pub kept: bool,
    /// A private word to the one who did it, in Slack's markup; empty for none.
    pub text: String,
    /// Where that word may be sent afterwards.
    pub response_url: Option<String>,
}

/// A private word for a response URL. The message that its button belongs to stays.
#[derive(Debug, Serialize)]
pub struct EphemeralReply {
    #[serde(flatten)]
    word: SlackCommandEventResponse,
    replace_original: bool,
}

/// Why a body is nothing that Slack sends here.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The form has neither, or is no form.
    #[error("the form has no payload and no command")]
    Empty,
    /// A button's payload that can not be used.
    #[error(transparent)]
    Press(#[from] PressError),
    /// A command without its user.
    #[error("the command names no user")]
    NoUser,
    /// A command's payload that is not what Slack documents.
    #[error("the command's payload can not be read")]
    Command(#[source] serde_json::Error),
}

impl InboundResult {
    /// There is nothing to say about it.
    pub fn silent() -> Self {
        Self { kept: true, text: String::new(), response_url: None }
    }
}

impl EphemeralReply {
    /// Says this.
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

/// Whether the request may be read.
pub(super) fn admit(head: &RequestHead<'_>) -> Result<(), InboundRefusal> {
    match (head.at, head.method) {
        (HookAddress::Report, _) => Err(InboundRefusal::NotFound("Slack reports nothing".to_owned())),
        (HookAddress::Inbox, &Method::GET | &Method::HEAD) => Ok(()),
        (HookAddress::Inbox, &Method::POST) if head.secrets.is_empty() => {
            let channel = head.channel;
            let why = format!("no slack channel {channel:?} with a signing_secret is in the matrix");
            Err(InboundRefusal::NotFound(why))
        }
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
    tracing::warn!(%error, channel = head.channel, "a Slack request was refused before it was read");
    Err(InboundRefusal::Unauthorized(error.to_string()))
}

/// Reads it. By GET Slack only looks whether there is anything, with a certificate that it trusts.
pub(super) fn receive(head: &RequestHead<'_>, body: &[u8]) -> Result<Inbound, InboundRefusal> {
    if *head.method != Method::POST {
        return Ok(Inbound::Nothing);
    }
    let stamp = single_header(head.headers, "x-slack-request-timestamp");
    let signature = single_header(head.headers, "x-slack-signature");
    if let Err(error) = signature::verify_any(head.secrets, stamp, signature, body, head.now_unix) {
        tracing::warn!(%error, channel = head.channel, "a Slack request was refused");
        // A probe carries nothing and may be answered to anybody.
        let is_probe = body.len() <= PROBE_MAX && is_probe(body);
        return if is_probe { Ok(Inbound::Nothing) } else { Err(InboundRefusal::Unauthorized(error.to_string())) };
    }
    of_form(body).map(Inbound::Slack).map_err(|error| InboundRefusal::Bad(error.to_string()))
}

/// Reads a verified form: a button's one field `payload`, or a command's many.
///
/// # Errors
///
/// [`InboundError`], when it is not what Slack documents.
pub fn of_form(body: &[u8]) -> Result<SlackInbound, InboundError> {
    let fields = fields(body).ok_or(InboundError::Empty)?;
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if let Some(payload) = field("payload") {
        return press(&payload);
    }
    if field("ssl_check").as_deref() == Some("1") {
        return Ok(SlackInbound::Other);
    }
    field("command").ok_or(InboundError::Empty)?;
    SlashCommand::of(field).map(SlackInbound::Command).ok_or(InboundError::NoUser)
}

/// Reads the payload of a socket's envelope of this type.
///
/// # Errors
///
/// [`InboundError`], when it is not what Slack documents.
pub fn of_envelope(kind: &str, payload: Option<&RawValue>) -> Result<SlackInbound, InboundError> {
    let payload = payload.map_or("null", RawValue::get);
    match kind {
        "interactive" => press(payload),
        "slash_commands" => {
            let fields: Value = serde_json::from_str(payload).map_err(InboundError::Command)?;
            let command = SlashCommand::of(|name| fields[name].as_str().map(str::to_owned));
            command.map(SlackInbound::Command).ok_or(InboundError::NoUser)
        }
        _ => Ok(SlackInbound::Other),
    }
}

/// Whether a body, signed or not, is Slack's probe of a command's address. It carries nothing and may be answered to
/// anybody.
pub fn is_probe(body: &[u8]) -> bool {
    let fields = fields(body).unwrap_or_default();
    let is = |name: &str| fields.iter().any(|(key, value)| key == name && value == "1");
    is("ssl_check") && !fields.iter().any(|(key, _)| key == "payload" || key == "command")
}

fn press(payload: &str) -> Result<SlackInbound, InboundError> {
    match interaction::parse(payload) {
        Ok(press) => Ok(SlackInbound::Press(press)),
        Err(PressError::NotOurs) => Ok(SlackInbound::Other),
        Err(error) => Err(error.into()),
    }
}

/// The URL parser reads forms as browsers write them.
fn fields(body: &[u8]) -> Option<Vec<(String, String)>> {
    let form = std::str::from_utf8(body).ok()?;
    let mut url = reqwest::Url::parse("form:").ok()?;
    url.set_query(Some(form));
    Some(url.query_pairs().into_owned().collect())
}

/// A private word in Slack's form, for the one who did something.
pub fn ephemeral(text: &str) -> SlackCommandEventResponse {
    SlackCommandEventResponse::new(SlackMessageContent::new().with_text(text.to_owned()))
        .with_response_type(SlackMessageResponseType::Ephemeral)
}
