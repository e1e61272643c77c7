//! The data for a template. `templates/README.md` describes them for template authors; a test checks that both agree.

use crate::{
    core::{
        Alert, AskOption, HandBack, Incident, IncidentStatus, PagePurpose, Timestamp,
        plan::{SuggestedAction, suggested},
        role_words::who_has,
    },
    template::{
        ask::{self, Otherwise},
        assessed::{self, AssessedContext},
        brief::TextForm,
        fit, headline, trail,
        words::BriefWords,
    },
};
use minijinja::{Value, value::Serde};
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest label, annotation or text in the evidence, in characters.
const TEXT_MAX: usize = 200;

/// The largest number of entries in one map or list of the alert.
const ENTRIES_MAX: usize = 48;

/// The longest text of an action that an alert suggests, and of its result, in characters; the matrix has limits of its
/// own.
const ACTION_MAX: usize = 120;

/// How many of the last sentences of the audit trail a brief contains.
const HISTORY_MAX: usize = 7;

#[derive(Serialize)]
struct TemplateContext {
    drill: bool,
    word: &'static str,
    form: &'static str,
    confidential: bool,
    incident: IncidentFacts,
    role: String,
    round: u32,
    alert: AlertFacts,
    assessments: Vec<AssessedContext>,
    reader: Option<ReaderFacts>,
    ending: Option<&'static str>,
    wanted: String,
    due: Option<String>,
    otherwise: Option<String>,
    notes: Vec<String>,
    actions: Vec<ActionContext>,
    versions: Option<VersionContext>,
    history: Vec<EntryContext>,
    history_earlier: usize,
    waiting_for: Vec<WaitingContext>,
    handed_back: Vec<HandedBack>,
    board: Vec<BoardRow>,
    clocks: ClockContext,
}

#[derive(Serialize)]
struct IncidentFacts {
    id: String,
    summary: String,
    trigger: String,
    alerts: u64,
    asks: bool,
    detected: Option<String>,
    opened: String,
    all_clear: Option<String>,
    silent_since: Option<String>,
    lasted: Option<String>,
}

#[derive(Serialize)]
struct AlertFacts {
    source: String,
    kind: String,
    summary: String,
    confidence: f64,
    confidence_pct: u32,
    labels: BTreeMap<String, String>,
    values: BTreeMap<String, f64>,
    annotations: BTreeMap<String, String>,
    evidence: serde_json::Value,
}

#[derive(Serialize)]
struct ReaderFacts {
    name: String,
    zone: String,
}

#[derive(Serialize)]
struct ActionContext {
    letter: char,
    text: String,
    then: Option<String>,
}

#[derive(Serialize)]
struct VersionContext {
    hosts: usize,
    common: String,
    odd: Vec<String>,
}

#[derive(Serialize)]
struct EntryContext {
    at: String,
    text: String,
}

#[derive(Serialize)]
struct WaitingContext {
    role: String,
    people: String,
    since: String,
}

#[derive(Serialize)]
struct HandedBack {
    by: String,
    role: String,
    taken: String,
    at: String,
}

#[derive(Serialize)]
struct BoardRow {
    role: String,
    state: &'static str,
    says: String,
    holder: Option<String>,
    asked: String,
    since: String,
    after: Option<String>,
    due: Option<String>,
    handed_back_by: Option<String>,
}

#[derive(Serialize)]
struct ClockContext {
    zone: String,
    in_24h: String,
    in_72h: String,
}

/// The context for one page.
pub(super) fn of(words: &BriefWords<'_>, form: TextForm) -> Value {
    let incident = words.incident();
    let due = words.engagement().and_then(|e| e.deadline);
    let (history, history_earlier) = trail::last(words, HISTORY_MAX);
    let hours = |hours: u64| words.day(incident.opened_at + std::time::Duration::from_secs(hours * 3600));
    Value::from(Serde(TemplateContext {
        drill: words.is_drill(),
        word: words.word(),
        form: form_name(form),
        confidential: words.brief.reader.is_some() && is_confidential(form),
        incident: incident_facts(words),
        role: words.role().map_or_else(String::new, |role| words.role_name(role)),
        round: headline::round(words).unwrap_or(0),
        alert: alert_facts(&incident.alert),
        assessments: assessed::of(&incident.alert),
        reader: words.brief.reader.map(|r| ReaderFacts { name: fit::clean(r.name, 60), zone: r.zone.to_string() }),
        ending: ending(&words.brief.page.purpose),
        wanted: ask::level(words).to_string().to_uppercase(),
        due: due.map(|at| words.time(at)),
        otherwise: Otherwise::of(words).map(|otherwise| otherwise.clause()),
        notes: headline::notes(words),
        actions: actions(incident),
        versions: versions(&incident.alert),
        history: history.into_iter().map(|(at, text)| EntryContext { at: words.seconds(at), text }).collect(),
        history_earlier,
        waiting_for: waiting_for(words),
        handed_back: handed_back(words),
        board: board(words),
        clocks: ClockContext { zone: words.zone(), in_24h: hours(24), in_72h: hours(72) },
    }))
}

/// The alert for templates: all text is cleaned, all maps are limited.
fn alert_facts(alert: &Alert) -> AlertFacts {
    let text = |map: &BTreeMap<String, String>| {
        map.iter().take(ENTRIES_MAX).map(|(key, text)| (fit::clean(key, 60), fit::clean(text, TEXT_MAX))).collect()
    };
    AlertFacts {
        source: fit::clean(alert.source.as_str(), 60),
        kind: fit::clean(&alert.kind, 60),
        summary: fit::clean(&alert.summary, TEXT_MAX),
        confidence: alert.confidence,
        confidence_pct: (alert.confidence.clamp(0.0, 1.0) * 100.0).round() as u32,
        labels: text(&alert.labels),
        values: alert.values.iter().take(ENTRIES_MAX).map(|(key, value)| (fit::clean(key, 60), *value)).collect(),
        annotations: text(&alert.annotations),
        evidence: clean_json(&alert.evidence, 6),
    }
}

fn incident_facts(words: &BriefWords<'_>) -> IncidentFacts {
    let incident = words.incident();
    IncidentFacts {
        id: incident.id.to_string(),
        summary: words.summary(),
        trigger: fit::clean(incident.trigger.as_str(), 60),
        alerts: incident.alerts,
        asks: incident.request.is_some(),
        detected: incident.detected_at.map(|at| words.time(at)),
        opened: words.time(incident.opened_at),
        all_clear: incident.all_clear_at.map(|at| words.time(at)),
        silent_since: incident.silent_since.map(|at| words.time(at)),
        lasted: match incident.status {
            IncidentStatus::Resolved { at, .. } => Some(span(incident, at)),
            IncidentStatus::Open => None,
        },
    }
}

/// How it ended for the reader; `None` if something is asked of them.
fn ending(purpose: &PagePurpose) -> Option<&'static str> {
    match purpose {
        PagePurpose::Taken { .. } => Some("taken"),
        PagePurpose::StoodDown => Some("stood down"),
        PagePurpose::Resolved => Some("resolved"),
        PagePurpose::Brief { .. }
        | PagePurpose::HandedBack { .. }
        | PagePurpose::Announced
        | PagePurpose::RoomCard
        | PagePurpose::RoomLine { .. }
        | PagePurpose::RoomNote { .. }
        | PagePurpose::RoomUpdate { .. }
        | PagePurpose::RoomFurnish
        | PagePurpose::RoomInvite { .. }
        | PagePurpose::RoomSummary
        | PagePurpose::RoomArchive
        | PagePurpose::Notice { .. } => None,
    }
}

/// The time since the opening, in whole seconds and in words, which are spoken too: `4 minutes 54 seconds`.
fn span(incident: &Incident, at: Timestamp) -> String {
    let all = at.since(incident.opened_at).as_secs();
    let units = [(all / 86_400, "day"), (all / 3600 % 24, "hour"), (all / 60 % 60, "minute"), (all % 60, "second")];
    let told = |(n, unit): &(u64, &str)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" });
    let told: Vec<String> = units.iter().filter(|(n, _)| 0 < *n).map(told).collect();
    if told.is_empty() { "0 seconds".to_owned() } else { told.join(" ") }
}

/// The suggested actions; empty if there are none.
fn actions(incident: &Incident) -> Vec<ActionContext> {
    let told = |text: &String| Some(fit::clean(text, ACTION_MAX)).filter(|text| !text.is_empty());
    if let Some(request) = &incident.request {
        let option = |(letter, option): (char, &AskOption)| {
            let then = option.does.as_ref().and_then(told);
            Some(ActionContext { letter, text: told(&option.label)?, then })
        };
        return request.ask.lettered().filter_map(option).collect();
    }
    let action = |(letter, action): (char, SuggestedAction)| {
        Some(ActionContext { letter, text: told(&action.text)?, then: action.then.as_ref().and_then(told) })
    };
    suggested(&incident.alert, &incident.plan).into_iter().filter_map(action).collect()
}

/// From `evidence.versions`, a map of hosts to versions: the version on most hosts, and the hosts that differ.
fn versions(alert: &Alert) -> Option<VersionContext> {
    let hosts = alert.evidence.get("versions")?.as_object()?;
    let runs: Vec<(&String, &str)> = hosts.iter().filter_map(|(host, v)| Some((host, v.as_str()?))).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, version) in &runs {
        *counts.entry(version).or_default() += 1;
    }
    let (common, _) = counts.iter().max_by_key(|(_, count)| **count)?;
    let odd = runs.iter().filter(|(_, version)| version != common).take(6);
    let odd = odd.map(|(host, version)| format!("{} runs {}", fit::clean(host, 40), fit::clean(version, 40)));
    Some(VersionContext { hosts: runs.len(), common: fit::clean(common, 40), odd: odd.collect() })
}

fn waiting_for(words: &BriefWords<'_>) -> Vec<WaitingContext> {
    let Some(engagement) = words.engagement() else { return Vec::new() };
    let waiting = |role| {
        let since = words.incident().engagements.get(role)?.open_since();
        let people = words.people(headline::asked_for(words, role));
        Some(WaitingContext { role: words.role_name(role), people, since: words.time(since) })
    };
    engagement.stands_for.iter().filter_map(waiting).collect()
}

/// The people who had the reader's role and handed it back, newest last.
fn handed_back(words: &BriefWords<'_>) -> Vec<HandedBack> {
    let Some((role, engagement)) = words.role().zip(words.engagement()) else { return Vec::new() };
    let back = |back: &HandBack| HandedBack {
        by: words.person(&back.person),
        role: words.role_name(back.of.as_ref().unwrap_or(role)),
        taken: words.time(back.taken_at),
        at: words.time(back.at),
    };
    engagement.handed_back.iter().map(back).collect()
}

fn board(words: &BriefWords<'_>) -> Vec<BoardRow> {
    let row = |(role, e): (&crate::core::RoleName, &crate::core::Engagement)| BoardRow {
        role: words.role_name(role),
        state: e.state(),
        says: who_has(words.incident(), e, words),
        holder: e.holder().map(|person| words.person(person)),
        asked: words.people(&e.on_call),
        since: words.time(e.outcome.as_ref().map_or(e.open_since(), |outcome| outcome.at())),
        after: e.outcome.as_ref().map(|outcome| span(words.incident(), outcome.at())),
        due: e.deadline.filter(|_| e.is_open()).map(|at| words.time(at)),
        handed_back_by: e.handed_back.last().filter(|_| e.is_open()).map(|back| words.person(&back.person)),
    };
    words.incident().engagements.iter().take(12).map(row).collect()
}

fn clean_json(value: &serde_json::Value, depth: usize) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
        Json::String(text) => Json::String(fit::clean(text, TEXT_MAX)),
        Json::Array(_) | Json::Object(_) if depth == 0 => Json::Null,
        Json::Array(items) => items.iter().take(ENTRIES_MAX).map(|item| clean_json(item, depth - 1)).collect(),
        Json::Object(entries) => {
            let clean = |(key, item): (&String, &Json)| (fit::clean(key, 60), clean_json(item, depth - 1));
            Json::Object(entries.iter().take(ENTRIES_MAX).map(clean).collect())
        }
    }
}

/// Whether only its reader sees a text of this form: an SMS is in clear on a locked telephone, a call is overheard.
fn is_confidential(form: TextForm) -> bool {
    match form {
        TextForm::Screen | TextForm::Slack | TextForm::Mail => true,
        TextForm::Sms | TextForm::Board | TextForm::Voice => false,
    }
}

fn form_name(form: TextForm) -> &'static str {
    match form {
        TextForm::Screen => "screen",
        TextForm::Slack => "slack",
        TextForm::Sms => "sms",
        TextForm::Mail => "mail",
        TextForm::Board => "board",
        TextForm::Voice => "voice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{brief::BriefInput, sample};

    #[test]
    fn the_readme_names_everything_that_a_template_is_given() {
        let readme = include_str!("../../templates/README.md");
        let incident = sample::crisis("default", sample::rich());
        let page = incident.pages.values().next().expect("a page");
        let names = BTreeMap::new();
        let utc = crate::core::Zone::utc();
        let brief = BriefInput {
            incident: &incident,
            page,
            reader: None,
            names: &names,
            shared_zone: &utc,
            following: 0,
            sandboxed: &[],
        };
        let context = of(&BriefWords::new(&brief), TextForm::Screen);
        for key in context.try_iter().expect("keys") {
            assert!(readme.contains(&format!("`{key}`")), "{key} is not described");
            let inner = context.get_item(&key).expect("a value");
            if inner.as_str().is_some() {
                continue;
            }
            let first = inner.get_item_by_index(0).ok().filter(|first| first.as_str().is_none());
            for part in first.unwrap_or(inner).try_iter().into_iter().flatten() {
                let described = part.as_str().is_none_or(|name| readme.contains(&format!("`{name}`")));
                assert!(described, "{key}.{part} is not described");
            }
        }
    }
}
