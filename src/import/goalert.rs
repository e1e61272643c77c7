//! GoAlert's set-up: answers of its GraphQL API.

use super::{
    draft::{MatrixDraft, OverrideDraft, PersonDraft, RoleDraft, StepDraft, TriggerDraft},
    foreign::{Foreign, called, civil, instant, items, list, text, time_of_day, variable, zone},
    ladder, leftovers,
    names::Names,
    people::PeopleById,
    report::{FindingKind, ImportReport},
    schedule::{DAY, ForeignSchedule, ListedShift, Shift, WEEK, Window},
    sender::SenderForm,
    targets::Targets,
};
use crate::core::{Timestamp, Zone, Zones};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The lists that are read.
const READ: [&str; 6] = ["users", "rotations", "schedules", "escalationPolicies", "services", "userOverrides"];

/// Reads an export; the error says why it is none.
pub fn read(
    export: &Value,
    (zones, now): (&Arc<Zones>, Timestamp),
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> Result<Foreign, String> {
    let export = if export["data"].is_object() { &export["data"] } else { export };
    if !export.is_object() || READ.iter().all(|name| items(export, name).is_empty()) {
        return Err(format!("it has none of the lists {}", READ.join(", ")));
    }
    let mut people = users(export, draft, report);
    let (mut foreign, mut targets, mut names) = (Foreign::default(), Targets::default(), Names::of("rotation"));
    let known: BTreeMap<&str, &Value> = items(export, "rotations").iter().map(|own| (text(own, "id"), own)).collect();
    let rotations = items(export, "rotations").iter().map(|own| {
        let zone = zone(zones, text(own, "timeZone"))?;
        let shift = turns(own, &zone, &people, now)?;
        Ok(of_shifts(called("rotation", own), zone, vec![shift]))
    });
    let rotations: Vec<Result<ForeignSchedule, String>> = rotations.collect();
    let own = items(export, "rotations").iter().zip(rotations);
    let schedules = items(export, "schedules").iter();
    let schedules: Vec<_> =
        schedules.map(|own| (own, schedule(own, export, &known, &people, (zones, now), report))).collect();
    // A rotation that no policy names alone is in the matrix as part of its schedules.
    let alone = |id: &str| {
        items(export, "escalationPolicies").iter().any(|policy| policy.to_string().contains(&format!("\"{id}\"")))
    };
    for (object, read) in own.filter(|(own, _)| alone(text(own, "id"))).chain(schedules) {
        match read {
            Err(why) => report.found(FindingKind::NotCarried, called("schedule", object), why),
            Ok(read) => {
                let (id, name) = (text(object, "id"), text(object, "name"));
                foreign.schedules.extend(targets.schedule(id, name, read, now, (&mut names, draft), report));
            }
        }
    }
    let roles = policies(export, &targets, &mut people, draft, report);
    services(export, &roles, draft, report);
    leftovers::report(export, &READ, report);
    Ok(foreign)
}

fn of_shifts(of: String, zone: Zone, shifts: Vec<Shift>) -> ForeignSchedule {
    ForeignSchedule {
        of,
        zone,
        shifts,
        overrides: Vec::new(),
        listed: Vec::new(),
        handoff: String::new(),
        rotations: Vec::new(),
    }
}

fn users(export: &Value, draft: &mut MatrixDraft, report: &mut ImportReport) -> PeopleById {
    let mut people = PeopleById::none();
    for user in items(export, "users") {
        let of = called("user", user);
        let mut person = PersonDraft { name: text(user, "name").to_owned(), ..PersonDraft::default() };
        person.email = user["email"].as_str().filter(|email| !email.is_empty()).map(str::to_owned);
        for method in list(user, "contactMethods").iter().filter(|own| !own["disabled"].as_bool().unwrap_or_default()) {
            let args = &method["dest"]["args"];
            let kind = [text(method, "type"), text(&method["dest"], "type")].concat().to_lowercase();
            let number = [text(args, "phone_number"), text(method, "value")].concat();
            if kind.contains("sms") || kind.contains("voice") {
                match &person.phone {
                    None => person.phone = Some(number),
                    Some(known) if *known == number => {}
                    Some(_) => report.found(FindingKind::NotCarried, &of, "a second phone number: a person has one"),
                }
            } else if !kind.contains("email") {
                report.found(FindingKind::NotCarried, &of, format!("a contact method {kind:?}"));
            }
        }
        if !list(user, "notificationRules").is_empty() {
            report.found(
                FindingKind::NotCarried,
                &of,
                "their notification rules: a step says by which channels it pages",
            );
        }
        people.add(text(user, "id"), person, draft, report);
    }
    people
}

/// A rotation. Whose turn it is now is what it says, and not counted from its start.
fn turns(rotation: &Value, zone: &Zone, people: &PeopleById, now: Timestamp) -> Result<Shift, String> {
    let groups = list(rotation, "userIDs").iter().map(|id| Ok(vec![people.known(id.as_str().unwrap_or_default())?]));
    let groups = groups.collect::<Result<Vec<_>, String>>()?;
    let unit = match text(rotation, "type") {
        "hourly" => 3600,
        "daily" => DAY,
        "weekly" => WEEK,
        kind => return Err(format!("its rotation changes {kind:?}")),
    };
    if groups.is_empty() {
        return Err("its rotation has no users".into());
    }
    let turn = unit * rotation["shiftLength"].as_i64().unwrap_or(1).clamp(1, 1000);
    let start = civil(rotation, "start", zone).ok_or("its rotation has no start")?;
    let clock = now.to_utc().with_timezone(zone).naive_local();
    let counted = (clock - start).num_seconds().div_euclid(turn);
    let len = i64::try_from(groups.len()).unwrap_or(1).max(1);
    let active = rotation["activeUserIndex"].as_i64().map_or(counted, |active| active.clamp(0, len - 1));
    let active = active.rem_euclid(len);
    let start = start + chrono::Duration::seconds(turn.saturating_mul(counted - active));
    Ok(Shift { groups, start, turn, level: 0, windows: Vec::new() })
}

fn schedule(
    own: &Value,
    export: &Value,
    rotations: &BTreeMap<&str, &Value>,
    people: &PeopleById,
    (zones, now): (&Zones, Timestamp),
    report: &mut ImportReport,
) -> Result<ForeignSchedule, String> {
    let (of, clock) = (called("schedule", own), zone(zones, text(own, "timeZone"))?);
    let mut shifts = Vec::new();
    for target in list(own, "targets") {
        let id = text(&target["target"], "id");
        let turns = match (text(&target["target"], "type"), rotations.get(id)) {
            ("rotation", Some(rotation)) if text(rotation, "timeZone") == clock.name() => {
                turns(rotation, &clock, people, now)?
            }
            ("rotation", Some(rotation)) => {
                return Err(format!("its rotation {id} is in {:?}", text(rotation, "timeZone")));
            }
            ("user", _) => {
                let groups = vec![vec![people.known(id)?]];
                let start = civil(own, "", &clock).unwrap_or_default();
                Shift { groups, start, turn: WEEK, level: 0, windows: Vec::new() }
            }
            (kind, _) => return Err(format!("its target {kind} {id} is not in the export")),
        };
        let windows = list(target, "rules").iter().map(rule).collect::<Result<Vec<_>, _>>()?.concat();
        shifts.push(Shift { windows, ..turns });
    }
    let mut schedule = of_shifts(of.clone(), clock, shifts);
    for temporary in list(own, "temporarySchedules") {
        let why = format!("its temporary schedule from {}", text(temporary, "start"));
        report.found(FindingKind::NotCarried, &of, why);
    }
    for over in items(export, "userOverrides").iter().filter(|over| text(&over["target"], "id") == text(own, "id")) {
        let (add, remove) = (text(over, "addUserID"), text(over, "removeUserID"));
        match (people.get(add), people.get(remove), instant(over, "start"), instant(over, "end")) {
            (Some(person), Some(_), Some(from), Some(until)) => {
                schedule.overrides.push(OverrideDraft { person: person.clone(), from, until });
                let why = "it stands in for whoever is on call then, and not for one person alone";
                report.found(FindingKind::Changed, called("override", over), why);
            }
            _ => report.found(
                FindingKind::NotCarried,
                called("override", over),
                "it adds or removes somebody, without another",
            ),
        }
    }
    schedule.listed = list(own, "shifts")
        .iter()
        .filter_map(|shift| {
            let id = text(shift, "userID");
            let person = people.get(id).map_or(id, String::as_str).to_owned();
            Some(ListedShift { from: instant(shift, "start")?, until: instant(shift, "end")?, person })
        })
        .collect();
    schedule.listed.sort_by_key(|shift| shift.from);
    Ok(schedule)
}

/// A rule: from when to when, on which days from Sunday on. The same time twice is the whole day.
fn rule(rule: &Value) -> Result<Vec<Window>, String> {
    let time = |field: &str| time_of_day(text(rule, field)).ok_or(format!("a rule has no {field}"));
    let (from, until) = (time("start")?, time("end")?);
    let lasts = match (until - from).rem_euclid(DAY) {
        0 => DAY,
        lasts => lasts,
    };
    let days = list(rule, "weekdayFilter").iter().map(|day| day.as_bool().unwrap_or_default());
    let days: Vec<u32> = (0_u32..7).zip(days).filter(|(_, is_on)| *is_on).map(|(day, _)| (day + 6) % 7).collect();
    if days.len() == 7 {
        return Ok(vec![Window { day: None, from, lasts }]);
    }
    Ok(days.into_iter().map(|day| Window { day: Some(day), from, lasts }).collect())
}

fn policies(
    export: &Value,
    targets: &Targets,
    people: &mut PeopleById,
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> BTreeMap<String, String> {
    let (mut roles, mut names) = (BTreeMap::new(), Names::of("role"));
    for policy in items(export, "escalationPolicies") {
        let of = called("escalation policy", policy);
        let mut steps = Vec::new();
        for (n, step) in list(policy, "steps").iter().enumerate() {
            let mut page = Vec::new();
            let actions = list(step, "actions").iter().map(|action| {
                let args = &action["args"];
                let ids = ["user_id", "schedule_id", "rotation_id"].map(|field| text(args, field)).concat();
                (text(action, "type"), ids)
            });
            let named = list(step, "targets").iter().map(|own| (text(own, "type"), text(own, "id").to_owned()));
            for (kind, id) in actions.chain(named) {
                match (people.get(&id), targets.get(&id)) {
                    (Some(person), _) => page.push(person.clone()),
                    (_, Some(rotations)) => page.extend(rotations.iter().cloned()),
                    _ => report.found(FindingKind::NotCarried, &of, format!("step {}: {kind} {id}", n + 1)),
                }
            }
            if page.is_empty() {
                page.push(people.placeholder(draft, report));
                report.found(FindingKind::FillIn, &of, format!("step {}: say who is paged", n + 1));
            }
            page.sort();
            page.dedup();
            steps.push(StepDraft { page, wait_minutes: step["delayMinutes"].as_u64().unwrap_or(15) });
        }
        if steps.is_empty() {
            report.found(FindingKind::NotCarried, &of, "it has no steps");
            continue;
        }
        let more = policy["repeat"].as_i64().and_then(|more| usize::try_from(more).ok()).unwrap_or_default();
        ladder::go_round(&mut steps, more, &of, report);
        report.found(FindingKind::Changed, &of, "after its last step, that step repeats until somebody answers");
        let key = names.give(text(policy, "name"), text(policy, "id"), report);
        draft.roles.push(RoleDraft { key: key.clone(), name: None, steps });
        roles.insert(text(policy, "id").to_owned(), key);
    }
    roles
}

fn services(export: &Value, roles: &BTreeMap<String, String>, draft: &mut MatrixDraft, report: &mut ImportReport) {
    const KIND: &str = "goalert";
    let (mut names, mut sources) = (Names::of("trigger"), Names::of("source"));
    for service in items(export, "services") {
        let of = called("service", service);
        let policy = [text(service, "escalationPolicyID"), text(&service["escalationPolicy"], "id")];
        let Some(role) = policy.into_iter().find_map(|id| roles.get(id)) else {
            report.found(FindingKind::NotCarried, &of, "its escalation policy is not in the matrix");
            continue;
        };
        for heartbeat in list(service, "heartbeatMonitors") {
            let of = called("heartbeat monitor", heartbeat);
            report.found(FindingKind::NotCarried, of, "write a trigger with `absent` for it");
        }
        let mut own = Vec::new();
        for key in list(service, "integrationKeys") {
            let form = match text(key, "type") {
                "generic" => SenderForm::Generic,
                "grafana" | "prometheusAlertmanager" => SenderForm::Alerts,
                kind => {
                    let why = format!("an integration key of the type {kind:?}: it sends in a form of its own");
                    report.found(FindingKind::NotCarried, called("integration key", key), why);
                    continue;
                }
            };
            let called_so = format!("{} {}", text(service, "name"), text(key, "name"));
            let name = sources.give(&called_so, text(key, "id"), &mut ImportReport::of(""));
            let token = variable("GOALERT_TOKEN", &name);
            let why = format!("source {name:?} is at /monitors/json/{name}, and takes its token from {token}");
            report.found(FindingKind::Secret, called("integration key", key), why);
            draft.sources.push(form.source(&name, token, KIND));
            own.push(name);
        }
        if own.is_empty() {
            report.found(FindingKind::NotCarried, &of, "it has no integration key that can be carried over");
            continue;
        }
        draft.triggers.push(TriggerDraft {
            key: names.give(text(service, "name"), text(service, "id"), report),
            on: vec![KIND.into()],
            sources: own,
            when: None,
            incident_key: Some(SenderForm::incident_key()),
            roles: vec![role.clone()],
            about: of,
        });
    }
}
