//! Reads the sections of the files, each with its own reader.

use crate::{
    channel::settings,
    matrix::{
        assessment_section, daemon_section, decision_section,
        draft::{MatrixDraft, NamedItems},
        expression::ExpressionLanguage,
        ladder, maintenance, people, rule, source_section,
    },
    toml_kit::{
        document::{self, TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        names,
        source::SourceText,
    },
};
use toml::de::DeTable;

/// Sections that a later version will support.
const LATER: [&str; 7] = ["drill", "heartbeat", "layer", "layers", "separate", "schedule", "clock"];

fn section<'a, T>(
    top: &mut TomlTable<'a>,
    kind: &'static str,
    named: &mut NamedItems<T>,
    faults: &mut MatrixFaults,
    read: impl Fn(TomlTable<'a>, &str, SourceSpan, &mut MatrixFaults) -> Option<T>,
) {
    let Some(item) = top.take(kind) else { return };
    let Some(mut table) = item.table(format!("`{kind}`"), faults) else { return };
    for entry in table.take_all() {
        let name = entry.key;
        if !matches!(entry.value, toml::de::DeValue::Table(_)) {
            let message = format!("a {kind} needs a name of its own");
            let help = format!("write [{kind}.NAME] above its keys");
            faults.error("missing-name", entry.key_at, message, help);
            continue;
        }
        names::is_good(name, entry.key_at, faults);
        names::must_be_free(kind, name, entry.key_at, faults);
        let what = format!("{kind} `{name}`");
        let Some(body) = entry.table(what.clone(), faults) else { continue };
        let value = read(body, name, entry.key_at, faults);
        if named.contains_key(name) {
            let message = format!("{what} is written twice");
            faults.error("duplicate-name", entry.key_at, message, "every name is given once, over all files");
            continue;
        }
        named.insert(name.to_owned(), LocatedValue { value, at: entry.key_at });
    }
}

fn once<T>(slot: &mut Option<LocatedValue<T>>, item: &TomlItem<'_>, value: T, faults: &mut MatrixFaults) {
    if slot.is_some() {
        let message = format!("`[{}]` is written twice", item.key);
        faults.error("duplicate-name", item.key_at, message, "it is given once, over all files");
        return;
    }
    *slot = Some(LocatedValue { value, at: item.key_at });
}

impl MatrixDraft {
    /// Reads every file. Needs a large stack, because expressions are compiled.
    pub(super) fn read(files: &[SourceText], language: &mut ExpressionLanguage, faults: &mut MatrixFaults) -> Self {
        let mut draft = Self::default();
        let documents = files.iter().enumerate().map(|(file, source)| document::document(file, source, faults));
        let documents: Vec<_> = documents.collect();
        // Conditions name assessments, in whatever order and file they are written.
        for document in documents.iter().flatten() {
            assessment_section::level_names(document.get_ref(), &mut language.levels);
        }
        for ((file, source), document) in files.iter().enumerate().zip(&documents) {
            if let Some(document) = document {
                draft.file(file, source, document.get_ref(), language, faults);
            }
        }
        draft
    }

    fn file(
        &mut self,
        file: usize,
        source: &SourceText,
        document: &DeTable<'_>,
        language: &ExpressionLanguage,
        faults: &mut MatrixFaults,
    ) {
        let (text, zones) = (source.text.as_str(), &*language.zones);
        let mut top = TomlTable::new("the matrix".into(), file, document);
        if let Some(item) = top.take("daemon") {
            let daemon =
                item.table("`[daemon]`".into(), faults).map(|table| daemon_section::daemon(table, zones, faults));
            once(&mut self.daemon, &item, daemon.unwrap_or_default(), faults);
        }
        section(&mut top, "source", &mut self.sources, faults, |table, _, at, faults| {
            Some(source_section::source(table, at, text, language, faults))
        });
        section(&mut top, "channel", &mut self.channels, faults, |table, _, at, faults| {
            settings::channel(table, at, faults)
        });
        section(&mut top, "person", &mut self.people, faults, |table, _, at, faults| {
            Some(people::person(table, at, zones, faults))
        });
        section(&mut top, "rotation", &mut self.rotations, faults, |table, _, at, faults| {
            Some(people::rotation(table, at, zones, faults))
        });
        section(&mut top, "maintenance", &mut self.maintenance, faults, |table, _, at, faults| {
            maintenance::read(table, at, zones, faults)
        });
        section(&mut top, "assessment", &mut self.assessments, faults, |table, name, at, faults| {
            assessment_section::read(table, (name, at), text, language, faults)
        });
        section(&mut top, "role", &mut self.roles, faults, |table, name, at, faults| {
            Some(ladder::role(table, name, at, faults))
        });
        section(&mut top, "trigger", &mut self.triggers, faults, |table, _, at, faults| {
            Some(rule::trigger(table, at, text, language, faults))
        });
        if let Some(item) = top.take("decision") {
            let table = item.table("`[decision]`".into(), faults);
            let read = table.and_then(|table| decision_section::read(table, &item, text, language, faults));
            once(&mut self.decision, &item, read, faults);
        }
        if let Some(item) = top.take("catch-all") {
            let table = item.table("`[catch-all]`".into(), faults);
            let step = table.map(|table| ladder::catch_all(table, item.key_at, faults));
            once(&mut self.catch_all, &item, step, faults);
        }
        top.finish(&LATER, &[], faults);
    }
}
