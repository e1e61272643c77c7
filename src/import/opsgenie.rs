//! Opsgenie's set-up: the objects of its REST API, by their lists (`users`, `teams`, `schedules`, `escalations`,
//! `integrations`).

use super::{
    cel,
    draft::{MatrixDraft, OverrideDraft, PersonDraft, RoleDraft, SourceDraft, StepDraft, TriggerDraft},
    foreign::{Foreign, called, civil, instant, items, list, text, variable, zone},
    ladder, leftovers,
    names::Names,
    opsgenie_routing,
    people::PeopleById,
    report::{FindingKind, ImportReport},
    schedule::{DAY, ForeignSchedule, ListedShift, Shift, WEEK, Window},
    targets::Targets,
};
use crate::core::{Timestamp, Zones};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The lists that are read.
const READ: [&str; 5] = ["users", "teams", "schedules", "escalations", "integrations"];

/// Reads an export; the error says why it is none.
pub fn read(
    export: &Value,
    (zones, now): (&Arc<Zones>, Timestamp),
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> Result<Foreign, String> {
    if !export.is_object() || ["teams", "escalations", "users"].iter().all(|name| items(export, name).is_empty()) {
        return Err(format!("it has none of the lists {}", READ.join(", ")));
    }
    let mut people = users(export, draft, report);
    let (mut foreign, mut targets, mut names) = (Foreign::default(), Targets::default(), Names::of("rotation"));
    for own in items(export, "schedules") {
        match schedule(own, &people, zones, report) {
            Err(why) => report.found(FindingKind::NotCarried, called("schedule", own), why),
            Ok(read) => {
                let (id, name) = (text(own, "id"), text(own, "name"));
                foreign.schedules.extend(targets.schedule(id, name, read, now, (&mut names, draft), report));
            }
        }
    }
    let mut ladders = Ladders { export, targets: &targets, names: Names::of("role"), roles: BTreeMap::new() };
    for escalation in items(export, "escalations") {
        ladders.escalation(escalation, &mut people, draft, report);
    }
    let sources = sources(export, draft, report);
    let mut triggers = Names::of("trigger");
    for team in items(export, "teams") {
        routes(team, (&sources, &mut triggers), &mut ladders, &mut people, draft, report);
    }
    leftovers::report(export, &READ, report);
    Ok(foreign)
}

fn users(export: &Value, draft: &mut MatrixDraft, report: &mut ImportReport) -> PeopleById {
    let mut people = PeopleById::none();
    for user in items(export, "users") {
        let of = format!("user {} ({:?})", text(user, "id"), text(user, "fullName"));
        let mut person = PersonDraft { name: text(user, "fullName").to_owned(), ..PersonDraft::default() };
        person.email = user["username"].as_str().map(str::to_owned);
        person.timezone = user["timeZone"].as_str().filter(|zone| zone.contains('/')).map(str::to_owned);
        for contact in items(user, "userContacts").iter().chain(items(user, "contacts")) {
            let method = [text(contact, "contactMethod"), text(contact, "method")].concat();
            // `44-7700900001`
            let number = format!("+{}", text(contact, "to").trim_start_matches('+'));
            match method.as_str() {
                "sms" | "voice" if person.phone.as_ref().is_none_or(|known| *known == number) => {
                    person.phone = Some(number)
                }
                "sms" | "voice" => {
                    report.found(FindingKind::NotCarried, &of, "a second phone number: a person has one")
                }
                "email" => {}
                _ => report.found(FindingKind::NotCarried, &of, format!("a contact by {method:?}")),
            }
        }
        people.add(text(user, "id"), person, draft, report);
    }
    people
}

fn schedule(
    own: &Value,
    people: &PeopleById,
    zones: &Zones,
    report: &mut ImportReport,
) -> Result<ForeignSchedule, String> {
    let (of, clock) = (called("schedule", own), zone(zones, text(own, "timezone"))?);
    let mut shifts = Vec::new();
    for rotation in list(own, "rotations") {
        let of = format!("{of}, {}", called("rotation", rotation));
        if let Some(end) = instant(rotation, "endDate") {
            report.found(FindingKind::NotCarried, of, format!("it ends at {end}: rotations have no end"));
            continue;
        }
        let groups = list(rotation, "participants").iter().map(|own| match text(own, "type") {
            "user" => {
                people.get(text(own, "id")).map(|key| vec![key.clone()]).ok_or(format!("user {}", text(own, "id")))
            }
            "none" => Ok(Vec::new()),
            kind => Err(format!("a participant of the type {kind:?}")),
        });
        let groups = groups.collect::<Result<Vec<_>, _>>().map_err(|why| format!("{of}: {why}"))?;
        let unit = match text(rotation, "type") {
            "hourly" => 3600,
            "daily" => DAY,
            "weekly" => WEEK,
            kind => return Err(format!("{of} changes {kind:?}")),
        };
        let start = civil(rotation, "startDate", &clock).ok_or_else(|| format!("{of} has no start"))?;
        let turn = unit * rotation["length"].as_i64().unwrap_or(1).clamp(1, 1000);
        let windows = windows(&rotation["timeRestriction"]).map_err(|why| format!("{of}: {why}"))?;
        if groups.is_empty() {
            return Err(format!("{of} has no participants"));
        }
        shifts.push(Shift { groups, start, turn, level: 0, windows });
    }
    let user = |value: &Value, field: &str| {
        let id = text(&value[field], "id");
        people.get(id).map_or(id, String::as_str).to_owned()
    };
    let mut overrides = Vec::new();
    for over in items(own, "overrides") {
        let known = people.get(text(&over["user"], "id"));
        if !list(over, "rotations").is_empty() {
            let why = "it is about some rotations; here it takes the place of everybody on call";
            report.found(FindingKind::Changed, format!("{of}, override {}", text(over, "alias")), why);
        }
        match (known, instant(over, "startDate"), instant(over, "endDate")) {
            (Some(person), Some(from), Some(until)) => {
                overrides.push(OverrideDraft { person: person.clone(), from, until })
            }
            _ => report.found(
                FindingKind::NotCarried,
                format!("{of}, override {}", text(over, "alias")),
                "its user or its times",
            ),
        }
    }
    let timelines = list(&own["finalTimeline"], "rotations").iter().flat_map(|rotation| list(rotation, "periods"));
    let listed = timelines.filter_map(|period| {
        let (from, until) = (instant(period, "startDate")?, instant(period, "endDate")?);
        Some(ListedShift { from, until, person: user(period, "recipient") })
    });
    let mut listed: Vec<_> = listed.collect();
    listed.sort_by_key(|shift| shift.from);
    Ok(ForeignSchedule { of, zone: clock, shifts, overrides, listed, handoff: String::new(), rotations: Vec::new() })
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn windows(restriction: &Value) -> Result<Vec<Window>, String> {
    let time = |own: &Value, which: &str| {
        let hour = own[format!("{which}Hour")].as_i64().filter(|hour| (0..=24).contains(hour))?;
        let minute = own[format!("{which}Min")].as_i64().unwrap_or_default();
        (0..60).contains(&minute).then(|| hour * 3600 + minute * 60)
    };
    let times = |own: &Value| time(own, "start").zip(time(own, "end")).ok_or("a time restriction without its hours");
    match text(restriction, "type") {
        "" => Ok(Vec::new()),
        "time-of-day" => {
            let (from, until) = times(&restriction["restriction"])?;
            let lasts = (until - from - 1).rem_euclid(DAY) + 1;
            Ok(vec![Window { day: None, from, lasts }])
        }
        "weekday-and-time-of-day" => {
            let window = |own: &Value| {
                let day = |field: &str| WEEKDAYS.iter().position(|day| *day == text(own, field));
                let days = day("startDay").zip(day("endDay")).ok_or("a time restriction without its days")?;
                let (from, until) = times(own)?;
                let apart = (days.1 as i64 - days.0 as i64) * DAY + until - from;
                Ok(Window { day: u32::try_from(days.0).ok(), from, lasts: (apart - 1).rem_euclid(WEEK) + 1 })
            };
            list(restriction, "restrictions").iter().map(window).collect()
        }
        kind => Err(format!("a time restriction of the type {kind:?}")),
    }
}

/// Roles, by what they were made of.
struct Ladders<'a> {
    export: &'a Value,
    targets: &'a Targets,
    names: Names,
    roles: BTreeMap<String, String>,
}

impl Ladders<'_> {
    fn escalation(
        &mut self,
        escalation: &Value,
        people: &mut PeopleById,
        draft: &mut MatrixDraft,
        report: &mut ImportReport,
    ) {
        let of = called("escalation", escalation);
        let mut by_delay: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (n, rule) in list(escalation, "rules").iter().enumerate() {
            let delay = rule["delay"]["timeAmount"].as_u64().unwrap_or_default();
            if !matches!(text(rule, "notifyType"), "" | "default") {
                let why = format!("rule {}: whom of them it notifies ({})", n + 1, text(rule, "notifyType"));
                report.found(FindingKind::Changed, &of, why);
            }
            if text(rule, "condition") == "if-not-closed" {
                report.found(FindingKind::Changed, &of, format!("rule {}: an answer ends the ladder", n + 1));
            }
            let page = self.whom(&rule["recipient"], people);
            if page.is_empty() {
                let (kind, id) = (text(&rule["recipient"], "type"), text(&rule["recipient"], "id"));
                report.found(FindingKind::NotCarried, &of, format!("rule {}: {kind} {id}", n + 1));
            }
            by_delay.entry(delay).or_default().extend(page);
        }
        // A delay counts from the alert, a wait from its step.
        let last = escalation["repeat"]["waitInterval"].as_u64().filter(|wait| *wait != 0).unwrap_or(10);
        let delays: Vec<u64> = by_delay.keys().copied().collect();
        let waits = delays.windows(2).map(|two| two[1] - two[0]).chain([last]);
        let mut steps: Vec<StepDraft> = by_delay
            .into_values()
            .zip(waits)
            .filter(|(page, _)| !page.is_empty())
            .map(|(page, wait_minutes)| StepDraft { page: once(page), wait_minutes })
            .collect();
        if delays.first().is_some_and(|first| *first != 0) {
            report.found(
                FindingKind::Changed,
                &of,
                format!("its first rule is after {} minutes; here at once", delays[0]),
            );
        }
        if steps.is_empty() {
            steps.push(StepDraft { page: vec![people.placeholder(draft, report)], wait_minutes: last });
            report.found(FindingKind::FillIn, &of, "say who is paged");
        }
        let more = escalation["repeat"]["count"].as_u64().and_then(|more| usize::try_from(more).ok());
        ladder::go_round(&mut steps, more.unwrap_or_default(), &of, report);
        report.found(FindingKind::Changed, &of, "after its last step, that step repeats until somebody answers");
        self.add(text(escalation, "id"), text(escalation, "name"), steps, draft, report);
    }

    fn add(
        &mut self,
        id: &str,
        name: &str,
        steps: Vec<StepDraft>,
        draft: &mut MatrixDraft,
        report: &mut ImportReport,
    ) -> String {
        let key = self.names.give(name, id, report);
        draft.roles.push(RoleDraft { key: key.clone(), name: None, steps });
        self.roles.insert(id.to_owned(), key.clone());
        key
    }

    /// The entries of a step that a recipient stands for. All people of a team are asked.
    fn whom(&self, recipient: &Value, people: &PeopleById) -> Vec<String> {
        let id = text(recipient, "id");
        let of_team = items(self.export, "teams").iter().filter(|team| text(team, "id") == id);
        let members = of_team.flat_map(|team| list(team, "members")).map(|member| text(&member["user"], "id"));
        match text(recipient, "type") {
            "user" => people.get(id).cloned().into_iter().collect(),
            "schedule" => self.targets.get(id).cloned().unwrap_or_default(),
            "team" => once(members.filter_map(|id| people.get(id).cloned()).collect()),
            _ => Vec::new(),
        }
    }
}

fn once(mut page: Vec<String>) -> Vec<String> {
    page.sort();
    page.dedup();
    page
}

/// The sources, each with the id of its team.
fn sources(export: &Value, draft: &mut MatrixDraft, report: &mut ImportReport) -> Vec<(String, String)> {
    let (mut names, mut sources) = (Names::of("source"), Vec::new());
    for integration in items(export, "integrations") {
        let of = called("integration", integration);
        if integration["enabled"] == Value::Bool(false) {
            report.found(FindingKind::NotCarried, &of, "it is disabled");
            continue;
        }
        let key = names.give(text(integration, "name"), text(integration, "id"), report);
        let token = variable("OPSGENIE_KEY", &key);
        report.found(FindingKind::Secret, &of, format!("source {key:?} takes its API key from {token}"));
        if text(integration, "type") != "API" {
            let why =
                format!("it is a {:?}: Stentor takes what comes by Opsgenie's Alert API", text(integration, "type"));
            report.found(FindingKind::Changed, &of, why);
        }
        draft.sources.push(SourceDraft { key: key.clone(), token, unmatched_pages: false, map: Vec::new() });
        sources.push((key, text(&integration["ownerTeam"], "id").to_owned()));
    }
    sources
}

fn routes(
    team: &Value,
    (sources, names): (&[(String, String)], &mut Names),
    ladders: &mut Ladders<'_>,
    people: &mut PeopleById,
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) {
    let of = called("team", team);
    let own = sources.iter().filter(|(_, owner)| owner == text(team, "id") || owner.is_empty());
    let own: Vec<String> = own.map(|(key, _)| key.clone()).collect();
    let mut rules: Vec<&Value> = items(team, "routingRules").iter().collect();
    rules.sort_by_key(|rule| {
        (rule["isDefault"].as_bool().unwrap_or_default(), rule["order"].as_i64().unwrap_or_default())
    });
    if own.is_empty() {
        report.found(FindingKind::NotCarried, &of, "no integration is its own, so nothing comes to its rules");
        return;
    }
    let mut earlier: Vec<String> = Vec::new();
    for rule in rules {
        let of = format!("{of}, {}", called("routing rule", rule));
        let condition = match opsgenie_routing::condition(rule) {
            Ok(condition) => condition,
            Err(why) => {
                report.found(FindingKind::NotCarried, of, format!("{why}. What it takes comes to the rules behind it"));
                continue;
            }
        };
        let notify = &rule["notify"];
        let role = ladders.roles.get(text(notify, "id")).cloned().or_else(|| {
            let page = ladders.whom(notify, people);
            let steps = vec![StepDraft { page, wait_minutes: 10 }];
            let name = if text(notify, "name").is_empty() { text(notify, "id") } else { text(notify, "name") };
            (!steps[0].page.is_empty()).then(|| ladders.add(text(notify, "id"), name, steps, draft, report))
        });
        let mut parts: Vec<String> = condition.iter().cloned().collect();
        parts.extend(earlier.iter().map(|before| format!("!{before}")));
        match role {
            Some(role) => draft.triggers.push(TriggerDraft {
                key: names.give(&format!("{} {}", text(team, "name"), text(rule, "name")), text(rule, "id"), report),
                on: vec!["opsgenie".into()],
                sources: own.clone(),
                when: cel::all(&parts),
                incident_key: Some("alert.labels.alias".into()),
                roles: vec![role],
                about: of,
            }),
            None => report.found(FindingKind::NotCarried, of, "it notifies nobody who is in the matrix"),
        }
        match condition {
            Some(condition) => earlier.push(condition),
            None => break,
        }
    }
}
