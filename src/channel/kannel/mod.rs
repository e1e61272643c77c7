//! SMS by a Kannel gateway.

mod inbound;
pub mod send;
pub mod settings;

use super::{
    Channel,
    contact::PHONE,
    inbound::{InboundRefusal, InboundRequest, NamedPage, RequestHead},
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{core::retry::SendPace, template::TextForm, toml_kit::secret::SecretRef};
use send::{KannelChannel, KannelSettings};
use settings::KannelConfig;
use std::{sync::Arc, time::Duration};

/// SMS by a Kannel gateway.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "kannel",
    keys: settings::KEYS,
    preset: None,
    contact: Some(PHONE),
    looks_people_up: false,
    pace: SendPace { every: Duration::from_secs(1), burst: 3 },
    accept_timeout: Duration::from_secs(20),
    form: TextForm::Sms,
    reports: true,
    room: RoomSupport::Never,
    response: ResponseAssumptions::POCKET,
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for KannelConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let password = parts.secret(self.account.password.as_ref().ok_or("it has no password")?)?;
        let username = self.account.username.clone().ok_or("it has no username")?;
        let settings = KannelSettings { url: self.url.clone(), username, password, from: self.from.clone() };
        Ok(Arc::new(KannelChannel::new(settings).map_err(|error| error.to_string())?))
    }

    fn asks_for_reports(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.token.iter().chain(&self.account.password).collect()
    }

    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        self.token.iter().collect()
    }

    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        inbound::admit(head)
    }

    fn receive(
        &self,
        head: &RequestHead<'_>,
        named: Option<NamedPage>,
        body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        inbound::receive(head, named, body)
    }
}
