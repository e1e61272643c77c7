//! How a table fits into a width: which columns stand side by side, how wide each one is, and how cells are broken.

use unicode_width::UnicodeWidthStr;

/// Blanks before each row.
const LEAD: usize = 1;

/// Blanks between two columns.
const GAP: usize = 2;

/// Blanks before what follows beneath a row.
const INDENT: usize = 3;

/// A line of a cell that is no wider than this is not broken: a name, a time, a number with its unit.
const WHOLE: usize = 16;

/// The widths of a column.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColumnNeeds {
    /// With less, a word or a short line would be broken.
    least: usize,
    /// With so much, nothing is broken.
    most: usize,
}

impl ColumnNeeds {
    /// What a column with these cells needs.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        cells.flat_map(|cell| cell.split('\n')).fold(Self::default(), |needs, line| {
            let width = columns(line);
            let word = line.split(' ').map(columns).max().unwrap_or(0);
            Self { least: needs.least.max(word).max(width.min(WHOLE)), most: needs.most.max(width) }
        })
    }
}

/// How many columns a text takes; a letter of Chinese or Japanese takes two.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// How many columns the rows of such a table take.
fn row_width(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = GAP * widths.len().saturating_sub(1);
    LEAD + gaps + widths.sum::<usize>()
}

/// The columns that stand side by side, in their order: without the first ones of `fold` until the rest fits into
/// `room`. The first column always stays.
pub fn side_by_side(needs: &[ColumnNeeds], fold: impl Iterator<Item = usize>, room: usize) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..needs.len()).collect();
    for column in fold.filter(|column| *column != 0) {
        if row_width(shown.iter().map(|shown| needs[*shown].least)) <= room {
            break;
        }
        shown.retain(|shown| *shown != column);
    }
    shown
}

/// The width of each of these columns in a row of at most `room`: what it needs, and an equal share of what is left for
/// each one that wants more. A column whose `cells` make no use of their share, because they are broken before it ends,
/// leaves the rest to the others.
pub fn widths<'c, C: Iterator<Item = &'c str>>(
    mut needs: Vec<ColumnNeeds>,
    room: usize,
    cells: impl Fn(usize) -> C,
) -> Vec<usize> {
    let longest = (0..needs.len()).max_by_key(|n| needs[*n].most);
    let used = |n: usize, width: usize| {
        let lines = cells(n).flat_map(|cell| broken(cell, width));
        lines.map(|line| columns(&line)).max().unwrap_or(0)
    };
    let mut widths = shared(&needs, room);
    for n in (0..needs.len()).filter(|n| Some(*n) != longest) {
        if widths[n] < needs[n].most {
            needs[n].most = used(n, widths[n]).max(needs[n].least);
            widths = shared(&needs, room);
        }
    }
    widths.iter().enumerate().map(|(n, width)| used(n, *width)).collect()
}

fn shared(needs: &[ColumnNeeds], room: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = needs.iter().map(|needs| needs.least.min(room.saturating_sub(LEAD))).collect();
    let mut left = room.saturating_sub(row_width(widths.iter().copied()));
    loop {
        let wanting: Vec<usize> = (0..needs.len()).filter(|n| widths[*n] < needs[*n].most).collect();
        let Some(share @ 1..) = left.checked_div(wanting.len()) else { return widths };
        for n in wanting {
            let more = share.min(needs[n].most - widths[n]);
            widths[n] += more;
            left -= more;
        }
    }
}

/// The lines of one row.
pub fn row(cells: &[&str], widths: &[usize]) -> Vec<String> {
    let cells: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| broken(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height).map(|n| line(cells.iter().map(|lines| lines.get(n).map_or("", String::as_str)), widths)).collect()
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = " ".repeat(LEAD);
    for (cell, width) in cells.zip(widths) {
        let blank = width.saturating_sub(columns(cell)) + GAP;
        line.push_str(cell);
        line.push_str(&" ".repeat(blank));
    }
    line.truncate(line.trim_end().len());
    line
}

/// What has no column of its own, beneath its row: each with its name, as many in a line as fit.
pub fn beneath(entries: impl Iterator<Item = String>, room: usize) -> Vec<String> {
    let room = room.saturating_sub(INDENT).max(1);
    let mut lines: Vec<String> = Vec::new();
    let mut is_full = true;
    for entry in entries {
        match lines.last_mut().filter(|last| !is_full && columns(last) + GAP + columns(&entry) <= room) {
            Some(last) => {
                last.push_str(&" ".repeat(GAP));
                last.push_str(&entry);
            }
            None => {
                let broken = broken(&entry, room);
                // Nothing stands beside the end of an entry that took several lines.
                is_full = 1 < broken.len();
                lines.extend(broken);
            }
        }
    }
    lines.into_iter().map(|line| " ".repeat(INDENT) + &line).collect()
}

/// The lines of a cell, none of them wider than `width`: broken between words, and within a word only where the word
/// alone is wider.
pub fn broken(cell: &str, width: usize) -> Vec<String> {
    cell.split('\n').flat_map(|line| broken_line(line, width.max(1))).collect()
}

fn broken_line(line: &str, width: usize) -> Vec<String> {
    if columns(line) <= width {
        return vec![line.to_owned()];
    }
    let (mut lines, mut current) = (Vec::new(), String::new());
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        if !current.is_empty() && width < columns(&current) + 1 + columns(word) {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        for letter in word.chars() {
            if width < columns(&current) + columns(letter.encode_utf8(&mut [0; 4])) && !current.is_empty() {
                lines.push(std::mem::take(&mut current));
            }
            current.push(letter);
        }
    }
    lines.push(current);
    lines
}
