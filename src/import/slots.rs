//! A schedule becomes rotations: cron lines at which its shifts change hands, and who has each of the slots between them.

use super::{
    draft::RotationDraft,
    report::{FindingKind, ImportReport},
    schedule::{DAY, ForeignSchedule, WEEK, lcm},
};
use crate::core::{
    Timestamp,
    oncall::Rotation,
    schedule::{CronSchedule, first_instant},
};
use chrono::{Datelike, Days, Duration, NaiveDateTime, NaiveTime, Timelike};
use std::collections::BTreeSet;

/// The longest time after which a schedule begins anew.
const PERIOD_MAX: i64 = 2 * 366 * DAY;

/// The most turns of one rotation.
const TURNS_MAX: usize = 500;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A slot: when it begins, and who has it.
type Slot = (NaiveDateTime, Vec<String>);

/// Makes the rotations of a schedule, with names from `name`; the error says why it can not be said in a matrix.
pub fn rotations(
    schedule: &ForeignSchedule,
    now: Timestamp,
    report: &mut ImportReport,
    mut name: impl FnMut(usize, &mut ImportReport) -> String,
) -> Result<Vec<RotationDraft>, String> {
    let base = monday_after(schedule.clock(now));
    let period = schedule.shifts.iter().fold(DAY, |period, shift| lcm(period, shift.period()));
    if PERIOD_MAX < period {
        return Err("it begins anew only after more than two years".into());
    }
    let edges: BTreeSet<NaiveDateTime> =
        schedule.shifts.iter().flat_map(|shift| shift.edges(base, lcm(period, WEEK))).collect();
    let handoff = CronSlots::of(&edges)?;
    let mut slots = handoff.slots(base, lcm(period, handoff.period()), schedule);
    fill_gaps(&mut slots, schedule, report)?;
    let most = slots.iter().map(|(_, people)| people.len()).max().unwrap_or_default();
    let cron: CronSchedule = handoff.line().parse().map_err(|error| format!("{}: {error}", handoff.line()))?;
    let mut rotations = Vec::new();
    for column in 0..most {
        // Who has a slot alone is asked once, whatever rotations name them.
        let turns = slots.iter().map(|(_, people)| people.get(column).unwrap_or(&people[0]).clone());
        let turns = shortest(turns.collect());
        if TURNS_MAX < turns.len() {
            return Err(format!("it would need {} turns, and a rotation has at most {TURNS_MAX}", turns.len()));
        }
        let people = aligned(&turns, &cron, schedule, slots[0].0, now);
        rotations.push(RotationDraft {
            key: name(column, report),
            people,
            handoff: handoff.line(),
            timezone: schedule.zone.name().to_owned(),
            // Where several people are on call, an override asks its person alone: each is asked once.
            overrides: schedule.overrides.clone(),
        });
    }
    Ok(rotations)
}

fn monday_after(now: NaiveDateTime) -> NaiveDateTime {
    let days = 7 - u64::from(now.weekday().num_days_from_monday());
    let monday = now.date().checked_add_days(Days::new(days)).unwrap_or(now.date());
    monday.and_time(NaiveTime::MIN)
}

/// Somebody always is on call in a rotation: where nobody is, whoever comes next is.
fn fill_gaps(slots: &mut [Slot], schedule: &ForeignSchedule, report: &mut ImportReport) -> Result<(), String> {
    let gaps = slots.iter().filter(|(_, people)| people.is_empty()).count();
    if gaps == slots.len() {
        return Err("nobody is ever on call".into());
    }
    if gaps != 0 {
        let why = "at some times nobody is on call. A rotation always has somebody: there, whoever comes next";
        report.found(FindingKind::Changed, &schedule.of, why);
    }
    let count = slots.len();
    for n in (0..2 * count).rev() {
        if slots[n % count].1.is_empty() {
            slots[n % count].1 = slots[(n + 1) % count].1.iter().take(1).cloned().collect();
        }
    }
    Ok(())
}

/// The hand-overs of a cron line.
struct CronSlots {
    minute: u32,
    hours: BTreeSet<u32>,
    days: BTreeSet<u32>,
}

impl CronSlots {
    fn of(edges: &BTreeSet<NaiveDateTime>) -> Result<Self, String> {
        if edges.iter().any(|at| at.second() != 0) {
            return Err("its shifts change within a minute".into());
        }
        let minutes: BTreeSet<u32> = edges.iter().map(Timelike::minute).collect();
        if 1 < minutes.len() {
            return Err("its shifts change at different minutes of the hour, which one cron line can not say".into());
        }
        let hours: BTreeSet<u32> = edges.iter().map(Timelike::hour).collect();
        let days: BTreeSet<u32> = edges.iter().map(|at| at.weekday().num_days_from_monday()).collect();
        Ok(Self {
            minute: minutes.first().copied().unwrap_or_default(),
            hours: if hours.is_empty() { BTreeSet::from([0]) } else { hours },
            days: if days.is_empty() { BTreeSet::from([0]) } else { days },
        })
    }

    fn line(&self) -> String {
        let list = |numbers: &BTreeSet<u32>| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let days: Vec<&str> = self.days.iter().map(|day| WEEKDAYS[*day as usize]).collect();
        let days = if days.len() == 7 { "*".to_owned() } else { days.join(",") };
        let hours = if self.hours.len() == 24 { "*".to_owned() } else { list(&self.hours) };
        format!("{} {hours} * * {days}", self.minute)
    }

    fn period(&self) -> i64 {
        if self.days.len() == 7 { DAY } else { WEEK }
    }

    fn slots(&self, base: NaiveDateTime, lasts: i64, schedule: &ForeignSchedule) -> Vec<Slot> {
        let mut slots = Vec::new();
        for day in 0..lasts / DAY {
            let midnight = base + Duration::days(day);
            if !self.days.contains(&midnight.weekday().num_days_from_monday()) {
                continue;
            }
            for hour in &self.hours {
                let at = midnight + Duration::minutes(i64::from(hour * 60 + self.minute));
                slots.push((at, schedule.by_rules(at)));
            }
        }
        slots
    }
}

/// The shortest list that says the same when it begins anew.
fn shortest(turns: Vec<String>) -> Vec<String> {
    let len = turns.len();
    let begins_anew =
        |size: &usize| len.is_multiple_of(*size) && turns.iter().enumerate().all(|(n, turn)| *turn == turns[n % size]);
    let size = (1..=len).find(begins_anew).unwrap_or(len);
    turns.into_iter().take(size).collect()
}

/// The list turned so that its first entry has the slot that begins at `first`: turns are counted from a fixed day.
fn aligned(
    turns: &[String],
    cron: &CronSchedule,
    schedule: &ForeignSchedule,
    first: NaiveDateTime,
    now: Timestamp,
) -> Vec<String> {
    let numbers = (0..turns.len()).map(|n| n.to_string().into()).collect();
    let counted = Rotation::new(numbers, cron.clone(), schedule.zone.clone(), Vec::new(), now);
    let instant = Timestamp::nearest(&first_instant(&schedule.zone, first));
    let place = counted.on_call(instant).and_then(|number| number.as_str().parse().ok()).unwrap_or(0_usize);
    (0..turns.len()).map(|n| turns[(n + turns.len() - place) % turns.len()].clone()).collect()
}
