//! What the matrix says about the daemon itself, its sources, its channels and its people.

use crate::{
    core::{
        PersonName, SourceName, Zone,
        plan::{AcceptTimeout, LivingRoom},
        retry::SendPace,
    },
    matrix::ways::ChannelConfig,
    toml_kit::{
        network::Networks,
        secret::{SecretAddress, SecretRef},
    },
};
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

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
    pub fn default_pace(self) -> SendPace {
        match self {
            Self::Screen => SendPace { every: Duration::from_millis(10), burst: 100 },
            Self::Slack | Self::Kannel | Self::Twilio => SendPace { every: Duration::from_secs(1), burst: 3 },
            // A phone takes one call at a time.
            Self::Voice => SendPace { every: Duration::from_secs(20), burst: 1 },
            Self::Smtp | Self::Http => SendPace { every: Duration::from_secs(1), burst: 5 },
            Self::Teams | Self::Mattermost => SendPace { every: Duration::from_millis(500), burst: 4 },
            Self::Webhook | Self::Exec => SendPace { every: Duration::from_millis(100), burst: 20 },
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
    pub way: ChannelConfig,
    /// How fast one destination may be written to.
    pub pace: SendPace,
    /// How long a page may stay unaccepted before the person's next channel is tried.
    pub patience: Duration,
}

impl ChannelSettings {
    /// What kind.
    pub fn kind(&self) -> ChannelKind {
        self.way.kind()
    }

    /// What must be known of a person to reach them by it.
    pub fn needs(&self) -> ContactField {
        match &self.way {
            ChannelConfig::Screen => ContactField::Nothing,
            ChannelConfig::Slack(_) => ContactField::Slack,
            ChannelConfig::Kannel(_) | ChannelConfig::Twilio(_) | ChannelConfig::Voice(_) => ContactField::Phone,
            ChannelConfig::Smtp(_) => ContactField::Email,
            ChannelConfig::Http(way) => way.needs,
            ChannelConfig::Exec(way) => way.needs,
            ChannelConfig::Webhook(_) => ContactField::Nothing,
        }
    }

    /// Whether what is sent by it may be read by others than the person whom it is for: then nobody's own code or link
    /// goes there.
    pub fn is_shared(&self) -> bool {
        match &self.way {
            ChannelConfig::Http(way) => !way.personal,
            ChannelConfig::Exec(way) => !way.personal,
            ChannelConfig::Webhook(_) => true,
            ChannelConfig::Screen
            | ChannelConfig::Slack(_)
            | ChannelConfig::Kannel(_)
            | ChannelConfig::Smtp(_)
            | ChannelConfig::Twilio(_)
            | ChannelConfig::Voice(_) => false,
        }
    }

    /// Whether it can reach a person at all: a webhook tells systems.
    pub fn reaches_people(&self) -> bool {
        !matches!(self.way, ChannelConfig::Webhook(_))
    }

    /// The part of an address where its service reports what became of a page; none where nothing reports.
    pub fn report_hook(&self) -> Option<&'static str> {
        match &self.way {
            ChannelConfig::Http(way) => way.report.as_ref().map(|_| ChannelKind::Http.as_str()),
            way => Some(way.kind()).filter(|kind| kind.reports()).map(ChannelKind::as_str),
        }
    }

    /// How it keeps a war room up to date, where it does.
    pub fn living_room(&self) -> Option<LivingRoom> {
        match &self.way {
            ChannelConfig::Slack(way) => Some(LivingRoom { archive_after: way.archive_after.map(AcceptTimeout) }),
            _ => None,
        }
    }

    /// Whether it can be an incident's war room.
    pub fn is_room(&self) -> bool {
        match &self.way {
            ChannelConfig::Slack(_) => true,
            ChannelConfig::Http(way) => way.needs == ContactField::Nothing,
            ChannelConfig::Exec(way) => way.needs == ContactField::Nothing,
            ChannelConfig::Screen
            | ChannelConfig::Kannel(_)
            | ChannelConfig::Smtp(_)
            | ChannelConfig::Twilio(_)
            | ChannelConfig::Voice(_)
            | ChannelConfig::Webhook(_) => false,
        }
    }
}

/// What must be known of a person to reach them by a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactField {
    /// That they exist.
    Nothing,
    /// Their Slack member id.
    Slack,
    /// Their phone number.
    Phone,
    /// Their mailbox.
    Email,
}

impl ContactField {
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
    pub fn has(&self, datum: ContactField) -> bool {
        match datum {
            ContactField::Nothing => true,
            ContactField::Slack => self.slack.is_some() || (self.slack_by_email && self.email.is_some()),
            ContactField::Phone => self.phone.is_some(),
            ContactField::Email => self.email.is_some(),
        }
    }
}

/// People and sources by name, as they are iterated: in the order of their names.
pub type People = std::collections::BTreeMap<PersonName, Person>;

/// Sources by name.
pub type Sources = std::collections::BTreeMap<SourceName, SourceSettings>;
