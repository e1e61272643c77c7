//! What the matrix says about the daemon itself, its sources, its channels and its people.

use super::ways::Way;
use crate::core::{PersonName, SourceName, retry::Pace};
use chrono_tz::Tz;
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// The keys of `[daemon]`; what is absent is left to the command line and its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Daemon {
    /// Where the door listens.
    pub listen: Option<SocketAddr>,
    /// What links in pages begin with: http or https, without a slash at the end.
    pub public_url: Option<String>,
    /// The folder of what must survive.
    pub state: Option<PathBuf>,
}

/// A monitor that may post alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its bearer tokens: one, or two while they are being changed.
    pub tokens: Vec<SecretRef>,
    /// Whether it may post drills.
    pub drills: bool,
}

/// Where a secret is kept. The matrix never holds the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
    /// In this credential of systemd (`LoadCredential=`).
    Credential(String),
}

/// Stands in for one that could not be read; no matrix is made of that.
impl Default for SecretRef {
    fn default() -> Self {
        Self::Env(String::new())
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

/// What kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// The desk page in a browser.
    Screen,
    /// Slack: direct messages and war rooms.
    Slack,
    /// SMS by a Kannel gateway.
    Kannel,
    /// E-mail.
    Smtp,
}

impl ChannelKind {
    /// Every kind, with its name in the matrix.
    pub const ALL: [(&'static str, Self); 4] =
        [("screen", Self::Screen), ("slack", Self::Slack), ("kannel", Self::Kannel), ("smtp", Self::Smtp)];

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Slack => "slack",
            Self::Kannel => "kannel",
            Self::Smtp => "smtp",
        }
    }

    /// Whether its providers report what became of a page that they had taken.
    pub fn reports(self) -> bool {
        match self {
            Self::Kannel => true,
            Self::Screen | Self::Slack | Self::Smtp => false,
        }
    }

    /// The pace that a channel of this kind has when the matrix says nothing: of each destination.
    pub fn default_pace(self) -> Pace {
        match self {
            Self::Screen => Pace { every: Duration::from_millis(10), burst: 100 },
            Self::Slack | Self::Kannel => Pace { every: Duration::from_secs(1), burst: 3 },
            Self::Smtp => Pace { every: Duration::from_secs(1), burst: 5 },
        }
    }

    /// The patience that a channel of this kind has when the matrix says nothing.
    pub fn default_patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Screen => 5,
            Self::Slack => 8,
            Self::Kannel => 20,
            Self::Smtp => 30,
        })
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSettings {
    /// By which provider.
    pub way: Way,
    /// How fast one destination may be written to.
    pub pace: Pace,
    /// How long a page may stay unaccepted before the person's next channel is tried.
    pub patience: Duration,
}

impl ChannelSettings {
    /// What kind.
    pub fn kind(&self) -> ChannelKind {
        self.way.kind()
    }

    /// What must be known of a person to reach them by it.
    pub fn needs(&self) -> Datum {
        match &self.way {
            Way::Screen => Datum::Nothing,
            Way::Slack(_) => Datum::Slack,
            Way::Kannel(_) => Datum::Phone,
            Way::Smtp(_) => Datum::Email,
        }
    }

    /// Whether it can be an incident's war room.
    pub fn is_room(&self) -> bool {
        match &self.way {
            Way::Slack(_) => true,
            Way::Screen | Way::Kannel(_) | Way::Smtp(_) => false,
        }
    }
}

/// What must be known of a person to reach them by a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum {
    /// That they exist.
    Nothing,
    /// Their Slack member id.
    Slack,
    /// Their phone number.
    Phone,
    /// Their mailbox.
    Email,
}

impl Datum {
    /// The key of `[person.NAME]` that says it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Nothing => "name",
            Self::Slack => "slack",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
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
    /// In which times are shown to them.
    pub zone: Tz,
    /// The Unix user that speaks for them.
    pub unix: Option<String>,
}

impl Person {
    /// Whether a channel that needs this can reach them.
    pub fn has(&self, datum: Datum) -> bool {
        match datum {
            Datum::Nothing => true,
            Datum::Slack => self.slack.is_some(),
            Datum::Phone => self.phone.is_some(),
            Datum::Email => self.email.is_some(),
        }
    }
}

/// People and sources by name, as they are iterated: in the order of their names.
pub type People = std::collections::BTreeMap<PersonName, Person>;

/// Sources by name.
pub type Sources = std::collections::BTreeMap<SourceName, Source>;
