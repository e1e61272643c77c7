//! Requests from providers: bytes and headers are parsed into one value. Each channel's folder authenticates and parses
//! its own provider's requests; the engine then acts on the value.

use super::chat::ChatHost;
use crate::core::PageId;
use futures_util::future::BoxFuture;
use reqwest::{Method, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use subtle::ConstantTimeEq;

/// Which of a channel's two addresses a request was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookAddress {
    /// `/hooks/KIND/NAME`: people's answers.
    Inbox,
    /// `/hooks/KIND/NAME/report`: delivery reports.
    Report,
}

/// A provider's request without its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The address that it was sent to.
    pub at: HookAddress,
    /// The HTTP method.
    pub method: &'a Method,
    /// The query string, still encoded.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The full URL as the provider knows it: with our public host, even if a proxy changed it on the way.
    pub url: &'a str,
    /// The channel's name in the URL.
    pub channel: &'a str,
    /// The secrets that authenticate this channel's provider: none, one, or two during a rotation.
    pub secrets: &'a [SecretString],
    /// The wall clock in Unix seconds, to recognise replays.
    pub now_unix: i64,
}

/// The meaning of a request.
#[derive(Debug)]
pub enum InboundRequest {
    /// Somebody sent a text.
    Text(InboundText),
    /// A delivery report.
    Report(DeliveryReport),
    /// A call about a page asks for its next turn.
    CallTurn(CallTurnRequest),
    /// Something was done in a chat.
    Chat(Box<dyn ChatRequest>),
    /// Something that only needs an acknowledgement.
    Nothing,
}

/// A request about something done in a chat, whose kind knows how to answer it.
pub trait ChatRequest: fmt::Debug + Send {
    /// Lets the host act on it; returns the response to the provider.
    ///
    /// # Errors
    ///
    /// [`InboundRefusal`] if nothing was kept, so that the provider tells the user.
    fn answer(self: Box<Self>, host: &dyn ChatHost) -> BoxFuture<'_, Result<Acknowledgement, InboundRefusal>>;
}

/// A text from a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundText {
    /// The sender's number, in any format.
    pub from: String,
    /// The text.
    pub text: String,
    /// How the provider classified it, if it says so.
    pub wish: Option<OptOutWish>,
    /// The provider's id of the text, if the provider may send it twice: the second time gets the same response as the
    /// first.
    pub id: Option<String>,
}

/// How a provider classified a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutWish {
    /// They want no more texts.
    Stop,
    /// They want texts again.
    Start,
    /// They want to know what this is; the provider has told them.
    Help,
}

/// A delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The page.
    pub page: ReportedPage,
    /// The outcome.
    pub outcome: DeliveryOutcome,
}

/// Which page a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportedPage {
    /// The page with this id, if the token is valid for it.
    Named(NamedPage),
    /// The page that the provider accepted under this id. The report is authenticated by the channel's own secret.
    Receipt(String),
}

/// A page, and a token that is not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPage {
    /// The page.
    pub page: PageId,
    /// The token to verify.
    pub token: String,
}

/// The delivery state of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// No news: still on its way.
    UnderWay,
    /// Delivered to the person's device.
    Delivered,
    /// Shown to the person.
    Seen,
    /// It will not be delivered.
    Undelivered(DeliveryFailure),
}

/// Why a page will not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFailure {
    /// The reason, without secrets.
    pub why: String,
    /// The provider's id of the attempt, if the report has one.
    pub message: Option<String>,
    /// If the person told the provider to stop, so that no later page by this channel arrives either: the reason.
    pub opted_out: Option<&'static str>,
    /// If this channel reaches nobody, so that it is not about the person: the reason.
    pub everybody: Option<&'static str>,
}

/// A call asks what to say next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTurnRequest {
    /// The page that the call is about.
    pub page: NamedPage,
    /// The number of the turn, from 0.
    pub turn: u32,
    /// The key that was pressed; empty if none was.
    pub key: String,
    /// The provider's id of the call.
    pub call: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefusal {
    /// There is nothing at this address.
    #[error("{0}")]
    NotFound(String),
    /// This address does not accept the method.
    #[error("this address does not accept this method")]
    Method,
    /// Authentication failed.
    #[error("{0}")]
    Unauthorized(String),
    /// It can not be parsed.
    #[error("{0}")]
    Bad(String),
    /// What was asked for could not be stored.
    #[error("nothing was kept")]
    NotKept,
}

/// The default of the largest body of a provider's callback, in bytes.
pub const CALLBACK_MAX: usize = 64 * 1024;

/// The response to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The HTTP status.
    pub status: u16,
    /// The content type of the body; `None` if it is empty.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: String,
}

impl Acknowledgement {
    /// An empty acknowledgement.
    pub fn empty() -> Self {
        Self { status: 204, content_type: None, body: String::new() }
    }

    /// An acknowledgement with this text.
    pub fn text(word: String) -> Self {
        Self { status: 200, content_type: Some("text/plain; charset=utf-8"), body: word }
    }
}

impl NamedPage {
    /// Parses the page and the token from the fields of a query.
    pub(super) fn of(page: &str, token: &str) -> Result<Self, InboundRefusal> {
        let page = page.parse().map_err(|()| InboundRefusal::NotFound("no such page".to_owned()))?;
        Ok(Self { page, token: token.to_owned() })
    }
}

/// Whether `given` is one of the secrets. It is compared with all of them, so that the time reveals nothing.
pub(super) fn is_one_of(secrets: &[SecretString], given: &str) -> bool {
    let same = |secret: &SecretString| bool::from(secret.expose_secret().as_bytes().ct_eq(given.as_bytes()));
    secrets.iter().fold(false, |found, secret| found | same(secret))
}

/// The text of a header; `None` if it appears twice, because it is unclear which one is meant.
pub(super) fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}
