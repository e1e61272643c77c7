//! Presets of `http` for some services: each is one TOML file with keys of `http`, and an entry in the table of kinds.

use super::SPEC;
use crate::{
    channel::kind::{ChannelKind, KindSpec, ResponseAssumptions, RoomSupport},
    core::{AnswerVia, retry::SendPace},
};
use std::{sync::LazyLock, time::Duration};
use toml::{Spanned, de::DeTable};

/// Microsoft Teams.
pub const TEAMS: ChannelKind = ChannelKind::of(&TEAMS_SPEC);

/// Mattermost.
pub const MATTERMOST: ChannelKind = ChannelKind::of(&MATTERMOST_SPEC);

/// ntfy.
pub const NTFY: ChannelKind = ChannelKind::of(&NTFY_SPEC);

static TEAMS_SPEC: KindSpec = KindSpec {
    name: "teams",
    preset: Some(|| TEAMS_KEYS.as_ref().map(Spanned::get_ref)),
    pace: SendPace { every: Duration::from_millis(500), burst: 4 },
    accept_timeout: Duration::from_secs(10),
    room: RoomSupport::Always,
    response: CHAT,
    ..SPEC
};

static MATTERMOST_SPEC: KindSpec = KindSpec {
    name: "mattermost",
    preset: Some(|| MATTERMOST_KEYS.as_ref().map(Spanned::get_ref)),
    pace: SendPace { every: Duration::from_millis(500), burst: 4 },
    accept_timeout: Duration::from_secs(10),
    room: RoomSupport::Always,
    response: CHAT,
    ..SPEC
};

static NTFY_SPEC: KindSpec = KindSpec {
    name: "ntfy",
    preset: Some(|| NTFY_KEYS.as_ref().map(Spanned::get_ref)),
    accept_timeout: Duration::from_secs(10),
    room: RoomSupport::Always,
    ..SPEC
};

/// People read the chat and answer by another channel.
const CHAT: ResponseAssumptions = ResponseAssumptions { via: AnswerVia::Sms, ..ResponseAssumptions::CHAT };

static TEAMS_KEYS: LazyLock<Option<Spanned<DeTable<'static>>>> =
    LazyLock::new(|| DeTable::parse(include_str!("presets/teams.toml")).ok());

static MATTERMOST_KEYS: LazyLock<Option<Spanned<DeTable<'static>>>> =
    LazyLock::new(|| DeTable::parse(include_str!("presets/mattermost.toml")).ok());

static NTFY_KEYS: LazyLock<Option<Spanned<DeTable<'static>>>> =
    LazyLock::new(|| DeTable::parse(include_str!("presets/ntfy.toml")).ok());
