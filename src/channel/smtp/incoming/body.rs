//! The text of a mail: all parts that its reader sees, as lines.

use super::{html::text_of, phrases::is_blank, quote::own_lines};
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use std::collections::BTreeSet;

/// The text of each part of a mail. If a mail has the same content as text and HTML, it is the text, unless the HTML
/// contains signs that the text lost.
pub(super) fn texts(mail: &Message<'_>) -> Vec<String> {
    let plain = texts_of(mail.text_bodies());
    let has_page = mail.html_bodies().any(|part| matches!(part.body, PartType::Html(_)));
    if !has_page {
        return plain;
    }
    let page = texts_of(mail.html_bodies());
    let lost = plain.iter().all(|text| text.lines().all(is_blank)) || !signs(&page).is_subset(&signs(&plain));
    if lost { page } else { plain }
}

fn texts_of<'a>(parts: impl Iterator<Item = &'a MessagePart<'a>>) -> Vec<String> {
    let texts = parts.filter_map(|part| match &part.body {
        PartType::Text(text) if has(part, "format", "flowed") => Some(unwrapped(text, has(part, "delsp", "yes"))),
        PartType::Text(text) => Some(text.clone().into_owned()),
        PartType::Html(html) => Some(text_of(html)),
        _ => None,
    });
    texts.collect()
}

fn has(part: &MessagePart<'_>, attribute: &str, value: &str) -> bool {
    let kind = part.content_type();
    kind.and_then(|kind| kind.attribute(attribute)).is_some_and(|given| given.eq_ignore_ascii_case(value))
}

/// The signs above the quote that can change the meaning.
fn signs(texts: &[String]) -> BTreeSet<char> {
    let is_sign = |c: &char| *c == '~' || !(c.is_alphanumeric() || c.is_whitespace() || c.is_ascii());
    texts.iter().flat_map(|text| own_lines(text)).flat_map(str::chars).filter(is_sign).collect()
}

/// Joins lines that were only wrapped (RFC 3676).
fn unwrapped(text: &str, delete_space: bool) -> String {
    let mut whole: Vec<String> = Vec::new();
    let mut goes_on: Option<usize> = None;
    for line in text.lines() {
        let said = line.trim_start_matches('>');
        let depth = line.len() - said.len();
        let said = said.strip_prefix(' ').unwrap_or(said);
        let is_rule = said == "-- ";
        match whole.last_mut().filter(|_| goes_on == Some(depth) && !is_rule) {
            Some(last) => last.push_str(said),
            None => whole.push(format!("{}{said}", if depth == 0 { String::new() } else { ">".repeat(depth) + " " })),
        }
        goes_on = (said.ends_with(' ') && !is_rule).then_some(depth);
        if let Some(last) = whole.last_mut().filter(|_| goes_on.is_some() && delete_space) {
            last.pop();
        }
    }
    whole.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_broken_to_fit_are_whole_again() {
        for (text, expected) in [
            ("I'll take it \nwhen I land", "I'll take it when I land"),
            ("wilco\nAna", "wilco\nAna"),
            ("wilco \n\n-- \nAna", "wilco \n-- \nAna"),
            ("> a \n> b\n>> c \n> d \ne", "> a b\n>> c \n> d \ne"),
            (" >no quote", ">no quote"),
        ] {
            assert_eq!(unwrapped(text, false), expected, "{text:?}");
        }
        assert_eq!(unwrapped("I can \nnot", true), "I cannot");
    }
}
