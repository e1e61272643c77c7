//! Alertmanager's configuration: its route tree becomes triggers, its receivers roles.
//!
//! An alert belongs to the deepest route that matches it: where an earlier sibling takes it and does not say `continue`, or a
//! child does, a route's condition says so.

use super::{
    cel,
    draft::{MatrixDraft, PersonDraft, RoleDraft, SourceDraft, StepDraft, TriggerDraft},
    foreign::{list, text},
    matchers,
    names::Names,
    people::PeopleById,
    report::{FindingKind, ImportReport},
    settle,
};
use crate::core::silence::SilenceMatcher;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The source that all of them have.
const SOURCE: &str = "prometheus";

/// The deepest tree.
const DEPTH_MAX: usize = 32;

/// Reads a configuration; the error says why it is none.
pub fn read(config: &Value, rules: &[Value], draft: &mut MatrixDraft, report: &mut ImportReport) -> Result<(), String> {
    let root = &config["route"];
    if !root.is_object() || config["receivers"].as_array().is_none() {
        return Err("it has no `route` and `receivers`".into());
    }
    let mut people = PeopleById::none();
    let receivers = receivers(config, draft, &mut people, report)?;
    let mut alerts = AlertNames::of_rules(rules)?;
    let mut nodes = Vec::new();
    walk(root, &mut Walk { alerts: &mut alerts, nodes: &mut nodes }, &Node::root(), "route")?;
    draft.sources.push(SourceDraft {
        key: SOURCE.into(),
        token: "PROMETHEUS_TOKEN".into(),
        unmatched_pages: true,
        map: Vec::new(),
    });
    report.found(FindingKind::FillIn, "source prometheus", "PROMETHEUS_TOKEN is the token that Prometheus must send");
    let mut triggers = Triggers { names: Names::of("trigger"), all: &alerts.0, receivers: &receivers };
    nodes.iter().try_for_each(|node| triggers.add(node, draft, report))?;
    let root_receiver = text(root, "receiver");
    draft.catch_all = draft
        .roles
        .iter()
        .find(|role| Some(&role.key) == receivers.get(root_receiver))
        .map_or_else(Vec::new, |role| role.steps.iter().flat_map(|step| step.page.clone()).collect());
    not_carried(config, report);
    Ok(())
}

/// The names of alerts that are known.
struct AlertNames(BTreeSet<String>);

impl AlertNames {
    fn of_rules(rules: &[Value]) -> Result<Self, String> {
        let mut names = BTreeSet::new();
        for file in rules {
            if file["groups"].as_array().is_none() {
                return Err("rules: a file has no `groups`".into());
            }
            let all = list(file, "groups").iter().flat_map(|group| list(group, "rules"));
            names.extend(all.filter_map(|rule| rule["alert"].as_str()).map(str::to_owned));
        }
        Ok(Self(names))
    }
}

/// The roles by the names of their receivers.
fn receivers(
    config: &Value,
    draft: &mut MatrixDraft,
    people: &mut PeopleById,
    report: &mut ImportReport,
) -> Result<BTreeMap<String, String>, String> {
    let (mut roles, mut names) = (BTreeMap::new(), Names::of("role"));
    for receiver in list(config, "receivers") {
        let name = text(receiver, "name");
        if name.is_empty() {
            return Err("a receiver has no name".into());
        }
        let of = format!("receiver {name:?}");
        let mut page = Vec::new();
        for (kind, settings) in receiver.as_object().into_iter().flatten().filter(|(kind, _)| *kind != "name") {
            let settings = settings.as_array().map_or(&[][..], Vec::as_slice);
            if kind == "email_configs" {
                let to = settings.iter().flat_map(|mail| text(mail, "to").split(','));
                for address in to.map(str::trim).filter(|address| !address.is_empty()) {
                    page.push(by_mail(address, draft, people, report));
                }
            } else if !settings.is_empty() {
                let why =
                    format!("its {} {kind} reach no person by name: add a channel, a room or people", settings.len());
                report.found(FindingKind::NotCarried, &of, why);
            }
        }
        if page.is_empty() {
            page.push(people.placeholder(draft, report));
            report.found(FindingKind::FillIn, &of, "it names nobody by mail: say who is paged");
        }
        page.dedup();
        let key = names.give(name, name, report);
        draft.roles.push(RoleDraft { key: key.clone(), name: None, steps: vec![StepDraft { page, wait_minutes: 15 }] });
        roles.insert(name.to_owned(), key);
    }
    if !roles.is_empty() {
        report.found(FindingKind::Changed, "receivers", "each is a role with one step that repeats after 15 minutes");
    }
    Ok(roles)
}

fn by_mail(address: &str, draft: &mut MatrixDraft, people: &mut PeopleById, report: &mut ImportReport) -> String {
    // `Ops <ops@example.com>`
    let bare = address.rsplit_once('<').map_or(address, |(_, bare)| bare.trim_end_matches('>'));
    if let Some(key) = people.get(bare) {
        return key.clone();
    }
    let name = bare.split('@').next().unwrap_or(bare).to_owned();
    let person = PersonDraft { name, email: Some(bare.to_owned()), ..PersonDraft::default() };
    people.add(bare, person, draft, report)
}

/// A route with what is inherited.
#[derive(Debug, Clone, Default)]
struct Node {
    place: String,
    receiver: String,
    group_by: Vec<String>,
    /// Its matchers and those of all above it.
    path: Vec<SilenceMatcher>,
    /// Conditions that must not hold: an earlier sibling, or a child, takes those alerts.
    not: Vec<String>,
    muted: Vec<String>,
    timings: Vec<&'static str>,
}

impl Node {
    fn root() -> Self {
        Self::default()
    }
}

struct Walk<'a> {
    alerts: &'a mut AlertNames,
    nodes: &'a mut Vec<Node>,
}

fn walk(route: &Value, to: &mut Walk<'_>, above: &Node, place: &str) -> Result<(), String> {
    if DEPTH_MAX < place.matches('[').count() {
        return Err(format!("its routes are nested deeper than {DEPTH_MAX}"));
    }
    let own = matchers_of(route).map_err(|why| format!("{place}: {why}"))?;
    let alertnames = own.iter().filter(|matcher| matcher.name == "alertname");
    to.alerts.0.extend(alertnames.filter_map(matchers::values).flatten());
    let mut node = above.clone();
    node.place = place.to_owned();
    node.path.extend(own);
    if let Some(receiver) = route["receiver"].as_str() {
        node.receiver = receiver.to_owned();
    }
    if let Some(labels) = route["group_by"].as_array() {
        node.group_by = labels.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    node.muted = ["mute_time_intervals", "active_time_intervals"]
        .iter()
        .flat_map(|field| {
            list(route, field).iter().filter_map(Value::as_str).map(move |name| format!("{field} {name}"))
        })
        .collect();
    node.timings =
        ["group_wait", "group_interval", "repeat_interval"].into_iter().filter(|name| !route[name].is_null()).collect();
    let (mut earlier, mut children) = (Vec::new(), Vec::new());
    for (n, child) in list(route, "routes").iter().enumerate() {
        let place = format!("{place}.routes[{n}]");
        let conditions: Vec<String> =
            matchers_of(child).map_err(|why| format!("{place}: {why}"))?.iter().map(matchers::condition).collect();
        let condition = cel::all(&conditions).unwrap_or_else(|| "true".into());
        let mut inherited = node.clone();
        inherited.not.extend(earlier.iter().cloned());
        walk(child, to, &inherited, &place)?;
        if !child["continue"].as_bool().unwrap_or_default() {
            earlier.push(condition.clone());
        }
        children.push(condition);
    }
    // What a child takes is not the route's own.
    node.not.extend(children);
    to.nodes.push(node);
    Ok(())
}

fn matchers_of(route: &Value) -> Result<Vec<SilenceMatcher>, String> {
    matchers::of(route, "matchers", ["match", "match_re"])
}

struct Triggers<'a> {
    names: Names,
    all: &'a BTreeSet<String>,
    receivers: &'a BTreeMap<String, String>,
}

impl Triggers<'_> {
    fn add(&mut self, node: &Node, draft: &mut MatrixDraft, report: &mut ImportReport) -> Result<(), String> {
        let of = node.place.clone();
        let role = self.receivers.get(&node.receiver);
        let role = role.ok_or_else(|| format!("{of}: there is no receiver {:?}", node.receiver))?;
        told_of(node, report);
        if node.not.iter().any(|condition| condition == "true") {
            let why = "an earlier route or one within it takes every alert that would come here";
            report.found(FindingKind::NotCarried, of, why);
            return Ok(());
        }
        let fits = |name: &&String| {
            let mut own = node.path.iter().filter(|matcher| matcher.name == "alertname");
            own.all(|matcher| matcher.fits(name))
        };
        let is_shown = |name: &&String| !name.is_empty() && settle::visible(name) == **name;
        let on: Vec<String> = self.all.iter().filter(fits).filter(is_shown).cloned().collect();
        if on.is_empty() {
            let why = "no name of an alert is known that it takes: give Prometheus' rule files with --rules. Until then the \
                       catch-all is paged for its alerts";
            report.found(FindingKind::NotCarried, of, why);
            return Ok(());
        }
        let mut parts: Vec<String> = node.path.iter().map(matchers::condition).collect();
        parts.extend(node.not.iter().map(|condition| format!("!({condition})")));
        let key = self.names.give(&name_of(node), &of, &mut ImportReport::of(""));
        report.found(FindingKind::Renamed, &of, format!("it is trigger {key:?} in the matrix"));
        draft.triggers.push(TriggerDraft {
            key,
            on,
            sources: vec![SOURCE.into()],
            when: cel::all(&parts),
            incident_key: incident_key(node, report),
            roles: vec![role.clone()],
            about: format!("{of}, receiver {:?}", node.receiver),
        });
        Ok(())
    }
}

fn name_of(node: &Node) -> String {
    let values = node.path.iter().filter(|matcher| matcher.is_equal && !matcher.is_regex);
    let values: Vec<&str> = values.map(|matcher| matcher.value.as_str()).collect();
    let last = values.last().map_or_else(String::new, |value| format!("-{value}"));
    if node.path.is_empty() { "others".into() } else { format!("{}{last}", node.receiver) }
}

fn incident_key(node: &Node, report: &mut ImportReport) -> Option<String> {
    let by = match node.group_by.first().map(String::as_str) {
        None => return None,
        Some("...") => {
            let why = "group_by ... has each alert for itself; here those with one alertname, instance and job are one";
            report.found(FindingKind::Changed, &node.place, why);
            vec!["alertname".to_owned(), "instance".to_owned(), "job".to_owned()]
        }
        Some(_) => node.group_by.clone(),
    };
    Some(by.iter().map(|name| cel::label(name)).collect::<Vec<_>>().join(" + \"/\" + "))
}

fn told_of(node: &Node, report: &mut ImportReport) {
    if !node.timings.is_empty() {
        let why =
            format!("{}: people are paged at once, and again as the steps of the role say", node.timings.join(", "));
        report.found(FindingKind::NotCarried, &node.place, why);
    }
    for muted in &node.muted {
        let why = format!("{muted}: write a [maintenance] for it");
        report.found(FindingKind::NotCarried, &node.place, why);
    }
}

fn not_carried(config: &Value, report: &mut ImportReport) {
    for (n, rule) in list(config, "inhibit_rules").iter().enumerate() {
        let shown = |new: &str, old: [&str; 2]| {
            let read = matchers::of(rule, new, old).unwrap_or_default();
            read.iter().map(matchers::condition).collect::<Vec<_>>().join(" && ")
        };
        let source = shown("source_matchers", ["source_match", "source_match_re"]);
        let target = shown("target_matchers", ["target_match", "target_match_re"]);
        let why = format!("no alert inhibits another: while {source}, alerts with {target} would be held");
        report.found(FindingKind::NotCarried, format!("inhibit_rules[{n}]"), why);
    }
    for field in ["time_intervals", "mute_time_intervals"] {
        for interval in list(config, field) {
            let of = format!("{field} {:?}", text(interval, "name"));
            report.found(FindingKind::NotCarried, of, "write a [maintenance] for it");
        }
    }
    for field in ["templates", "global", "tracing"] {
        let is_there = match &config[field] {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        };
        if is_there {
            report.found(FindingKind::NotCarried, field, "it says how Alertmanager itself works or writes");
        }
    }
}
