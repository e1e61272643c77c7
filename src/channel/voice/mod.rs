//! Calls by Twilio.

mod inbound;
pub mod send;
pub mod settings;

use super::{
    Channel,
    contact::PHONE,
    inbound::{Acknowledgement, HookAddress, InboundRefusal, InboundRequest, NamedPage, RequestHead},
    kind::{ChannelConfig, ChannelKind, ChannelParts, DelayEstimate, KindSpec, ResponseAssumptions, RoomSupport},
    twilio,
};
use crate::{
    core::{AnswerVia, retry::SendPace},
    template::TextForm,
    toml_kit::secret::SecretRef,
};
use send::TwilioVoice;
use settings::VoiceConfig;
use std::{sync::Arc, time::Duration};

/// Calls by Twilio.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "voice",
    keys: settings::KEYS,
    preset: None,
    contact: Some(PHONE),
    looks_people_up: false,
    // A phone takes one call at a time.
    pace: SendPace { every: Duration::from_secs(20), burst: 1 },
    accept_timeout: Duration::from_secs(15),
    form: TextForm::Voice,
    reports: true,
    room: RoomSupport::Never,
    response: ResponseAssumptions {
        reaction: DelayEstimate::seconds(25, 60),
        delivery: DelayEstimate::seconds(6, 15),
        via: AnswerVia::Voice,
        ..ResponseAssumptions::POCKET
    },
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for VoiceConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let calls = TwilioVoice::new(self.account.with_secrets(parts)?, self.from.clone(), self.machines);
        Ok(Arc::new(calls.map_err(|error| error.to_string())?))
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
        match head.at {
            HookAddress::Inbox => Err(InboundRefusal::NotFound("a channel of kind voice receives no texts".to_owned())),
            HookAddress::Report => twilio::inbound::admit(head).map(|()| None),
        }
    }

    fn receive(
        &self,
        head: &RequestHead<'_>,
        _named: Option<NamedPage>,
        body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        inbound::receive(self, head, body)
    }

    /// The document is already TwiML.
    fn acknowledge(&self, document: Option<String>) -> Acknowledgement {
        twilio::inbound::acknowledge(document.unwrap_or_else(twilio::twiml::nothing))
    }
}
