//! Characters that nobody sees in a text, and that change how it or what stands after it is read.

use crate::core::invisible::{first_invisible, is_invisible};

/// The first one in a text that may have several lines, or may not. Characters that join or mark letters are none of these
/// where the letters need them (emoji, Persian, Hebrew names).
pub(crate) fn hidden(text: &str, several_lines: bool) -> Option<char> {
    let line = |c: char| several_lines && matches!(c, '\n' | '\r' | '\t');
    text.chars().find(|c| !line(*c) && (c.is_control() || breaks(*c))).or_else(|| first_invisible(text))
}

/// What it is, for the one who wrote it.
pub(crate) fn described(c: char) -> String {
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

/// Separators of lines and of paragraphs.
fn breaks(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates of direction: each holds for what follows, too.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
