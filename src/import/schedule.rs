//! An on-call schedule as other tools have it: shifts that come again on the clock of a time zone, who takes turns in them,
//! and what was listed of it.

use super::draft::OverrideDraft;
use crate::core::{Timestamp, zone::Zone};
use chrono::{Datelike, Duration, NaiveDateTime, NaiveTime, Timelike};

/// Seconds of a day and of a week.
pub const DAY: i64 = 86_400;
pub const WEEK: i64 = 7 * DAY;

/// A schedule.
#[derive(Debug, Clone)]
pub struct ForeignSchedule {
    /// What it is called, with its id.
    pub of: String,
    pub zone: Zone,
    /// Its shifts, those of the highest level first.
    pub shifts: Vec<Shift>,
    pub overrides: Vec<OverrideDraft>,
    /// The shifts that the export lists, by their beginnings.
    pub listed: Vec<ListedShift>,
    /// The cron line of the rotations that it became.
    pub handoff: String,
    /// These rotations.
    pub rotations: Vec<String>,
}

/// People who take turns.
#[derive(Debug, Clone)]
pub struct Shift {
    /// Who, in the order of their turns: keys of people. Nobody where it is empty.
    pub groups: Vec<Vec<String>>,
    /// When the first of them began, on the clock of the zone.
    pub start: NaiveDateTime,
    /// How long a turn is, in seconds on that clock.
    pub turn: i64,
    /// The first level that has somebody covers those that follow; within one level all are on call.
    pub level: usize,
    /// When it is somebody's at all; always where it is empty.
    pub windows: Vec<Window>,
}

/// A time that comes every day, or on one day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The day of the week, Monday is 0; every day without one.
    pub day: Option<u32>,
    /// When it begins, in seconds of the day.
    pub from: i64,
    /// How long it lasts, in seconds.
    pub lasts: i64,
}

/// A shift that was listed.
#[derive(Debug, Clone)]
pub struct ListedShift {
    pub from: Timestamp,
    pub until: Timestamp,
    pub person: String,
}

impl ForeignSchedule {
    /// Who is on call at a time on the schedule's clock, without overrides.
    pub fn by_rules(&self, at: NaiveDateTime) -> Vec<String> {
        let mut people: Vec<String> = Vec::new();
        let mut level = None;
        for shift in &self.shifts {
            if level != Some(shift.level) && !people.is_empty() {
                break;
            }
            level = Some(shift.level);
            for person in shift.at(at) {
                if !people.contains(person) {
                    people.push(person.clone());
                }
            }
        }
        people
    }

    /// Who is on call at an instant.
    pub fn on_call(&self, at: Timestamp) -> Vec<String> {
        let over = self.overrides.iter().rev().find(|over| over.from <= at && at < over.until);
        over.map_or_else(|| self.by_rules(self.clock(at)), |over| vec![over.person.clone()])
    }

    /// What the schedule's clock shows.
    pub fn clock(&self, at: Timestamp) -> NaiveDateTime {
        at.to_utc().with_timezone(&self.zone).naive_local()
    }
}

impl Shift {
    /// Who has it at a time on the clock.
    pub fn at(&self, at: NaiveDateTime) -> &[String] {
        let is_within = self.windows.is_empty() || self.windows.iter().any(|window| window.covers(at));
        let turns = (at - self.start).num_seconds().div_euclid(self.turn.max(1));
        let len = i64::try_from(self.groups.len()).unwrap_or(i64::MAX).max(1);
        let group = usize::try_from(turns.rem_euclid(len)).unwrap_or_default();
        self.groups.get(group).filter(|_| is_within).map_or(&[], Vec::as_slice)
    }

    /// When something of it comes again as it was, in seconds.
    pub fn period(&self) -> i64 {
        let turns = self.turn.saturating_mul(i64::try_from(self.groups.len()).unwrap_or(i64::MAX));
        let windows = match self.windows.iter().any(|window| window.day.is_some()) {
            true => WEEK,
            false => DAY,
        };
        lcm(if 1 < self.groups.len() { turns } else { DAY }, windows)
    }

    /// The times within `[from, from + lasts)` at which it may change hands.
    pub fn edges(&self, from: NaiveDateTime, lasts: i64) -> Vec<NaiveDateTime> {
        let (mut edges, until) = (Vec::new(), from + Duration::seconds(lasts));
        if 1 < self.groups.len() {
            let turn = self.turn.max(1);
            let first = (from - self.start).num_seconds().div_euclid(turn);
            let turns = (first..).map(|n| self.start + Duration::seconds(n.saturating_mul(turn)));
            edges.extend(turns.skip_while(|at| *at < from).take_while(|at| *at < until));
        }
        // A window of the day before may end within.
        for day in -8..=lasts / DAY {
            let midnight = from.date().and_time(NaiveTime::MIN) + Duration::days(day);
            let own = |window: &&Window| window.day.is_none_or(|day| day == midnight.weekday().num_days_from_monday());
            for window in self.windows.iter().filter(own) {
                let begins = midnight + Duration::seconds(window.from);
                edges.extend([begins, begins + Duration::seconds(window.lasts)]);
            }
        }
        edges.retain(|at| from <= *at && *at < until);
        edges
    }
}

impl Window {
    fn covers(&self, at: NaiveDateTime) -> bool {
        let of_day = i64::from(at.num_seconds_from_midnight());
        let (now, begins, whole) = match self.day {
            Some(day) => {
                (i64::from(at.weekday().num_days_from_monday()) * DAY + of_day, i64::from(day) * DAY + self.from, WEEK)
            }
            None => (of_day, self.from, DAY),
        };
        (now - begins).rem_euclid(whole) < self.lasts
    }
}

/// The least common multiple of two lengths, which are at least 1.
pub fn lcm(a: i64, b: i64) -> i64 {
    let (a, b) = (a.max(1), b.max(1));
    let (mut greater, mut less) = (a, b);
    while less != 0 {
        (greater, less) = (less, greater % less);
    }
    (a / greater).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().expect("a time")
    }

    #[test]
    fn turns_and_windows_are_on_the_clock() {
        let groups = vec![vec!["ana".to_owned()], vec!["bo".to_owned()]];
        let nights = Window { day: None, from: 20 * 3600, lasts: 12 * 3600 };
        let shift = Shift { groups, start: at("2026-11-02T08:00:00"), turn: WEEK, level: 0, windows: vec![nights] };
        let has = |text: &str| shift.at(at(text)).first().map_or("nobody", String::as_str);
        assert_eq!(
            ["2026-11-03T21:00:00", "2026-11-03T07:59:59", "2026-11-03T08:00:00"].map(has),
            ["ana", "ana", "nobody"]
        );
        assert_eq!(has("2026-11-09T20:00:00"), "bo");
        assert_eq!(has("2026-10-27T20:00:00"), "bo", "before its start it was as it is after");
        let weekend = Window { day: Some(5), from: 0, lasts: 2 * DAY };
        assert!(weekend.covers(at("2026-11-08T23:59:59")) && !weekend.covers(at("2026-11-09T00:00:00")));
        assert_eq!(lcm(3 * DAY, WEEK), 21 * DAY);
    }
}
