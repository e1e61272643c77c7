//! The keys of a channel of kind `telegram`.

use crate::toml_kit::{
    document::{TomlItem, TomlTable},
    faults::{MatrixFaults, SourceSpan},
    secret::{SecretRef, secret, web_url},
};
use toml::de::DeValue;

pub(crate) const KEYS: &[&str] = &["url", "token", "group"];

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramConfig {
    /// The bot's token.
    pub token: SecretRef,
    /// Where else than at Telegram the Bot API is.
    pub url: Option<String>,
    /// The group that has a message for each incident.
    pub group: Option<i64>,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> TelegramConfig {
    let token = table.demand("token", at, "token = { env = \"TELEGRAM_BOT_TOKEN\" }", faults);
    let token = token.and_then(|item| secret(&item, faults)).unwrap_or_default();
    let url = table.take("url").and_then(|item| web_url(&item, faults));
    let group = table.take("group").and_then(|item| group(&item, faults));
    TelegramConfig { token, url, group }
}

/// Groups have negative ids.
fn group(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<i64> {
    let id = match item.value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', "").parse::<i64>().ok(),
        _ => None,
    };
    let id = id.filter(|id| *id < 0);
    if id.is_none() {
        let help = "write /start in the group: the bot answers with its id; then write group = -1001234567890";
        faults.error("bad-telegram-group", item.at, "this is no id of a group in Telegram", help);
    }
    id
}
