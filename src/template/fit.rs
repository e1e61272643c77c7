//! What every text is held to: its limits, and marks in the data that could mislead a reader.

use crate::{
    template::brief::{CODE, LINK, TextForm},
    text::gsm7,
};

/// Lines of a body. A screen that has to be scrolled is not read.
pub const LINES_MAX: usize = 25;

/// Characters of a body on a screen or in a mail.
pub const BODY_MAX: usize = 4000;

/// Characters of a body in Slack, counted after `&`, `<` and `>` are escaped: a section holds 3000.
pub const SLACK_MAX: usize = 2900;

/// Characters of a body in a chat or on a wallboard: less than any of them takes.
pub const BOARD_MAX: usize = 2900;

/// Bytes of an HTML body: some mail readers clip at a hundred thousand.
pub const HTML_MAX: usize = 60_000;

/// Characters of a headline.
pub const HEADLINE_MAX: usize = 480;

/// Characters of a mail's subject.
pub const SUBJECT_MAX: usize = 120;

/// Septets of an SMS: two segments.
pub const SMS_SEPTETS: usize = 306;

/// Stands for a line that has nothing to say, and vanishes with its line. Data cannot hold it.
pub(super) const NOTHING: &str = "\u{1}";

/// One value of the data on one line of at most `max` characters: no control characters, no marks that turn or hide
/// text, nothing that would be taken for a code's or a link's place.
pub(super) fn clean(text: &str, max: usize) -> String {
    if is_plain(text, max) { text.to_owned() } else { cleaned(text, max) }
}

fn cleaned(text: &str, max: usize) -> String {
    let visible = text.chars().filter(|letter| !misleads(*letter));
    let spaced: String = visible.take(max * 8).map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(&disarm(&spaced.split_whitespace().collect::<Vec<_>>().join(" ")), max)
}

/// Whether [`clean`] would leave the text as it is: what nearly every name, label and sentence is.
fn is_plain(text: &str, max: usize) -> bool {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~') && *byte != b'%';
    text.len() <= max && text.split(' ').all(|word| !word.is_empty() && word.as_bytes().iter().all(plain))
}

/// The first `max` characters, the last one an ellipsis where something is missing.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// Breaks what looks like a placeholder, so that data and templates cannot have a code put where they like.
pub(super) fn disarm(text: &str) -> String {
    text.replace(CODE, "(CODE)").replace(LINK, "(LINK)")
}

/// A template's output made presentable: lines that say nothing are gone, blank ones stand alone.
pub(super) fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.contains(NOTHING)) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    disarm(lines.join("\n").trim())
}

/// Keeps drill and live apart in text that Stentor did not write itself: no line of it begins with the other word,
/// and a drill never says that it is none.
pub(super) fn guard(text: &str, drill: bool) -> String {
    let other = if drill { "LIVE" } else { "DRILL" };
    let kept: Vec<String> = text.lines().map(|line| guard_line(line, other)).collect();
    let text = kept.join("\n");
    if drill { without(&text, "not a drill") } else { text }
}

/// Whether `body` is within the limits of `form`, SMS excepted: that one is cut to fit.
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

/// The characters that a body of `form` may have.
pub(super) fn room(form: TextForm) -> usize {
    match form {
        TextForm::Screen | TextForm::Mail => BODY_MAX,
        TextForm::Board => BOARD_MAX,
        TextForm::Slack => SLACK_MAX,
        TextForm::Sms => SMS_SEPTETS,
        TextForm::Voice => SPOKEN_MAX,
    }
}

/// Whether an SMS goes out in two segments once its code is filled in.
pub(super) fn fits_sms(text: &str) -> bool {
    let septets = gsm7::septets(text).is_some_and(|septets| septets <= SMS_SEPTETS);
    septets && gsm7::segments(&text.replace(CODE, "00000")) <= 2
}

/// Marks that are not seen: they turn the direction of text, or hide that two words differ.
fn misleads(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
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

/// Characters that are spoken: most of a minute.
pub const SPOKEN_MAX: usize = 700;

#[cfg(test)]
mod tests {
    use super::*;

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
