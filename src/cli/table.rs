//! Tables and times for people.

use crate::core::printable::one_line;
use comfy_table::{ContentArrangement, Table, presets};
use std::{fmt, io::IsTerminal, time::Duration};

/// A table for people. What others wrote into a cell stays in it: it can begin no row of its own.
pub struct TextTable(Table);

/// A table with these columns, without borders, so that it can be pasted into a chat.
pub fn table(columns: &[&str]) -> TextTable {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    TextTable(table)
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

/// The width of the terminal in columns; `None` if standard output is not a terminal: then lines are not cut.
pub fn width() -> Option<usize> {
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
