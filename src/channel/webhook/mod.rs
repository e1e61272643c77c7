//! Signed events for another system.

pub mod send;
pub mod settings;
pub mod sign;

use super::{
    Channel,
    guard::AddressGuard,
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{core::retry::SendPace, template::TextForm, toml_kit::secret::SecretRef};
use send::{WebhookChannel, WebhookSettings};
use settings::WebhookConfig;
use std::{sync::Arc, time::Duration};

/// Signed events for another system.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "webhook",
    keys: settings::KEYS,
    preset: None,
    contact: None,
    looks_people_up: false,
    pace: SendPace { every: Duration::from_millis(100), burst: 20 },
    accept_timeout: Duration::from_secs(15),
    form: TextForm::Board,
    reports: false,
    room: RoomSupport::Never,
    response: ResponseAssumptions::POCKET,
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for WebhookConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        Ok(Arc::new(self.webhook(parts)?))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.keys.iter().chain(self.url.secret()).collect()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reaches_people(&self) -> bool {
        false
    }
}

impl WebhookConfig {
    /// The channel itself, for events that are no incident's. The error says why it can not be created.
    pub fn webhook(&self, parts: &ChannelParts<'_>) -> Result<WebhookChannel, String> {
        let settings = WebhookSettings {
            url: parts.address(&self.url)?,
            keys: self.keys.iter().map(|key| parts.secret(key)).collect::<Result<_, _>>()?,
            guard: AddressGuard::of(&self.allow),
            site: parts.site.to_owned(),
            clock: parts.wall,
        };
        WebhookChannel::new(settings).map_err(|error| error.to_string())
    }
}
