//! The way by which an answer came.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// The way an answer arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerVia {
    /// A button of the desk page.
    Desk,
    /// The form behind a link in an e-mail.
    MailLink,
    /// A reply by mail.
    Mail,
    /// An automatic reply from a mailbox: its owner is away. Never counts as a person's answer.
    AutoReply,
    /// An SMS reply with the page's code.
    Sms,
    /// The command line, over the Unix socket.
    Cli,
    /// A digit pressed during a call.
    Voice,
    /// A button or a text in a chat, which a kind of channel names: `slack`, `telegram`.
    Chat(ChatName),
}

/// The name of a chat: a lower-case letter, then lower-case letters, digits and hyphens, [`CHAT_NAME_MAX`] at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChatName([u8; CHAT_NAME_MAX]);

/// The most letters of a [`ChatName`].
pub const CHAT_NAME_MAX: usize = 16;

/// The ways that are no chats, as journals have them.
const WORDS: [(&str, AnswerVia); 7] = [
    ("desk", AnswerVia::Desk),
    ("mail-link", AnswerVia::MailLink),
    ("mail", AnswerVia::Mail),
    ("auto-reply", AnswerVia::AutoReply),
    ("sms", AnswerVia::Sms),
    ("cli", AnswerVia::Cli),
    ("voice", AnswerVia::Voice),
];

impl AnswerVia {
    /// By a chat, for constants. What can be no name is `chat`.
    pub const fn chat(name: &str) -> Self {
        match ChatName::of(name) {
            Some(name) => Self::Chat(name),
            None => Self::Chat(ChatName::UNNAMED),
        }
    }

    /// The way that a journal has. The word of a chat that this program does not know is read, too: what was answered
    /// there counts all the same.
    pub fn parse(word: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, via)| *via);
        known.or_else(|| ChatName::of(word).map(Self::Chat))
    }

    /// Its word in journals.
    pub fn word(&self) -> &str {
        match self {
            Self::Chat(name) => name.as_str(),
            other => WORDS.iter().find(|(_, via)| via == other).map_or("", |(word, _)| word),
        }
    }
}

impl ChatName {
    const UNNAMED: Self = Self(*b"chat\0\0\0\0\0\0\0\0\0\0\0\0");

    /// The name; `None` if the text is not one.
    pub const fn of(name: &str) -> Option<Self> {
        let (name, mut letters) = (name.as_bytes(), [0; CHAT_NAME_MAX]);
        if name.is_empty() || CHAT_NAME_MAX < name.len() || !name[0].is_ascii_lowercase() {
            return None;
        }
        let mut n = 0;
        while n < name.len() {
            if !matches!(name[n], b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return None;
            }
            letters[n] = name[n];
            n += 1;
        }
        Some(Self(letters))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|letter| *letter == 0).unwrap_or(CHAT_NAME_MAX);
        str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl Serialize for AnswerVia {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for AnswerVia {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| D::Error::custom("this is no way by which answers come"))
    }
}

impl fmt::Display for AnswerVia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MailLink => "mail link",
            Self::AutoReply => "automatic reply",
            Self::Cli => "command line",
            Self::Voice => "call",
            Self::Desk | Self::Mail | Self::Sms | Self::Chat(_) => self.word(),
        })
    }
}

impl fmt::Debug for ChatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_written_in_journals_as_before_and_read_again() {
        let chats = [("slack", AnswerVia::chat("slack")), ("telegram", AnswerVia::chat("telegram"))];
        for (word, via) in WORDS.into_iter().chain(chats) {
            let written = serde_json::to_string(&via).ok();
            assert_eq!(written.as_deref(), Some(format!("\"{word}\"").as_str()));
            assert_eq!(serde_json::from_str(&format!("\"{word}\"")).ok(), Some(via));
        }
    }

    #[test]
    fn what_can_be_no_name_is_a_chat_without_one() {
        assert_eq!(AnswerVia::chat("Slack").word(), "chat");
    }

    #[test]
    fn a_word_that_can_be_no_chat_is_refused() {
        for word in ["", "-a", "9a", "Slack", "a b", "a\u{e4}", "a-word-that-is-too-long"] {
            assert_eq!(AnswerVia::parse(word), None, "{word:?}");
        }
        let longest = "a".repeat(CHAT_NAME_MAX);
        assert_eq!(AnswerVia::parse(&longest).map(|via| via.to_string()), Some(longest));
    }
}
