//! The options of a request as buttons, the same for every channel that has buttons or keys.

use crate::core::{
    AskKind, AskOption,
    request::{DENY, OPTION_LETTERS, Request},
};

/// Between the letter and the digest.
const SEPARATOR: char = ' ';

/// The button of an option of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionButton {
    /// By what it is named in texts.
    pub letter: char,
    /// Its label.
    pub label: String,
    /// What it does, if the request says so.
    pub does: Option<String>,
    /// Whether it refuses an action. Other options may do what can not be undone.
    pub refuses: bool,
}

impl OptionButton {
    /// The buttons of a request; none once it has ended.
    pub fn of(request: Option<&Request>) -> Vec<Self> {
        let Some(request) = request.filter(|request| request.outcome().is_none()) else { return Vec::new() };
        let ask = &request.ask;
        let button = |(letter, option): (char, &AskOption)| Self {
            letter,
            label: option.label.clone(),
            does: option.does.clone(),
            refuses: ask.kind == AskKind::Approval && option.name == DENY,
        };
        ask.lettered().map(button).collect()
    }
}

/// What was pressed where an answer would be: the letter of an option, and the digest of the question that was shown
/// where the button is one that everybody in a room sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PressedOption {
    /// The letter.
    pub letter: char,
    /// The digest.
    pub digest: Option<String>,
}

impl PressedOption {
    /// Reads it; `None` if an answer was pressed, not an option.
    pub fn read(pressed: &str) -> Option<Self> {
        let (letter, digest) = match pressed.split_once(SEPARATOR) {
            Some((letter, digest)) => (letter, Some(digest.to_owned())),
            None => (pressed, None),
        };
        let mut letters = letter.chars();
        let first = letters.next().filter(|first| OPTION_LETTERS.contains(first));
        first.filter(|_| letters.next().is_none()).map(|letter| Self { letter, digest })
    }

    /// As a button holds it.
    pub fn written(letter: char, digest: Option<&str>) -> String {
        digest.map_or_else(|| letter.to_string(), |digest| format!("{letter}{SEPARATOR}{digest}"))
    }
}
