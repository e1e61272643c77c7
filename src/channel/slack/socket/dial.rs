//! Opens one link: asks Slack for an address, connects to it, and waits for hello.

use super::{
    link::{CloseReason, SocketConnection, worded},
    listener::{SocketListener, SocketTiming},
};
use crate::channel::{
    SettingError, is_loopback,
    provider_connection::ConnectionSettings,
    retry_after,
    slack::{
        refusal::{self, code_only},
        web::{API_URL, check_url},
    },
};
use reqwest::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, connect_async_with_config, tungstenite::protocol::WebSocketConfig};

/// The largest message that is read, in bytes: a button's payload contains its whole message.
const MESSAGE_MAX: usize = 1024 * 1024;

/// The largest response to `apps.connections.open` that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// The wait if the app has too many links: others must end first.
const CROWDED: Duration = Duration::from_secs(30);

/// Errors of `apps.connections.open` that need a person to repair them, beside those of every call.
const LASTING: [&str; 4] = ["user_removed_from_team", "team_disabled", "forbidden_team", "missing_args"];

/// A link over TCP, with TLS or, on this machine, without.
pub(super) type SocketStream = SocketConnection<MaybeTlsStream<TcpStream>>;

/// Why there is no link.
#[derive(Debug)]
pub(super) struct DialFailure {
    /// The reason, without secrets.
    pub why: String,
    /// Whether a person must repair it.
    pub is_lasting: bool,
    /// Whether Socket Mode is disabled.
    pub is_switched_off: bool,
    /// The wait that Slack asked for.
    pub after: Option<Duration>,
}

/// Opens links.
pub(super) struct SocketDialer {
    client: reqwest::Client,
    url: String,
    token: SecretString,
    timing: SocketTiming,
}

/// Slack's response.
#[derive(Deserialize)]
struct OpenResponse {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

impl SocketDialer {
    pub(super) fn new(settings: &ConnectionSettings, timing: SocketTiming) -> Result<Self, SettingError> {
        let api_url = settings.api_url.as_deref().unwrap_or(API_URL).trim_end_matches('/');
        check_url(api_url)?;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let wrong = |error: reqwest::Error| SettingError::Wrong { key: "url", why: error.to_string() };
        let url = format!("{api_url}/apps.connections.open");
        Ok(Self { client: client.map_err(wrong)?, url, token: settings.secret.clone(), timing })
    }

    pub(super) async fn dial(&self, listener: Arc<dyn SocketListener>) -> Result<SocketStream, DialFailure> {
        match timeout(self.timing.open, self.open(listener)).await {
            Ok(result) => result,
            Err(_) => Err(DialFailure::of(format!("no hello came within {:?}", self.timing.open))),
        }
    }

    /// Asks for an address without using it.
    pub(super) async fn ask(&self) -> Result<(), DialFailure> {
        match timeout(self.timing.open, self.address()).await {
            Ok(address) => address.map(drop),
            Err(_) => Err(DialFailure::of(format!("Slack does not answer within {:?}", self.timing.open))),
        }
    }

    async fn open(&self, listener: Arc<dyn SocketListener>) -> Result<SocketStream, DialFailure> {
        let address = self.address().await?;
        let mut limits = WebSocketConfig::default();
        (limits.max_message_size, limits.max_frame_size) = (Some(MESSAGE_MAX), Some(MESSAGE_MAX));
        let opened = connect_async_with_config(address.expose_secret(), Some(limits), true).await;
        let (stream, _) =
            opened.map_err(|error| DialFailure::of(format!("the WebSocket can not be opened: {}", worded(&error))))?;
        let mut link = SocketConnection::new(stream, listener, self.timing);
        match link.greet().await {
            Ok(()) => Ok(link),
            Err(CloseReason::Disabled) => {
                Err(DialFailure { is_switched_off: true, ..DialFailure::of(CloseReason::Disabled.to_string()) })
            }
            Err(CloseReason::Crowded) => {
                Err(DialFailure { after: Some(CROWDED), ..DialFailure::of(CloseReason::Crowded.to_string()) })
            }
            Err(parting) => Err(DialFailure::of(format!("instead of a hello: {parting}"))),
        }
    }

    /// A new link's address; it can be used once, and is a secret like a password.
    async fn address(&self) -> Result<SecretString, DialFailure> {
        let call = self.client.post(&self.url).bearer_auth(self.token.expose_secret());
        let call = call.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer =
            call.send().await.map_err(|error| DialFailure::of(format!("Slack does not answer: {}", plain(error))))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(DialFailure::throttled(answer.headers()));
        }
        let bytes = bounded(answer).await?;
        let Ok(answer) = serde_json::from_slice::<OpenResponse>(&bytes) else {
            return Err(DialFailure::of(format!("Slack's answer can not be read (HTTP status {})", status.as_u16())));
        };
        match (answer.ok, answer.url) {
            (true, Some(url)) if is_safe(&url) => Ok(SecretString::from(url)),
            (true, _) => Err(DialFailure::of("Slack gave no address that begins with wss://")),
            (false, _) => Err(DialFailure::refused(&answer.error.unwrap_or_default())),
        }
    }
}

impl DialFailure {
    fn of(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_lasting: false, is_switched_off: false, after: None }
    }

    fn refused(code: &str) -> Self {
        let code = code_only(code);
        let is_lasting = LASTING.contains(&code.as_str()) || refusal::is_broken(&code);
        let why = format!("Slack: {code}: check the app_token (scope connections:write)");
        Self { is_lasting, ..Self::of(if is_lasting { why } else { format!("Slack: {code}") }) }
    }

    fn throttled(headers: &header::HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let after = text(header::RETRY_AFTER).and_then(|after| retry_after::parse(after, text(header::DATE)));
        Self { after, ..Self::of("Slack: too many calls") }
    }
}

/// Whether the URL is encrypted, or on this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "wss" && !host.is_empty() || url.scheme() == "ws" && is_loopback(host)
}

async fn bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, DialFailure> {
    let mut bytes = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        match chunk.map_err(|error| DialFailure::of(format!("Slack's answer broke off: {}", plain(error))))? {
            Some(chunk) if bytes.len() + chunk.len() <= ANSWER_MAX => bytes.extend_from_slice(&chunk),
            Some(_) => return Err(DialFailure::of("Slack's answer is too long")),
            None => return Ok(bytes),
        }
    }
}

/// The innermost cause, which is the informative one and contains no address.
fn plain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
