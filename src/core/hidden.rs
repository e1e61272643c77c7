//! Characters that nobody sees in a text, and that change how it or what stands after it is read. Where somebody can mend
//! the text it is refused; where people wait for it, it is shown without them.

use super::invisible::{first_invisible, is_invisible, without_invisible};
use icu_properties::{CodePointMapData, props::GeneralCategory};

/// The first one in a text that may have several lines, or may not. Characters that join or mark letters are none of these
/// where the letters need them (emoji, Persian, Hebrew names). In a text that shows nothing at all it is the first of all.
pub fn hidden(text: &str, several_lines: bool) -> Option<char> {
    let line = |c: char| several_lines && matches!(c, '\n' | '\r' | '\t');
    let control = || text.chars().find(|c| !line(*c) && (c.is_control() || breaks(*c)));
    let blank = || text.chars().next().filter(|_| !text.chars().any(is_drawn));
    control().or_else(|| first_invisible(text)).or_else(blank)
}

/// Whether a character is drawn by itself: a letter, a digit or a sign. Spaces, lone accents, and what Unicode has no
/// character for are not.
fn is_drawn(c: char) -> bool {
    use GeneralCategory::{
        Control, EnclosingMark, Format, LineSeparator, NonspacingMark, ParagraphSeparator, PrivateUse, SpaceSeparator,
        SpacingMark, Surrogate, Unassigned,
    };
    let is_empty = matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        Control
            | EnclosingMark
            | Format
            | LineSeparator
            | NonspacingMark
            | ParagraphSeparator
            | PrivateUse
            | SpaceSeparator
            | SpacingMark
            | Surrogate
            | Unassigned
    );
    !is_empty && !is_invisible(c)
}

/// What it is, for the one who wrote it.
pub fn described(c: char) -> String {
    let what = match c {
        '\n' | '\r' => "a line break",
        '\t' => "a tab",
        c if breaks(c) => "a line break",
        c if turns(c) => "a character that turns the direction of the text after it",
        c if is_invisible(c) => "a character that nobody sees",
        _ => "a control character",
    };
    format!("{what} (U+{:04X})", u32::from(c))
}

/// The text as one line without them: each control character and line break is a blank, and blanks are one.
pub fn plain_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() || breaks(c) { ' ' } else { c }).collect();
    without_invisible(&spaced).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The start of the text as one line, with two dots where something is missing.
pub fn short_line(text: &str, most: usize) -> String {
    let line = plain_line(text);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

/// The text without them, in its lines. Tabs stay.
pub fn plain_lines(text: &str) -> String {
    let blank = |c: char| match c {
        '\n' | '\t' => c,
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' => '\n',
        c if breaks(c) => '\n',
        c if c.is_control() => ' ',
        c => c,
    };
    let spaced: String = text.replace("\r\n", "\n").chars().map(blank).collect();
    without_invisible(&spaced)
}

/// Separators of lines and of paragraphs.
fn breaks(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates of direction: each holds for what follows, too.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wait_for_is_shown_without_what_hides() {
        for (text, line, lines) in [
            ("a\r\nLIVE b\rc", "a LIVE b c", "a\nLIVE b\nc"),
            ("a\u{1b}[31m\0b\u{9b}", "a [31m b", "a [31m b "),
            ("a\u{2028}b\u{85}c\td", "a b c d", "a\nb\nc\td"),
            ("x\u{202e}evil\u{2066}", "xevil", "xevil"),
            ("s\u{ad}a\u{61c}b\u{180e}c\u{3164}d\u{e0041}", "sabcd", "sabcd"),
            ("علی\u{200c}رضا \u{2764}\u{fe0f}", "علی\u{200c}رضا \u{2764}\u{fe0f}", "علی\u{200c}رضا \u{2764}\u{fe0f}"),
        ] {
            assert_eq!((plain_line(text).as_str(), plain_lines(text).as_str()), (line, lines), "{text:?}");
            assert_eq!((hidden(line, false), hidden(lines, true)), (None, None), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_shows_nothing_is_hidden_whatever_it_is_made_of() {
        for text in [
            "\u{2800}",
            "\u{2800}\u{2800}",
            "\u{3164}",
            "\u{115f}",
            "\u{ffa0}",
            "\u{1d159}",
            "\u{3000}",
            "\u{a0}\u{2003}",
            "\u{1680}",
            "\u{301}",
            "\u{903}",
            "\u{20dd}",
            "\u{e000}",
            "\u{ffff}",
            "\u{378}",
            "\u{16fe4}",
            "\u{180e}",
            "\u{200d}\u{fe0f}",
        ] {
            assert!(hidden(text, false).is_some(), "{text:?}");
            let ana = hidden(&format!("Ana{text}Ruiz"), false).is_some();
            let is_drawn_as_nothing = text.chars().all(crate::core::invisible::is_invisible);
            assert_eq!(ana, is_drawn_as_nothing, "{text:?} between letters");
        }
        for text in ["Ana", "山田\u{3000}太郎", "e\u{301}", "🔥", "?", "4", "आना"] {
            assert_eq!(hidden(text, false), None, "{text:?}");
        }
    }
}
