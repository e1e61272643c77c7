//! The interface between a kind of channel and the rest of the program: its entry in the table of kinds, and the trait
//! of its settings. Code outside a channel's own folder knows nothing else about it.

use crate::{
    channel::{
        Channel,
        contact::ContactField,
        desk_hub::DeskHub,
        inbound::{Acknowledgement, CALLBACK_MAX, InboundRefusal, InboundRequest, NamedPage, RequestHead},
        provider_connection::ProviderConnection,
        room_name::RoomName,
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
    /// Its own keys, beside those of all channels.
    pub keys: &'static [&'static str],
    /// For a preset of another kind: the default keys, used where the matrix gives none.
    pub preset: Option<fn() -> Option<&'static DeTable<'static>>>,
    /// The contact data that a person must have, if any, unless the settings say otherwise.
    pub contact: Option<ContactField>,
    /// Whether its provider can be asked about people before they are paged ([`Channel::check_people`]).
    pub looks_people_up: bool,
    /// The default rate limit for one destination.
    pub pace: SendPace,
    /// The default time within which a page must be accepted before the person's next channel is tried.
    pub accept_timeout: Duration,
    /// The form of its texts, and so their limits, unless the settings say otherwise.
    pub form: TextForm,
    /// Whether its providers send delivery reports.
    pub reports: bool,
    /// Which of its channels can be an incident's war room.
    pub room: RoomSupport,
    /// Its delays and reaction times in simulations, if there is no history to estimate them from.
    pub response: ResponseAssumptions,
    /// Reads the keys of one channel. What can not be read is left empty and reported as a fault.
    pub(crate) read: SettingsReader,
}

/// Which channels of a kind can be an incident's war room ([`ChannelConfig::is_room`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomSupport {
    /// None.
    Never,
    /// All.
    Always,
    /// Those of which this is true: it follows "one of kind NAME".
    When(&'static str),
}

/// A function that reads the keys of one channel of this kind.
pub(crate) type SettingsReader =
    fn(ChannelKind, &mut TomlTable<'_>, SourceSpan, &mut MatrixFaults) -> Arc<dyn ChannelConfig>;

/// Assumptions about a channel's delays and people's reaction times, for a provider that works and a person who is at
/// work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseAssumptions {
    /// The time from delivery to a person until their answer.
    pub reaction: DelayEstimate,
    /// The time until the provider accepts a page.
    pub acceptance: DelayEstimate,
    /// The time from acceptance until it is on the person's device.
    pub delivery: DelayEstimate,
    /// The probability that an accepted page never arrives.
    pub lost: f64,
    /// The way by which answers come.
    pub via: AnswerVia,
}

/// A delay that varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayEstimate {
    /// The median.
    pub median: Duration,
    /// The 90th percentile.
    pub p90: Duration,
}

/// The settings of one channel of any kind: its own keys in the matrix, beside those of all channels.
pub trait ChannelConfig: fmt::Debug + Send + Sync {
    /// Its kind.
    fn kind(&self) -> ChannelKind;

    /// Creates the channel. The error says why that is not possible; then the sandbox replaces the channel.
    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String>;

    /// Every secret that the settings name.
    fn secrets(&self) -> Vec<&SecretRef> {
        Vec::new()
    }

    /// The secrets that authenticate requests from its provider.
    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        Vec::new()
    }

    /// The secret for the connection that we open to its provider to receive events, if it works that way.
    fn connection_secret(&self) -> Option<&SecretRef> {
        None
    }

    /// That connection, with its secret; nothing is opened yet.
    fn connection(&self, _secret: SecretString) -> Option<Arc<dyn ProviderConnection>> {
        None
    }

    /// The part of the URL path at which its provider calls us.
    fn hook(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Checks the head of a request before its body is read. Returns the page that it names with a token, if any; the
    /// caller verifies the token before it reads the body.
    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        Err(InboundRefusal::NotFound(format!("channel {:?} does not accept requests", head.channel)))
    }

    /// The largest body of a request that [`ChannelConfig::admit`] has accepted, in bytes.
    fn body_max(&self, _head: &RequestHead<'_>) -> usize {
        CALLBACK_MAX
    }

    /// Authenticates and parses a request of its provider. `named` is the result of [`ChannelConfig::admit`].
    fn receive(
        &self,
        _head: &RequestHead<'_>,
        _named: Option<NamedPage>,
        _body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        Ok(InboundRequest::Nothing)
    }

    /// The response to its provider, with a text for the person if there is one.
    fn acknowledge(&self, word: Option<String>) -> Acknowledgement {
        word.map_or_else(Acknowledgement::empty, Acknowledgement::text)
    }

    /// The contact data that a person must have, if any.
    fn contact(&self) -> Option<ContactField> {
        self.kind().spec().contact
    }

    /// The form of its texts.
    fn form(&self) -> TextForm {
        self.kind().spec().form
    }

    /// Whether people other than a page's recipient may read it: then it gets no personal code or link.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether it can reach a person at all, and not only systems.
    fn reaches_people(&self) -> bool {
        true
    }

    /// Whether it needs no provider and no secret, so that the sandbox never replaces it.
    fn is_local(&self) -> bool {
        false
    }

    /// The part of the URL path for delivery reports; `None` if its service sends none.
    fn report_hook(&self) -> Option<&'static str> {
        self.kind().spec().reports.then(|| self.hook())
    }

    /// Whether each page asks its service for a delivery report, so that one that does not come means something.
    fn asks_for_reports(&self) -> bool {
        false
    }

    /// Whether it can be an incident's war room.
    fn is_room(&self) -> bool {
        false
    }

    /// How it keeps a war room up to date, if it does.
    fn living_room(&self) -> Option<LivingRoom> {
        None
    }

    /// The URL that opens a war room by its id, if the provider has one.
    fn room_url(&self, _room: &str) -> Option<String> {
        None
    }

    /// The name pattern of the war rooms that it creates, and whether they are private; `None` if it creates none.
    fn new_room(&self) -> Option<(&RoomName, bool)> {
        None
    }

    /// The Unix user that delivers people's reply mails.
    fn mail_in(&self) -> Option<&str> {
        None
    }

    /// The provider that must reach us from the internet to bring answers and reports, if there is one.
    fn calls_back(&self) -> Option<&'static str> {
        None
    }
}

/// What a channel needs beside its settings when it is created.
pub struct ChannelParts<'a> {
    /// Reads a secret; the error says why that failed.
    pub secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>,
    /// The wall clock, to compare with other systems; ladders do not use it.
    pub wall: fn() -> Timestamp,
    /// Distinguishes this installation's messages from those of another one, or of the same one before its state was
    /// lost.
    pub site: &'a str,
    /// The desks that are open.
    pub hub: &'a DeskHub,
    /// A file of root certificates to trust beside the system's.
    pub ca: Option<PathBuf>,
    /// The part of our own environment that programs get.
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

    /// The settings of a channel of this kind without any key: a stand-in for a channel that does not exist, so that
    /// nobody learns by a request that it does not. It has no secret, so it believes nobody.
    pub fn without_keys(self) -> Arc<dyn ChannelConfig> {
        let nothing = DeTable::new();
        let mut table = TomlTable::new(String::new(), usize::MAX, &nothing);
        (self.0.read)(self, &mut table, SourceSpan::new(usize::MAX, 0..0), &mut MatrixFaults::default())
    }

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }
}

impl ResponseAssumptions {
    /// SMS and other phone notifications: people must notice, read and reply.
    pub const POCKET: Self = Self {
        reaction: DelayEstimate::seconds(35, 120),
        acceptance: DelayEstimate::millis(250, 800),
        delivery: DelayEstimate::seconds(4, 12),
        lost: 0.01,
        via: AnswerVia::Sms,
    };

    /// A chat that people have open while they work.
    pub const CHAT: Self = Self {
        reaction: DelayEstimate::seconds(40, 150),
        delivery: DelayEstimate::millis(700, 2500),
        lost: 0.002,
        ..Self::POCKET
    };
}

impl DelayEstimate {
    /// A delay from seconds.
    pub const fn seconds(median: u64, p90: u64) -> Self {
        Self { median: Duration::from_secs(median), p90: Duration::from_secs(p90) }
    }

    /// A delay from milliseconds.
    pub const fn millis(median: u64, p90: u64) -> Self {
        Self { median: Duration::from_millis(median), p90: Duration::from_millis(p90) }
    }
}

impl ChannelParts<'_> {
    /// Reads a secret; the error says why that failed.
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
