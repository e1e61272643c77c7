//! What the matrix says about the daemon itself, its sources, its channels and its people.

use super::ways::{Networks, Way};
use crate::core::{
    PersonName, SourceName, Zone,
    plan::{LivingRoom, Patience},
    retry::Pace,
};
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
    /// Who is told again and again that this daemon does its work.
    pub ping: Option<Ping>,
    /// How old the last proven contact of a person by a channel may be; see [`Daemon::proof_max_age`].
    pub proof_max_age: Option<Duration>,
    /// Proxies on other machines, which bring everybody's requests: no address of theirs has a share of its own.
    pub proxies: Networks,
}

/// How old a proven contact may be when the matrix says nothing: a quarter of a year.
pub const PROOF_MAX_AGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How often the dead-man ping goes out when the matrix says nothing.
pub const PING_EVERY: Duration = Duration::from_secs(60);

impl Daemon {
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
pub struct Ping {
    /// To whom.
    pub url: Address,
    /// How often.
    pub every: Duration,
}

/// An address that may be as good as a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Here it is.
    Written(String),
    /// It is kept elsewhere.
    Kept(SecretRef),
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
    /// SMS by Twilio.
    Twilio,
    /// Calls by Twilio.
    Voice,
    /// Any service over HTTP, by templates.
    Http,
    /// Microsoft Teams: a preset of `http`.
    Teams,
    /// Mattermost: a preset of `http`.
    Mattermost,
    /// Signed events for another system.
    Webhook,
    /// A program of this machine.
    Exec,
}

impl ChannelKind {
    /// Every kind, with its name in the matrix.
    pub const ALL: [(&'static str, Self); 11] = [
        ("screen", Self::Screen),
        ("slack", Self::Slack),
        ("kannel", Self::Kannel),
        ("smtp", Self::Smtp),
        ("twilio", Self::Twilio),
        ("voice", Self::Voice),
        ("http", Self::Http),
        ("teams", Self::Teams),
        ("mattermost", Self::Mattermost),
        ("webhook", Self::Webhook),
        ("exec", Self::Exec),
    ];

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Slack => "slack",
            Self::Kannel => "kannel",
            Self::Smtp => "smtp",
            Self::Twilio => "twilio",
            Self::Voice => "voice",
            Self::Http => "http",
            Self::Teams => "teams",
            Self::Mattermost => "mattermost",
            Self::Webhook => "webhook",
            Self::Exec => "exec",
        }
    }

    /// Whether its providers report what became of a page that they had taken.
    pub fn reports(self) -> bool {
        match self {
            Self::Kannel | Self::Twilio | Self::Voice | Self::Http | Self::Teams | Self::Mattermost => true,
            Self::Screen | Self::Slack | Self::Smtp | Self::Webhook | Self::Exec => false,
        }
    }

    /// The pace that a channel of this kind has when the matrix says nothing: of each destination.
    pub fn default_pace(self) -> Pace {
        match self {
            Self::Screen => Pace { every: Duration::from_millis(10), burst: 100 },
            Self::Slack | Self::Kannel | Self::Twilio => Pace { every: Duration::from_secs(1), burst: 3 },
            // A phone takes one call at a time.
            Self::Voice => Pace { every: Duration::from_secs(20), burst: 1 },
            Self::Smtp | Self::Http => Pace { every: Duration::from_secs(1), burst: 5 },
            Self::Teams | Self::Mattermost => Pace { every: Duration::from_millis(500), burst: 4 },
            Self::Webhook | Self::Exec => Pace { every: Duration::from_millis(100), burst: 20 },
        }
    }

    /// The patience that a channel of this kind has when the matrix says nothing.
    pub fn default_patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Screen => 5,
            Self::Slack => 8,
            Self::Kannel => 20,
            Self::Smtp => 30,
            Self::Twilio | Self::Voice | Self::Http | Self::Webhook => 15,
            Self::Teams | Self::Mattermost | Self::Exec => 10,
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
            Way::Kannel(_) | Way::Twilio(_) | Way::Voice(_) => Datum::Phone,
            Way::Smtp(_) => Datum::Email,
            Way::Http(way) => way.needs,
            Way::Exec(way) => way.needs,
            Way::Webhook(_) => Datum::Nothing,
        }
    }

    /// Whether what is sent by it may be read by others than the person whom it is for: then nobody's own code or link
    /// goes there.
    pub fn is_shared(&self) -> bool {
        match &self.way {
            Way::Http(way) => !way.personal,
            Way::Exec(way) => !way.personal,
            Way::Webhook(_) => true,
            Way::Screen | Way::Slack(_) | Way::Kannel(_) | Way::Smtp(_) | Way::Twilio(_) | Way::Voice(_) => false,
        }
    }

    /// Whether it can reach a person at all: a webhook tells systems.
    pub fn reaches_people(&self) -> bool {
        !matches!(self.way, Way::Webhook(_))
    }

    /// The part of an address where its service reports what became of a page; none where nothing reports.
    pub fn report_hook(&self) -> Option<&'static str> {
        match &self.way {
            Way::Http(way) => way.report.as_ref().map(|_| ChannelKind::Http.as_str()),
            way => Some(way.kind()).filter(|kind| kind.reports()).map(ChannelKind::as_str),
        }
    }

    /// How it keeps a war room up to date, where it does.
    pub fn living_room(&self) -> Option<LivingRoom> {
        match &self.way {
            Way::Slack(way) => Some(LivingRoom { archive_after: way.archive_after.map(Patience) }),
            _ => None,
        }
    }

    /// Whether it can be an incident's war room.
    pub fn is_room(&self) -> bool {
        match &self.way {
            Way::Slack(_) => true,
            Way::Http(way) => way.needs == Datum::Nothing,
            Way::Exec(way) => way.needs == Datum::Nothing,
            Way::Screen | Way::Kannel(_) | Way::Smtp(_) | Way::Twilio(_) | Way::Voice(_) | Way::Webhook(_) => false,
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
    /// Their Slack user id is the one that Slack has for their mailbox.
    pub slack_by_email: bool,
    /// In which times are shown to them.
    pub zone: Zone,
    /// The Unix user that speaks for them.
    pub unix: Option<String>,
}

impl Person {
    /// Whether a channel that needs this can reach them.
    pub fn has(&self, datum: Datum) -> bool {
        match datum {
            Datum::Nothing => true,
            Datum::Slack => self.slack.is_some() || (self.slack_by_email && self.email.is_some()),
            Datum::Phone => self.phone.is_some(),
            Datum::Email => self.email.is_some(),
        }
    }
}

/// People and sources by name, as they are iterated: in the order of their names.
pub type People = std::collections::BTreeMap<PersonName, Person>;

/// Sources by name.
pub type Sources = std::collections::BTreeMap<SourceName, Source>;
