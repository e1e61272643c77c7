//! Telegram: messages with buttons by a bot, and what people press and write there, fetched by long polling.

pub mod api;
mod chat;
pub mod contact;
mod group;
pub mod inbound;
pub mod poll;
mod refusal;
pub mod send;
pub mod settings;

use super::{
    Channel, SettingError,
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
    provider_connection::{ConnectionHost, ConnectionSettings, ProviderConnection},
};
use crate::{
    core::{AnswerVia, plan::LivingRoom, retry::SendPace},
    template::TextForm,
    toml_kit::secret::SecretRef,
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use send::TelegramChannel;
use settings::TelegramConfig;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Telegram: messages by a bot.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

/// By what answers come here.
pub const ANSWERS: AnswerVia = AnswerVia::chat("telegram");

static SPEC: KindSpec = KindSpec {
    name: "telegram",
    keys: settings::KEYS,
    preset: None,
    contact: Some(contact::CHAT),
    looks_people_up: false,
    pace: SendPace { every: Duration::from_secs(1), burst: 3 },
    accept_timeout: Duration::from_secs(10),
    form: TextForm::Board,
    reports: false,
    room: RoomSupport::When("with `group`"),
    response: ResponseAssumptions { via: ANSWERS, ..ResponseAssumptions::CHAT },
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for TelegramConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let token = parts.secret(&self.token)?;
        let channel = TelegramChannel::new(self.url.as_deref(), token).map_err(|error| error.to_string())?;
        Ok(Arc::new(channel.with_group(self.group)))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.token]
    }

    fn is_room(&self) -> bool {
        self.group.is_some()
    }

    fn living_room(&self) -> Option<LivingRoom> {
        self.group.map(|_| LivingRoom { archive_after: None })
    }

    fn connection_secret(&self) -> Option<&SecretRef> {
        Some(&self.token)
    }

    fn connection(&self, token: SecretString) -> Option<Arc<dyn ProviderConnection>> {
        Some(Arc::new(UpdateConnection(ConnectionSettings { secret: token, api_url: self.url.clone() })))
    }
}

/// Fetches a bot's updates. It has no probe: the login of the bot shows that they can be fetched.
struct UpdateConnection(ConnectionSettings);

impl ProviderConnection for UpdateConnection {
    fn settings(&self) -> &ConnectionSettings {
        &self.0
    }

    fn keep(&self, host: Arc<dyn ConnectionHost>, stop: CancellationToken) -> BoxFuture<'_, Result<(), SettingError>> {
        Box::pin(poll::run(&self.0, poll::TIMING, host, stop))
    }
}
