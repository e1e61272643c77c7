//! PagerDuty's schedules, in both forms: layers (version 2), and shifts that come again by a rule (version 3).

use super::{
    draft::OverrideDraft,
    foreign::{civil, instant, list, text, time_of_day, zone},
    people::PeopleById,
    report::{FindingKind, ImportReport},
    rrule::RecurrenceRule,
    schedule::{DAY, ForeignSchedule, ListedShift, Shift, WEEK, Window},
};
use crate::core::{Timestamp, Zone, Zones};
use serde_json::Value;

/// Reads a schedule; the error says why it can not be carried over.
pub fn read(
    schedule: &Value,
    of: &str,
    people: &PeopleById,
    (zones, now): (&Zones, Timestamp),
    report: &mut ImportReport,
) -> Result<ForeignSchedule, String> {
    let zone = zone(zones, text(schedule, "time_zone"))?;
    let mut shifts = Vec::new();
    // The first layer covers those behind it.
    for layer in list(schedule, "schedule_layers") {
        let of = format!("{of}, layer {} ({:?})", text(layer, "id"), text(layer, "name"));
        if let Some(end) = instant(layer, "end") {
            report.found(FindingKind::NotCarried, of, format!("it ends at {end}: rotations have no end"));
            continue;
        }
        if let Some(start) = instant(layer, "start").filter(|start| now < *start) {
            report.found(FindingKind::Changed, &of, format!("it begins at {start}; here it is so at once"));
        }
        let start = civil(layer, "rotation_virtual_start", &zone).or_else(|| civil(layer, "start", &zone));
        let start = start.ok_or_else(|| format!("{of} has no start"))?;
        let groups = list(layer, "users").iter().map(|user| {
            // One in a layer is `{ user: { id } }`, as is one in a list of users.
            let user = if user["user"].is_object() { &user["user"] } else { user };
            group(text(user, "id"), people)
        });
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let turn = layer["rotation_turn_length_seconds"].as_i64().unwrap_or_default();
        let windows = list(layer, "restrictions").iter().map(restriction).collect::<Result<Vec<_>, _>>()?;
        shifts.push(shift(groups, start, turn, windows)?);
    }
    for rotation in list(schedule, "rotations") {
        for event in list(rotation, "events") {
            let of = format!("{of}, event {}", text(event, "id"));
            if let Some(end) = instant(event, "effective_until") {
                report.found(FindingKind::NotCarried, of, format!("it ends at {end}: rotations have no end"));
                continue;
            }
            shifts.push(event_shift(event, people, zones, &zone).map_err(|why| format!("{of}: {why}"))?);
        }
    }
    shifts.iter_mut().enumerate().for_each(|(level, shift): (usize, &mut Shift)| shift.level = level);
    if shifts.is_empty() {
        return Err("it has no layers and no rotations that go on".into());
    }
    let mut overrides = Vec::new();
    for over in list(schedule, "overrides") {
        let id = text(&over["user"], "id");
        match (people.get(id), instant(over, "start"), instant(over, "end")) {
            (Some(person), Some(from), Some(until)) => {
                overrides.push(OverrideDraft { person: person.clone(), from, until });
            }
            _ => {
                let of = format!("{of}, override {}", text(over, "id"));
                report.found(FindingKind::NotCarried, of, format!("its user {id} or its times are not in the export"));
            }
        }
    }
    let listed = list(&schedule["final_schedule"], "rendered_schedule_entries").iter().filter_map(|entry| {
        let id = text(&entry["user"], "id");
        let person = people.get(id).map_or(id, String::as_str).to_owned();
        Some(ListedShift { from: instant(entry, "start")?, until: instant(entry, "end")?, person })
    });
    let mut listed: Vec<_> = listed.collect();
    listed.sort_by_key(|shift| shift.from);
    Ok(ForeignSchedule {
        of: of.to_owned(),
        zone,
        shifts,
        overrides,
        listed,
        handoff: String::new(),
        rotations: Vec::new(),
    })
}

fn group(id: &str, people: &PeopleById) -> Result<Vec<String>, String> {
    people.known(id).map(|key| vec![key])
}

fn shift(
    groups: Vec<Vec<String>>,
    start: chrono::NaiveDateTime,
    turn: i64,
    windows: Vec<Window>,
) -> Result<Shift, String> {
    if groups.is_empty() {
        return Err("a layer has no users".into());
    }
    if 1 < groups.len() && (turn < 3600 || turn % 3600 != 0) {
        return Err(format!("a turn of {turn} seconds is no number of hours"));
    }
    Ok(Shift { groups, start, turn: turn.max(3600), level: 0, windows })
}

fn restriction(restriction: &Value) -> Result<Window, String> {
    let from = time_of_day(text(restriction, "start_time_of_day")).ok_or("a restriction has no time of day")?;
    let lasts = restriction["duration_seconds"].as_i64().unwrap_or_default();
    let day = restriction["start_day_of_week"].as_u64().and_then(|day| u32::try_from(day).ok());
    let day = match (text(restriction, "type"), day) {
        ("weekly_restriction", Some(day @ 1..=7)) => Some(day - 1),
        ("daily_restriction", _) => None,
        (kind, _) => return Err(format!("a restriction of the type {kind:?}")),
    };
    let whole = if day.is_some() { WEEK } else { DAY };
    if lasts < 1 || whole < lasts {
        return Err(format!("a restriction of {lasts} seconds"));
    }
    Ok(Window { day, from, lasts })
}

fn event_shift(event: &Value, people: &PeopleById, zones: &Zones, own: &Zone) -> Result<Shift, String> {
    let time = |field: &str| {
        let at = &event[field];
        match zones.get(text(at, "time_zone")) {
            Some(zone) if zone.name() != own.name() => {
                Err(format!("it is in {}, its schedule in {}", zone.name(), own.name()))
            }
            _ => civil(at, "date_time", own).ok_or_else(|| format!("it has no {field}")),
        }
    };
    let (start, end) = (time("start_time")?, time("end_time")?);
    let rules: Vec<&str> = list(event, "recurrence").iter().filter_map(Value::as_str).collect();
    let [rule] = rules[..] else { return Err("it does not come again by exactly one rule".into()) };
    let rule = RecurrenceRule::read(rule)?;
    let strategy = &event["assignment_strategy"];
    let members = list(strategy, "members").iter().map(|member| match text(member, "type") {
        "empty_member" => Ok(Vec::new()),
        _ => {
            let id = match text(member, "user_id") {
                "" => text(member, "id"),
                id => id,
            };
            group(id, people)
        }
    });
    let members = members.collect::<Result<Vec<_>, String>>()?;
    let shifts_each = strategy["shifts_per_member"].as_i64().unwrap_or(1);
    let groups = match text(strategy, "type") {
        "every_member" => vec![members.concat()],
        _ => members,
    };
    rule.shift(groups, (start, end), shifts_each)
}
