//! SMS by Twilio, and what all channels of a Twilio account have in common.

pub mod code;
pub(super) mod inbound;
pub mod login;
mod probe;
pub mod send;
pub mod settings;
pub mod signature;
pub mod twiml;

use super::{
    Channel,
    contact::PHONE,
    inbound::{Acknowledgement, InboundRefusal, InboundRequest, NamedPage, RequestHead},
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{core::retry::SendPace, template::TextForm, toml_kit::secret::SecretRef};
use login::AccountSettings;
use secrecy::SecretString;
use send::{SmsSender, TwilioSms};
use settings::{TwilioAccount, TwilioConfig, TwilioSender};
use std::{sync::Arc, time::Duration};

/// SMS by Twilio.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "twilio",
    keys: settings::KEYS,
    preset: None,
    contact: Some(PHONE),
    looks_people_up: false,
    pace: SendPace { every: Duration::from_secs(1), burst: 3 },
    accept_timeout: Duration::from_secs(15),
    form: TextForm::Sms,
    reports: true,
    room: RoomSupport::Never,
    response: ResponseAssumptions::POCKET,
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for TwilioConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let sender = match &self.sender {
            TwilioSender::From(from) => SmsSender::From(from.clone()),
            TwilioSender::Service(service) => SmsSender::Service(service.clone()),
        };
        let sms = TwilioSms::new(self.account.with_secrets(parts)?, sender, self.validity);
        Ok(Arc::new(sms.map_err(|error| error.to_string())?))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.account.secrets()
    }

    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        self.account.tokens.iter().collect()
    }

    fn calls_back(&self) -> Option<&'static str> {
        self.account.calls_back()
    }

    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        inbound::admit(head).map(|()| None)
    }

    fn receive(
        &self,
        head: &RequestHead<'_>,
        _named: Option<NamedPage>,
        body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        inbound::receive(head, body)
    }

    fn acknowledge(&self, word: Option<String>) -> Acknowledgement {
        inbound::acknowledge(twiml::reply(&word.unwrap_or_default()))
    }
}

impl TwilioAccount {
    /// The account with its secrets resolved. During a rotation one of the two tokens is enough.
    pub(super) fn with_secrets(&self, parts: &ChannelParts<'_>) -> Result<AccountSettings, String> {
        let tokens: Vec<Result<SecretString, String>> = self.tokens.iter().map(|token| parts.secret(token)).collect();
        let api_key = match &self.api_key {
            Some((key, kept)) => Some((key.clone(), parts.secret(kept)?)),
            None => None,
        };
        let why = tokens.iter().find_map(|token| token.as_ref().err().cloned()).unwrap_or_default();
        let tokens: Vec<SecretString> = tokens.into_iter().flatten().collect();
        if tokens.is_empty() {
            return Err(why);
        }
        Ok(AccountSettings { account: self.sid.clone(), tokens, api_key, url: self.url.clone(), wall: parts.wall })
    }

    /// Twilio must be able to reach us; a test double (`url`) is on this machine anyway.
    pub(super) fn calls_back(&self) -> Option<&'static str> {
        self.url.is_none().then_some("Twilio")
    }
}
