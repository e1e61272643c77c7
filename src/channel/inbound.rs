//! What providers bring: a request's bytes and headers become one value. Each channel's folder reads its own provider's
//! requests and says whether they are that provider's; what is then done with the value is the engine's.

use crate::core::PageId;
use reqwest::{Method, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// At which of a channel's two addresses a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookAddress {
    /// `/hooks/KIND/NAME`: what people say.
    Inbox,
    /// `/hooks/KIND/NAME/report`: what became of a page.
    Report,
}

/// A provider's request without its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// At which address.
    pub at: HookAddress,
    /// How.
    pub method: &'a Method,
    /// What stands behind the question mark, as it came.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The whole address as the provider knows it: our public one, whatever a proxy made of it on the way.
    pub url: &'a str,
    /// The channel that is named in it.
    pub channel: &'a str,
    /// What authenticates this channel's provider: none, one, or two while it is being changed.
    pub secrets: &'a [SecretString],
    /// The wall clock, in seconds since 1970: to tell a replay.
    pub now_unix: i64,
}

/// What a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// Somebody wrote a text.
    Text(InboundText),
    /// What became of a page.
    Report(DeliveryReport),
    /// A call about a page goes on.
    CallTurn(CallTurnRequest),
    /// Something was done in Slack.
    Slack(SlackInbound),
    /// It wants an acknowledgement and nothing else.
    Nothing,
}

/// A text from a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundText {
    /// From which number, in any form.
    pub from: String,
    /// What they wrote.
    pub text: String,
    /// What the provider made of it, where it says so.
    pub wish: Option<OptOutWish>,
    /// The provider's id of it, where it may hand it over twice: the second time is answered as the first.
    pub id: Option<String>,
}

/// What a provider takes a text for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutWish {
    /// They want no more texts.
    Stop,
    /// They want them again.
    Start,
    /// They want to know what this is; the provider has told them.
    Help,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Of which.
    pub page: ReportedPage,
    /// What.
    pub outcome: DeliveryOutcome,
}

/// Which page a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportedPage {
    /// This one, if the token is its own.
    Named(NamedPage),
    /// The one that the provider took under this id. The report proves itself by the channel's own secret.
    Receipt(String),
}

/// A page, and a token that is to be its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPage {
    /// Which.
    pub page: PageId,
    /// To be proved.
    pub token: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Nothing that was not known.
    UnderWay,
    /// It is on the person's device.
    Delivered,
    /// It was shown to them.
    Seen,
    /// It will not arrive.
    Undelivered(DeliveryFailure),
}

/// Why a page will not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFailure {
    /// In words, without secrets.
    pub why: String,
    /// The provider's id of the attempt that it is about, where it says.
    pub message: Option<String>,
    /// Why no later page by this channel arrives either: they have told the provider to stop.
    pub opted_out: Option<&'static str>,
    /// Why it is no fault of the person's: nobody is reached by this channel.
    pub everybody: Option<&'static str>,
}

/// A call asks what to say next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTurnRequest {
    /// About which page.
    pub page: NamedPage,
    /// Which turn, from 0.
    pub turn: u32,
    /// The key that was pressed, where one was.
    pub key: String,
    /// The provider's id of the call.
    pub call: String,
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefusal {
    /// There is nothing at this address.
    #[error("{0}")]
    NotFound(String),
    /// There is nothing that takes requests of this method.
    #[error("this address takes no such request")]
    Method,
    /// It does not come from whom it claims.
    #[error("{0}")]
    Unauthorized(String),
    /// It can not be read.
    #[error("{0}")]
    Bad(String),
}

/// The largest body that a provider's callback may have where its channel says nothing else, in bytes.
pub const CALLBACK_MAX: usize = 64 * 1024;

/// What a provider is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body; none where it is empty.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: String,
}

impl Acknowledgement {
    /// It came.
    pub fn empty() -> Self {
        Self { status: 204, content_type: None, body: String::new() }
    }

    /// With these words.
    pub fn text(word: String) -> Self {
        Self { status: 200, content_type: Some("text/plain; charset=utf-8"), body: word }
    }
}

impl NamedPage {
    /// The page that the fields of a query name.
    pub(super) fn of(page: &str, token: &str) -> Result<Self, InboundRefusal> {
        let page = page.parse().map_err(|()| InboundRefusal::NotFound("no such page".to_owned()))?;
        Ok(Self { page, token: token.to_owned() })
    }
}

/// Whether one of the secrets was given. Every one is compared, so that the time tells nothing about which is near.
pub(super) fn is_one_of(secrets: &[SecretString], given: &str) -> bool {
    let same = |secret: &SecretString| bool::from(secret.expose_secret().as_bytes().ct_eq(given.as_bytes()));
    secrets.iter().fold(false, |found, secret| found | same(secret))
}

/// A header's text; one that is there twice is as good as none: which one was meant can not be known.
pub(super) fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

/// Something that a user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackInbound {
    /// A button of ours was pressed.
    Press(ButtonPress),
    /// A slash command was typed.
    Command(SlashCommand),
    /// Something that wants an acknowledgement and nothing else: a foreign button, an event, a probe of the address.
    Other,
}

/// A button of ours, pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonPress {
    /// Who pressed it: a Slack user id.
    pub user: String,
    /// Whether the payload says that this was no human.
    pub is_bot: bool,
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

/// A command as Slack hands it in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlashCommand {
    /// Who typed it: a Slack user id.
    pub user: String,
    /// Whether it says that this was no human.
    pub is_bot: bool,
    /// What the command is called in this workspace, with its slash.
    pub name: String,
    /// What was typed after it.
    pub text: String,
    /// Where to answer only the one who typed it, for half an hour.
    pub response_url: Option<String>,
    /// What tells this typing from every other.
    pub trigger_id: Option<String>,
    /// The name of the conversation in which it was typed.
    pub channel: Option<String>,
}
