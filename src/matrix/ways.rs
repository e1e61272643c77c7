//! Reads `[channel.NAME]`: what all channels have here, what only some have in one file a kind.

mod body;
mod exec;
mod http;
mod kannel;
mod slack;
mod smtp;
mod twilio;
mod voice;
mod webhook;

pub use body::WORDS;
pub use exec::{ExecWay, PLACEHOLDERS};
pub use http::{AddressSource, BodyWay, FieldWay, HttpWay, RepliesWay, ReportWay, RulesWay};
pub use kannel::KannelWay;
pub use slack::SlackWay;
pub use smtp::SmtpWay;
pub use twilio::{TwilioAccount, TwilioSender, TwilioWay};
pub use voice::VoiceWay;
pub use webhook::WebhookWay;

use crate::{
    core::retry::SendPace,
    matrix::settings::{ChannelKind, ChannelSettings},
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::instead,
        secret::{SecretRef, secret},
    },
};
use std::time::Duration;

/// The keys that each kind knows beside those of all.
const KEYS: [&[&str]; 8] =
    [slack::KEYS, kannel::KEYS, smtp::KEYS, twilio::KEYS, voice::KEYS, http::KEYS, webhook::KEYS, exec::KEYS];

/// By which provider, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelConfig {
    /// The desk page in a browser.
    Screen,
    /// Slack: direct messages and war rooms.
    Slack(SlackWay),
    /// SMS by a Kannel gateway.
    Kannel(KannelWay),
    /// E-mail.
    Smtp(SmtpWay),
    /// SMS by Twilio.
    Twilio(TwilioWay),
    /// Calls by Twilio.
    Voice(VoiceWay),
    /// Any service over HTTP, by templates; also its presets.
    Http(Box<HttpWay>),
    /// Signed events for another system.
    Webhook(WebhookWay),
    /// A program of this machine.
    Exec(ExecWay),
}

/// The account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderAccount {
    /// Its name.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretRef>,
}

impl ChannelConfig {
    /// The name of the kind.
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Screen => ChannelKind::Screen,
            Self::Slack(_) => ChannelKind::Slack,
            Self::Kannel(_) => ChannelKind::Kannel,
            Self::Smtp(_) => ChannelKind::Smtp,
            Self::Twilio(_) => ChannelKind::Twilio,
            Self::Voice(_) => ChannelKind::Voice,
            Self::Http(way) => way.kind,
            Self::Webhook(_) => ChannelKind::Webhook,
            Self::Exec(_) => ChannelKind::Exec,
        }
    }
}

impl ChannelConfig {
    /// Every secret that it names.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Self::Screen => Vec::new(),
            Self::Slack(way) => std::iter::once(&way.token).chain(&way.signing_secret).chain(&way.app_token).collect(),
            Self::Kannel(way) => way.token.iter().chain(&way.account.password).collect(),
            Self::Smtp(way) => way.account.password.iter().collect(),
            Self::Twilio(way) => way.account.secrets(),
            Self::Voice(way) => way.account.secrets(),
            Self::Http(way) => way.secrets(),
            Self::Webhook(way) => way.keys.iter().chain(way.url.secret()).collect(),
            Self::Exec(_) => Vec::new(),
        }
    }
}

pub(super) fn channel(mut table: TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> Option<ChannelSettings> {
    let item = table.demand("kind", at, "kind = \"screen\"", faults);
    let kind = item.and_then(|item| item.text(faults)).and_then(|text| kind(&text, faults));
    if let Some(kind) = kind {
        http::fill_up(kind, &mut table);
    }
    let pace = table.take("pace").and_then(|item| pace(&item, faults));
    let patience = table.take("patience").and_then(|item| item.duration(faults));
    // Which other keys have an effect depends on the kind, so without it they are left alone.
    let Some(kind) = kind else {
        for key in KEYS.concat() {
            table.take(key);
        }
        table.finish(&[], &[], faults);
        return None;
    };
    // What could not be read is left empty: a matrix with a fault is checked to its end, and never used.
    let way = match kind {
        ChannelKind::Screen => ChannelConfig::Screen,
        ChannelKind::Slack => ChannelConfig::Slack(slack::read(&mut table, at, faults)),
        ChannelKind::Kannel => ChannelConfig::Kannel(kannel::read(&mut table, at, faults)),
        ChannelKind::Smtp => ChannelConfig::Smtp(smtp::read(&mut table, at, faults)),
        ChannelKind::Twilio => ChannelConfig::Twilio(twilio::read(&mut table, at, faults)),
        ChannelKind::Voice => ChannelConfig::Voice(voice::read(&mut table, at, faults)),
        ChannelKind::Http | ChannelKind::Teams | ChannelKind::Mattermost => {
            ChannelConfig::Http(Box::new(http::read(kind, &mut table, at, faults)))
        }
        ChannelKind::Webhook => ChannelConfig::Webhook(webhook::read(&mut table, at, faults)),
        ChannelKind::Exec => ChannelConfig::Exec(exec::read(&mut table, at, faults)),
    };
    table.what = format!("{} (kind {kind})", table.what);
    let elsewhere: Vec<&str> = KEYS.concat();
    table.finish(&[], &elsewhere, faults);
    Some(ChannelSettings {
        way,
        pace: pace.unwrap_or_else(|| kind.default_pace()),
        patience: patience.map_or_else(|| kind.default_patience(), |patience| patience.value),
    })
}

fn kind(text: &LocatedValue<&str>, faults: &mut MatrixFaults) -> Option<ChannelKind> {
    let known = ChannelKind::ALL.into_iter();
    if let Some((_, kind)) = known.clone().find(|(name, _)| *name == text.value) {
        return Some(kind);
    }
    let help = instead(text.value, known.map(|(name, _)| name));
    faults.error("unknown-kind", text.at, format!("there is no kind of channel {:?}", text.value), help);
    None
}

/// `username` and `password`.
fn account(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> ProviderAccount {
    let username = table.take("username").and_then(|item| item.text(faults));
    let password = table.take("password");
    if let (None, Some(item)) = (&username, &password) {
        let message = format!("{} has a password and no username", table.what);
        faults.error("missing-key", item.key_at, message, "add `username = \"..\"`");
    }
    ProviderAccount {
        username: username.map(|text| text.value.to_owned()),
        password: password.and_then(|item| secret(&item, faults)),
    }
}

/// `1/s`, `20/m`, `100/h`, each with or without `burst N`.
fn pace(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SendPace> {
    let text = item.text(faults)?;
    let parsed = parse_pace(text.value);
    if parsed.is_none() {
        let help = "write how many in which time: \"1/s\", \"20/m\", \"1/s burst 5\"";
        faults.error("bad-pace", text.at, format!("{:?} is no pace", text.value), help);
    }
    parsed
}

fn parse_pace(text: &str) -> Option<SendPace> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (rate, burst) = match words[..] {
        [rate] => (rate, 1),
        [rate, "burst", burst] => (rate, burst.parse().ok().filter(|burst| (1..=1000).contains(burst))?),
        _ => return None,
    };
    let (count, unit) = rate.split_once('/')?;
    let count: u32 = count.parse().ok().filter(|count| (1..=1000).contains(count))?;
    let unit = match unit {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        _ => return None,
    };
    Some(SendPace { every: unit / count, burst })
}
