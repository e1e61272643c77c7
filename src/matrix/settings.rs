//! Settings in the matrix for the daemon itself, its sources, its channels and its people.

use crate::{
    channel::{
        contact::{ContactField, ContactValues},
        webhook::settings::WebhookConfig,
    },
    core::{PersonName, SourceName, Zone},
    matrix::{body_map::BodyMap, signature::SignatureSettings},
    toml_kit::{
        network::Networks,
        secret::{SecretAddress, SecretRef},
    },
};
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// The keys of `[daemon]`; for a missing key, the command line and its defaults apply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DaemonSettings {
    /// Where the HTTP API listens.
    pub listen: Option<SocketAddr>,
    /// The start of links in pages: http or https, without a slash at the end.
    pub public_url: Option<String>,
    /// The directory for persistent state.
    pub state: Option<PathBuf>,
    /// The service that is pinged regularly while this daemon works.
    pub ping: Option<PingSettings>,
    /// Who gets copies of the journal's anchors.
    pub anchors: Option<AnchorSettings>,
    /// How old the last proven contact of a person by a channel may be; see [`DaemonSettings::proof_max_age`].
    pub proof_max_age: Option<Duration>,
    /// Proxies on other machines, which forward everybody's requests: no per-address connection limit applies to them.
    pub proxies: Networks,
    /// The time zone of texts that several people read; see [`DaemonSettings::zone`].
    pub timezone: Option<Zone>,
    /// Which key signs receipts; see [`DaemonSettings::receipt_key`].
    pub receipt_key: Option<u32>,
}

/// How old a proven contact may be by default.
pub const PROOF_MAX_AGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How often the dead-man ping is sent by default.
pub const PING_EVERY: Duration = Duration::from_secs(60);

/// How many incidents a source's alerts may open in a minute by default: many times what people could answer.
pub const OPENINGS_PER_MINUTE: u32 = 6000;

impl DaemonSettings {
    /// How old the last proven contact of a person by a channel may be before there is a warning.
    pub fn proof_max_age(&self) -> Duration {
        self.proof_max_age.unwrap_or(PROOF_MAX_AGE)
    }

    /// The time zone of texts that several people read: war rooms, groups, boards. UTC by default.
    pub fn zone(&self) -> Zone {
        self.timezone.clone().unwrap_or_else(Zone::utc)
    }

    /// The number of the key that signs receipts, from 1 on: the next number is the next key.
    pub fn receipt_key(&self) -> u32 {
        self.receipt_key.unwrap_or(1)
    }

    /// The keys that take effect only at a start, and are not the same in both.
    pub fn only_at_start(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("listen", self.listen != other.listen),
            ("public_url", self.public_url != other.public_url),
            ("state", self.state != other.state),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

/// Who gets copies of the journal's anchors; at least one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorSettings {
    /// A file to which they are appended.
    pub file: Option<PathBuf>,
    /// A system to which they are sent as signed events.
    pub webhook: Option<WebhookConfig>,
}

/// The dead-man ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingSettings {
    /// The address.
    pub url: SecretAddress,
    /// The interval.
    pub every: Duration,
}

/// A monitor that may post alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// Its tokens: one, or two while they are being changed. One that signs may have none.
    pub tokens: Vec<SecretRef>,
    /// A header of its own in which it sends the token.
    pub token_header: Option<String>,
    /// How it signs what it sends to the address of its own.
    pub signature: Option<SignatureSettings>,
    /// How its bodies become alerts, where it has a format of its own.
    pub map: Option<Arc<BodyMap>>,
    /// Whether it may post drills.
    pub drills: bool,
    /// Whether its alerts that no trigger takes page the catch-all.
    pub pages_unmatched: bool,
    /// How many incidents its alerts may open in a minute before it must wait.
    pub openings_per_minute: u32,
    /// How links begin that its handoffs may give people; `None`: they have none.
    pub reply_url: Option<String>,
    /// What its tokens may be used for.
    pub scopes: BTreeSet<SourceScope>,
}

impl SourceSettings {
    /// The keys with which it signs.
    pub fn signing_keys(&self) -> &[SecretRef] {
        self.signature.as_ref().map_or(&[], |signature| &signature.keys)
    }
}

/// What a source's token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceScope {
    /// Sending alerts, and reading the incidents that they opened.
    Alerts,
    /// Reading every incident, the reports, and the details of `/readyz`.
    Read,
    /// Reading `/metrics`.
    Metrics,
    /// Reading, making and ending silences.
    Silences,
}

impl SourceScope {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 4] = [Self::Alerts, Self::Read, Self::Metrics, Self::Silences];

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Read => "read",
            Self::Metrics => "metrics",
            Self::Silences => "silences",
        }
    }

    /// What it allows, in words.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Alerts => "sending alerts, and reading the incidents that they opened",
            Self::Read => "reading every incident and the reports",
            Self::Metrics => "reading `/metrics`",
            Self::Silences => "reading, making and ending silences",
        }
    }
}

/// A responder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name for display.
    pub name: String,
    /// What is known of them, by field.
    pub contacts: ContactValues,
    /// The time zone for times that are shown to them.
    pub zone: Zone,
    /// Their Unix user.
    pub unix: Option<String>,
}

impl Person {
    /// Whether a channel that needs this contact field can reach them.
    pub fn has(&self, needs: Option<ContactField>) -> bool {
        needs.is_none_or(|field| self.contacts.contains_key(&field))
    }

    /// One field, where it is known.
    pub fn contact(&self, field: ContactField) -> Option<&str> {
        self.contacts.get(&field).map(String::as_str)
    }
}

/// People by name; iteration is in the order of their names.
pub type People = std::collections::BTreeMap<PersonName, Person>;

/// Sources by name.
pub type Sources = std::collections::BTreeMap<SourceName, SourceSettings>;
