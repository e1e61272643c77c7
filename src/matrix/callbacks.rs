//! Checks that providers with callbacks can reach the daemon.

use crate::{matrix::draft::MatrixDraft, toml_kit::faults::MatrixFaults};

/// A provider on the internet cannot call an address of this machine: no replies, reports or keys pressed in a call
/// would arrive.
pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let public = draft.daemon.as_ref().and_then(|daemon| daemon.value.public_url.as_deref());
    if public.is_some_and(|url| !is_here(url)) {
        return;
    }
    for (name, channel) in &draft.channels {
        if let Some(provider) = channel.value.as_ref().and_then(|channel| channel.config.calls_back()) {
            let message =
                format!("{provider} can not call back for channel `{name}`: no answer and no report comes in");
            let help = "set `public_url` in [daemon] to where the internet reaches this daemon: \"https://..\"";
            faults.warning("no-way-back", channel.at, message, help);
        }
    }
}

fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here))
}
