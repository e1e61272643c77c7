//! A local program.

pub mod send;
pub mod settings;

pub use super::program::OUTPUT_MAX;

use super::{
    Channel,
    contact::{self, ContactField},
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{core::retry::SendPace, template::TextForm};
use send::{ExecChannel, ExecSettings};
use settings::ExecConfig;
use std::{sync::Arc, time::Duration};

/// A local program.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "exec",
    keys: settings::KEYS,
    preset: None,
    contact: None,
    looks_people_up: false,
    pace: SendPace { every: Duration::from_millis(100), burst: 20 },
    accept_timeout: Duration::from_secs(10),
    form: TextForm::Board,
    reports: false,
    room: RoomSupport::When("without `needs`"),
    response: ResponseAssumptions::POCKET,
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for ExecConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        Ok(Arc::new(ExecChannel::new(ExecSettings {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            environment: parts.environment.clone(),
            needs: self.needs,
        })))
    }

    fn contact(&self) -> Option<ContactField> {
        self.needs
    }

    fn form(&self) -> TextForm {
        contact::form(self.needs)
    }

    fn is_shared(&self) -> bool {
        !self.personal
    }

    fn is_room(&self) -> bool {
        self.needs.is_none()
    }
}
