//! Text from others, made fit for a line of a log or a cell of a table: it can neither begin a line of its own nor move
//! what a terminal shows.

use super::invisible::{is_invisible, is_joining};
use std::borrow::Cow;

/// The text on one line: control characters, line separators and characters that nobody sees are written as escapes (`\n`, `\u{1b}`). Text without any is returned as it is.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_unprintable(letter) {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    Cow::Owned(line)
}

/// The start of a text that somebody sent, to be quoted: at most `max` characters, the last of which is an ellipsis where
/// something is left out.
pub fn excerpt(text: &str, max: usize) -> Cow<'_, str> {
    if text.char_indices().nth(max).is_none() {
        return Cow::Borrowed(text);
    }
    let start: String = text.chars().take(max.saturating_sub(1)).collect();
    Cow::Owned(start + "…")
}

/// The text as a sentence begins.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether a letter does something else than to be seen. What joins letters or says their form stays: names need it.
pub fn is_unprintable(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') || is_invisible(letter) && !is_joining(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_whole_or_says_that_it_is_cut() {
        for (text, max, quoted) in
            [("abcd", 4, "abcd"), ("abcde", 4, "abc…"), ("日本語です", 3, "日本…"), ("", 0, ""), ("a", 0, "…")]
        {
            assert_eq!(excerpt(text, max), quoted);
        }
    }

    #[test]
    fn no_letter_begins_a_line_or_moves_the_cursor() {
        for (text, line) in [
            ("ES fell 6 % — Ä 日本 👍", "ES fell 6 % — Ä 日本 👍"),
            ("x\n2026-11-29T00:00:00Z  INFO forged", "x\\n2026-11-29T00:00:00Z  INFO forged"),
            ("a\rb\tc\0", "a\\rb\\tc\\u{0}"),
            ("\u{1b}[2Jgone\u{9b}1A", "\\u{1b}[2Jgone\\u{9b}1A"),
            ("علی\u{200c}رضا a\u{200b}b\u{e0041}", "علی\u{200c}رضا a\\u{200b}b\\u{e0041}"),
            ("a\u{2028}b\u{85}c\u{202e}d\u{2066}", "a\\u{2028}b\\u{85}c\\u{202e}d\\u{2066}"),
        ] {
            assert_eq!(one_line(text), line);
        }
        let all: String = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        assert!(!one_line(&all).contains(is_unprintable));
    }
}
