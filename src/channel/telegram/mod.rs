//! Telegram: messages with buttons by a bot, and what people press and write there, fetched by long polling.

pub mod api;
pub mod contact;
mod group;
pub mod inbound;
pub mod poll;
mod refusal;
pub mod send;
pub mod settings;

use super::{
    Channel,
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions},
    socket_settings::{ConnectionProtocol, SocketSettings},
};
use crate::{
    core::{AnswerVia, plan::LivingRoom, retry::SendPace},
    template::TextForm,
    toml_kit::secret::SecretRef,
};
use secrecy::SecretString;
use send::TelegramChannel;
use settings::TelegramConfig;
use std::{sync::Arc, time::Duration};

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

    fn socket_secret(&self) -> Option<&SecretRef> {
        Some(&self.token)
    }

    fn socket(&self, token: SecretString) -> Option<SocketSettings> {
        let protocol = ConnectionProtocol::LongPolling;
        Some(SocketSettings { protocol, secret: token, api_url: self.url.clone() })
    }
}
