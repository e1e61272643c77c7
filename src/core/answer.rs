//! What people answer. The words come from controller-pilot data link: received, will comply, wait, cannot.

use super::{
    answer_via::AnswerVia,
    names::{PersonName, RoleName},
    printable::excerpt,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The longest extension that one standby can get; a role gets one standby.
pub const STANDBY_MAX: Duration = Duration::from_secs(5 * 60);

/// The extension for a standby that does not say how many minutes.
pub const STANDBY_DEFAULT: Duration = Duration::from_secs(2 * 60);

/// The longest standby that is accepted as input. Anything longer is a mistake or a joke.
const STANDBY_SAID_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The label of the button for the person who has a role.
pub const HAND_BACK: &str = "Hand it back";

/// The label of the same button in a mail about an exercise.
pub const HAND_EXERCISE_BACK: &str = "Hand the exercise back";

/// The label of the button that confirms a hand-back.
pub const HAND_BACK_SURE: &str = "Yes, hand it back";

/// The label of the button for somebody who passed the role on or handed it back, and can take it after all.
pub const AFTER_ALL: &str = "I have it after all";

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
        /// The time that was asked for; at most [`STANDBY_MAX`] is granted.
        #[serde(with = "super::time::duration_text")]
        span: Duration,
    },
    /// I cannot: pass it on. From the person who has the role: hand it back.
    Unable,
}

/// The answer that a role's matrix row requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerLevel {
    /// Received is enough.
    Roger,
    /// Somebody must say that they take it.
    Wilco,
}

/// The effect of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum AnswerVerdict {
    /// It engages the role.
    Engages,
    /// It was received, but the role requires more.
    Received,
    /// The ladder waits until then.
    StandbyGranted {
        /// The new deadline.
        until: Timestamp,
        /// The deadline that it replaces: it counts again if the person then answers unable. Older journals do not have
        /// it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Timestamp>,
    },
    /// A role gets one standby, and it is already used.
    StandbyRefused,
    /// The person is removed from this role's ladder.
    Passed,
    /// The person had the role, and it is open again.
    HandedBack,
    /// The person already has the role, and the answer changes nothing.
    Yours,
    /// Somebody else already has the role.
    TooLate {
        /// The person who has it.
        has: PersonName,
    },
    /// The person had chosen an option of the question, and stands by none any more. For the role it changes nothing.
    TookBack {
        /// Who has the role, if anybody has.
        has: Option<PersonName>,
    },
    /// The same person already gave this answer.
    Repeated,
    /// The incident is resolved.
    Closed,
    /// This person was not asked for this role.
    NotAsked,
    /// This person was asked for several roles and did not say which one they mean.
    WhichRole {
        /// The roles that they may mean: the open ones and, for `unable`, also the ones they have.
        roles: Vec<RoleName>,
    },
}

impl AnswerVerdict {
    /// Whether the person stands by no choice any more after a word of theirs.
    pub fn takes_back(&self) -> bool {
        matches!(self, Self::Passed | Self::HandedBack | Self::TookBack { .. })
    }

    /// Its name in JSON.
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
            Self::TookBack { .. } => "took-back",
            Self::Repeated => "repeated",
            Self::Closed => "closed",
            Self::NotAsked => "not-asked",
            Self::WhichRole { .. } => "which-role",
        }
    }
}

impl Answer {
    /// Whether this answer engages a role that requires `level`.
    pub fn satisfies(self, level: AnswerLevel) -> bool {
        match self {
            Self::Wilco => true,
            Self::Roger => level == AnswerLevel::Roger,
            Self::Standby { .. } | Self::Unable => false,
        }
    }

    /// The label of its button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Wilco => "I have it",
            Self::Roger => "Received",
            Self::Standby { .. } => "2 more minutes",
            Self::Unable => "I can't, pass on",
        }
    }

    /// The digit for it in a text message or a call.
    pub fn digit(self) -> u8 {
        match self {
            Self::Roger => 1,
            Self::Wilco => 2,
            Self::Standby { .. } => 3,
            Self::Unable => 4,
        }
    }

    /// The answer that this level requires.
    pub fn of_level(level: AnswerLevel) -> Self {
        match level {
            AnswerLevel::Roger => Self::Roger,
            AnswerLevel::Wilco => Self::Wilco,
        }
    }
}

impl AnswerLevel {
    /// The answers to offer for this level, the required one first.
    pub fn offers(self) -> [Answer; 4] {
        let standby = Answer::Standby { span: STANDBY_DEFAULT };
        match self {
            Self::Wilco => [Answer::Wilco, Answer::Roger, standby, Answer::Unable],
            Self::Roger => [Answer::Roger, Answer::Wilco, standby, Answer::Unable],
        }
    }

    /// The words that a brief asks for, which are those of its button. A drill uses other words, so that nobody takes it for the real thing.
    pub fn words(self, drill: bool) -> &'static str {
        match (self, drill) {
            (Self::Wilco, false) => Answer::Wilco.label(),
            (Self::Wilco, true) => "I have the exercise",
            (Self::Roger, false) => Answer::Roger.label(),
            (Self::Roger, true) => "Exercise received",
        }
    }

    /// The label of a button on a page that requires this level: the required one has the words of the brief.
    pub fn button(self, answer: Answer, drill: bool) -> &'static str {
        if answer == Answer::of_level(self) { self.words(drill) } else { answer.label() }
    }
}

/// Each label that a button can have, and what pressing it says. People type them too, so each one is read as its
/// answer. A drill may add " (exercise)".
pub fn button_labels() -> impl Iterator<Item = (&'static str, Answer)> {
    let levels = [AnswerLevel::Wilco, AnswerLevel::Roger].into_iter();
    let offers = levels.flat_map(|level| {
        let both = [false, true].into_iter();
        both.flat_map(move |drill| level.offers().map(|answer| (level.button(answer, drill), answer)))
    });
    let unable = [HAND_BACK, HAND_EXERCISE_BACK, HAND_BACK_SURE].map(|label| (label, Answer::Unable));
    offers.chain(unable).chain([(AFTER_ALL, Answer::Wilco)])
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

/// The short forms that buttons, call keys and scenarios use: `roger`, `wilco`, `standby`, `standby 3`, `standby 3m`,
/// `unable`, or the digits 1 to 4. `text::reply` parses what people type.
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
            _ => Err(UnknownAnswer(excerpt(&text, QUOTE_MAX).into_owned())),
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

/// The most of a text that is no answer, in characters, that is told back.
const QUOTE_MAX: usize = 80;

/// Text that is not an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an answer: say roger (1), wilco (2), standby [MINUTES] (3) or unable (4)")]
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

/// An answer from an authenticated person.
#[derive(Debug, Clone)]
pub struct GivenAnswer {
    /// The person.
    pub person: PersonName,
    /// The answer.
    pub answer: Answer,
    /// The way it arrived.
    pub via: AnswerVia,
    /// The page that it answers, if known.
    pub page: Option<u32>,
    /// The role, if the person named one.
    pub role: Option<RoleName>,
    /// What its provider calls the message that says it, where it may hand that over twice: the second time it changes
    /// nothing.
    pub origin: Option<String>,
}
