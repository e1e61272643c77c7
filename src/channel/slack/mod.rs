//! Slack: direct messages with buttons, war rooms with a card that is kept up to date, and what people press and type.

pub mod blocks;
mod chat;
pub mod command;
pub mod contact;
pub mod event;
pub mod inbound;
pub mod interaction;
mod lost_room;
mod modal;
mod people;
mod probe;
mod refusal;
mod room;
mod room_setup;
pub mod send;
pub mod settings;
pub mod signature;
pub mod socket;
mod text;
mod web;

pub use text::escape;

use super::{
    Channel,
    inbound::{InboundRefusal, InboundRequest, NamedPage, RequestHead},
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{
    channel::{
        provider_connection::{ConnectionSettings, ProviderConnection},
        room_name::RoomName,
    },
    core::{
        AnswerVia,
        plan::{AcceptTimeout, LivingRoom},
        retry::SendPace,
    },
    template::TextForm,
    toml_kit::secret::SecretRef,
};
use chat::{SlackRequest, SlackSockets};
use event::SlackInbound;
use secrecy::SecretString;
use send::{SlackChannel, SlackSettings};
use settings::SlackConfig;
use std::{sync::Arc, time::Duration};

/// Slack: direct messages and war rooms.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

/// By what answers come here.
pub const ANSWERS: AnswerVia = AnswerVia::chat("slack");

static SPEC: KindSpec = KindSpec {
    name: "slack",
    keys: settings::KEYS,
    preset: None,
    contact: Some(contact::MEMBER),
    looks_people_up: true,
    pace: SendPace { every: Duration::from_secs(1), burst: 3 },
    accept_timeout: Duration::from_secs(8),
    form: TextForm::Slack,
    reports: false,
    room: RoomSupport::Always,
    response: ResponseAssumptions { via: ANSWERS, ..ResponseAssumptions::CHAT },
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for SlackConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let settings = SlackSettings { token: parts.secret(&self.token)?, api_url: self.url.clone() };
        Ok(Arc::new(SlackChannel::new(settings).map_err(|error| error.to_string())?))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        std::iter::once(&self.token).chain(&self.signing_secret).chain(&self.app_token).collect()
    }

    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        self.signing_secret.iter().collect()
    }

    fn connection_secret(&self) -> Option<&SecretRef> {
        self.app_token.as_ref()
    }

    fn connection(&self, app_token: SecretString) -> Option<Arc<dyn ProviderConnection>> {
        Some(Arc::new(SlackSockets(ConnectionSettings { secret: app_token, api_url: self.url.clone() })))
    }

    fn is_room(&self) -> bool {
        true
    }

    fn living_room(&self) -> Option<LivingRoom> {
        Some(LivingRoom { archive_after: self.archive_after.map(AcceptTimeout) })
    }

    fn room_url(&self, room: &str) -> Option<String> {
        let is_id = !room.is_empty() && room.chars().all(|c| c.is_ascii_alphanumeric());
        is_id.then(|| format!("https://slack.com/app_redirect?channel={room}"))
    }

    fn new_room(&self) -> Option<(&RoomName, bool)> {
        Some((&self.name, self.private))
    }

    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        inbound::admit(head).map(|()| None)
    }

    fn body_max(&self, head: &RequestHead<'_>) -> usize {
        inbound::body_max(head)
    }

    fn receive(
        &self,
        head: &RequestHead<'_>,
        _named: Option<NamedPage>,
        body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        Ok(match inbound::receive(head, body)? {
            SlackInbound::Other => InboundRequest::Nothing,
            event => InboundRequest::Chat(Box::new(SlackRequest(event))),
        })
    }
}
