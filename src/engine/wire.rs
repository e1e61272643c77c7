//! One channel of the matrix becomes one that can send: its secrets are read, its client is built.

mod gateway;

use super::live::{ActiveChannel, SEND_TIMEOUT_MAX, SharedChannelParts};
use crate::{
    channel::{
        Channel,
        kannel::{KannelChannel, KannelSettings},
        slack::{SlackChannel, SlackSettings, socket::SocketSettings},
        smtp::{SmtpChannel, SmtpSettings},
        twilio::{
            AccountSettings,
            call::TwilioVoice,
            message::{SmsSender, TwilioSms},
        },
    },
    config,
    core::ChannelName,
    matrix::{
        ChannelConfig, ChannelSettings, KannelWay, SlackWay, SmtpWay, TwilioAccount, TwilioSender, TwilioWay, VoiceWay,
    },
    store::clock::{ClockSources, SystemClock},
    toml_kit::secret::SecretRef,
};
use secrecy::SecretString;
use std::sync::Arc;

type BuiltChannel = Result<Arc<dyn Channel>, String>;

/// Wires a channel. One whose secrets are not there writes to the sandbox and says why.
pub(super) fn channel(name: &ChannelName, settings: &ChannelSettings, shared: &SharedChannelParts) -> ActiveChannel {
    let built = match &settings.way {
        ChannelConfig::Screen => Ok(Arc::new(shared.hub.clone()) as Arc<dyn Channel>),
        _ if shared.sandbox => Err("--sandbox".to_owned()),
        ChannelConfig::Slack(way) => slack(way),
        ChannelConfig::Kannel(way) => kannel(way),
        ChannelConfig::Smtp(way) => smtp(way, &shared.site),
        ChannelConfig::Http(way) => gateway::http(way),
        ChannelConfig::Webhook(way) => gateway::webhook(way, &shared.site),
        ChannelConfig::Exec(way) => Ok(gateway::exec(way)),
        ChannelConfig::Twilio(way) => twilio(way),
        ChannelConfig::Voice(way) => voice(way),
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
    let socket = socket(&settings.way).filter(|_| sandboxed.is_none());
    ActiveChannel {
        channel,
        kind,
        sandboxed,
        timeout: settings.patience.min(SEND_TIMEOUT_MAX),
        pace: settings.pace,
        inbound: inbound(name, &settings.way),
        socket: socket.and_then(|built| {
            let told = |why: &String| tracing::warn!(channel = %name, why, "Slack is not listened to over sockets");
            built.inspect_err(told).ok()
        }),
    }
}

/// What authenticates a provider's callbacks, as far as it is here.
fn inbound(name: &ChannelName, way: &ChannelConfig) -> Vec<SecretString> {
    let read = |reference: &SecretRef| {
        let told = |why: &String| tracing::warn!(channel = %name, why, "what the provider sends can not be verified");
        secret(reference).inspect_err(told).ok()
    };
    inbound_refs(way).into_iter().filter_map(read).collect()
}

/// Where that is kept.
pub(super) fn inbound_refs(way: &ChannelConfig) -> Vec<&SecretRef> {
    match way {
        ChannelConfig::Slack(way) => way.signing_secret.iter().collect(),
        ChannelConfig::Kannel(way) => way.token.iter().collect(),
        ChannelConfig::Http(way) => way.tokens.iter().collect(),
        ChannelConfig::Twilio(way) => way.account.tokens.iter().collect(),
        ChannelConfig::Voice(way) => way.account.tokens.iter().collect(),
        ChannelConfig::Screen | ChannelConfig::Smtp(_) | ChannelConfig::Webhook(_) | ChannelConfig::Exec(_) => {
            Vec::new()
        }
    }
}

fn slack(way: &SlackWay) -> BuiltChannel {
    let settings = SlackSettings { token: secret(&way.token)?, api_url: way.url.clone() };
    Ok(Arc::new(SlackChannel::new(settings).map_err(|error| error.to_string())?))
}

/// The sockets that are to be kept open; none where the channel has no token for them.
fn socket(way: &ChannelConfig) -> Option<Result<SocketSettings, String>> {
    let ChannelConfig::Slack(way) = way else { return None };
    let app_token = secret(way.app_token.as_ref()?);
    Some(app_token.map(|app_token| SocketSettings { app_token, api_url: way.url.clone() }))
}

fn kannel(way: &KannelWay) -> BuiltChannel {
    let password = secret(way.account.password.as_ref().ok_or("it has no password")?)?;
    let username = way.account.username.clone().ok_or("it has no username")?;
    let settings = KannelSettings { url: way.url.clone(), username, password, from: way.from.clone() };
    Ok(Arc::new(KannelChannel::new(settings).map_err(|error| error.to_string())?))
}

fn smtp(way: &SmtpWay, site: &str) -> BuiltChannel {
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
    Ok(Arc::new(SmtpChannel::new(settings).map_err(|error| error.to_string())?))
}

fn twilio(way: &TwilioWay) -> BuiltChannel {
    let sender = match &way.sender {
        TwilioSender::From(from) => SmsSender::From(from.clone()),
        TwilioSender::Service(service) => SmsSender::Service(service.clone()),
    };
    let sms = TwilioSms::new(account(&way.account)?, sender, way.validity);
    Ok(Arc::new(sms.map_err(|error| error.to_string())?))
}

fn voice(way: &VoiceWay) -> BuiltChannel {
    let calls = TwilioVoice::new(account(&way.account)?, way.from.clone(), way.machines);
    Ok(Arc::new(calls.map_err(|error| error.to_string())?))
}

fn account(account: &TwilioAccount) -> Result<AccountSettings, String> {
    let tokens: Vec<Result<SecretString, String>> = account.tokens.iter().map(secret).collect();
    let api_key = match &account.api_key {
        Some((key, kept)) => Some((key.clone(), secret(kept)?)),
        None => None,
    };
    // While a token is changed the other one is enough.
    let why = tokens.iter().find_map(|token| token.as_ref().err().cloned()).unwrap_or_default();
    let tokens: Vec<SecretString> = tokens.into_iter().flatten().collect();
    if tokens.is_empty() {
        return Err(why);
    }
    let wall = || SystemClock.wall();
    Ok(AccountSettings { account: account.sid.clone(), tokens, api_key, url: account.url.clone(), wall })
}

/// Reads a secret; the error says why it can not be read.
pub(super) fn secret(secret: &SecretRef) -> Result<SecretString, String> {
    config::secret(secret).map_err(|error| error.to_string())
}
