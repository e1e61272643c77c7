//! Reads `[person.NAME]` and `[rotation.NAME]`.

use crate::{
    channel::{keys::is_phone_number, kind::ContactField, smtp::mailbox::mailbox},
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
use toml::de::DeValue;

/// The most hand-overs that one turn may last.
const TURN_MAX: u32 = 366;

/// The value in place of a Slack member id if Slack itself must be asked for it.
const BY_EMAIL: &str = "by-email";

pub(super) fn person(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    zones: &Zones,
    faults: &mut MatrixFaults,
) -> PersonDraft {
    let name = table.demand("name", at, "name = \"Ana Ruiz\"", faults).and_then(|item| item.text(faults));
    let given = [table.take("email"), table.take("phone"), table.take("slack"), table.take("telegram")];
    let email = given[0].and_then(|item| mailbox(&item, faults));
    let phone = given[1].and_then(|item| phone(&item, faults));
    let by_email = given[2].is_some_and(|item| matches!(item.value, DeValue::String(text) if text == BY_EMAIL));
    if by_email
        && given[0].is_none()
        && let Some(item) = given[2]
    {
        let help = "add `email`, or write the member id";
        faults.error("missing-key", item.at, "to be found in Slack by e-mail takes an e-mail address", help);
    }
    let slack = given[2].filter(|_| !by_email).and_then(|item| slack(&item, faults));
    let telegram = given[3].and_then(|item| telegram(&item, faults));
    let zone = table.take("timezone").and_then(|item| zone(&item, zones, faults));
    let unix = table.take("unix").and_then(|item| item.text(faults));
    table.finish(&["calendar", "quiet"], &[], faults);
    let [phone, slack, unix] = [phone, slack, unix].map(|text| text.map(LocatedValue::owned));
    let person = Person {
        name: name.map_or_else(String::new, |name| name.value.to_owned()),
        email,
        phone: phone.as_ref().map(|phone| phone.value.clone()),
        slack_by_email: by_email,
        slack: slack.as_ref().map(|slack| slack.value.clone()),
        telegram: telegram.as_ref().map(|chat| chat.value),
        zone: zone.unwrap_or_else(Zone::utc),
        unix: unix.as_ref().map(|unix| unix.value.clone()),
    };
    let data = [ContactField::Email, ContactField::Phone, ContactField::Slack, ContactField::Telegram];
    let known = data.into_iter().zip(given).filter(|(_, given)| given.is_some()).map(|(datum, _)| datum);
    let known = known.chain([ContactField::Nothing]).collect();
    let telegram = telegram.map(|chat| LocatedValue { value: chat.value.to_string(), at: chat.at });
    let unique = [("phone", phone), ("slack", slack), ("telegram", telegram), ("unix", unix)];
    let unique = unique.into_iter().filter_map(|(key, text)| Some((key, text?))).collect();
    PersonDraft { person, known, unique }
}

pub(super) fn rotation(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    zones: &Zones,
    faults: &mut MatrixFaults,
) -> RotationDraft {
    let people = table.demand("people", at, "people = [\"ana\", \"bo\"]", faults).and_then(|item| item.texts(faults));
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

fn phone<'a>(item: &TomlItem<'a>, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
    let text = item.text(faults)?;
    if is_phone_number(text.value) {
        return Some(text);
    }
    let message = format!("{:?} is no international phone number", text.value);
    let help = "write a plus, the country and the number, digits only: \"+447700900001\"";
    faults.refuse("bad-phone", text.at, message, help)
}

fn slack<'a>(item: &TomlItem<'a>, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
    let text = item.text(faults)?;
    let tail = text.value.strip_prefix(['U', 'W']).unwrap_or_default();
    if !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return Some(text);
    }
    let message = format!("{:?} is no Slack member id", text.value);
    let help = "in Slack: profile, three dots, \"Copy member ID\", it looks like U0123ABCD; or write \"by-email\"";
    faults.refuse("bad-slack-id", text.at, message, help)
}

/// The id of a private chat is its user's own, which is positive; groups are negative.
fn telegram(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<LocatedValue<i64>> {
    let chat = match item.value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', "").parse::<i64>().ok(),
        _ => None,
    };
    if let Some(value) = chat.filter(|chat| 0 < *chat) {
        return Some(LocatedValue { value, at: item.at });
    }
    let help = "write /start to the bot in Telegram: it answers with your chat id; then write telegram = 123456789";
    faults.refuse("bad-telegram-id", item.at, "this is no id of a person's chat in Telegram", help)
}

fn schedule(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<CronSchedule> {
    let text = item.text(faults)?;
    let schedule: CronSchedule = match text.value.parse() {
        Ok(schedule) => schedule,
        Err(error) => {
            let message = match &error {
                ScheduleError::Fields(_) | ScheduleError::WeekdayDigit => error.to_string(),
                ScheduleError::Syntax(_) => format!("{:?} is no hand-over time", text.value),
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
                let help = "there is no such day: mend the date";
                return faults.refuse("bad-cron", text.at, "this hand-over never comes", help);
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
    Some(schedule)
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
        let help = "write 2026-12-24T08:00:00Z, or without the Z for the rotation's own clock";
        return faults.refuse("bad-time", item.at, format!("{text:?} is no date and time"), help);
    };
    Some(LocatedValue { value, at: item.at })
}
