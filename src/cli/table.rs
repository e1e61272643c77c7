//! Tables and times, as people read them.

use comfy_table::{Table, presets};
use std::time::Duration;

/// A table with these columns, without frames: it can be pasted into a chat.
pub fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    table
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
