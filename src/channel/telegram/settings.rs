//! The keys of a channel of kind `telegram`.

use crate::toml_kit::{
    document::TomlTable,
    faults::{MatrixFaults, SourceSpan},
    secret::{SecretRef, secret, web_url},
};

pub(crate) const KEYS: &[&str] = &["url", "token"];

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramConfig {
    /// The bot's token.
    pub token: SecretRef,
    /// Where else than at Telegram the Bot API is.
    pub url: Option<String>,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> TelegramConfig {
    let token = table.demand("token", at, "token = { env = \"TELEGRAM_BOT_TOKEN\" }", faults);
    let token = token.and_then(|item| secret(&item, faults)).unwrap_or_default();
    let url = table.take("url").and_then(|item| web_url(&item, faults));
    TelegramConfig { token, url }
}
