//! One channel of the matrix becomes one that can send: its secrets are read, its client is built.

use super::live::{SEND_TIMEOUT_MAX, Shared, Wired};
use crate::{
    channel::{
        Channel,
        kannel::{Kannel, KannelSettings},
        slack::{Slack, SlackSettings},
        smtp::{Smtp, SmtpSettings},
    },
    config,
    core::ChannelName,
    matrix::{ChannelSettings, KannelWay, SecretRef, SlackWay, SmtpWay, Way},
};
use secrecy::SecretString;
use std::sync::Arc;

type Built = Result<Arc<dyn Channel>, String>;

/// Wires a channel. One whose secrets are not there writes to the sandbox and says why.
pub(super) fn channel(name: &ChannelName, settings: &ChannelSettings, shared: &Shared) -> Wired {
    let built = match &settings.way {
        Way::Screen => Ok(Arc::new(shared.hub.clone()) as Arc<dyn Channel>),
        _ if shared.sandbox => Err("--sandbox".to_owned()),
        Way::Slack(way) => slack(way),
        Way::Kannel(way) => kannel(way),
        Way::Smtp(way) => smtp(way, &shared.site),
    };
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
    let inbound = inbound(&settings.way).into_iter();
    Wired {
        channel,
        kind,
        sandboxed,
        timeout: settings.patience.min(SEND_TIMEOUT_MAX),
        pace: settings.pace,
        inbound: inbound.filter_map(|secret| config::secret(&reference(secret)).ok()).collect(),
    }
}

/// Where a secret is kept, as the one reader of secrets knows it.
pub(super) fn reference(secret: &SecretRef) -> config::Secret {
    match secret {
        SecretRef::Env(name) => config::Secret::Env(name.clone()),
        SecretRef::File(path) => config::Secret::File(path.clone()),
        SecretRef::Credential(name) => config::Secret::Credential(name.clone()),
    }
}

/// What authenticates a provider's callbacks.
fn inbound(way: &Way) -> Vec<&SecretRef> {
    match way {
        Way::Slack(way) => way.signing_secret.iter().collect(),
        Way::Kannel(way) => way.token.iter().collect(),
        Way::Screen | Way::Smtp(_) => Vec::new(),
    }
}

fn slack(way: &SlackWay) -> Built {
    let settings = SlackSettings { token: secret(&way.token)?, api_url: way.url.clone() };
    Ok(Arc::new(Slack::new(settings).map_err(|error| error.to_string())?))
}

fn kannel(way: &KannelWay) -> Built {
    let password = secret(way.account.password.as_ref().ok_or("it has no password")?)?;
    let username = way.account.username.clone().ok_or("it has no username")?;
    let settings = KannelSettings { url: way.url.clone(), username, password, from: way.from.clone() };
    Ok(Arc::new(Kannel::new(settings).map_err(|error| error.to_string())?))
}

fn smtp(way: &SmtpWay, site: &str) -> Built {
    // A relay on loopback may need no login; one that names a user needs the password.
    let password = match (&way.account.username, &way.account.password) {
        (None, None) => None,
        (_, None) => return Err("it has no password".to_owned()),
        (_, Some(password)) => Some(secret(password)?),
    };
    let settings = SmtpSettings {
        url: way.url.clone(),
        username: way.account.username.clone(),
        password,
        from: way.from.clone(),
        ca: config::extra_ca(),
        site: Some(site.to_owned()),
    };
    Ok(Arc::new(Smtp::new(settings).map_err(|error| error.to_string())?))
}

fn secret(secret: &SecretRef) -> Result<SecretString, String> {
    config::secret(&reference(secret)).map_err(|error| error.to_string())
}
