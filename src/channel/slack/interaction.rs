//! A button pressed in Slack: is it Slack that says so, and what was pressed. Pure; the door's HTTP is elsewhere.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

/// How far Slack's clock and ours may be apart, in seconds: older requests may be replays.
const WINDOW_S: u64 = 300;

/// What every button's `action_id` begins with.
const ACTION: &str = "answer:";

/// Why a request is not taken for Slack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signing secret to check with.
    #[error("no Slack signing secret is set")]
    NoSecret,
    /// A header is absent or not text.
    #[error("the request is not signed")]
    Unsigned,
    /// A header is not in Slack's form.
    #[error("the signature is malformed")]
    Malformed,
    /// Signed too long ago, or in the future.
    #[error("the signature is more than five minutes off: a replay, or a wrong clock")]
    Stale,
    /// Not signed with our secret.
    #[error("the signature does not fit")]
    Wrong,
}

/// Why a payload is no press of one of our buttons.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The form has no `payload`, or is no form.
    #[error("the form has no payload")]
    NoPayload,
    /// The payload is not what Slack documents.
    #[error("the payload can not be read")]
    Payload(#[source] serde_json::Error),
    /// Something else was done than a button of ours pressed: to be acknowledged and left.
    #[error("no button of ours was pressed")]
    NotOurs,
}

/// A button of ours, pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// Who pressed it: a Slack user id.
    pub user: String,
    /// The answer's word: `wilco`, `roger`, `standby`, `unable`.
    pub action: String,
    /// What the button holds: `PAGE:CODE`, or `INCIDENT:room`.
    pub value: String,
    /// Where to answer only the presser, for half an hour.
    pub response_url: Option<String>,
    /// The message that the button belongs to.
    pub message_ts: Option<String>,
    /// Where that message is.
    pub channel: Option<String>,
}

/// Checks Slack's signature (v0) over the raw body. Give the headers `X-Slack-Request-Timestamp` and
/// `X-Slack-Signature` as they came, none where one is absent, not text or there more than once.
///
/// # Errors
///
/// [`SignatureError`]; then nothing of the body may be believed.
pub fn verify(
    secret: &SecretString,
    timestamp_header: Option<&str>,
    signature_header: Option<&str>,
    body: &[u8],
    now_unix: i64,
) -> Result<(), SignatureError> {
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let (Some(timestamp), Some(signature)) = (timestamp_header, signature_header) else {
        return Err(SignatureError::Unsigned);
    };
    let signed_at: i64 = timestamp.parse().map_err(|_| SignatureError::Malformed)?;
    if WINDOW_S < now_unix.abs_diff(signed_at) {
        return Err(SignatureError::Stale);
    }
    let signature = signature.strip_prefix("v0=").and_then(from_hex).ok_or(SignatureError::Malformed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::NoSecret)?;
    for part in [b"v0:", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac.verify_slice(&signature).map_err(|_| SignatureError::Wrong)
}

/// Reads a verified interaction: the form's one field `payload`. Unknown fields and kinds of blocks are passed over.
///
/// # Errors
///
/// [`PressError`]; with `NotOurs` the request is fine and wants an acknowledgement.
pub fn parse(body: &[u8]) -> Result<Press, PressError> {
    let payload = payload(body).ok_or(PressError::NoPayload)?;
    let payload: Payload = serde_json::from_str(&payload).map_err(PressError::Payload)?;
    let ours = |action: &Action| action.action_id.starts_with(ACTION);
    let action = payload.actions.into_iter().find(ours).ok_or(PressError::NotOurs)?;
    if payload.kind != "block_actions" {
        return Err(PressError::NotOurs);
    }
    let container = payload.container.unwrap_or_default();
    Ok(Press {
        user: payload.user.id,
        action: action.action_id[ACTION.len()..].to_owned(),
        value: action.value.unwrap_or_default(),
        response_url: payload.response_url,
        message_ts: container.message_ts.or(payload.message.and_then(|message| message.ts)),
        channel: payload.channel.and_then(|channel| channel.id).or(container.channel_id),
    })
}

/// Only what is needed: of the rest, Slack has sent `null` and kinds that no library knew.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    user: User,
    #[serde(default, deserialize_with = "or_empty")]
    actions: Vec<Action>,
    response_url: Option<String>,
    container: Option<Container>,
    channel: Option<Place>,
    message: Option<Origin>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
}

#[derive(Deserialize, Default)]
struct Container {
    message_ts: Option<String>,
    channel_id: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Origin {
    ts: Option<String>,
}

fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The URL parser reads forms as browsers write them.
fn payload(body: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(body).ok()?;
    let mut url = reqwest::Url::parse("form:").ok()?;
    url.set_query(Some(form));
    url.query_pairs().find(|(key, _)| key == "payload").map(|(_, value)| value.into_owned())
}

/// Exactly 32 bytes in lower case: Slack writes nothing else.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
