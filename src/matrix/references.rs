//! Cross-checks within the matrix: every name that is used exists, unique values are unique, and no chain of `next` is
//! a cycle.

use crate::{
    channel::kinds::rooms,
    core::{names::CATCH_ALL, plan::OnResolved},
    matrix::{
        assessment_section, assessment_use, contact_coverage, deciders, decision_section,
        draft::{MatrixDraft, NamedItems, ROTATION, StepDraft, TriggerDraft},
        expression::CelExpression,
        handoff, layers,
        model::KnownNames,
        settings::SourceSettings,
        stand_ins, without_effect,
    },
    toml_kit::{
        diagnostic::Severity,
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::instead,
        secret::SecretRef,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The largest number of sources that a help names.
const SENDERS_NAMED: usize = 4;

pub(super) fn check(draft: &MatrixDraft, known: &KnownNames<'_>, faults: &mut MatrixFaults) {
    if draft.is_empty() {
        let help = "write at least a channel, a person, a role and a trigger, or begin with the matrix that ships";
        faults.nowhere(Severity::Error, "empty-matrix", "the matrix is empty", help);
        return;
    }
    rotations(draft, faults);
    roles(draft, known, faults);
    triggers(draft, faults);
    sources(draft, faults);
    unique(draft, faults);
    circles(draft, faults);
    unused(draft, faults);
    contact_coverage::check(draft, faults);
    handoff::check(draft, faults);
    decision_section::check(draft, faults);
    draft
        .triggers
        .values()
        .filter_map(|placed| placed.value.as_ref())
        .for_each(|trigger| layers::check(trigger, faults));
    deciders::check(draft, faults);
    let triggers = draft.triggers.values().filter_map(|placed| placed.value.as_ref());
    let decision = draft.decision.as_ref().and_then(|decision| decision.value.as_ref());
    assessment_section::check(
        draft,
        &triggers.flat_map(|trigger| assessment_use::used(trigger, decision)).collect(),
        faults,
    );
    stand_ins::check(draft, faults);
    without_effect::check(draft, faults);
}

fn rotations(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    for rotation in draft.rotations.values().filter_map(|rotation| rotation.value.as_ref()) {
        let overrides = rotation.overrides.iter().map(|over| &over.person);
        for person in rotation.people.iter().chain(overrides) {
            exists("person", &draft.people, person, faults);
        }
    }
}

fn roles(draft: &MatrixDraft, known: &KnownNames<'_>, faults: &mut MatrixFaults) {
    for role in draft.roles.values().filter_map(|role| role.value.as_ref()) {
        role.steps.iter().for_each(|step| ladder(draft, step, faults));
        if let Some(next) = &role.next {
            role_exists(draft, next, faults);
        }
        if let Some(template) = role.template.as_ref().filter(|name| !known.templates.contains_key(&name.value)) {
            let help = instead(&template.value, known.templates.keys().map(String::as_str));
            faults.error("unknown-template", template.at, format!("there is no template {:?}", template.value), help);
        }
    }
    if let Some(step) = draft.catch_all.as_ref().and_then(|catch_all| catch_all.value.as_ref()) {
        ladder(draft, step, faults);
    }
}

fn ladder(draft: &MatrixDraft, step: &StepDraft, faults: &mut MatrixFaults) {
    for entry in &step.page {
        whom(draft, entry, faults);
    }
    for channel in &step.by {
        exists("channel", &draft.channels, channel, faults);
        if draft.channel(&channel.value).is_some_and(|channel| !channel.reaches_people()) {
            let message = format!("{} informs systems and can not reach a person", channel.value);
            faults.error("reaches-nobody", channel.at, message, "name it in the `webhooks` of a trigger instead");
        }
    }
}

fn whom(draft: &MatrixDraft, entry: &LocatedValue<String>, faults: &mut MatrixFaults) {
    let name = entry.value.as_str();
    if let Some(rotation) = name.strip_prefix(ROTATION) {
        let named = LocatedValue { value: rotation.to_owned(), at: entry.at };
        exists("rotation", &draft.rotations, &named, faults);
        return;
    }
    if draft.people.contains_key(name) {
        return;
    }
    let help = if draft.rotations.contains_key(name) {
        format!("{name} is a rotation: write \"rotation.{name}\"")
    } else if draft.roles.contains_key(name) {
        format!("{name} is a role, and a step pages people: name a person, or write `next = \"{name}\"` in the role")
    } else {
        instead(name, draft.people.keys().map(String::as_str))
    };
    faults.error("unknown-person", entry.at, format!("there is no person {name:?}"), help);
}

fn triggers(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    for trigger in draft.triggers.values().filter_map(|trigger| trigger.value.as_ref()) {
        trigger.roles.iter().for_each(|role| role_exists(draft, role, faults));
        trigger.sources.iter().flatten().for_each(|source| exists("source", &draft.sources, source, faults));
        clears_by_anybody(draft, trigger, faults);
        for told in &trigger.webhooks {
            exists("channel", &draft.channels, told, faults);
            if let Some(channel) = draft.channel(&told.value).filter(|channel| channel.reaches_people()) {
                let message = format!("a channel of kind {} informs people, not systems", channel.kind());
                faults.error(
                    "not-a-webhook",
                    told.at,
                    message,
                    "name a channel of kind webhook, or use `room` or a step's `by`",
                );
            }
        }
        for room in &trigger.rooms {
            exists("channel", &draft.channels, room, faults);
            if let Some(channel) = draft.channel(&room.value).filter(|channel| !channel.is_room()) {
                let message = format!("a channel of kind {} can not be a war room", channel.kind());
                faults.error("not-a-room", room.at, message, format!("{}, or remove `room`", rooms()));
            }
        }
    }
}

/// An all-clear is not judged by `when`, because an all-clear seldom satisfies it: there `sources` says who may give it.
fn clears_by_anybody(draft: &MatrixDraft, trigger: &TriggerDraft, faults: &mut MatrixFaults) {
    let senders: Vec<&String> = draft.sources.keys().filter(|name| without_effect::sends_alerts(draft, name)).collect();
    if trigger.resolved.value != OnResolved::Resolve || trigger.sources.is_some() || senders.len() < 2 {
        return;
    }
    // The keys of conversations are those of one source.
    if trigger.handoff.as_ref().is_some_and(|handoff| handoff.rules.from_alerts) {
        return;
    }
    let asks = |when: &&LocatedValue<CelExpression>| when.value.text().contains("alert.source");
    if let Some(when) = trigger.when.as_ref().filter(asks) {
        let message = "`when` asks for the source, but an all-clear of any source resolves the incident";
        let help = "write `sources = [..]`: it holds for alerts and for all-clears, and `when` need not ask";
        return faults.warning("all-clear-by-anybody", when.at, message.to_owned(), help);
    }
    let message = format!("an all-clear of any of the {} sources resolves the incident", senders.len());
    let more = if SENDERS_NAMED < senders.len() { ", .." } else { "" };
    let named: Vec<String> = senders.iter().take(SENDERS_NAMED).map(|name| format!("{name:?}")).collect();
    let named = named.join(", ");
    let help = format!("write `sources = [{named}{more}]`, and keep only those that may open and resolve it");
    faults.warning("all-clear-by-anybody", trigger.resolved.at, message, help);
}

fn sources(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let asks = |source: &&LocatedValue<Option<SourceSettings>>| {
        source.value.as_ref().is_some_and(|source| source.pages_unmatched)
    };
    for source in draft.sources.values().filter(asks).filter(|_| draft.catch_all.is_none()) {
        let help = "add [catch-all] with `page` and `by`, or leave out `unmatched`";
        faults.error("no-catch-all", source.at, "`unmatched` pages the catch-all, and there is none", help);
    }
}

fn role_exists(draft: &MatrixDraft, role: &LocatedValue<String>, faults: &mut MatrixFaults) {
    if role.value == CATCH_ALL && draft.catch_all.is_some() {
        return;
    }
    exists("role", &draft.roles, role, faults);
}

fn exists<T>(what: &'static str, named: &NamedItems<T>, used: &LocatedValue<String>, faults: &mut MatrixFaults) {
    if named.contains_key(&used.value) {
        return;
    }
    let code = match what {
        "person" => "unknown-person",
        "rotation" => "unknown-rotation",
        "channel" => "unknown-channel",
        "source" => "unknown-source",
        _ => "unknown-role",
    };
    let help = instead(&used.value, named.keys().map(String::as_str));
    faults.error(code, used.at, format!("there is no {what} {:?}", used.value), help);
}

/// An answer must identify one person, and an alert one source.
fn unique(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let mut contacts: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (name, person) in as_written(&draft.people) {
        for (key, text) in person.value.iter().flat_map(|person| &person.unique) {
            if let Some(other) = contacts.insert((key, &text.value), name) {
                let message = format!("{other} and {name} have the same `{key}`");
                let help = "an answer must tell who gave it: give each person their own";
                faults.error("same-contact", text.at, message, help);
            }
        }
    }
    let mut tokens: BTreeMap<&SecretRef, &str> = BTreeMap::new();
    for (name, source) in as_written(&draft.sources) {
        for token in source.value.iter().flat_map(|source| &source.tokens) {
            if let Some(other) = tokens.insert(token, name) {
                let message = format!("{other} and {name} have the same token ({token})");
                let help = "a token must tell who posts: give each source its own";
                faults.error("same-token", source.at, message, help);
            }
        }
    }
}

/// In the order in which they are written, so that the later of two duplicates is reported.
fn as_written<T>(named: &NamedItems<T>) -> Vec<(&String, &LocatedValue<Option<T>>)> {
    let mut entries: Vec<_> = named.iter().collect();
    entries.sort_by_key(|(_, placed)| placed.at);
    entries
}

fn circles(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in draft.roles.keys() {
        let mut path: Vec<&str> = vec![start];
        while let Some(next) = path.last().and_then(|name| next_of(draft, name)) {
            let Some(from) = path.iter().position(|name| *name == next.value) else {
                path.push(&next.value);
                continue;
            };
            if !path[from..].iter().any(|name| told.contains(name)) {
                let shown = [&path[from..], &path[from..=from]].concat().join(" -> ");
                let help = "let the last one have no `next`: the catch-all comes after it by itself";
                faults.error("circle", next.at, format!("`next` forms a cycle: {shown}"), help);
            }
            told.extend(&path[from..]);
            break;
        }
    }
}

fn next_of<'a>(draft: &'a MatrixDraft, role: &str) -> Option<&'a LocatedValue<String>> {
    draft.roles.get(role)?.value.as_ref()?.next.as_ref()
}

/// Reports things that are defined but never used.
fn unused(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    if draft.catch_all.is_none() {
        let message = "there is no [catch-all]: when nobody answers, the last step repeats and nobody else is told";
        let help = "add [catch-all] with `page` and `by`: the people who must know when all else failed";
        faults.nowhere(Severity::Warning, "no-catch-all", message, help);
    }
    if draft.triggers.is_empty() {
        let help = "add [trigger.NAME] with `on` and `roles`";
        faults.nowhere(Severity::Warning, "no-trigger", "there is no [trigger]: no alert will page anybody", help);
        return;
    }
    let triggers: Vec<_> = draft.triggers.values().filter_map(|trigger| trigger.value.as_ref()).collect();
    // A trigger whose roles could not be read may use any of them.
    if triggers.iter().any(|trigger| trigger.roles.is_empty()) {
        return;
    }
    let by_triggers = triggers.into_iter().flat_map(|trigger| &trigger.roles);
    let by_roles = draft.roles.values().filter_map(|role| role.value.as_ref()?.next.as_ref());
    let used: BTreeSet<&str> = by_triggers.chain(by_roles).map(|name| name.value.as_str()).collect();
    for (name, role) in draft.roles.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        unused_role(name, role.at, faults);
    }
}

fn unused_role(name: &str, at: SourceSpan, faults: &mut MatrixFaults) {
    let message = format!("role `{name}` is never engaged");
    faults.warning("unused-role", at, message, "name it in a trigger's `roles` or in a role's `next`, or remove it");
}
