//! Reads `[daemon]`.

use crate::{
    channel::webhook::settings as webhook,
    core::Zones,
    matrix::{
        settings::{AnchorSettings, DaemonSettings, PING_EVERY, PingSettings},
        zone_name::zone,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::MatrixFaults,
        network::networks,
        secret::{self, web_url},
    },
};
use std::path::PathBuf;

/// An address of a service that notices when a ping stays away.
const PING_EXAMPLE: &str = "https://deadman.example/1f6c";

/// A file that is appended to.
const ANCHORS_EXAMPLE: &str = "/var/log/stentor/anchors.jsonl";

pub(super) fn daemon(mut table: TomlTable<'_>, zones: &Zones, faults: &mut MatrixFaults) -> DaemonSettings {
    let listen = table.take("listen").and_then(|item| item.text(faults)).and_then(|text| {
        let parsed = text.value.parse().ok();
        if parsed.is_none() {
            let message = format!("{:?} is not an address to listen on", text.value);
            faults.error("bad-address", text.at, message, "write an IP address and a port: \"127.0.0.1:8600\"");
        }
        parsed
    });
    let public_url = table.take("public_url").and_then(|item| web_url(&item, faults));
    let state = table.take("state").and_then(|item| item.text(faults)).map(|text| PathBuf::from(text.value));
    let ping = table.take("ping").and_then(|item| ping(&item, faults));
    let anchors = table.take("anchors").and_then(|item| anchors(&item, faults));
    let proof_max_age = table.take("proof_max_age").and_then(|item| item.duration(faults)).map(|age| age.value);
    let proxies = table.take("proxies").map(|item| networks(&item, faults)).unwrap_or_default();
    let timezone = table.take("timezone").and_then(|item| zone(&item, zones, faults));
    let receipt_key = table.take("receipt_key").and_then(|item| receipt_key(&item, faults));
    table.finish(&[], &[], faults);
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
    DaemonSettings { listen, public_url, state, ping, anchors, proof_max_age, proxies, timezone, receipt_key }
}

fn receipt_key(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let number = item.count(faults)?;
    if number == 0 {
        let help = "the first key is 1; to change it, add one";
        return faults.refuse("count-out-of-range", item.at, "there is no key 0", help);
    }
    Some(number)
}

/// `{ url = "https://..", every = "60s" }`; the address may be a secret.
fn ping(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<PingSettings> {
    let example = |url: Option<&str>| format!("ping = {{ url = {:?} }}", url.unwrap_or(PING_EXAMPLE));
    let mut table = item.table_like("`ping`".into(), example, faults)?;
    let address = table.demand("url", item.at, &format!("url = {PING_EXAMPLE:?}"), faults);
    let address = address.and_then(|item| secret::address(&item, faults));
    let every = table.take("every").and_then(|item| item.duration(faults)).map_or(PING_EVERY, |every| every.value);
    table.finish(&[], &[], faults);
    Some(PingSettings { url: address?, every })
}

/// `{ file = "/var/log/anchors.jsonl", webhook = { url, keys, allow } }`, or one of them.
fn anchors(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<AnchorSettings> {
    let example = |file: Option<&str>| format!("anchors = {{ file = {:?} }}", file.unwrap_or(ANCHORS_EXAMPLE));
    let mut table = item.table_like("`anchors`".into(), example, faults)?;
    let (file, webhook) = (table.take("file"), table.take("webhook"));
    table.finish(&[], &[], faults);
    if file.is_none() && webhook.is_none() {
        let help = example(None);
        return faults.refuse("missing-key", item.at, "`anchors` needs a `file` or a `webhook`", &help);
    }
    let file = file.and_then(|item| absolute(&item, faults));
    let webhook = webhook.and_then(|item| {
        let example = |url: Option<&str>| {
            let url = url.unwrap_or("https://audit.example.com/anchors");
            format!("webhook = {{ url = {url:?}, keys = [{{ env = \"WEBHOOK_KEY\" }}] }}")
        };
        let mut table = item.table_like("`webhook`".into(), example, faults)?;
        let webhook = webhook::read(&mut table, item.at, faults);
        table.finish(&[], &[], faults);
        Some(webhook)
    });
    Some(AnchorSettings { file, webhook })
}

/// A path that does not depend on where the daemon was started.
fn absolute(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<PathBuf> {
    let text = item.text(faults)?;
    let path = PathBuf::from(text.value);
    if path.is_absolute() {
        return Some(path);
    }
    let message = format!("{:?} is not an absolute path", text.value);
    faults.refuse("bad-path", text.at, message, "begin it with `/`: \"/var/log/stentor/anchors.jsonl\"")
}
