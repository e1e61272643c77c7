//! The possible edits, as places in the text that the matrix's author wrote: comments and layout stay.

use crate::{
    core::{ChannelName, PersonName, RoleName, StepPlan, plan::StepTarget},
    matrix::{Matrix, SourceText},
};
use std::{collections::BTreeSet, ops::Range, time::Duration};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

/// The shortest wait that is proposed: nobody reads and answers in less time.
const WAIT_MIN: Duration = Duration::from_secs(10);

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatrixEdit {
    /// What is changed, as a sentence.
    pub what: String,
    /// The index of the file.
    pub file: usize,
    /// The bytes that are replaced; empty for an insertion.
    pub span: Range<usize>,
    /// The new text.
    pub text: String,
    /// The list or value: two edits of the same place are not tried together.
    place: (usize, usize),
}

impl MatrixEdit {
    /// Whether two edits change the same place.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.file == other.file && self.place == other.place
    }
}

/// The texts after the edits.
pub(super) fn apply(files: &[SourceText], edits: &[MatrixEdit]) -> Vec<SourceText> {
    let mut files = files.to_vec();
    let mut edits: Vec<&MatrixEdit> = edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for edit in edits {
        if let Some(file) = files.get_mut(edit.file).filter(|file| file.text.get(edit.span.clone()).is_some()) {
            file.text.replace_range(edit.span.clone(), &edit.text);
        }
    }
    files
}

/// Every single edit of one role's ladder, smallest kind first.
pub(super) fn edits(role: &RoleName, matrix: &Matrix, files: &[SourceText]) -> Vec<MatrixEdit> {
    for (file, source) in files.iter().enumerate() {
        let (document, _) = DeTable::parse_recoverable(&source.text);
        let sections = document.get_ref();
        let found = if role.is_catch_all() { table(sections, "catch-all") } else { named(sections, role) };
        if let Some(written) = found {
            return EditFinder { role, matrix, file, text: &source.text }.all(written);
        }
    }
    Vec::new()
}

fn named<'a, 'i>(sections: &'a DeTable<'i>, role: &RoleName) -> Option<&'a DeTable<'i>> {
    table(table(sections, "role")?, role.as_str())
}

fn table<'a, 'i>(of: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    match of.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

struct EditFinder<'a> {
    role: &'a RoleName,
    matrix: &'a Matrix,
    file: usize,
    text: &'a str,
}

impl EditFinder<'_> {
    fn all(&self, written: &DeTable<'_>) -> Vec<MatrixEdit> {
        let Some(row) = self.matrix.roles.get(self.role) else { return Vec::new() };
        // The catch-all is one step, written in its own table.
        let tables: Vec<&DeTable<'_>> = match written.get("step").map(|step| step.get_ref()) {
            Some(DeValue::Array(steps)) => steps.iter().filter_map(as_table).collect(),
            _ => vec![written],
        };
        let steps: Vec<(usize, &DeTable<'_>, &StepPlan)> =
            tables.into_iter().zip(&row.steps).enumerate().map(|(n, (written, step))| (n, written, step)).collect();
        let mut edits = Vec::new();
        for (n, written, step) in &steps {
            edits.extend(self.channels(*n, written, step));
        }
        for (n, written, step) in &steps {
            edits.extend(self.waits(*n, written, step));
        }
        for (n, written, step) in &steps {
            edits.extend(self.people(*n, written, step));
        }
        edits.extend(self.next(written));
        edits
    }

    /// Channels that reach somebody in the step and are not used in it.
    fn channels(&self, n: usize, written: &DeTable<'_>, step: &StepPlan) -> Vec<MatrixEdit> {
        let Some((list, at)) = array(written, "by") else { return Vec::new() };
        let people = self.people_of(step);
        let reaches = |name: &ChannelName| {
            people.iter().any(|person| self.matrix.roster.channels(person).contains(name)) && !step.by.contains(name)
        };
        let names = self.matrix.channels.iter().map(|(name, _)| name).filter(|name| reaches(name));
        let add = |name: &ChannelName| {
            let what = format!("{} step {}: also by {name}", self.role, n + 1);
            self.append(what, list, at.clone(), name.as_str())
        };
        names.filter_map(add).collect()
    }

    /// Shorter waits, the smallest change first.
    fn waits(&self, n: usize, written: &DeTable<'_>, step: &StepPlan) -> Vec<MatrixEdit> {
        let key = if self.role.is_catch_all() { "every" } else { "wait" };
        let Some(value) = written.get(key) else { return Vec::new() };
        let mut waits: Vec<Duration> = [4, 3, 2, 1].map(|fifths| five_seconds(step.wait * fifths / 5)).to_vec();
        waits.dedup();
        let shorter = waits.into_iter().filter(|wait| WAIT_MIN <= *wait && *wait < step.wait);
        let edit = |wait: Duration| {
            let (was, is) = (humantime::format_duration(step.wait), humantime::format_duration(wait));
            let what = format!("{} step {}: {key} {is} instead of {was}", self.role, n + 1);
            self.edit(what, value.span(), format!("\"{is}\""), value.span())
        };
        shorter.map(edit).collect()
    }

    /// People who are not in the step; people on this role's own ladder and on its `next` first.
    fn people(&self, n: usize, written: &DeTable<'_>, step: &StepPlan) -> Vec<MatrixEdit> {
        let Some((list, at)) = array(written, "page") else { return Vec::new() };
        let here = self.people_of(step);
        let row = self.matrix.roles.get(self.role);
        let next = row.and_then(|row| row.next.as_ref()).and_then(|next| self.matrix.roles.get(next));
        let near: BTreeSet<PersonName> =
            row.into_iter().chain(next).flat_map(|row| &row.steps).flat_map(|step| self.people_of(step)).collect();
        let mut people: Vec<&PersonName> = self.matrix.people.keys().filter(|person| !here.contains(*person)).collect();
        people.sort_by_key(|person| !near.contains(*person));
        let add = |person: &PersonName| {
            let what = format!("{} step {}: also {person}", self.role, n + 1);
            self.append(what, list, at.clone(), person.as_str())
        };
        people.into_iter().filter_map(add).collect()
    }

    /// Another role as `next`. The matrix itself refuses a cycle.
    fn next(&self, written: &DeTable<'_>) -> Vec<MatrixEdit> {
        let row = self.matrix.roles.get(self.role);
        let now = row.and_then(|row| row.next.as_ref());
        let others = self.matrix.roles.keys().filter(|other| {
            *other != self.role && Some(*other) != now && !other.is_catch_all() && !self.role.is_catch_all()
        });
        let place = match (written.get("next"), written.get("step")) {
            (Some(value), _) => Some((value.span(), "")),
            (None, Some(step)) if self.is_inline_list(step.span()) => {
                Some((step.span().end..step.span().end, "\nnext = "))
            }
            // With steps written as [[role.NAME.step]], no key can be added after them.
            _ => None,
        };
        let Some((span, before)) = place else { return Vec::new() };
        let edit = |other: &RoleName| {
            let what = format!("{}: next is {other}", self.role);
            self.edit(what, span.clone(), format!("{before}\"{other}\""), span.clone())
        };
        others.map(edit).collect()
    }

    /// Everybody whom a step may page.
    fn people_of(&self, step: &StepPlan) -> BTreeSet<PersonName> {
        let mut people = BTreeSet::new();
        for whom in &step.page {
            match whom {
                StepTarget::Person(person) => drop(people.insert(person.clone())),
                StepTarget::Rotation(rotation) => {
                    let rotation = self.matrix.roster.rotations.get(rotation);
                    people.extend(rotation.into_iter().flat_map(|rotation| rotation.people()).cloned());
                }
            }
        }
        people
    }

    /// Whether a list is written in brackets, and not as `[[..]]` tables.
    fn is_inline_list(&self, span: Range<usize>) -> bool {
        self.text.get(span).is_some_and(|text| text.starts_with('[') && !text.starts_with("[["))
    }

    /// Adds one element to the end of a list, in the style of the others.
    fn append(&self, what: String, list: &DeArray<'_>, at: Range<usize>, name: &str) -> Option<MatrixEdit> {
        let last = list.iter().next_back()?.span();
        Some(self.edit(what, last.end..last.end, format!(", \"{name}\""), at))
    }

    fn edit(&self, what: String, span: Range<usize>, text: String, place: Range<usize>) -> MatrixEdit {
        MatrixEdit { what, file: self.file, span, text, place: (place.start, place.end) }
    }
}

fn as_table<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn array<'a, 'i>(of: &'a DeTable<'i>, key: &str) -> Option<(&'a DeArray<'i>, Range<usize>)> {
    let value = of.get(key)?;
    match value.get_ref() {
        DeValue::Array(list) => Some((list, value.span())),
        _ => None,
    }
}

/// Whole multiples of five seconds, as people write them.
fn five_seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs() / 5 * 5)
}
