//! Edits as a unified diff with three lines around each change, in the format of `patch -p0`.

use super::edit::MatrixEdit;
use crate::matrix::SourceText;
use std::{fmt::Write, ops::Range};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// The diff of all edited files.
pub(super) fn unified(files: &[SourceText], edits: &[MatrixEdit]) -> String {
    let mut shown = String::new();
    for (n, file) in files.iter().enumerate() {
        let mut mine: Vec<&MatrixEdit> = edits.iter().filter(|edit| edit.file == n).collect();
        mine.sort_by_key(|edit| edit.span.start);
        if !mine.is_empty() {
            one_file(file, &mine, &mut shown);
        }
    }
    shown
}

fn one_file(file: &SourceText, edits: &[&MatrixEdit], shown: &mut String) {
    let path = file.path.display();
    let _ = write!(shown, "--- {path}\n+++ {path}\n");
    let lines: Vec<&str> = file.text.split_inclusive('\n').collect();
    let mut grown = 0_isize;
    for (changed, edits) in groups(file, edits) {
        let from = changed.start.saturating_sub(CONTEXT);
        let until = (changed.end + CONTEXT).min(lines.len());
        let new = rewritten(&lines, &changed, &edits);
        let added = new.len() as isize - changed.len() as isize;
        let (before, after) = (until - from, (until - from).saturating_add_signed(added));
        let _ = writeln!(shown, "@@ -{},{before} +{},{after} @@", from + 1, (from + 1).saturating_add_signed(grown));
        grown += added;
        lines[from..changed.start].iter().for_each(|line| put(shown, ' ', line));
        lines[changed.clone()].iter().for_each(|line| put(shown, '-', line));
        new.iter().for_each(|line| put(shown, '+', line));
        lines[changed.end..until].iter().for_each(|line| put(shown, ' ', line));
    }
}

/// Groups of lines that change together, with their edits: edits whose contexts would overlap form one group.
fn groups<'a>(file: &SourceText, edits: &[&'a MatrixEdit]) -> Vec<(Range<usize>, Vec<&'a MatrixEdit>)> {
    let line_of = |at: usize| file.text.get(..at).map_or(0, |before| before.matches('\n').count());
    let mut groups: Vec<(Range<usize>, Vec<&MatrixEdit>)> = Vec::new();
    for edit in edits {
        let changed = line_of(edit.span.start)..line_of(edit.span.end) + 1;
        match groups.last_mut() {
            Some((lines, together)) if changed.start <= lines.end + 2 * CONTEXT => {
                lines.end = lines.end.max(changed.end);
                together.push(edit);
            }
            _ => groups.push((changed, vec![edit])),
        }
    }
    groups
}

/// The lines after the change.
fn rewritten(lines: &[&str], changed: &Range<usize>, edits: &[&MatrixEdit]) -> Vec<String> {
    let start: usize = lines[..changed.start].iter().map(|line| line.len()).sum();
    let mut text = lines[changed.clone()].concat();
    for edit in edits.iter().rev() {
        let span = edit.span.start - start..edit.span.end - start;
        if text.get(span.clone()).is_some() {
            text.replace_range(span, &edit.text);
        }
    }
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn put(shown: &mut String, mark: char, line: &str) {
    shown.push(mark);
    shown.push_str(line.trim_end_matches('\n'));
    shown.push('\n');
    if !line.ends_with('\n') {
        shown.push_str("\\ No newline at end of file\n");
    }
}
