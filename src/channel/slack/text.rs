//! Escapes and cuts text by Slack's rules.

/// Slack's limit for a section's text, in characters.
pub(super) const SECTION_CHARS: usize = 3000;

/// Slack's limit for a button's label, in characters.
const LABEL_CHARS: usize = 75;

/// The text escaped, on one line, cut to `limit` characters as Slack counts them.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, limit)
}

/// The text escaped and split into sections, at line ends if possible; cut after `limit`.
pub(super) fn sections(text: &str, limit: usize) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let (mut used, mut left) = (0, limit);
    for line in text.split_inclusive('\n') {
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

/// One line escaped, in pieces of at most `limit`; a character's entity is never cut.
fn pieces(line: &str, limit: usize) -> Vec<String> {
    let whole = escape(line);
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for unit in units(&whole) {
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

/// The parts that must not be cut: entities and characters of escaped text.
fn units(escaped: &str) -> impl Iterator<Item = &str> {
    let mut rest = escaped;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if first == '&' { rest.find(';').map_or(1, |end| end + 1) } else { first.len_utf8() };
        let (unit, after) = rest.split_at(end);
        rest = after;
        Some(unit)
    })
}

/// A button's label: plain text, at most [`LABEL_CHARS`].
pub(super) fn label(text: &str) -> String {
    text.chars().take(LABEL_CHARS).collect()
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
            let sections = sections(&text, 11_000);
            let total: usize = sections.iter().map(|section| measure(section)).sum();
            assert!(total <= 11_000, "{total}");
            for section in &sections {
                assert!((1..=SECTION_CHARS).contains(&measure(section)), "{}", measure(section));
                assert!(!section.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'));
            }
        }
    }

    #[test]
    fn short_text_is_one_section_and_loses_nothing() {
        assert_eq!(sections("a < b\nc & d\n", 11_000), ["a &lt; b\nc &amp; d\n"]);
        assert_eq!(one_line("a\n b  <c>", 250), "a b &lt;c&gt;");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
