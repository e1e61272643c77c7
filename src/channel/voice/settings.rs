//! The keys of a channel of kind `voice`: calls by Twilio.

use crate::{
    channel::twilio::settings::{TwilioAccount, account, number},
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
    },
};

pub(crate) const KEYS: &[&str] = &["account", "token", "api_key", "api_secret", "from", "machines", "url"];

/// Calls by Twilio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceConfig {
    /// The account.
    pub account: TwilioAccount,
    /// The number that phones show.
    pub from: String,
    /// Whether Twilio detects answering machines, so that the page fails over at once if a voicemail answers.
    pub machines: bool,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> VoiceConfig {
    let account = account(table, at, faults);
    let from = table.demand("from", at, "from = \"+15005550006\"", faults);
    let from = from.and_then(|item| number(&item, faults)).unwrap_or_default();
    let machines = table.take("machines").and_then(|item| item.flag(faults)).unwrap_or(false);
    VoiceConfig { account, from, machines }
}
