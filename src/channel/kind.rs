//! What one kind of channel is to the rest of the program: its entry in the table of kinds, and what the settings of one
//! channel are asked. Nothing outside of a channel's own folder knows more of it than this.

use crate::{
    channel::{
        Channel,
        desk_hub::DeskHub,
        inbound::{Acknowledgement, CALLBACK_MAX, Inbound, InboundRefusal, NamedPage, RequestHead},
        room_name::RoomName,
        socket_settings::SocketSettings,
    },
    core::{AnswerVia, Timestamp, plan::LivingRoom, retry::SendPace},
    template::TextForm,
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
        secret::{SecretAddress, SecretRef},
    },
};
use secrecy::SecretString;
use std::{cmp::Ordering, fmt, path::PathBuf, sync::Arc, time::Duration};
use toml::de::DeTable;

/// A kind of channel: a reference to its entry.
#[derive(Clone, Copy)]
pub struct ChannelKind(&'static KindSpec);

/// The entry of one kind.
pub struct KindSpec {
    /// Its name in the matrix.
    pub name: &'static str,
    /// The keys that it knows beside those of all channels.
    pub keys: &'static [&'static str],
    /// For a preset of another kind: the keys that stand where the matrix gives none.
    pub preset: Option<fn() -> Option<&'static DeTable<'static>>>,
    /// What must be known of a person to reach them, where the settings do not say otherwise.
    pub contact: ContactField,
    /// How fast one destination is written to when the matrix says nothing.
    pub pace: SendPace,
    /// How long a page may stay unaccepted, when the matrix says nothing, before the person's next channel is tried.
    pub accept_timeout: Duration,
    /// In which form it shows a text, and with it within which limits, where the settings do not say otherwise.
    pub form: TextForm,
    /// Whether its providers report what became of a page that they had taken.
    pub reports: bool,
    /// How it carries and how people answer by it in simulations, where no history says better.
    pub response: ResponseAssumptions,
    /// Reads the keys of one channel. What can not be read is left empty, and told.
    pub(crate) read: SettingsReader,
}

/// Reads the keys of one channel of this kind.
pub(crate) type SettingsReader =
    fn(ChannelKind, &mut TomlTable<'_>, SourceSpan, &mut MatrixFaults) -> Arc<dyn ChannelConfig>;

/// What must be known of a person to reach them by a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ContactField {
    /// That they exist.
    #[default]
    Nothing,
    /// Their Slack member id.
    Slack,
    /// Their phone number.
    Phone,
    /// Their mailbox.
    Email,
    /// Their Telegram chat id.
    Telegram,
}

/// How a channel carries and how people answer by it: assumptions, for a provider that works and a person who is at work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseAssumptions {
    /// How long after a page reached somebody they answer.
    pub reaction: DelayEstimate,
    /// How long the provider takes to accept a page.
    pub acceptance: DelayEstimate,
    /// How long after that it is on the person's device.
    pub delivery: DelayEstimate,
    /// The probability that an accepted page never arrives.
    pub lost: f64,
    /// By what an answer comes.
    pub via: AnswerVia,
}

/// A delay that varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayEstimate {
    /// Half are shorter.
    pub median: Duration,
    /// Nine in ten are shorter.
    pub p90: Duration,
}

/// The settings of one channel, of whichever kind: what the matrix says of it beside what all channels have.
pub trait ChannelConfig: fmt::Debug + Send + Sync {
    /// Its kind.
    fn kind(&self) -> ChannelKind;

    /// Makes the channel that sends. The error says why it can not be made; then the sandbox stands in for it.
    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String>;

    /// Every secret that it names.
    fn secrets(&self) -> Vec<&SecretRef> {
        Vec::new()
    }

    /// Those of them that authenticate what its provider sends to us.
    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        Vec::new()
    }

    /// Where its provider hands in over a connection that we open: where the secret for that is kept.
    fn socket_secret(&self) -> Option<&SecretRef> {
        None
    }

    /// The settings of that connection, with that secret.
    fn socket(&self, _secret: SecretString) -> Option<SocketSettings> {
        None
    }

    /// The part of an address where its provider calls us.
    fn hook(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Whether a request of its provider may be read, as far as that shows before its body: the page that it names with a
    /// token, which is to be proved before anything is read.
    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        Err(InboundRefusal::NotFound(format!("nobody calls channel {:?}", head.channel)))
    }

    /// The largest body of a request that [`ChannelConfig::admit`] has let in, in bytes.
    fn body_max(&self, _head: &RequestHead<'_>) -> usize {
        CALLBACK_MAX
    }

    /// Whether a request is its provider's, and what it means. `named` is what [`ChannelConfig::admit`] has found.
    fn receive(
        &self,
        _head: &RequestHead<'_>,
        _named: Option<NamedPage>,
        _body: &[u8],
    ) -> Result<Inbound, InboundRefusal> {
        Ok(Inbound::Nothing)
    }

    /// How its provider is told that it came, with a word for the person where there is one.
    fn acknowledge(&self, word: Option<String>) -> Acknowledgement {
        word.map_or_else(Acknowledgement::empty, Acknowledgement::text)
    }

    /// What must be known of a person to reach them.
    fn contact(&self) -> ContactField {
        self.kind().spec().contact
    }

    /// In which form it shows a text.
    fn form(&self) -> TextForm {
        self.kind().spec().form
    }

    /// Whether others than the person whom a page is for may read it: then nobody's own code or link goes there.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether it can reach a person at all, and not only systems.
    fn reaches_people(&self) -> bool {
        true
    }

    /// Whether it needs no provider and no secret, so that no sandbox ever stands in for it.
    fn is_local(&self) -> bool {
        false
    }

    /// The part of an address where its service reports what became of a page; none where nothing reports.
    fn report_hook(&self) -> Option<&'static str> {
        self.kind().spec().reports.then(|| self.hook())
    }

    /// Whether it can be an incident's war room.
    fn is_room(&self) -> bool {
        false
    }

    /// How it keeps a war room up to date, where it does.
    fn living_room(&self) -> Option<LivingRoom> {
        None
    }

    /// How it calls the war rooms that it makes, and whether they are closed; none where it makes none.
    fn new_room(&self) -> Option<(&RoomName, bool)> {
        None
    }

    /// The Unix user who hands in what people write back.
    fn mail_in(&self) -> Option<&str> {
        None
    }

    /// The provider that must find us on the internet to bring answers and reports, where there is one.
    fn calls_back(&self) -> Option<&'static str> {
        None
    }
}

/// What a channel is made with beside its settings.
pub struct ChannelParts<'a> {
    /// Reads a secret; the error says why it can not be read.
    pub secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>,
    /// What the clocks of others show; ladders never see it.
    pub wall: fn() -> Timestamp,
    /// Tells what this installation sends from what another sends, or the same one before its state was lost.
    pub site: &'a str,
    /// The desks that are open.
    pub hub: &'a DeskHub,
    /// A file of root certificates to trust beside the system's.
    pub ca: Option<PathBuf>,
    /// What of our own environment a program is given.
    pub environment: Vec<(String, String)>,
}

impl ChannelKind {
    /// The kind with this entry.
    pub const fn of(spec: &'static KindSpec) -> Self {
        Self(spec)
    }

    /// Its entry.
    pub fn spec(self) -> &'static KindSpec {
        self.0
    }

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }
}

impl ContactField {
    /// The key of `[person.NAME]` that says it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Nothing => "name",
            Self::Slack => "slack",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Telegram => "telegram",
        }
    }

    /// In which form a text goes to what is known of a person: a chat, a wallboard or a program where nothing need be.
    pub(crate) fn form(self) -> TextForm {
        match self {
            Self::Phone => TextForm::Sms,
            Self::Email => TextForm::Mail,
            Self::Nothing | Self::Slack | Self::Telegram => TextForm::Board,
        }
    }
}

impl ResponseAssumptions {
    /// SMS, and whatever else buzzes in a pocket: it has to be noticed, read and replied to.
    pub const POCKET: Self = Self {
        reaction: DelayEstimate::seconds(35, 120),
        acceptance: DelayEstimate::millis(250, 800),
        delivery: DelayEstimate::seconds(4, 12),
        lost: 0.01,
        via: AnswerVia::Sms,
    };

    /// A chat that people have open beside their work.
    pub const CHAT: Self = Self {
        reaction: DelayEstimate::seconds(40, 150),
        delivery: DelayEstimate::millis(700, 2500),
        lost: 0.002,
        ..Self::POCKET
    };
}

impl DelayEstimate {
    /// In seconds.
    pub const fn seconds(median: u64, p90: u64) -> Self {
        Self { median: Duration::from_secs(median), p90: Duration::from_secs(p90) }
    }

    /// In thousandths of a second.
    pub const fn millis(median: u64, p90: u64) -> Self {
        Self { median: Duration::from_millis(median), p90: Duration::from_millis(p90) }
    }
}

impl ChannelParts<'_> {
    /// Reads a secret; the error says why it can not be read.
    pub fn secret(&self, secret: &SecretRef) -> Result<SecretString, String> {
        (self.secret)(secret)
    }

    /// Reads an address that may be a secret.
    pub fn address(&self, address: &SecretAddress) -> Result<SecretString, String> {
        match address {
            SecretAddress::Written(url) => Ok(SecretString::from(url.as_str())),
            SecretAddress::Kept(kept) => self.secret(kept),
        }
    }
}

impl PartialEq for ChannelKind {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ChannelKind {}

impl PartialOrd for ChannelKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChannelKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
