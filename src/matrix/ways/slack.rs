//! The keys of a channel of kind `slack`.

use crate::matrix::{
    document::{At, Faults, Table},
    door::{secret, url},
    settings::SecretRef,
};

pub(super) const KEYS: &[&str] = &["url", "token", "signing_secret", "private"];

/// A Slack workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackWay {
    /// The bot's token.
    pub token: SecretRef,
    /// With which Slack signs what it sends to us; no buttons without it.
    pub signing_secret: Option<SecretRef>,
    /// Where else than at Slack the Web API is.
    pub url: Option<String>,
    /// Whether war rooms are closed to those who are not invited.
    pub private: bool,
}

pub(super) fn read(table: &mut Table<'_>, at: At, faults: &mut Faults) -> SlackWay {
    let token = table.demand("token", at, "token = { env = \"SLACK_BOT_TOKEN\" }", faults);
    let token = token.and_then(|item| secret(&item, faults));
    let signing_secret = table.take("signing_secret").and_then(|item| secret(&item, faults));
    let url = table.take("url").and_then(|item| url(&item, &["https://", "http://"], faults));
    let private = table.take("private").and_then(|item| item.flag(faults)).unwrap_or(false);
    SlackWay { token: token.unwrap_or_default(), signing_secret, url, private }
}
