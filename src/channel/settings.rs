//! Reads `[channel.NAME]`: the keys of all channels here, the keys of one kind in its own folder.

use super::{
    contact::ContactField,
    kind::{ChannelConfig, ChannelKind},
    kinds::KINDS,
};
use crate::{
    core::{plan::LivingRoom, retry::SendPace},
    template::TextForm,
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::instead,
    },
};
use std::{sync::Arc, time::Duration};

/// One channel of the matrix.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// The settings of its kind.
    pub config: Arc<dyn ChannelConfig>,
    /// The rate limit for one destination.
    pub pace: SendPace,
    /// The time within which a page must be accepted before the person's next channel is tried.
    pub accept_timeout: Duration,
    /// The time after acceptance within which a delivery report must come before the person's next channel is tried;
    /// `None` if reports are not waited for.
    pub report_timeout: Option<Duration>,
}

impl ChannelSettings {
    /// The channel's kind.
    pub fn kind(&self) -> ChannelKind {
        self.config.kind()
    }

    /// The contact data that a person must have, if any.
    pub fn needs(&self) -> Option<ContactField> {
        self.config.contact()
    }

    /// Whether its texts are SMS, whose alphabet lacks most scripts.
    pub fn is_sms(&self) -> bool {
        self.form() == TextForm::Sms
    }

    /// The form of its texts.
    pub fn form(&self) -> TextForm {
        self.config.form()
    }

    /// Whether people other than a page's recipient may read it: then it gets no personal code or link.
    pub fn is_shared(&self) -> bool {
        self.config.is_shared()
    }

    /// Whether it can reach a person at all: a webhook informs only systems.
    pub fn reaches_people(&self) -> bool {
        self.config.reaches_people()
    }

    /// The part of the URL path for delivery reports; `None` if its service sends none.
    pub fn report_hook(&self) -> Option<&'static str> {
        self.config.report_hook()
    }

    /// How it keeps a war room up to date, if it does.
    pub fn living_room(&self) -> Option<LivingRoom> {
        self.config.living_room()
    }

    /// Whether it can be an incident's war room.
    pub fn is_room(&self) -> bool {
        self.config.is_room()
    }
}

/// How long a delivery report is waited for where each page asks for one and the matrix does not say how long: carriers
/// that deliver at all mostly report within seconds.
pub const REPORT_TIMEOUT: Duration = Duration::from_secs(30);

/// What the matrix says where reports are not waited for.
const NEVER: &str = "never";

/// Reads one channel; `None` if its kind is not known.
pub(crate) fn channel(mut table: TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> Option<ChannelSettings> {
    let item = table.demand("kind", at, "kind = \"screen\"", faults);
    let kind = item.and_then(|item| item.text(faults)).and_then(|text| kind(&text, faults));
    if let Some(preset) = kind.and_then(|kind| kind.spec().preset).and_then(|preset| preset()) {
        table.fall_back_on(preset);
    }
    let pace = table.take("pace").and_then(|item| pace(&item, faults));
    let accept_timeout =
        table.take_renamed("accept_timeout", "patience", faults).and_then(|item| item.duration(faults));
    let report_timeout = table.take("report_timeout");
    let of_kinds: Vec<&str> = KINDS.iter().flat_map(|kind| kind.spec().keys).copied().collect();
    // Which other keys have an effect depends on the kind, so without it they are not checked.
    let Some(kind) = kind else {
        for key in KINDS.iter().flat_map(|kind| kind.spec().keys) {
            table.take(key);
        }
        table.finish(&[], &[], faults);
        return None;
    };
    // What could not be read is left empty: a matrix with a fault is checked completely, but never used.
    let config = (kind.spec().read)(kind, &mut table, at, faults);
    table.what = format!("{} (kind {kind})", table.what);
    table.finish(&[], &of_kinds, faults);
    let report_timeout = match report_timeout {
        Some(item) => waited_for(&item, &*config, faults),
        None => config.asks_for_reports().then_some(REPORT_TIMEOUT),
    };
    Some(ChannelSettings {
        config,
        pace: pace.unwrap_or(kind.spec().pace),
        accept_timeout: accept_timeout.map_or(kind.spec().accept_timeout, |accept_timeout| accept_timeout.value),
        report_timeout,
    })
}

/// How long a delivery report is waited for; `None` for `never`.
fn waited_for(item: &TomlItem<'_>, config: &dyn ChannelConfig, faults: &mut MatrixFaults) -> Option<Duration> {
    if item.says(NEVER) {
        return None;
    }
    let timeout = item.duration(faults)?.value;
    if config.report_hook().is_none() {
        let message = format!("a channel of kind {} gets no delivery reports", config.kind());
        return faults.refuse("no-reports", item.at, message, "leave `report_timeout` out");
    }
    Some(timeout)
}

fn kind(text: &LocatedValue<&str>, faults: &mut MatrixFaults) -> Option<ChannelKind> {
    let kind = ChannelKind::named(text.value);
    if kind.is_none() {
        let help = instead(text.value, KINDS.iter().map(|kind| kind.as_str()));
        faults.error("unknown-kind", text.at, format!("there is no kind of channel {:?}", text.value), help);
    }
    kind
}

/// `1/s`, `20/m`, `100/h`, each with or without `burst N`.
fn pace(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SendPace> {
    let text = item.text(faults)?;
    let parsed = parse_pace(text.value);
    if parsed.is_none() {
        let help = "write a number and a time unit: \"1/s\", \"20/m\", \"1/s burst 5\"";
        faults.error("bad-pace", text.at, format!("{:?} is not a pace", text.value), help);
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
