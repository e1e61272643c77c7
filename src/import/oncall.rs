//! Grafana OnCall's set-up: the objects of its API, by their lists (`users`, `schedules`, `on_call_shifts`,
//! `escalation_chains`, `escalation_policies`, `integrations`, `routes`).

use super::{
    draft::{MatrixDraft, OverrideDraft, PersonDraft, RoleDraft, StepDraft, TriggerDraft},
    foreign::{Foreign, called, civil, instant, items, list, text, variable, zone},
    leftovers,
    names::Names,
    people::PeopleById,
    report::{FindingKind, ImportReport},
    rrule::RecurrenceRule,
    schedule::{DAY, ForeignSchedule, ListedShift, Shift},
    sender::SenderForm,
    targets::Targets,
};
use crate::core::{Timestamp, Zone, Zones};
use chrono::Duration;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The lists that are read.
const READ: [&str; 8] = [
    "users",
    "schedules",
    "on_call_shifts",
    "escalation_chains",
    "escalation_policies",
    "integrations",
    "routes",
    "personal_notification_rules",
];

/// How long the last step of a chain waits, in minutes.
const LAST_WAIT: u64 = 5;

/// Reads an export; the error says why it is none.
pub fn read(
    export: &Value,
    (zones, now): (&Arc<Zones>, Timestamp),
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> Result<Foreign, String> {
    if !export.is_object()
        || ["users", "escalation_chains", "integrations"].iter().all(|name| items(export, name).is_empty())
    {
        return Err(format!("it has none of the lists {}", READ.join(", ")));
    }
    let mut people = users(export, draft, report);
    let (mut foreign, mut targets, mut names) = (Foreign::default(), Targets::default(), Names::of("rotation"));
    for own in items(export, "schedules") {
        match schedule(own, export, &people, zones, report) {
            Err(why) => report.found(FindingKind::NotCarried, called("schedule", own), why),
            Ok(read) => {
                let (id, name) = (text(own, "id"), text(own, "name"));
                foreign.schedules.extend(targets.schedule(id, name, read, now, (&mut names, draft), report));
            }
        }
    }
    let roles = chains(export, &targets, &mut people, draft, report);
    integrations(export, &roles, draft, report);
    leftovers::report(export, &READ, report);
    Ok(foreign)
}

fn users(export: &Value, draft: &mut MatrixDraft, report: &mut ImportReport) -> PeopleById {
    let mut people = PeopleById::none();
    for user in items(export, "users") {
        let id = text(user, "id");
        let name = if text(user, "name").is_empty() { text(user, "username") } else { text(user, "name") };
        let filled = |field: &str| user[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let person = PersonDraft {
            name: name.to_owned(),
            email: filled("email"),
            phone: filled("phone_number").or_else(|| filled("verified_phone_number")),
            timezone: filled("timezone").filter(|zone| zone.contains('/')),
            ..PersonDraft::default()
        };
        people.add(id, person, draft, report);
        if items(export, "personal_notification_rules").iter().any(|rule| text(rule, "user_id") == id) {
            let why = "their notification rules: a step says by which channels it pages";
            report.found(FindingKind::NotCarried, format!("user {id} ({name:?})"), why);
        }
    }
    people
}

fn group(ids: &[Value], people: &PeopleById) -> Result<Vec<String>, String> {
    ids.iter().map(|id| people.known(id.as_str().unwrap_or_default())).collect()
}

fn schedule(
    own: &Value,
    export: &Value,
    people: &PeopleById,
    zones: &Zones,
    report: &mut ImportReport,
) -> Result<ForeignSchedule, String> {
    let (of, clock) = (called("schedule", own), zone(zones, text(own, "time_zone"))?);
    if text(own, "type") == "ical" {
        return Err("it is a calendar at an address".into());
    }
    let (mut shifts, mut overrides) = (Vec::new(), Vec::new());
    let named = |shift: &&Value| list(own, "shifts").iter().any(|id| id.as_str() == Some(text(shift, "id")));
    for shift in items(export, "on_call_shifts").iter().filter(named) {
        let of = format!("{of}, {}", called("shift", shift));
        let is_once = matches!(text(shift, "type"), "single_event" | "override");
        if is_once {
            overrides.extend(single(shift, &clock, people).map_err(|why| format!("{of}: {why}"))?);
        } else if let Some(end) = instant(shift, "until") {
            report.found(FindingKind::NotCarried, of, format!("it ends at {end}: rotations have no end"));
        } else {
            let level = shift["level"].as_i64().unwrap_or_default();
            shifts.push((level, recurring(shift, &clock, people).map_err(|why| format!("{of}: {why}"))?));
        }
    }
    shifts.sort_by_key(|(level, _)| -level);
    let highest = shifts.first().map_or(0, |(level, _)| *level);
    let levelled =
        |(level, shift): (i64, Shift)| Shift { level: usize::try_from(highest - level).unwrap_or_default(), ..shift };
    let shifts = shifts.into_iter().map(levelled).collect();
    let listed = items(own, "final_shifts").iter().filter_map(|shift| {
        let id = text(shift, "user_pk");
        let person = people.get(id).map_or(id, String::as_str).to_owned();
        Some(ListedShift { from: instant(shift, "shift_start")?, until: instant(shift, "shift_end")?, person })
    });
    let mut listed: Vec<_> = listed.collect();
    listed.sort_by_key(|shift| shift.from);
    Ok(ForeignSchedule { of, zone: clock, shifts, overrides, listed, handoff: String::new(), rotations: Vec::new() })
}

/// A shift that comes once takes the place of whoever is on call then.
fn single(shift: &Value, clock: &Zone, people: &PeopleById) -> Result<Vec<OverrideDraft>, String> {
    let ids = [
        list(shift, "users"),
        list(shift, "rolling_users").first().and_then(Value::as_array).map_or(&[], Vec::as_slice),
    ];
    let users = group(&ids.concat(), people)?;
    let start = civil(shift, "start", clock).ok_or("it has no start")?;
    let from = Timestamp::nearest(&crate::core::schedule::first_instant(clock, start));
    let until = from + std::time::Duration::from_secs(shift["duration"].as_u64().unwrap_or_default());
    match users.as_slice() {
        [person] => Ok(vec![OverrideDraft { person: person.clone(), from, until }]),
        _ => Err("an override is one person's".into()),
    }
}

fn recurring(shift: &Value, clock: &Zone, people: &PeopleById) -> Result<Shift, String> {
    if shift["time_zone"].as_str().is_some_and(|own| own != clock.name()) {
        return Err(format!("it is in {:?}", text(shift, "time_zone")));
    }
    let start = civil(shift, "start", clock).ok_or("it has no start")?;
    let lasts = shift["duration"].as_i64().unwrap_or_default().clamp(0, 366 * DAY);
    let days: Vec<&str> = list(shift, "by_day").iter().filter_map(Value::as_str).collect();
    let by_day = if days.is_empty() { String::new() } else { format!(";BYDAY={}", days.join(",")) };
    let interval = shift["interval"].as_i64().unwrap_or(1).max(1);
    let rule = format!("FREQ={};INTERVAL={interval}{by_day}", text(shift, "frequency").to_uppercase());
    let rule = RecurrenceRule::read(&rule)?;
    let mut groups = match text(shift, "type") {
        "rolling_users" => {
            let groups = list(shift, "rolling_users").iter();
            groups.map(|own| group(own.as_array().map_or(&[], Vec::as_slice), people)).collect::<Result<Vec<_>, _>>()?
        }
        _ => vec![group(list(shift, "users"), people)?],
    };
    let first = shift["start_rotation_from_user_index"].as_u64().and_then(|first| usize::try_from(first).ok());
    let first = first.unwrap_or_default() % groups.len().max(1);
    groups.rotate_left(first);
    // A turn is all days of its week.
    let each = i64::try_from(rule.days.len().max(1)).unwrap_or(1);
    // Several weeks in turn, each of which somebody has.
    let every_turn = Duration::seconds(lasts);
    rule.shift(groups, (start, start + every_turn), each)
}

fn chains(
    export: &Value,
    targets: &Targets,
    people: &mut PeopleById,
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> BTreeMap<String, String> {
    let (mut roles, mut names) = (BTreeMap::new(), Names::of("role"));
    for chain in items(export, "escalation_chains") {
        let (of, id) = (called("escalation chain", chain), text(chain, "id"));
        let mut policies: Vec<&Value> =
            items(export, "escalation_policies").iter().filter(|own| text(own, "escalation_chain_id") == id).collect();
        policies.sort_by_key(|policy| policy["position"].as_i64().unwrap_or_default());
        let mut steps: Vec<StepDraft> = Vec::new();
        // Whether the next policy that notifies begins a step of its own.
        let mut has_waited = true;
        for policy in policies {
            let of = format!("{of}, policy {}", text(policy, "id"));
            let kind = text(policy, "type");
            let people_of = |field: &str| group(list(policy, field), people).unwrap_or_default();
            let page = match kind {
                "wait" => {
                    let minutes = policy["duration"].as_u64().unwrap_or(300).div_ceil(60);
                    match steps.last_mut() {
                        Some(step) if has_waited => step.wait_minutes += minutes,
                        Some(step) => step.wait_minutes = minutes,
                        None => report.found(FindingKind::NotCarried, of, "a wait before anybody is notified"),
                    }
                    has_waited = true;
                    continue;
                }
                "notify_persons" => people_of("persons_to_notify"),
                "notify_person_next_each_time" => {
                    report.found(FindingKind::Changed, &of, "all of them are paged, not one after the other");
                    people_of("persons_to_notify_next_each_time")
                }
                "notify_on_call_from_schedule" => {
                    let id = text(policy, "notify_on_call_from_schedule");
                    targets.get(id).cloned().unwrap_or_default()
                }
                "repeat_escalation" => continue,
                _ => Vec::new(),
            };
            if page.is_empty() {
                report.found(
                    FindingKind::NotCarried,
                    of,
                    format!("{kind:?}, or whom it notifies, is not in the matrix"),
                );
                continue;
            }
            match steps.last_mut().filter(|_| !has_waited) {
                Some(step) => step.page.extend(page),
                None => steps.push(StepDraft { page, wait_minutes: LAST_WAIT }),
            }
            has_waited = false;
        }
        if steps.is_empty() {
            steps.push(StepDraft { page: vec![people.placeholder(draft, report)], wait_minutes: LAST_WAIT });
            report.found(FindingKind::FillIn, &of, "say who is paged");
        }
        for step in &mut steps {
            step.page.sort();
            step.page.dedup();
        }
        report.found(FindingKind::Changed, &of, "after its last step, that step repeats until somebody answers");
        let key = names.give(text(chain, "name"), id, report);
        draft.roles.push(RoleDraft { key: key.clone(), name: None, steps });
        roles.insert(id.to_owned(), key);
    }
    roles
}

fn integrations(export: &Value, roles: &BTreeMap<String, String>, draft: &mut MatrixDraft, report: &mut ImportReport) {
    const KIND: &str = "oncall";
    let (mut names, mut sources) = (Names::of("trigger"), Names::of("source"));
    for integration in items(export, "integrations") {
        let (of, id) = (called("integration", integration), text(integration, "id"));
        let form = match text(integration, "type") {
            "alertmanager" | "grafana" | "grafana_alerting" => SenderForm::Alerts,
            "webhook" | "formatted_webhook" => SenderForm::Formatted,
            kind => {
                report.found(FindingKind::NotCarried, &of, format!("it is a {kind:?}: it sends in a form of its own"));
                continue;
            }
        };
        let mut chain = text(&integration["default_route"], "escalation_chain_id");
        for route in items(export, "routes").iter().filter(|route| text(route, "integration_id") == id) {
            if route["is_the_last_route"].as_bool().unwrap_or_default() {
                chain = text(route, "escalation_chain_id");
            } else {
                let why = "its template: what it takes comes to the last route";
                report.found(FindingKind::NotCarried, format!("{of}, route {}", text(route, "id")), why);
            }
        }
        let Some(role) = roles.get(chain) else {
            report.found(FindingKind::NotCarried, &of, "its last route leads to no escalation chain of the export");
            continue;
        };
        let key = sources.give(text(integration, "name"), id, &mut ImportReport::of(""));
        let token = variable("ONCALL_TOKEN", &key);
        let why = format!("its address is a secret. Here it is /monitors/json/{key}, with a token in {token}");
        report.found(FindingKind::Secret, &of, why);
        draft.sources.push(form.source(&key, token, KIND));
        draft.triggers.push(TriggerDraft {
            key: names.give(text(integration, "name"), id, report),
            on: vec![KIND.into()],
            sources: vec![key],
            when: None,
            incident_key: Some(SenderForm::incident_key()),
            roles: vec![role.clone()],
            about: of,
        });
    }
}
