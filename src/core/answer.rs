//! What humans say. The words are those of controller-pilot data link: received, will comply, wait, cannot.

use super::{
    names::{PersonName, RoleName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The longest extension that one standby buys; a role gets one.
pub const STANDBY_MAX: Duration = Duration::from_secs(5 * 60);

/// The extension that a standby without a number of minutes buys.
pub const STANDBY_DEFAULT: Duration = Duration::from_secs(2 * 60);

/// The longest standby that is read. Who asks for more made a slip, or a joke.
const STANDBY_SAID_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What the button of whoever has a role says.
pub const HAND_BACK: &str = "Hand it back";

/// What a human says to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say")]
pub enum Answer {
    /// I have received it.
    Roger,
    /// I have it: I will act.
    Wilco,
    /// I need this long.
    Standby {
        /// What was asked for; what is granted is at most [`STANDBY_MAX`].
        #[serde(with = "super::time::duration_text")]
        span: Duration,
    },
    /// I can not: pass it on, or, from whoever has it, hand it back.
    Unable,
}

/// What a role's matrix row demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerLevel {
    /// Received is enough.
    Roger,
    /// Somebody must say that they have it.
    Wilco,
}

/// By which way an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerVia {
    /// A button of the desk page.
    Desk,
    /// The form behind an e-mail's link.
    MailLink,
    /// A reply by mail.
    Mail,
    /// A mailbox's own reply: its human is away. Never a human's word.
    AutoReply,
    /// An SMS reply with the page's code.
    Sms,
    /// A Slack button.
    Slack,
    /// A button or a text in Telegram.
    Telegram,
    /// The command line, over the Unix socket.
    Cli,
    /// A digit pressed in a call.
    Voice,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum AnswerVerdict {
    /// The role is engaged by it.
    Engages,
    /// Heard, but the role demands more.
    Received,
    /// The ladder waits until then.
    StandbyGranted {
        /// The new deadline.
        until: Timestamp,
    },
    /// A role gets one standby, and this one was not it.
    StandbyRefused,
    /// The person is out of this role's ladder.
    Passed,
    /// The person had it, and it is open again.
    HandedBack,
    /// The person has it already, and these words change nothing.
    Yours,
    /// Somebody has it already.
    TooLate {
        /// Who.
        has: PersonName,
    },
    /// The same person said so before.
    Repeated,
    /// The incident is resolved.
    Closed,
    /// This person was not asked for this role.
    NotAsked,
    /// This person was asked for several roles and did not say which.
    WhichRole {
        /// Those that can be meant: the open ones, and for somebody who can not also those that they have.
        roles: Vec<RoleName>,
    },
}

impl AnswerVerdict {
    /// Its name, as it is written in JSON.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Engages => "engages",
            Self::Received => "received",
            Self::StandbyGranted { .. } => "standby-granted",
            Self::StandbyRefused => "standby-refused",
            Self::Passed => "passed",
            Self::HandedBack => "handed-back",
            Self::Yours => "yours",
            Self::TooLate { .. } => "too-late",
            Self::Repeated => "repeated",
            Self::Closed => "closed",
            Self::NotAsked => "not-asked",
            Self::WhichRole { .. } => "which-role",
        }
    }
}

impl Answer {
    /// Whether this answer engages a role that demands `level`.
    pub fn satisfies(self, level: AnswerLevel) -> bool {
        match self {
            Self::Wilco => true,
            Self::Roger => level == AnswerLevel::Roger,
            Self::Standby { .. } | Self::Unable => false,
        }
    }

    /// What its button says.
    pub fn label(self) -> &'static str {
        match self {
            Self::Wilco => "I have it",
            Self::Roger => "Received",
            Self::Standby { .. } => "2 more minutes",
            Self::Unable => "I can't, pass on",
        }
    }

    /// The digit that gives it in a text or a call.
    pub fn digit(self) -> u8 {
        match self {
            Self::Roger => 1,
            Self::Wilco => 2,
            Self::Standby { .. } => 3,
            Self::Unable => 4,
        }
    }

    /// The answer that a level asks for.
    pub fn of_level(level: AnswerLevel) -> Self {
        match level {
            AnswerLevel::Roger => Self::Roger,
            AnswerLevel::Wilco => Self::Wilco,
        }
    }
}

impl AnswerLevel {
    /// The answers to offer where this is demanded, the wanted one first.
    pub fn offers(self) -> [Answer; 4] {
        let standby = Answer::Standby { span: STANDBY_DEFAULT };
        match self {
            Self::Wilco => [Answer::Wilco, Answer::Roger, standby, Answer::Unable],
            Self::Roger => [Answer::Roger, Answer::Wilco, standby, Answer::Unable],
        }
    }

    /// The words that briefs ask for; a drill asks for others, so that nobody takes it for the real thing.
    pub fn words(self, drill: bool) -> &'static str {
        match (self, drill) {
            (Self::Wilco, false) => Answer::Wilco.label(),
            (Self::Wilco, true) => "I have the exercise",
            (Self::Roger, false) => "received",
            (Self::Roger, true) => "exercise received",
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roger => f.pad("roger"),
            Self::Wilco => f.pad("wilco"),
            Self::Standby { span } => write!(f, "standby {}", humantime::format_duration(*span)),
            Self::Unable => f.pad("unable"),
        }
    }
}

/// What buttons, keys of a call and scenarios say: `roger`, `wilco`, `standby`, `standby 3`, `standby 3m`, `unable`, or the
/// digits 1 to 4. What people type is read elsewhere: in `text::reply`.
impl FromStr for Answer {
    type Err = UnknownAnswer;

    fn from_str(text: &str) -> Result<Self, UnknownAnswer> {
        let text = text.trim().to_ascii_lowercase();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
        match (word, rest.trim()) {
            ("roger" | "1", "") => Ok(Self::Roger),
            ("wilco" | "2", "") => Ok(Self::Wilco),
            ("standby" | "3", rest) => standby_span(rest).map(|span| Self::Standby { span }),
            ("unable" | "4", "") => Ok(Self::Unable),
            _ => Err(UnknownAnswer(text.clone())),
        }
    }
}

pub(crate) fn standby_span(text: &str) -> Result<Duration, UnknownAnswer> {
    if text.is_empty() {
        return Ok(STANDBY_DEFAULT);
    }
    let span = match text.parse::<u16>() {
        Ok(minutes) => Some(Duration::from_secs(60 * u64::from(minutes))),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    span.filter(|span| *span <= STANDBY_SAID_MAX).ok_or_else(|| UnknownAnswer(format!("standby {text}")))
}

/// Words that are no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no answer: say roger (1), wilco (2), standby [MINUTES] (3) or unable (4)")]
pub struct UnknownAnswer(String);

impl UnknownAnswer {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for AnswerLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Roger => "roger",
            Self::Wilco => "wilco",
        })
    }
}

impl fmt::Display for AnswerVia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Desk => "desk",
            Self::MailLink => "mail link",
            Self::Mail => "mail",
            Self::AutoReply => "automatic reply",
            Self::Sms => "sms",
            Self::Slack => "slack",
            Self::Telegram => "telegram",
            Self::Cli => "command line",
            Self::Voice => "call",
        })
    }
}

/// An authenticated human's words.
#[derive(Debug, Clone)]
pub struct GivenAnswer {
    /// Who.
    pub person: PersonName,
    /// What.
    pub answer: Answer,
    /// How it came.
    pub via: AnswerVia,
    /// To which page, where that is known.
    pub page: Option<u32>,
    /// For which role, where they said so.
    pub role: Option<RoleName>,
}
