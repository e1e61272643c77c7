//! Reads `[person.NAME]` and `[rotation.NAME]`.

use crate::{
    channel::{
        contact::{ContactField, ContactValues},
        kinds::contact_fields,
    },
    core::{
        Timestamp, Zone, Zones, oncall,
        schedule::{CronSchedule, ScheduleError, first_instant, last_instant},
    },
    matrix::{
        draft::{OverrideDraft, PersonDraft, RotationDraft},
        settings::Person,
        zone_name::zone,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
    },
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use std::collections::BTreeSet;

/// The most hand-overs that one turn may last.
const TURN_MAX: u32 = 366;

pub(super) fn person(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    zones: &Zones,
    faults: &mut MatrixFaults,
) -> PersonDraft {
    let name = table.demand("name", at, "name = \"Ana Ruiz\"", faults).and_then(|item| item.text(faults));
    let given: Vec<_> =
        contact_fields().into_iter().filter_map(|field| Some((field, table.take(field.key())?))).collect();
    let known: BTreeSet<ContactField> = given.iter().map(|(field, _)| *field).collect();
    let (mut contacts, mut unique) = (ContactValues::new(), Vec::new());
    for (field, item) in &given {
        let Some(value) = (field.spec().read)(item, &known, faults) else { continue };
        if (field.spec().is_unique)(&value) {
            unique.push((field.key(), LocatedValue { value: value.clone(), at: item.at }));
        }
        contacts.insert(*field, value);
    }
    let zone = table.take("timezone").and_then(|item| zone(&item, zones, faults));
    let unix = table.take("unix").and_then(|item| item.text(faults));
    table.finish(&["calendar", "quiet"], &[], faults);
    unique.extend(unix.iter().map(|unix| ("unix", LocatedValue { value: unix.value.to_owned(), at: unix.at })));
    let person = Person {
        name: name.map_or_else(String::new, |name| name.value.to_owned()),
        contacts,
        zone: zone.clone().unwrap_or_else(Zone::utc),
        unix: unix.map(|unix| unix.value.to_owned()),
    };
    PersonDraft { person, zone, known, unique }
}

pub(super) fn rotation(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    zones: &Zones,
    faults: &mut MatrixFaults,
) -> RotationDraft {
    let people = table.demand("people", at, "people = [\"ana\", \"bo\"]", faults).and_then(|item| item.turns(faults));
    let handoff = table.demand("handoff", at, "handoff = \"0 8 * * Mon\"", faults);
    let handoff = handoff.and_then(|item| schedule(&item, faults));
    let zone = table.take("timezone").and_then(|item| zone(&item, zones, faults)).unwrap_or_else(Zone::utc);
    let turn = table.take("turn").and_then(|item| turn(&item, faults)).unwrap_or(1);
    let overrides = table.take("overrides").map(|item| overrides(&item, &zone, faults)).unwrap_or_default();
    table.finish(&["calendar", "holidays"], &[], faults);
    RotationDraft { people: people.unwrap_or_default(), handoff, zone, overrides, turn }
}

/// How many hand-overs one turn lasts.
fn turn(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<usize> {
    let hand_overs = item.count(faults)?;
    if (1..=TURN_MAX).contains(&hand_overs) {
        return usize::try_from(hand_overs).ok();
    }
    let message = format!("a turn lasts 1 to {TURN_MAX} hand-overs");
    faults.refuse("count-out-of-range", item.at, message, "for two weeks each, hand over every week and write turn = 2")
}

fn schedule(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<LocatedValue<CronSchedule>> {
    let text = item.text(faults)?;
    let schedule: CronSchedule = match text.value.parse() {
        Ok(schedule) => schedule,
        Err(error) => {
            let message = match &error {
                ScheduleError::Fields(_) | ScheduleError::WeekdayDigit => error.to_string(),
                ScheduleError::Syntax(_) => format!("{:?} is not a hand-over time", text.value),
            };
            let help = "write for example \"0 8 * * Mon\": every Monday at 08:00";
            return faults.refuse("bad-cron", text.at, message, help);
        }
    };
    if schedule.names_day_and_weekday() {
        let message = "this hands over only on days that are both: that day of the month and that day of the week";
        let help = "write * for one of them; other programs take either, this one takes days that are both";
        faults.warning("day-and-weekday", text.at, message, help);
    }
    // Sixty-four hand-overs from a fixed time, in a zone without clock changes, show the shortest interval.
    let mut at = oncall::EPOCH;
    for turn in 0..64 {
        let Some(next) = schedule.next_after(&Zone::utc(), at) else {
            if turn == 0 {
                let help = "there is no such day: fix the date";
                return faults.refuse("bad-cron", text.at, "this hand-over never happens", help);
            }
            break;
        };
        if 0 < turn && next.micros_since(at) < 3_600_000_000 {
            let message = "this hands over more often than every hour";
            let help = "write for example \"0 8 * * *\": every day at 08:00";
            return faults.refuse("hand-over-too-often", text.at, message, help);
        }
        at = next;
    }
    Some(LocatedValue { value: schedule, at: text.at })
}

fn overrides(item: &TomlItem<'_>, zone: &Zone, faults: &mut MatrixFaults) -> Vec<OverrideDraft> {
    let list = item.list(faults).unwrap_or_default();
    list.iter().filter_map(|item| override_(item, zone, faults)).collect()
}

fn override_(item: &TomlItem<'_>, zone: &Zone, faults: &mut MatrixFaults) -> Option<OverrideDraft> {
    let mut table = item.table("an override".into(), faults)?;
    let person = table.demand("person", item.at, "person = \"ana\"", faults).and_then(|item| item.text(faults));
    let from = table.demand("from", item.at, "from = 2026-12-24T08:00:00Z", faults);
    let until = table.demand("until", item.at, "until = 2026-12-26T08:00:00Z", faults);
    table.finish(&[], &[], faults);
    // An hour that comes twice is covered whole, whichever end of the override is in it.
    let from = from.and_then(|item| moment(&item, zone, first_instant, faults));
    let until = until.and_then(|item| moment(&item, zone, last_instant, faults));
    let (person, from, until) = (person?, from?, until?);
    if until.value <= from.value {
        let help = "`until` must be later than `from`";
        if until.value == from.value {
            let zone = zone.name();
            let message =
                format!("this override has no length: it ends as it begins, or the clocks in {zone} skip all of it");
            return faults.refuse("override-ends-before-it-begins", until.at, message, help);
        }
        return faults.refuse("override-ends-before-it-begins", until.at, "this override ends before it begins", help);
    }
    Some(OverrideDraft { person: person.owned(), from: from.value, until: until.value })
}

/// A date, or a date and time; without an offset it is in the rotation's time zone. One that the clocks skip in spring is
/// the end of what they skip; of one that comes twice in autumn, `which` says which.
fn moment(
    item: &TomlItem<'_>,
    zone: &Zone,
    which: fn(&Zone, NaiveDateTime) -> DateTime<Utc>,
    faults: &mut MatrixFaults,
) -> Option<LocatedValue<Timestamp>> {
    let text = item.date("write 2026-12-24T08:00:00Z", faults)?;
    let wall = text
        .parse::<NaiveDateTime>()
        .ok()
        .or_else(|| text.parse::<NaiveDate>().ok().and_then(|date| date.and_hms_opt(0, 0, 0)));
    let local = wall.map(|wall| Timestamp::nearest(&which(zone, wall)));
    let Some(value) = Timestamp::parse(&text).or(local) else {
        let help = "write 2026-12-24T08:00:00Z, or without the Z for the rotation's own time zone";
        return faults.refuse("bad-time", item.at, format!("{text:?} is not a date and time"), help);
    };
    Some(LocatedValue { value, at: item.at })
}
