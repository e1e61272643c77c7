//! The keys of a channel of kind `twilio`, and the keys that it shares with `voice`.

use crate::{
    channel::contact::is_phone_number,
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
        secret::{SecretRef, secret, secrets, url},
    },
};
use std::time::Duration;

pub(crate) const KEYS: &[&str] =
    &["account", "token", "api_key", "api_secret", "from", "messaging_service", "validity", "url"];

/// The default of how long Twilio keeps a message that it can not send at once.
const VALIDITY: Duration = Duration::from_secs(10 * 60);

/// The longest validity that Twilio supports.
const VALIDITY_MAX: Duration = Duration::from_secs(10 * 3600);

/// SMS by Twilio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwilioConfig {
    /// The account.
    pub account: TwilioAccount,
    /// The sender.
    pub sender: TwilioSender,
    /// How long Twilio keeps a message that it can not send at once.
    pub validity: Duration,
}

/// The settings of a Twilio account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TwilioAccount {
    /// Its SID: `AC..`.
    pub sid: String,
    /// Its auth tokens: one, or two during a rotation. Twilio signs its requests to us with one of them.
    pub tokens: Vec<SecretRef>,
    /// An API key and its secret, for the login instead of the token.
    pub api_key: Option<(String, SecretRef)>,
    /// Another base URL of the API: https, or http on this machine.
    pub url: Option<String>,
}

/// The sender of an SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwilioSender {
    /// A number, a short code or a name.
    From(String),
    /// A messaging service: `MG..`.
    Service(String),
}

impl TwilioAccount {
    /// Every secret that the account names.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        self.tokens.iter().chain(self.api_key.as_ref().map(|(_, secret)| secret)).collect()
    }
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> TwilioConfig {
    let account = account(table, at, faults);
    let sender = sender(table, at, faults);
    let validity = table.take("validity").and_then(|item| validity(&item, faults)).unwrap_or(VALIDITY);
    TwilioConfig { account, sender: sender.unwrap_or_else(|| TwilioSender::From(String::new())), validity }
}

/// Reads `account`, `token`, `api_key`, `api_secret` and `url`.
pub(crate) fn account(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> TwilioAccount {
    let sid = table.demand("account", at, "account = \"AC0123..\"", faults);
    let sid = sid.and_then(|item| self::sid(&item, "AC", faults));
    let token = table.demand("token", at, "token = { env = \"TWILIO_AUTH_TOKEN\" }", faults);
    let tokens = token.map(|item| secrets(&item, faults)).unwrap_or_default();
    let api_key = api_key(table, faults);
    let address = table.take("url").and_then(|item| address(&item, faults));
    TwilioAccount { sid: sid.unwrap_or_default(), tokens, api_key, url: address }
}

/// Reads a phone number.
pub(crate) fn number(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if is_phone_number(text.value) {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not a number that can make a call", text.value);
    faults.refuse("bad-sender", text.at, message, "write a plus, the country and the number: \"+15005550006\"")
}

fn api_key(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Option<(String, SecretRef)> {
    let (key, secret_at) = (table.take("api_key"), table.take("api_secret"));
    let (key, secret_at) = match (key, secret_at) {
        (None, None) => return None,
        (Some(key), Some(secret)) => (key, secret),
        (Some(lonely), None) => return lonely_key(&lonely, "api_secret = { env = \"TWILIO_API_SECRET\" }", faults),
        (None, Some(lonely)) => return lonely_key(&lonely, "api_key = \"SK0123..\"", faults),
    };
    let (key, secret) = (sid(&key, "SK", faults), secret(&secret_at, faults));
    Some((key?, secret?))
}

fn lonely_key<T>(item: &TomlItem<'_>, missing: &str, faults: &mut MatrixFaults) -> Option<T> {
    let message = format!("`{}` has no effect on its own", item.key);
    faults.refuse("missing-key", item.key_at, message, format!("add `{missing}`"))
}

fn sender(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> Option<TwilioSender> {
    match (table.take("from"), table.take("messaging_service")) {
        (Some(from), None) => from_text(&from, faults).map(TwilioSender::From),
        (None, Some(service)) => sid(&service, "MG", faults).map(TwilioSender::Service),
        (None, None) => {
            let message = format!("{} has neither `from` nor `messaging_service`", table.what);
            let help = "add `from = \"+15005550006\"` or `messaging_service = \"MG0123..\"`";
            faults.refuse("missing-key", at, message, help)
        }
        (Some(_), Some(service)) => {
            let message = format!("{} has two senders", table.what);
            faults.refuse("key-without-effect", service.key_at, message, "keep `from` or `messaging_service`, not both")
        }
    }
}

/// Reads a number, a short code, or a name of at most eleven letters, digits and spaces.
fn from_text(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let short = (3..=8).contains(&text.value.len()) && text.value.bytes().all(|byte| byte.is_ascii_digit());
    let name = text.value.len() <= 11
        && text.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && text.value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_phone_number(text.value) || short || name {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not a valid sender of an SMS", text.value);
    let help = "write a number with plus and country (\"+15005550006\"), a short code, or a name of at most 11 letters";
    faults.refuse("bad-sender", text.at, message, help)
}

fn sid(item: &TomlItem<'_>, prefix: &str, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let tail = text.value.strip_prefix(prefix).unwrap_or_default();
    if tail.len() == 32 && tail.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.value.to_owned());
    }
    let message = format!("`{}` has the wrong format", item.key);
    let help = format!("it is {prefix} and 32 hexadecimal digits, from Twilio's console");
    faults.refuse("bad-sid", text.at, message, help)
}

fn validity(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Duration> {
    let span = item.duration(faults)?;
    if span.value <= VALIDITY_MAX {
        return Some(span.value);
    }
    faults.refuse("duration-out-of-range", span.at, "`validity` is at most ten hours", "write for example \"10m\"")
}

/// Reads a URL: https, or plain HTTP to a test double on this machine, because the account's token is in every request.
fn address(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let schemes = [&["https://"][..], &here].concat();
    let address = url(item, &schemes, faults)?;
    let rest = here.iter().find_map(|here| address.strip_prefix(here));
    if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with([':', '/'])) {
        return Some(address);
    }
    faults.refuse("bad-url", item.at, format!("{address:?} is not this machine"), "write https://HOST")
}
