//! What the matrix says about the daemon itself, its sources, its channels and its people.

use crate::{
    channel::kind::ContactField,
    core::{PersonName, SourceName, Zone},
    toml_kit::{
        network::Networks,
        secret::{SecretAddress, SecretRef},
    },
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The keys of `[daemon]`; what is absent is left to the command line and its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DaemonSettings {
    /// Where the door listens.
    pub listen: Option<SocketAddr>,
    /// What links in pages begin with: http or https, without a slash at the end.
    pub public_url: Option<String>,
    /// The folder of what must survive.
    pub state: Option<PathBuf>,
    /// Who is told again and again that this daemon does its work.
    pub ping: Option<PingSettings>,
    /// How old the last proven contact of a person by a channel may be; see [`DaemonSettings::proof_max_age`].
    pub proof_max_age: Option<Duration>,
    /// Proxies on other machines, which bring everybody's requests: no address of theirs has a share of its own.
    pub proxies: Networks,
}

/// How old a proven contact may be when the matrix says nothing: a quarter of a year.
pub const PROOF_MAX_AGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How often the dead-man ping goes out when the matrix says nothing.
pub const PING_EVERY: Duration = Duration::from_secs(60);

impl DaemonSettings {
    /// How old the last proven contact of a person by a channel may be before that is worth a warning.
    pub fn proof_max_age(&self) -> Duration {
        self.proof_max_age.unwrap_or(PROOF_MAX_AGE)
    }

    /// Whether what takes effect at the start alone is the same in both.
    pub fn starts_like(&self, other: &Self) -> bool {
        self.listen == other.listen && self.public_url == other.public_url && self.state == other.state
    }
}

/// The dead-man ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingSettings {
    /// To whom.
    pub url: SecretAddress,
    /// How often.
    pub every: Duration,
}

/// A monitor that may post alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// Its bearer tokens: one, or two while they are being changed.
    pub tokens: Vec<SecretRef>,
    /// Whether it may post drills.
    pub drills: bool,
}

/// A responder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// How humans call them.
    pub name: String,
    /// Mailbox.
    pub email: Option<String>,
    /// E.164: a plus and 8 to 15 digits.
    pub phone: Option<String>,
    /// Slack user id.
    pub slack: Option<String>,
    /// Their Slack user id is the one that Slack has for their mailbox.
    pub slack_by_email: bool,
    /// Telegram chat id.
    pub telegram: Option<i64>,
    /// In which times are shown to them.
    pub zone: Zone,
    /// The Unix user that speaks for them.
    pub unix: Option<String>,
}

impl Person {
    /// Whether a channel that needs this can reach them.
    pub fn has(&self, datum: ContactField) -> bool {
        match datum {
            crate::channel::kind::ContactField::Nothing => true,
            crate::channel::kind::ContactField::Slack => {
                self.slack.is_some() || (self.slack_by_email && self.email.is_some())
            }
            crate::channel::kind::ContactField::Phone => self.phone.is_some(),
            crate::channel::kind::ContactField::Email => self.email.is_some(),
            crate::channel::kind::ContactField::Telegram => self.telegram.is_some(),
        }
    }
}

/// People and sources by name, as they are iterated: in the order of their names.
pub type People = std::collections::BTreeMap<PersonName, Person>;

/// Sources by name.
pub type Sources = std::collections::BTreeMap<SourceName, SourceSettings>;
