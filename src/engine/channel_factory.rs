//! One channel of the matrix becomes one that can send: its secrets are read, its client is built.

use crate::{
    channel::{
        Channel,
        kind::{ChannelConfig, ChannelParts},
        provider_connection::ProviderConnection,
        settings::ChannelSettings,
        webhook::send::WebhookChannel,
    },
    config,
    core::{ChannelName, Timestamp},
    engine::active_channel::{ActiveChannel, SEND_TIMEOUT_MAX, SharedChannelParts},
    matrix::AnchorSettings,
    store::clock::{ClockSources, SystemClock},
    toml_kit::secret::SecretRef,
};
use secrecy::SecretString;
use std::sync::Arc;

/// What of our own environment a program is given.
const ENVIRONMENT: [&str; 2] = ["PATH", "LANG"];

/// Wires a channel. One whose secrets are not there writes to the sandbox and says why.
pub(super) fn channel(name: &ChannelName, settings: &ChannelSettings, shared: &SharedChannelParts) -> ActiveChannel {
    let config = settings.config.as_ref();
    let built =
        if shared.sandbox && !config.is_local() { Err("--sandbox".to_owned()) } else { config.build(&parts(shared)) };
    let kind = settings.kind();
    let (channel, sandboxed) = match built {
        Ok(channel) => (channel, None),
        Err(why) => {
            if !shared.sandbox {
                tracing::warn!(channel = %name, why, "this channel writes to the outbox only");
            }
            let sandbox = shared.outbox.instead_of(name.clone(), kind.as_str());
            (Arc::new(sandbox) as Arc<dyn Channel>, Some(why))
        }
    };
    let connection = if sandboxed.is_none() { connection(name, config) } else { None };
    ActiveChannel {
        channel,
        kind,
        sandboxed,
        timeout: settings.accept_timeout.min(SEND_TIMEOUT_MAX),
        pace: settings.pace,
        inbound: inbound(name, config),
        connection,
    }
}

/// The webhook that gets copies of anchors, if the matrix has one; the error says why it can not be used. The sandbox
/// sends nothing.
pub(super) fn anchor_webhook(
    settings: Option<&AnchorSettings>,
    shared: &SharedChannelParts,
) -> Option<Result<WebhookChannel, String>> {
    let config = settings?.webhook.as_ref().filter(|_| !shared.sandbox)?;
    Some(config.webhook(&parts(shared)))
}

fn parts(shared: &SharedChannelParts) -> ChannelParts<'_> {
    ChannelParts {
        secret: &secret,
        wall,
        site: &shared.site,
        hub: &shared.hub,
        ca: config::extra_ca(),
        environment: environment(),
    }
}

/// The environment of programs.
pub(super) fn environment() -> Vec<(String, String)> {
    let given = |name: &str| Some((name.to_owned(), config::variable(name)?));
    ENVIRONMENT.into_iter().filter_map(given).collect()
}

/// What authenticates a provider's callbacks, as far as it is here.
fn inbound(name: &ChannelName, config: &dyn ChannelConfig) -> Vec<SecretString> {
    let read = |reference: &SecretRef| {
        let told = |why: &String| tracing::warn!(channel = %name, why, "what the provider sends can not be verified");
        secret(reference).inspect_err(told).ok()
    };
    config.inbound_secrets().into_iter().filter_map(read).collect()
}

/// The connection to keep open; `None` if the channel has no secret for one.
fn connection(name: &ChannelName, config: &dyn ChannelConfig) -> Option<Arc<dyn ProviderConnection>> {
    let kind = config.kind();
    let told = |why: &String| tracing::warn!(channel = %name, %kind, why, "this channel has no inbound connection");
    config.connection(secret(config.connection_secret()?).inspect_err(told).ok()?)
}

/// What the clocks of others show; ladders never see it.
fn wall() -> Timestamp {
    SystemClock.wall()
}

/// Reads a secret; the error says why it can not be read.
pub(super) fn secret(secret: &SecretRef) -> Result<SecretString, String> {
    config::secret(secret).map_err(|error| error.to_string())
}
