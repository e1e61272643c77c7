//! The desk page in a browser.

use super::{
    Channel,
    kind::{ChannelConfig, ChannelKind, ChannelParts, DelayEstimate, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{
    core::{AnswerVia, retry::SendPace},
    template::TextForm,
};
use std::{sync::Arc, time::Duration};

/// The desk page in a browser.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "screen",
    keys: &[],
    preset: None,
    contact: None,
    looks_people_up: false,
    pace: SendPace { every: Duration::from_millis(10), burst: 100 },
    accept_timeout: Duration::from_secs(5),
    form: TextForm::Screen,
    reports: false,
    room: RoomSupport::Never,
    // A screen is in front of them and has buttons.
    response: ResponseAssumptions {
        reaction: DelayEstimate::seconds(12, 40),
        acceptance: DelayEstimate::millis(5, 20),
        delivery: DelayEstimate::millis(50, 200),
        lost: 0.0,
        via: AnswerVia::Desk,
    },
    read: |_, _, _, _| Arc::new(DeskConfig),
};

/// A desk has no keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskConfig;

impl ChannelConfig for DeskConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        Ok(Arc::new(parts.hub.clone()))
    }

    fn is_local(&self) -> bool {
        true
    }
}
