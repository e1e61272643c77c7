//! The matrix as it was written: each value with its place, nothing yet checked against anything else.

use crate::{
    channel::{
        kind::ContactField,
        settings::{self, ChannelSettings},
    },
    core::{
        AnswerLevel, EngagementTarget, Timestamp, Zone,
        plan::{OnResolved, SuggestedAction},
        schedule::CronSchedule,
        trigger::TriggerThreshold,
    },
    matrix::{
        door,
        expression::{CelExpression, ExpressionLanguage},
        ladder, people, rule,
        settings::{DaemonSettings, Person, SourceSettings},
        summary::SummaryTemplate,
    },
    toml_kit::{
        document::{self, TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        names,
        source::SourceText,
    },
};
use std::{collections::BTreeMap, time::Duration};
use toml::de::DeTable;

/// Things of one kind by name. What could not be read is there all the same, without value or in part, so that it is
/// known and hides no other fault; the fault that is told keeps it from becoming a matrix.
pub(super) type NamedItems<T> = BTreeMap<String, LocatedValue<Option<T>>>;

#[derive(Default)]
pub(super) struct MatrixDraft {
    pub daemon: Option<LocatedValue<DaemonSettings>>,
    pub sources: NamedItems<SourceSettings>,
    pub channels: NamedItems<ChannelSettings>,
    pub people: NamedItems<PersonDraft>,
    pub rotations: NamedItems<RotationDraft>,
    pub roles: NamedItems<RoleDraft>,
    pub triggers: NamedItems<TriggerDraft>,
    pub catch_all: Option<LocatedValue<Option<StepDraft>>>,
}

pub(super) struct PersonDraft {
    pub person: Person,
    /// The kinds of channel for which a contact is given, in good form or not.
    pub known: Vec<ContactField>,
    /// What must be unique: phone, slack, unix.
    pub unique: Vec<(&'static str, LocatedValue<String>)>,
}

pub(super) struct RotationDraft {
    pub people: Vec<LocatedValue<String>>,
    pub handoff: Option<CronSchedule>,
    pub zone: Zone,
    pub overrides: Vec<OverrideDraft>,
}

pub(super) struct OverrideDraft {
    pub person: LocatedValue<String>,
    pub from: Timestamp,
    pub until: Timestamp,
}

pub(super) struct RoleDraft {
    pub engaged_by: AnswerLevel,
    pub target: Option<LocatedValue<EngagementTarget>>,
    pub template: Option<LocatedValue<String>>,
    pub steps: Vec<StepDraft>,
    pub next: Option<LocatedValue<String>>,
}

pub(super) struct StepDraft {
    pub page: Vec<LocatedValue<String>>,
    pub by: Vec<LocatedValue<String>>,
    /// None when it could not be read.
    pub wait: Option<Duration>,
    pub repeat: u32,
}

pub(super) struct TriggerDraft {
    pub on: Vec<String>,
    pub when: Option<CelExpression>,
    pub hold: Option<TriggerThreshold>,
    pub key: Option<CelExpression>,
    pub summary: Option<SummaryTemplate>,
    pub roles: Vec<LocatedValue<String>>,
    pub rooms: Vec<LocatedValue<String>>,
    pub runbook: Option<String>,
    pub tell: Vec<LocatedValue<String>>,
    pub actions: Vec<SuggestedAction>,
    pub resolved: OnResolved,
}

/// Sections that a later version will know.
const LATER: [&str; 8] = ["drill", "heartbeat", "decision", "layer", "layers", "separate", "schedule", "clock"];

impl MatrixDraft {
    /// Reads every file. Needs a deep stack: expressions are compiled.
    pub(super) fn read(files: &[SourceText], language: &ExpressionLanguage, faults: &mut MatrixFaults) -> Self {
        let mut draft = Self::default();
        for (file, source) in files.iter().enumerate() {
            if let Some(document) = document::document(file, source, faults) {
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
            let daemon = item.table("`[daemon]`".into(), faults).map(|table| door::daemon(table, faults));
            once(&mut self.daemon, &item, daemon.unwrap_or_default(), faults);
        }
        section(&mut top, "source", &mut self.sources, faults, |table, _, at, faults| {
            Some(door::source(table, at, faults))
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
        section(&mut top, "role", &mut self.roles, faults, |table, name, at, faults| {
            Some(ladder::role(table, name, at, faults))
        });
        section(&mut top, "trigger", &mut self.triggers, faults, |table, _, at, faults| {
            Some(rule::trigger(table, at, text, language, faults))
        });
        if let Some(item) = top.take("catch-all") {
            let table = item.table("`[catch-all]`".into(), faults);
            let step = table.map(|table| ladder::catch_all(table, item.key_at, faults));
            once(&mut self.catch_all, &item, step, faults);
        }
        top.finish(&LATER, &[], faults);
    }

    /// Whether nothing at all was written.
    pub(super) fn is_empty(&self) -> bool {
        let named = self.sources.len() + self.channels.len() + self.people.len() + self.rotations.len();
        named + self.roles.len() + self.triggers.len() == 0 && self.daemon.is_none() && self.catch_all.is_none()
    }

    /// A channel, where it could be read.
    pub(super) fn channel(&self, name: &str) -> Option<&ChannelSettings> {
        self.channels.get(name)?.value.as_ref()
    }
}

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
