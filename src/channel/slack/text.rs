//! Escapes and cuts text by Slack's rules.

use crate::core::Timestamp;
use std::collections::BTreeMap;

/// Slack's limit for a section's text, in characters.
pub(super) const SECTION_CHARS: usize = 3000;

/// Slack's limit for a button's label, in characters.
const LABEL_CHARS: usize = 75;

/// The text escaped, on one line, cut to `limit` characters as Slack counts them.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, limit)
}

/// The text escaped, in which each time is one that Slack shows in its reader's own zone. With the times as they were
/// written, in a zone with a name, if the longer text would not fit into `limit` characters.
pub(super) fn with_times(text: &str, times: &BTreeMap<String, Timestamp>, limit: usize) -> String {
    let (mut told, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let after_word = told.ends_with(char::is_alphanumeric);
        let found = times.iter().filter(|_| !after_word).find(|(shown, _)| is_word(rest, shown));
        let size = match found {
            Some((shown, at)) => {
                told.push_str(&date(*at, shown));
                shown.len()
            }
            None => {
                let size = rest.find(|c: char| !c.is_alphanumeric()).filter(|end| 0 < *end).unwrap_or(first.len_utf8());
                told.push_str(&escape(&rest[..size]));
                size
            }
        };
        rest = &rest[size..];
    }
    if measure(&told) <= limit { told } else { escape(text) }
}

/// Whether the text begins with these words, and not in the middle of another one.
fn is_word(text: &str, word: &str) -> bool {
    !word.is_empty() && text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Slack's token for an instant. A client that can not show it shows the text after the bar.
fn date(at: Timestamp, shown: &str) -> String {
    let seconds = at.as_micros().div_euclid(1_000_000);
    let shown: String = shown.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '|' | '^')).collect();
    format!("<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{shown}>")
}

/// Escaped text split into sections, at line ends if possible; cut after `limit`.
pub(super) fn sections(escaped: &str, limit: usize) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let (mut used, mut left) = (0, limit);
    for line in escaped.split_inclusive('\n') {
        for piece in pieces(line, SECTION_CHARS) {
            let size = measure(&piece);
            if SECTION_CHARS < used + size {
                sections.push(std::mem::take(&mut section));
                used = 0;
            }
            if left < size {
                push_cut(&mut sections, section, &piece, left);
                return sections;
            }
            section.push_str(&piece);
            used += size;
            left -= size;
        }
    }
    sections.push(section);
    sections.retain(|section| !section.trim().is_empty());
    sections
}

/// Adds as much of the piece as fits, and a mark that says that it was cut.
fn push_cut(sections: &mut Vec<String>, mut section: String, piece: &str, left: usize) {
    let room = left.min(SECTION_CHARS - measure(&section));
    let mut kept = 0;
    for unit in units(piece) {
        if room < kept + measure(unit) + 1 {
            break;
        }
        kept += measure(unit);
        section.push_str(unit);
    }
    section.push('…');
    sections.push(section);
}

/// The text escaped and cut to `limit`, with a mark if it was cut.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let whole = escape(text);
    if measure(&whole) <= limit {
        return whole;
    }
    let mut sections = Vec::new();
    push_cut(&mut sections, String::new(), &whole, limit);
    sections.pop().unwrap_or_default()
}

/// One line in pieces of at most `limit`; no entity and no token is cut.
fn pieces(line: &str, limit: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for unit in units(line) {
        if limit < used + measure(unit) {
            pieces.push(String::new());
            used = 0;
        }
        used += measure(unit);
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(unit);
        }
    }
    pieces
}

/// The parts that must not be cut: entities, tokens in angle brackets and characters of escaped text.
fn units(escaped: &str) -> impl Iterator<Item = &str> {
    let mut rest = escaped;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let until = |last| rest.find(last).map_or(1, |end| end + 1);
        let end = match first {
            '&' => until(';'),
            '<' => until('>'),
            other => other.len_utf8(),
        };
        let (unit, after) = rest.split_at(end);
        rest = after;
        Some(unit)
    })
}

/// A button's label: plain text, at most [`LABEL_CHARS`].
pub(super) fn label(text: &str) -> String {
    text.chars().take(LABEL_CHARS).collect()
}

/// Plain text, which has no markup to escape, cut to `limit` with a mark if it was cut.
pub(super) fn cut_plain(text: &str, limit: usize) -> String {
    if measure(text) <= limit {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.len_utf16();
        used <= limit
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The length by the strictest definition of "character".
pub(super) fn measure(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Escapes text for Slack's markup by Slack's three entities: unescaped, text from a person or monitor could mention a
/// whole channel, or link anywhere.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_split_and_cut_and_no_entity_is_halved() {
        for text in ["<".repeat(20_000), "x<&>\n".repeat(5000), "🚨".repeat(9000), format!("a\n{}", "b".repeat(2999))]
        {
            let sections = sections(&escape(&text), 11_000);
            let total: usize = sections.iter().map(|section| measure(section)).sum();
            assert!(total <= 11_000, "{total}");
            for section in &sections {
                assert!((1..=SECTION_CHARS).contains(&measure(section)), "{}", measure(section));
                assert!(!section.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'));
            }
        }
    }

    #[test]
    fn times_are_shown_in_the_readers_zone_and_no_token_is_halved() {
        let at = Timestamp::from_micros(1_732_459_573_900_000);
        let times = BTreeMap::from([("15:46:13 CET".to_owned(), at)]);
        let token = "<!date^1732459573^{date_short_pretty} {time_secs}|15:46:13 CET>";
        let shown = with_times("open since 15:46:13 CET, <you> until 15:46:13 CET.", &times, 3000);
        assert_eq!(shown, format!("open since {token}, &lt;you&gt; until {token}."));
        for other in ["115:46:13 CET", "15:46:13 CETUS", "15:46:14 CET"] {
            assert_eq!(with_times(other, &times, 3000), other);
        }
        // Where the tokens would not fit, the times stay as they were written.
        assert_eq!(with_times("15:46:13 CET", &times, 20), "15:46:13 CET");
        for filler in SECTION_CHARS - 70..SECTION_CHARS {
            let text = format!("{} 15:46:13 CET\n", "x".repeat(filler)).repeat(3);
            for section in sections(&with_times(&text, &times, 11_000), 11_000) {
                assert_eq!(section.matches('<').count(), section.matches(token).count(), "{filler}");
            }
        }
    }

    #[test]
    fn short_text_is_one_section_and_loses_nothing() {
        assert_eq!(sections(&escape("a < b\nc & d\n"), 11_000), ["a &lt; b\nc &amp; d\n"]);
        assert_eq!(one_line("a\n b  <c>", 250), "a b &lt;c&gt;");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
