//! The keys of a channel of kind `slack`.

use crate::{
    channel::room_name::RoomName,
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
        secret::{SecretRef, secret, secrets, web_url},
    },
};
use std::time::Duration;

pub(crate) const KEYS: &[&str] = &["url", "token", "signing_secret", "app_token", "private", "name", "archive_after"];

/// The default name pattern of rooms.
const NAME: &str = "{drill}inc-{id}-{trigger}";

/// A Slack workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// The bot's token.
    pub token: SecretRef,
    /// The secrets with which Slack signs its HTTP requests to us: none, one, or two during a rotation.
    pub signing_secret: Vec<SecretRef>,
    /// The app-level token, which enables Socket Mode. Without it and without a signing secret there are no buttons.
    pub app_token: Option<SecretRef>,
    /// Another base URL for the Web API.
    pub url: Option<String>,
    /// Whether war rooms are private.
    pub private: bool,
    /// The name pattern of war rooms.
    pub name: RoomName,
    /// How long after the end of its incident a war room is archived; `None` means never.
    pub archive_after: Option<Duration>,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> SlackConfig {
    let token = table.demand("token", at, "token = { env = \"SLACK_BOT_TOKEN\" }", faults);
    let token = token.and_then(|item| secret(&item, faults));
    let signing_secret = table.take("signing_secret").map(|item| secrets(&item, faults)).unwrap_or_default();
    let app_token = table.take("app_token").and_then(|item| secret(&item, faults));
    let url = table.take("url").and_then(|item| web_url(&item, faults));
    let private = table.take("private").and_then(|item| item.flag(faults)).unwrap_or(false);
    let name = table.take("name").and_then(|item| name(&item, faults));
    let name = name.or_else(|| RoomName::parse(NAME).ok()).unwrap_or_default();
    let archive_after = table.take("archive_after").and_then(|item| item.duration(faults)).map(|span| span.value);
    SlackConfig { token: token.unwrap_or_default(), signing_secret, app_token, url, private, name, archive_after }
}

fn name(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<RoomName> {
    let text = item.text(faults)?;
    match RoomName::parse(text.value) {
        Ok(name) => Some(name),
        Err((message, help)) => faults.refuse("bad-room-name", text.at, message, help),
    }
}
