//! Who is on call by the new matrix is compared with what the export says, for sixty days across a change of the clocks.

use super::{
    report::{ComparedSchedule, ComparedWith, ImportReport, OnCallDifference},
    schedule::{DAY, ForeignSchedule},
};
use crate::core::{
    Timestamp,
    names::RotationName,
    oncall::Roster,
    plan::StepTarget,
    schedule::{CronSchedule, first_instant},
};
use chrono::{Duration, Offset, TimeZone};
use std::{collections::BTreeSet, time::Duration as Span};

/// How long is compared.
const COMPARED: Span = Span::from_secs(60 * 24 * 3600);

/// How far ahead a change of the clocks is looked for, in days.
const CLOCKS_WITHIN: i64 = 400;

/// The most differences of one schedule that are told.
const DIFFERENCES_MAX: usize = 50;

/// Compares a schedule with the rotations that it became.
pub fn compare(schedule: &ForeignSchedule, roster: &Roster, now: Timestamp, report: &mut ImportReport) {
    if schedule.rotations.is_empty() {
        return;
    }
    let rules = rules_window(schedule, now);
    let mut compared = vec![(ComparedWith::Rules, rules)];
    if let (Some(first), Some(last)) = (schedule.listed.first(), schedule.listed.iter().map(|shift| shift.until).max())
    {
        compared.insert(0, (ComparedWith::ListedShifts, (first.from, last.min(first.from + COMPARED))));
    }
    for (with, (from, until)) in compared {
        let mut differences = differences(schedule, roster, with, (from, until));
        let left_out = differences.len().saturating_sub(DIFFERENCES_MAX);
        differences.truncate(DIFFERENCES_MAX);
        report.compared.push(ComparedSchedule {
            schedule: schedule.of.clone(),
            with,
            from,
            until,
            differences,
            left_out,
        });
    }
}

/// Sixty days around the next change of the clocks, or the next sixty.
fn rules_window(schedule: &ForeignSchedule, now: Timestamp) -> (Timestamp, Timestamp) {
    let offset = |day: i64| {
        let at = now.to_utc() + Duration::days(day);
        schedule.zone.offset_from_utc_datetime(&at.naive_utc()).fix()
    };
    let change = (1..CLOCKS_WITHIN).find(|day| offset(*day) != offset(0));
    let days = u64::try_from(change.unwrap_or_default()).unwrap_or_default();
    let from = now + Span::from_secs(days.saturating_sub(30) * 24 * 3600);
    (from, from + COMPARED)
}

fn differences(
    schedule: &ForeignSchedule,
    roster: &Roster,
    with: ComparedWith,
    (from, until): (Timestamp, Timestamp),
) -> Vec<OnCallDifference> {
    let whom: Vec<StepTarget> =
        schedule.rotations.iter().map(|name| StepTarget::Rotation(RotationName::from(name.as_str()))).collect();
    let names = |people: BTreeSet<String>| people.into_iter().collect::<Vec<_>>();
    let mut edges = edges(schedule, (from, until));
    edges.insert(from);
    let ends = edges.iter().copied().skip(1).chain([until]);
    let mut found: Vec<OnCallDifference> = Vec::new();
    for (at, next) in edges.iter().copied().zip(ends) {
        let matrix = names(roster.resolve(&whom, at).iter().map(ToString::to_string).collect());
        let export = match with {
            ComparedWith::Rules => names(schedule.on_call(at).into_iter().collect()),
            ComparedWith::ListedShifts => {
                let listed = schedule.listed.iter().filter(|shift| shift.from <= at && at < shift.until);
                names(listed.map(|shift| shift.person.clone()).collect())
            }
        };
        if matrix == export || next <= at {
            continue;
        }
        match found.last_mut().filter(|last| last.until == at && last.export == export && last.matrix == matrix) {
            Some(last) => last.until = next,
            None => found.push(OnCallDifference { from: at, until: next, export, matrix }),
        }
    }
    found
}

/// The instants within a time at which either side may change.
fn edges(schedule: &ForeignSchedule, (from, until): (Timestamp, Timestamp)) -> BTreeSet<Timestamp> {
    let mut edges: BTreeSet<Timestamp> = schedule.listed.iter().flat_map(|shift| [shift.from, shift.until]).collect();
    edges.extend(schedule.overrides.iter().flat_map(|over| [over.from, over.until]));
    let (first, last) = (schedule.clock(from) - Duration::days(1), schedule.clock(until));
    let lasts = (last - first).num_seconds() + DAY;
    let civil = schedule.shifts.iter().flat_map(|shift| shift.edges(first, lasts));
    edges.extend(civil.map(|at| Timestamp::nearest(&first_instant(&schedule.zone, at))));
    if let Ok(cron) = schedule.handoff.parse::<CronSchedule>() {
        edges.extend(cron.matches_after(&schedule.zone, from).take_while(|at| *at < until));
    }
    edges.retain(|at| from <= *at && *at < until);
    edges
}
