//! Tables and times for people.

mod layout;

use crate::{
    cli::table::layout::{ColumnNeeds, columns},
    config,
    core::printable::one_line,
    matrix::{self, Diagnostic, SourceText},
};
use std::{fmt, io::IsTerminal, time::Duration};

/// A table for people. What others wrote into a cell stays in it: it can begin no row of its own.
pub struct TextTable {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    /// No row is wider than this.
    width: Option<usize>,
    /// The columns that are the first to leave the row where not all fit.
    least: Vec<usize>,
}

/// A table with these columns, without borders, so that it can be pasted into a chat. On a terminal no row of it is
/// wider than the terminal: long cells are broken between words, and where the words of all columns do not fit, the last
/// columns follow beneath each row, with their names.
pub fn table(columns: &[&str]) -> TextTable {
    let names = columns.iter().map(|column| column.to_uppercase()).collect();
    TextTable { names, rows: Vec::new(), width: width(), least: Vec::new() }
}

impl TextTable {
    /// Adds a row. A line break in a cell is one of ours, between several names ([`one_line`] escapes those of others
    /// where a cell quotes them); all other control characters are escaped.
    pub fn add_row<I: IntoIterator<Item: ToString>>(&mut self, cells: I) -> &mut Self {
        let safe =
            |cell: String| cell.split('\n').map(|line| one_line(line).into_owned()).collect::<Vec<_>>().join("\n");
        self.rows.push(cells.into_iter().map(|cell| safe(cell.to_string())).collect());
        self
    }

    /// Names columns that leave the row before all others where not all fit, the last one first.
    pub fn least(mut self, columns: &[&str]) -> Self {
        let place = |column: &&str| self.names.iter().position(|name| *name == column.to_uppercase());
        self.least = columns.iter().filter_map(place).collect();
        self
    }

    fn needs(&self) -> Vec<ColumnNeeds> {
        (0..self.names.len()).map(|n| ColumnNeeds::of(self.cells(n))).collect()
    }

    /// What stands in a column, its name included.
    fn cells(&self, n: usize) -> impl Iterator<Item = &str> {
        let name = self.names.get(n).into_iter();
        name.chain(self.rows.iter().filter_map(move |row| row.get(n))).map(String::as_str)
    }

    fn lines(&self) -> Vec<String> {
        let room = self.width.unwrap_or(usize::MAX);
        let needs = self.needs();
        let fold = self.least.iter().rev().copied().chain((0..self.names.len()).rev());
        let shown = layout::side_by_side(&needs, fold, room);
        let needs: Vec<ColumnNeeds> = shown.iter().map(|n| needs[*n]).collect();
        let widths = layout::widths(needs, room, |n| self.cells(shown[n]));
        let mut lines = layout::row(&of(&self.names, &shown), &widths);
        for row in &self.rows {
            lines.extend(layout::row(&of(row, &shown), &widths));
            lines.extend(layout::beneath(self.folded(row, &shown), room));
        }
        lines
    }

    /// What has no column: its name and its value, where it says anything.
    fn folded<'a>(&'a self, row: &'a [String], shown: &'a [usize]) -> impl Iterator<Item = String> + 'a {
        let cells = self.names.iter().zip(row).enumerate().filter(|(n, _)| !shown.contains(n));
        let told = cells.filter(|(_, (_, cell))| !matches!(cell.as_str(), "" | "-" | "0"));
        told.map(|(_, (name, cell))| format!("{name} {}", cell.replace('\n', ", ")).trim_start().to_owned())
    }
}

fn of<'a>(cells: &'a [String], shown: &[usize]) -> Vec<&'a str> {
    shown.iter().map(|n| cells.get(*n).map_or("", String::as_str)).collect()
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// Prints a text, broken between words where the terminal ends.
pub fn say(text: &str) {
    println!("{}", wrapped(text, width()));
}

/// The same on standard error.
pub fn warn(text: &str) {
    eprintln!("{}", wrapped(text, width()));
}

/// Faults with the lines that they are in, as wide as the terminal. Excerpts of files are not broken, or what is
/// underlined would not be below its words: they are shown around what is underlined.
pub fn faults(what: &str, diagnostics: &[Diagnostic], files: &[SourceText], colour: bool) -> String {
    unbroken_excerpts(&matrix::render_within(width(), what, diagnostics, files, colour))
}

/// The lines of faults, broken where the terminal ends. Excerpts of files are cut instead, where they were rendered for
/// another width.
pub fn unbroken_excerpts(faults: &str) -> String {
    let width = width();
    let line = |line: &str| if is_excerpt(line) { cut(line, width) } else { wrapped(line, width) };
    faults.lines().map(|shown| line(shown) + "\n").collect()
}

fn cut(line: &str, width: Option<usize>) -> String {
    let room = width.filter(|width| *width < columns(&without_colours(line)));
    room.and_then(|room| pieces("", line, "", room).into_iter().next()).unwrap_or_else(|| line.to_owned())
}

/// Whether a line shows a line of a file, or underlines it: `12 | wait = "45s"`.
fn is_excerpt(line: &str) -> bool {
    without_colours(line)
        .split_once('|')
        .is_some_and(|(before, _)| before.chars().all(|c| c == ' ' || c.is_ascii_digit()))
}

/// The lines of a text, none of them wider than `width`: broken between words, and within a word only where the word
/// alone is wider. What continues a line is indented by two more than its beginning; a line that begins with a bar
/// continues after a bar.
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    text.lines().map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
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
        let taken = columns(&without_colours(&current)) + columns(&without_colours(word.trim_end()));
        if width < taken && !current.trim().is_empty() && current.trim() != "|" {
            lines.push(current.trim_end().to_owned());
            current = indent.clone();
        }
        if columns(&without_colours(&current)) + columns(&without_colours(word.trim_end())) <= width {
            current.push_str(word);
            continue;
        }
        let mut pieces = pieces(&current, word, &indent, width);
        current = pieces.pop().unwrap_or_default();
        lines.extend(pieces);
    }
    lines.push(current.trim_end().to_owned());
    lines.join("\n")
}

/// The lines of a word that is wider than a line; the first one goes on with `begun`. The codes of colours take no column.
fn pieces(begun: &str, word: &str, indent: &str, width: usize) -> Vec<String> {
    let (mut lines, mut current) = (Vec::new(), begun.to_owned());
    let (mut taken, mut in_code) = (columns(&without_colours(begun)), false);
    for letter in word.chars() {
        in_code |= letter == '\x1b';
        let more = if in_code { 0 } else { columns(letter.encode_utf8(&mut [0; 4])) };
        in_code &= letter != 'm';
        if width < taken + more && letter != ' ' && current != indent {
            lines.push(std::mem::replace(&mut current, indent.to_owned()));
            taken = columns(indent);
        }
        taken += more;
        current.push(letter);
    }
    lines.push(current);
    lines
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

/// Lets no row be wider than this, nor than the terminal.
pub fn fit(table: &mut TextTable, width: usize) {
    table.width = Some(table.width.map_or(width, |terminal| terminal.min(width)));
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
    use super::{fit, layout, table, wrapped};

    fn fitted(columns: &[&str], least: &[&str], rows: &[&[&str]], width: usize) -> String {
        let mut table = table(columns).least(least);
        fit(&mut table, width);
        for row in rows {
            table.add_row(*row);
        }
        table.to_string()
    }

    #[test]
    fn a_table_is_broken_between_words_and_what_has_no_room_follows_its_row() {
        let columns = ["page", "to", "state", "remark"];
        let rows: [&[&str]; 2] = [
            &["1", "Anastasia Ruiz-Villanueva", "unreachable", "the gateway at http://127.0.0.1:9/ does not answer"],
            &["2", "Bo Lind", "accepted", "-"],
        ];
        let told = |width| fitted(&columns, &[], &rows, width);
        let wide = " PAGE  TO                         STATE        REMARK
 1     Anastasia Ruiz-Villanueva  unreachable  the gateway at http://127.0.0.1:9/ does not answer
 2     Bo Lind                    accepted     -";
        assert_eq!(told(120), wide);
        let narrow = " PAGE  TO               STATE        REMARK
 1     Anastasia        unreachable  the gateway at http://127.0.0.1:9/
       Ruiz-Villanueva               does not answer
 2     Bo Lind          accepted     -";
        assert_eq!(told(72), narrow);
        let folded = " PAGE  TO               STATE
 1     Anastasia        unreachable
       Ruiz-Villanueva
   REMARK the gateway at
   http://127.0.0.1:9/ does not answer
 2     Bo Lind          accepted";
        assert_eq!(told(40), folded);
    }

    #[test]
    fn what_matters_least_leaves_the_row_first_and_a_long_word_is_cut_only_where_no_row_holds_it() {
        let columns = ["role", "sent", "seen", "engaged"];
        let rows: [&[&str]; 1] = [&["equities-trader", "12 ms", "850 ms", "12.3 s"]];
        let told = fitted(&columns, &["sent", "seen"], &rows, 34);
        assert_eq!(told, " ROLE             SENT   ENGAGED\n equities-trader  12 ms  12.3 s\n   SEEN 850 ms");
        let told = fitted(&columns, &["sent", "seen"], &rows, 26);
        assert_eq!(told, " ROLE             ENGAGED\n equities-trader  12.3 s\n   SENT 12 ms  SEEN 850 ms");
        let long: [&[&str]; 1] = [&["x", "abcdefghijklmnopqrstuvwxyz"]];
        assert_eq!(fitted(&["a", "b"], &[], &long, 24), " A\n x\n   B\n   abcdefghijklmnopqrstu\n   vwxyz");
    }

    #[test]
    fn letters_that_take_two_columns_are_counted_as_two() {
        let rows: [&[&str]; 2] = [&["田中太郎", "ok"], &["Ana", "ok"]];
        assert_eq!(fitted(&["who", "is"], &[], &rows, 80), " WHO       IS\n 田中太郎  ok\n Ana       ok");
        assert!(layout::broken("日本語です", 4).iter().all(|line| layout::columns(line) <= 4));
    }

    #[test]
    fn a_long_line_is_broken_between_words_and_a_short_one_is_left() {
        for (line, told) in [
            ("short", "short"),
            ("  a line that is too long for it", "  a line that is too\n    long for it"),
            ("  | a text that is too long", "  | a text that is\n  | too long"),
            ("averyverylongwordthatfitsnowhere", "averyverylongwordtha\n  tfitsnowhere"),
            ("one averyverylongwordthatfitsnowhere", "one\n  averyverylongwordt\n  hatfitsnowhere"),
            ("  | averyverylongwordthatfitsnowhere", "  | averyverylongwor\n  | dthatfitsnowhere"),
            ("日本語日本語日本語日本語", "日本語日本語日本語日\n  本語"),
            ("\x1b[1maveryverylongwordthatfits\x1b[0m", "\x1b[1maveryverylongwordtha\n  tfits\x1b[0m"),
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
