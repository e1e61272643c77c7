//! Reads `[daemon]` and `[source.NAME]`.

use crate::{
    core::names::CATCH_ALL,
    matrix::settings::{DaemonSettings, OPENINGS_PER_MINUTE, PING_EVERY, PingSettings, SourceSettings},
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
        network::networks,
        secret::{self, secrets, web_url},
    },
};
use std::path::PathBuf;

pub(super) fn daemon(mut table: TomlTable<'_>, faults: &mut MatrixFaults) -> DaemonSettings {
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
    let proof_max_age = table.take("proof_max_age").and_then(|item| item.duration(faults)).map(|age| age.value);
    let proxies = table.take("proxies").map(|item| networks(&item, faults)).unwrap_or_default();
    table.finish(&[], &[], faults);
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
    DaemonSettings { listen, public_url, state, ping, proof_max_age, proxies }
}

/// `{ url = "https://..", every = "60s" }`; the address may be a secret.
fn ping(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<PingSettings> {
    let mut table = item.table("`ping`".into(), faults)?;
    let address = table.demand("url", item.at, "url = \"https://deadman.example/1f6c\"", faults);
    let address = address.and_then(|item| secret::address(&item, faults));
    let every = table.take("every").and_then(|item| item.duration(faults)).map_or(PING_EVERY, |every| every.value);
    table.finish(&[], &[], faults);
    Some(PingSettings { url: address?, every })
}

pub(super) fn source(mut table: TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> SourceSettings {
    let token = table.demand("token", at, "token = { env = \"SOME_VARIABLE\" }", faults);
    let tokens = token.map(|item| secrets(&item, faults)).unwrap_or_default();
    let drills = table.take("drills").and_then(|item| item.flag(faults)).unwrap_or(false);
    let pages_unmatched = table.take("unmatched").and_then(|item| unmatched(&item, faults)).unwrap_or(false);
    let openings = table.take("openings_per_minute").and_then(|item| openings(&item, faults));
    let openings_per_minute = openings.unwrap_or(OPENINGS_PER_MINUTE);
    table.finish(&["heartbeat", "lease"], &[], faults);
    SourceSettings { tokens, drills, pages_unmatched, openings_per_minute }
}

fn openings(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let openings = item.count(faults)?;
    if openings == 0 {
        let message = "a source that may open no incident pages nobody";
        return faults.refuse("count-out-of-range", item.at, message, "from 1 on; leave it away for the default");
    }
    Some(openings)
}

fn unmatched(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<bool> {
    let text = item.text(faults)?;
    match text.value {
        "count" => Some(false),
        CATCH_ALL => Some(true),
        other => {
            let message = format!("`unmatched` can not be {other:?}");
            let help = "\"count\" (they are counted and logged) or \"catch-all\" (they page it, once for the source)";
            faults.refuse("unknown-word", text.at, message, help)
        }
    }
}
