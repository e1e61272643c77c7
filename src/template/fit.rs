//! The limits of every text, and characters in the data that could mislead a reader.

use crate::{
    core::hidden::plain_line,
    template::brief::{CODE, LINK, TextForm},
    text::gsm7,
};
use std::borrow::Cow;

/// Lines of a body. People do not read a screen that they must scroll.
pub const LINES_MAX: usize = 25;

/// Characters of a body on a screen or in a mail.
pub const BODY_MAX: usize = 4000;

/// Characters of a body in Slack, counted after `&`, `<` and `>` are escaped: a section holds 3000.
pub const SLACK_MAX: usize = 2900;

/// Characters of a body in a chat or on a wallboard: below the limits of all of them.
pub const BOARD_MAX: usize = 2900;

/// Bytes of an HTML body: some mail readers cut at a hundred thousand.
pub const HTML_MAX: usize = 60_000;

/// Characters of a headline.
pub const HEADLINE_MAX: usize = 480;

/// Characters of a mail's subject.
pub const SUBJECT_MAX: usize = 120;

/// Septets of an SMS: two segments. One in another script has two segments of 67 UTF-16 units.
pub const SMS_SEPTETS: usize = 306;

/// A mark for a line without content; it is removed together with its line. Data cannot contain it.
pub(super) const NOTHING: &str = "\u{1}";

/// One value from the data, as one line of at most `max` characters: without control characters, without characters
/// that turn or hide text, and without the placeholders for codes and links.
pub(super) fn clean(text: &str, max: usize) -> String {
    if is_plain(text, max) { text.to_owned() } else { cleaned(text, max) }
}

fn cleaned(text: &str, max: usize) -> String {
    let start: String = text.chars().take(max * 8).collect();
    cut(&disarm(&plain_line(&start)), max)
}

/// Whether [`clean`] would not change the text, as for nearly all names, labels and sentences.
fn is_plain(text: &str, max: usize) -> bool {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~') && *byte != b'%';
    text.len() <= max && text.split(' ').all(|word| !word.is_empty() && word.as_bytes().iter().all(plain))
}

/// The first `max` characters; the last one is an ellipsis if something is cut.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// The longest start of `text` of whole words with at most `max` characters, and the rest. A single word that is longer
/// is divided.
pub(super) fn divided(text: &str, max: usize) -> (&str, &str) {
    let Some((end, _)) = text.char_indices().nth(max) else { return (text, "") };
    let whole = if text[end..].starts_with(' ') { Some(end) } else { text[..end].rfind(' ') };
    let at = whole.filter(|at| 0 < *at).unwrap_or(end);
    (text[..at].trim_end(), text[at..].trim_start())
}

/// With a full stop, unless it ends with a sign of its own.
pub(super) fn ended(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// Breaks text that looks like a placeholder, so that data and templates cannot choose where a code appears.
pub(super) fn disarm(text: &str) -> String {
    text.replace(CODE, "(CODE)").replace(LINK, "(LINK)")
}

/// Cleans up a template's output: lines without content and control characters are removed, a tab is a space, and at most
/// one blank line stands between others.
pub(super) fn tidy(text: &str) -> String {
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    for line in text.lines().filter(|line| !line.contains(NOTHING)) {
        let line = printable(line);
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    disarm(lines.join("\n").trim())
}

/// A template may have control characters of its own: a carriage return or an escape would let its line cover another.
fn printable(line: &str) -> Cow<'_, str> {
    if !line.contains(char::is_control) {
        return Cow::Borrowed(line.trim_end());
    }
    let spaced = line.replace('\t', " ");
    Cow::Owned(spaced.replace(char::is_control, "").trim_end().to_owned())
}

/// Keeps drill and live distinct in text that Stentor did not write itself: no line of it begins with the other word,
/// and a drill never says that it is not a drill.
pub(super) fn guard(text: &str, drill: bool) -> String {
    let other = if drill { "LIVE" } else { "DRILL" };
    let kept: Vec<String> = text.lines().map(|line| guard_line(line, other)).collect();
    let text = kept.join("\n");
    if drill { without(&text, "not a drill") } else { text }
}

/// Whether `body` is within the limits of `form`. Not for SMS, which is cut to fit.
pub(super) fn fits(body: &str, form: TextForm) -> bool {
    let length = match form {
        TextForm::Slack => body
            .chars()
            .map(|c| {
                if c == '&' {
                    5
                } else if c == '<' || c == '>' {
                    4
                } else {
                    1
                }
            })
            .sum(),
        TextForm::Screen | TextForm::Mail | TextForm::Sms | TextForm::Voice | TextForm::Board => body.chars().count(),
    };
    body.lines().count() <= LINES_MAX && length <= room(form)
}

/// How many characters a body of `form` may have.
pub(super) fn room(form: TextForm) -> usize {
    match form {
        TextForm::Screen | TextForm::Mail => BODY_MAX,
        TextForm::Board => BOARD_MAX,
        TextForm::Slack => SLACK_MAX,
        TextForm::Sms => SMS_SEPTETS,
        TextForm::Voice => SPOKEN_MAX,
    }
}

/// Whether an SMS fits into two segments once its code is filled in.
pub(super) fn fits_sms(text: &str) -> bool {
    let septets = gsm7::septets(text).is_none_or(|septets| septets <= SMS_SEPTETS);
    septets && gsm7::segments(&text.replace(CODE, "00000")) <= 2
}

fn guard_line(line: &str, other: &str) -> String {
    let word = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let first = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if first.eq_ignore_ascii_case(other) { format!("(text) {line}") } else { line.to_owned() }
}

fn without(text: &str, phrase: &str) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.to_ascii_lowercase().find(phrase) {
        text.replace_range(at..at + phrase.len(), "(…)");
    }
    text
}

/// Characters of a spoken text: just under a minute.
pub const SPOKEN_MAX: usize = 700;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_templates_own_control_characters_are_not_in_its_text() {
        for (text, tidied) in [
            ("a\tb\r\nc", "a b\nc"),
            ("LIVE\rDRILL", "LIVEDRILL"),
            ("a\u{1b}[2Kb\u{7}\u{85}", "a[2Kb"),
            ("a\n\u{8}\n\n\u{0}\nb", "a\n\nb"),
            ("a\n gone\u{1}\nשלום\u{200f}!", "a\nשלום\u{200f}!"),
        ] {
            assert_eq!(tidy(text), tidied, "{text:?}");
        }
    }

    #[test]
    fn what_is_plain_would_be_left_as_it_is() {
        let texts =
            ["ES fell by 6.2", " ES", "ES ", "a  b", "a\tb", "100 %", "%CODE%", "%LINK%", "naïve", "", "123456789"];
        for text in texts {
            for max in [1, 9, 60] {
                assert_eq!(clean(text, max), cleaned(text, max), "{text:?} {max}");
            }
        }
        assert!(is_plain("ES fell by 6.2", 60) && !is_plain("a  b", 60) && !is_plain("%CODE%", 60));
    }
}
