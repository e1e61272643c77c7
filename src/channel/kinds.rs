//! The table of the kinds of channel. To add one, add a folder and a line here.

use super::{
    contact::{ContactField, EMAIL, PHONE},
    desk, exec, http, kannel,
    kind::{ChannelKind, RoomSupport},
    slack, smtp, telegram, twilio, voice, webhook,
};
use std::collections::BTreeSet;

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

/// Every field of a person's contacts that some kind needs, in the order of their keys.
pub fn contact_fields() -> BTreeSet<ContactField> {
    // `http` and `exec` need what their settings say: of these two.
    KINDS.into_iter().filter_map(|kind| kind.spec().contact).chain([PHONE, EMAIL]).collect()
}

/// Which channels can be an incident's war room, in words: "name a channel of kind ..".
pub fn rooms() -> String {
    let mut of_condition: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in KINDS {
        let condition = match kind.spec().room {
            RoomSupport::Never => continue,
            RoomSupport::Always => "",
            RoomSupport::When(condition) => condition,
        };
        match of_condition.iter_mut().find(|(known, _)| *known == condition) {
            Some((_, kinds)) => kinds.push(kind.as_str()),
            None => of_condition.push((condition, vec![kind.as_str()])),
        }
    }
    let worded = |(condition, kinds): (&str, Vec<&str>)| match condition {
        "" => format!("a channel of kind {}", either(&kinds)),
        condition => format!("one of kind {} {condition}", either(&kinds)),
    };
    let words: Vec<String> = of_condition.into_iter().map(worded).collect();
    format!("name {}", words.join(", "))
}

/// `a, b or c`.
fn either(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.concat(),
    }
}

impl ChannelKind {
    /// The desk page in a browser: the only kind that the program shows itself.
    pub const SCREEN: Self = desk::KIND;

    /// The kind of this name in the matrix.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == name)
    }
}
