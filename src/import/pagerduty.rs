//! PagerDuty's set-up: the objects of its REST API, by their lists (`users`, `schedules`, `escalation_policies`,
//! `services`, ..). A service becomes a source with a trigger, so that monitors keep the keys that they have.

use super::{
    draft::{MatrixDraft, PersonDraft, RoleDraft, SourceDraft, StepDraft, TriggerDraft},
    foreign::{Foreign, list, text, variable},
    ladder,
    names::Names,
    pagerduty_schedules,
    people::PeopleById,
    report::{FindingKind, ImportReport},
    targets::Targets,
};
use crate::core::{Timestamp, Zones};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The lists that are read.
const READ: [&str; 4] = ["users", "schedules", "escalation_policies", "services"];

/// Reads an export; the error says why it is none.
pub fn read(
    export: &Value,
    (zones, now): (&Arc<Zones>, Timestamp),
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> Result<Foreign, String> {
    if !export.is_object() || READ.iter().all(|name| export[*name].as_array().is_none()) {
        return Err(format!("it has none of the lists {}", READ.join(", ")));
    }
    let mut people = users(export, draft, report);
    let mut foreign = Foreign::default();
    let mut targets = Targets::default();
    let mut names = Names::of("rotation");
    for schedule in list(export, "schedules") {
        let of = format!("schedule {} ({:?})", text(schedule, "id"), name(schedule));
        match pagerduty_schedules::read(schedule, &of, &people, (zones, now), report) {
            Err(why) => report.found(FindingKind::NotCarried, &of, why),
            Ok(read) => {
                let rotations =
                    targets.schedule(text(schedule, "id"), name(schedule), read, now, (&mut names, draft), report);
                foreign.schedules.extend(rotations);
            }
        }
    }
    let policies = policies(export, &targets, &mut people, draft, report);
    services(export, &policies, draft, report);
    for (lists, field) in export.as_object().into_iter().flatten().filter(|(name, _)| !READ.contains(&name.as_str())) {
        for item in field.as_array().into_iter().flatten() {
            let of = format!("{lists} {} ({:?})", text(item, "id"), name(item));
            report.found(FindingKind::NotCarried, of, "there is nothing of this kind in a matrix");
        }
    }
    Ok(foreign)
}

fn name(object: &Value) -> &str {
    match text(object, "name") {
        "" => text(object, "summary"),
        name => name,
    }
}

fn users(export: &Value, draft: &mut MatrixDraft, report: &mut ImportReport) -> PeopleById {
    let mut people = PeopleById::none();
    for user in list(export, "users") {
        let of = format!("user {} ({:?})", text(user, "id"), name(user));
        let mut person = PersonDraft { name: name(user).to_owned(), ..PersonDraft::default() };
        person.email = user["email"].as_str().map(str::to_owned);
        person.timezone = user["time_zone"].as_str().filter(|zone| zone.contains('/')).map(str::to_owned);
        for method in list(user, "contact_methods") {
            let address = text(method, "address");
            match text(method, "type").trim_end_matches("_reference") {
                "phone_contact_method" | "sms_contact_method" if person.phone.is_none() => {
                    let country = method["country_code"].as_u64().unwrap_or(1);
                    person.phone = Some(format!("+{country}{address}"));
                }
                "phone_contact_method" | "sms_contact_method" => {
                    let own = method["country_code"].as_u64().unwrap_or(1);
                    if person.phone.as_deref() != Some(&format!("+{own}{address}")) {
                        report.found(FindingKind::NotCarried, &of, "a second phone number: a person has one");
                    }
                }
                "email_contact_method" if person.email.as_deref().is_none_or(|email| email == address) => {
                    person.email = Some(address.to_owned());
                }
                kind => {
                    report.found(FindingKind::NotCarried, &of, format!("a {kind}: people have a mailbox and a number"))
                }
            }
        }
        if !list(user, "notification_rules").is_empty() {
            let why = "their notification rules: a step says by which channels it pages";
            report.found(FindingKind::NotCarried, &of, why);
        }
        people.add(text(user, "id"), person, draft, report);
    }
    people
}

/// The roles by the ids of their escalation policies.
fn policies(
    export: &Value,
    targets: &Targets,
    people: &mut PeopleById,
    draft: &mut MatrixDraft,
    report: &mut ImportReport,
) -> BTreeMap<String, String> {
    let (mut roles, mut names) = (BTreeMap::new(), Names::of("role"));
    for policy in list(export, "escalation_policies") {
        let (id, of) = (text(policy, "id"), format!("escalation policy {} ({:?})", text(policy, "id"), name(policy)));
        let mut steps = Vec::new();
        for (n, rule) in list(policy, "escalation_rules").iter().enumerate() {
            let mut page = Vec::new();
            for target in list(rule, "targets") {
                let id = text(target, "id");
                match (text(target, "type"), people.get(id), targets.get(id)) {
                    (kind, Some(person), _) if kind.starts_with("user") => page.push(person.clone()),
                    (kind, _, Some(rotations)) if kind.starts_with("schedule") => {
                        page.extend(rotations.iter().cloned())
                    }
                    (kind, ..) => {
                        let why = format!("rule {}: its target {kind} {id} is not in the matrix", n + 1);
                        report.found(FindingKind::NotCarried, &of, why);
                    }
                }
            }
            if page.is_empty() {
                page.push(people.placeholder(draft, report));
                report.found(FindingKind::FillIn, &of, format!("rule {}: say who is paged", n + 1));
            }
            let wait_minutes = rule["escalation_delay_in_minutes"].as_u64().unwrap_or(30);
            steps.push(StepDraft { page, wait_minutes });
        }
        if steps.is_empty() {
            report.found(FindingKind::NotCarried, &of, "it has no rules");
            continue;
        }
        let loops = usize::try_from(policy["num_loops"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
        ladder::go_round(&mut steps, loops, &of, report);
        report.found(FindingKind::Changed, &of, "after its last step, that step repeats until somebody answers");
        let key = names.give(name(policy), id, report);
        draft.roles.push(RoleDraft { key: key.clone(), name: None, steps });
        roles.insert(id.to_owned(), key);
    }
    roles
}

fn services(export: &Value, roles: &BTreeMap<String, String>, draft: &mut MatrixDraft, report: &mut ImportReport) {
    let (mut names, mut sources) = (Names::of("trigger"), Names::of("source"));
    for service in list(export, "services") {
        let (id, of) = (text(service, "id"), format!("service {} ({:?})", text(service, "id"), name(service)));
        let policy = text(&service["escalation_policy"], "id");
        let Some(role) = roles.get(policy) else {
            report.found(FindingKind::NotCarried, &of, format!("its escalation policy {policy} is not in the matrix"));
            continue;
        };
        if text(service, "status") == "disabled" {
            report.found(FindingKind::NotCarried, &of, "it is disabled");
            continue;
        }
        for field in ["acknowledgement_timeout", "auto_resolve_timeout", "support_hours", "alert_grouping_parameters"] {
            if !service[field].is_null() {
                report.found(FindingKind::NotCarried, &of, format!("its {field}"));
            }
        }
        let urgency = &service["incident_urgency_rule"];
        if !urgency.is_null() && text(urgency, "urgency") != "high" {
            let why = "its urgency: here every event pages. Add `when`, e.g. alert.labels.severity == \"critical\"";
            report.found(FindingKind::Changed, &of, why);
        }
        let integrations = list(service, "integrations");
        let mut own = Vec::new();
        for n in 0..integrations.len().max(1) {
            let what = integrations.get(n).map_or("", |integration| name(integration));
            let called =
                if integrations.len() < 2 { name(service).to_owned() } else { format!("{} {what}", name(service)) };
            let key = sources.give(&called, id, &mut ImportReport::of(""));
            let token = variable("PAGERDUTY_KEY", &key);
            let why = format!("source {key:?} takes its integration key ({what:?}) from {token}");
            report.found(FindingKind::Secret, &of, why);
            draft.sources.push(SourceDraft { key: key.clone(), token, unmatched_pages: false, map: Vec::new() });
            own.push(key);
        }
        let key = names.give(name(service), id, report);
        draft.triggers.push(TriggerDraft {
            key,
            on: vec!["pagerduty".into()],
            sources: own,
            when: None,
            incident_key: Some("alert.labels.dedup_key".into()),
            roles: vec![role.clone()],
            about: of,
        });
    }
}
