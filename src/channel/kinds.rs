//! The table of the kinds of channel. To add one, add a folder and a line here.

use super::{desk, exec, http, kannel, kind::ChannelKind, slack, smtp, telegram, twilio, voice, webhook};

/// Every kind that the matrix can name.
pub const KINDS: [ChannelKind; 13] = [
    desk::KIND,
    slack::KIND,
    telegram::KIND,
    kannel::KIND,
    smtp::KIND,
    twilio::KIND,
    voice::KIND,
    http::KIND,
    http::presets::TEAMS,
    http::presets::MATTERMOST,
    http::presets::NTFY,
    webhook::KIND,
    exec::KIND,
];

impl ChannelKind {
    /// The desk page in a browser: the only kind that the program shows itself.
    pub const SCREEN: Self = desk::KIND;

    /// The kind of this name in the matrix.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == name)
    }
}
