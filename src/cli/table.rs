//! Tables and times for people.

use crate::{config, core::printable::one_line};
use comfy_table::{ContentArrangement, Table, presets};
use std::{fmt, io::IsTerminal, time::Duration};

/// A table for people. What others wrote into a cell stays in it: it can begin no row of its own.
pub struct TextTable(Table);

/// A table with these columns, without borders, so that it can be pasted into a chat. On a terminal no row of it is
/// wider than the terminal: long cells are broken between words.
pub fn table(columns: &[&str]) -> TextTable {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    let mut table = TextTable(table);
    if let Some(width) = width() {
        fit(&mut table, width);
    }
    table
}

impl TextTable {
    /// Adds a row. A line break in a cell is one of ours, between several names ([`one_line`] escapes those of others
    /// where a cell quotes them); all other control characters are escaped.
    pub fn add_row<I: IntoIterator<Item: ToString>>(&mut self, cells: I) -> &mut Self {
        let safe =
            |cell: String| cell.split('\n').map(|line| one_line(line).into_owned()).collect::<Vec<_>>().join("\n");
        self.0.add_row(cells.into_iter().map(|cell| safe(cell.to_string())));
        self
    }
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Prints a text, broken between words where the terminal ends.
pub fn say(text: &str) {
    println!("{}", wrapped(text, width()));
}

/// The lines of a text, none of them wider than `width`, as far as they can be broken between words. What continues a
/// line is indented by two more than its beginning; a line that begins with a bar continues after a bar.
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    text.lines().map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

/// How many columns a text takes: the codes of colours take none.
fn columns(text: &str) -> usize {
    without_colours(text).chars().count()
}

/// A text without the codes of its colours.
pub fn without_colours(text: &str) -> String {
    let mut in_code = false;
    let is_text = |letter: &char| {
        let was_code = in_code || *letter == '\x1b';
        in_code = was_code && *letter != 'm';
        !was_code
    };
    text.chars().filter(is_text).collect()
}

fn wrapped_line(line: &str, width: usize) -> String {
    let rest = line.trim_start();
    let blank = &line[..line.len() - rest.len()];
    let indent = if rest.starts_with("| ") { format!("{blank}| ") } else { format!("{blank}  ") };
    let (mut lines, mut current) = (Vec::new(), String::new());
    // Words keep the blanks before them: columns stay where they are.
    for word in line.split_inclusive(' ') {
        let columns = columns(&current) + columns(word.trim_end());
        if width < columns && !current.trim().is_empty() && current.trim() != "|" {
            lines.push(current.trim_end().to_owned());
            current = indent.clone();
        }
        current.push_str(word);
    }
    lines.push(current.trim_end().to_owned());
    lines.join("\n")
}

/// The width that everything must fit into: that of the terminal, or of `COLUMNS` where that is exported. `None` if there
/// is neither: then lines are not broken.
pub fn width() -> Option<usize> {
    let wanted = config::variable("COLUMNS").and_then(|columns| columns.parse().ok());
    if let Some(columns) = wanted.filter(|columns| 20 < *columns) {
        return Some(columns);
    }
    let (columns, _) = std::io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten()?;
    Some(usize::from(columns)).filter(|columns| 20 < *columns)
}

/// Breaks long cells so that no row is wider than this.
pub fn fit(table: &mut TextTable, width: usize) {
    table.0.set_content_arrangement(ContentArrangement::Dynamic);
    table.0.set_width(u16::try_from(width).unwrap_or(u16::MAX));
}

/// Milliseconds as `850 ms`, `12.3 s`, `4 min 5 s`; negative ones keep their sign.
pub fn span(ms: f64) -> String {
    let (sign, ms) = if ms < 0.0 { ("-", -ms) } else { ("", ms) };
    let text = if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else if ms < 120_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else {
        let whole = Duration::from_secs((ms / 1000.0).round() as u64);
        humantime::format_duration(whole).to_string()
    };
    format!("{sign}{text}")
}

/// The same, or a dash.
pub fn maybe(ms: Option<f64>) -> String {
    ms.map_or_else(|| "-".into(), span)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_long_line_is_broken_between_words_and_a_short_one_is_left() {
        for (line, told) in [
            ("short", "short"),
            ("  a line that is too long for it", "  a line that is too\n    long for it"),
            ("  | a text that is too long", "  | a text that is\n  | too long"),
            ("averyverylongwordthatfitsnowhere", "averyverylongwordthatfitsnowhere"),
            ("one averyverylongwordthatfitsnowhere", "one\n  averyverylongwordthatfitsnowhere"),
            ("  | averyverylongwordthatfitsnowhere", "  | averyverylongwordthatfitsnowhere"),
            ("", ""),
        ] {
            assert_eq!(wrapped(line, Some(20)), told, "{line:?}");
            assert_eq!(wrapped(line, None), line);
        }
        let bold = "\x1b[1mtwenty columns, bold\x1b[0m";
        assert_eq!(wrapped(bold, Some(20)), bold, "colours take no column");
        assert_eq!(wrapped("one\n\ntwo", Some(20)), "one\n\ntwo");
    }
}
