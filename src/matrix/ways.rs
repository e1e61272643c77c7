//! Reads `[channel.NAME]`.

use super::{
    document::{At, Faults, Item, Placed, Table},
    door::{secret, url},
    names,
    people::mailbox,
    settings::{ChannelKind, ChannelSettings},
};
use crate::core::retry::Pace;
use std::time::Duration;

/// Kinds that a later version will know.
const LATER: [&str; 7] = ["twilio", "http", "voice", "webhook", "teams", "mattermost", "exec"];

/// Every key that some kind of channel knows.
const KEYS: [&str; 7] = ["url", "token", "signing_secret", "username", "password", "from", "private"];

pub(super) fn channel(mut table: Table<'_>, at: At, faults: &mut Faults) -> Option<ChannelSettings> {
    let item = table.demand("kind", at, "kind = \"screen\"", faults);
    let kind = item.and_then(|item| item.text(faults)).and_then(|text| kind(&text, faults));
    let pace = table.take("pace").and_then(|item| pace(&item, faults));
    let patience = table.take("patience").and_then(|item| item.duration(faults));
    // Which other keys have an effect depends on the kind, so without it they are left alone.
    let Some(kind) = kind else {
        for key in KEYS {
            table.take(key);
        }
        table.finish(&[], &[], faults);
        return None;
    };
    let mut settings = ChannelSettings {
        kind,
        url: None,
        token: None,
        signing_secret: None,
        username: None,
        password: None,
        from: None,
        private: false,
        pace: pace.unwrap_or_else(|| kind.default_pace()),
        patience: patience.map_or_else(|| kind.default_patience(), |patience| patience.value),
    };
    match kind {
        ChannelKind::Screen => {}
        ChannelKind::Slack => slack(&mut settings, &mut table, at, faults),
        ChannelKind::Kannel => kannel(&mut settings, &mut table, at, faults),
        ChannelKind::Smtp => smtp(&mut settings, &mut table, at, faults),
    }
    table.what = format!("{} (kind {kind})", table.what);
    table.finish(&[], &KEYS, faults);
    Some(settings)
}

fn kind(text: &Placed<&str>, faults: &mut Faults) -> Option<ChannelKind> {
    let known = ChannelKind::ALL.into_iter();
    if let Some((_, kind)) = known.clone().find(|(name, _)| *name == text.value) {
        return Some(kind);
    }
    let help = names::instead(text.value, known.map(|(name, _)| name));
    if LATER.contains(&text.value) {
        let message = format!("channels of kind `{}` are not built yet in this version", text.value);
        faults.error("not-built-yet", text.at, message, help);
    } else {
        faults.error("unknown-kind", text.at, format!("there is no kind of channel {:?}", text.value), help);
    }
    None
}

fn slack(settings: &mut ChannelSettings, table: &mut Table<'_>, at: At, faults: &mut Faults) {
    let token = table.demand("token", at, "token = { env = \"SLACK_BOT_TOKEN\" }", faults);
    settings.token = token.and_then(|item| secret(&item, faults));
    settings.signing_secret = table.take("signing_secret").and_then(|item| secret(&item, faults));
    settings.url = table.take("url").and_then(|item| url(&item, &["https://", "http://"], faults));
    settings.private = table.take("private").and_then(|item| item.flag(faults)).unwrap_or(false);
}

fn kannel(settings: &mut ChannelSettings, table: &mut Table<'_>, at: At, faults: &mut Faults) {
    let address = table.demand("url", at, "url = \"http://127.0.0.1:13013/cgi-bin/sendsms\"", faults);
    settings.url = address.and_then(|item| url(&item, &["https://", "http://"], faults));
    account(settings, table, faults);
    settings.token = table.take("token").and_then(|item| secret(&item, faults));
    settings.from = table.take("from").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
}

fn smtp(settings: &mut ChannelSettings, table: &mut Table<'_>, at: At, faults: &mut Faults) {
    let address = table.demand("url", at, "url = \"smtps://mail.example.com:465\"", faults);
    settings.url = address.and_then(|item| url(&item, &["smtps://", "smtp://"], faults));
    account(settings, table, faults);
    let from = table.demand("from", at, "from = \"stentor@example.com\"", faults);
    settings.from = from.and_then(|item| mailbox(&item, faults));
}

fn account(settings: &mut ChannelSettings, table: &mut Table<'_>, faults: &mut Faults) {
    let username = table.take("username").and_then(|item| item.text(faults));
    let password = table.take("password");
    if let (None, Some(item)) = (&username, &password) {
        let message = format!("{} has a password and no username", table.what);
        faults.error("missing-key", item.key_at, message, "add `username = \"..\"`");
    }
    settings.username = username.map(|text| text.value.to_owned());
    settings.password = password.and_then(|item| secret(&item, faults));
}

/// `1/s`, `20/m`, `100/h`, each with or without `burst N`.
fn pace(item: &Item<'_>, faults: &mut Faults) -> Option<Pace> {
    let text = item.text(faults)?;
    let parsed = parse_pace(text.value);
    if parsed.is_none() {
        let help = "write how many in which time: \"1/s\", \"20/m\", \"1/s burst 5\"";
        faults.error("bad-pace", text.at, format!("{:?} is no pace", text.value), help);
    }
    parsed
}

fn parse_pace(text: &str) -> Option<Pace> {
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
    Some(Pace { every: unit / count, burst })
}
