//! When a scenario runs automatically: by a cron line, or at a random time within given hours, so that nobody knows it
//! in advance.

use crate::core::{Timestamp, Zone, schedule::CronSchedule};
use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use std::{fmt, time::Duration};

/// The shortest interval between random runs.
pub const EVERY_MIN: Duration = Duration::from_secs(24 * 3600);

/// How many days are searched for one with a window.
const DAYS_MAX: u32 = 400;

/// The `schedule` of a scenario.
#[derive(Debug, Clone)]
pub enum ScenarioTimetable {
    /// At the times of a cron line in the local time of a zone.
    Cron {
        /// The line.
        line: Box<CronSchedule>,
        /// The time zone.
        zone: Zone,
    },
    /// Once in each interval, at a random time within the given hours.
    Random {
        /// The hours.
        within: AllowedHours,
        /// The interval.
        every: Duration,
    },
}

impl ScenarioTimetable {
    /// The next time strictly after `after`. `chance` (at least 0 and below 1) places a random time within the
    /// interval: the same chance gives the same time. `None` if the line never matches again or no day has a window.
    pub fn next_after(&self, after: Timestamp, chance: f64) -> Option<Timestamp> {
        match self {
            Self::Cron { line, zone } => line.next_after(zone, after),
            Self::Random { within, every } => random(within, *every, after, chance),
        }
    }
}

/// Scenarios with the same rule are equal, however the rule is written.
impl PartialEq for ScenarioTimetable {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Joins the windows of the interval end to end and moves that far into them: every moment in them is equally likely.
fn random(within: &AllowedHours, every: Duration, after: Timestamp, chance: f64) -> Option<Timestamp> {
    let mut windows = windows(within, after, after + every);
    if windows.is_empty() {
        // The interval lies between two windows: the next window is used.
        windows = self::windows(within, after, after + Duration::from_secs(u64::from(DAYS_MAX) * 24 * 3600));
        windows.truncate(1);
    }
    let all: i64 = windows.iter().map(|(from, until)| until.micros_since(*from)).sum();
    let mut into = (all as f64 * chance.clamp(0.0, 0.999_999)) as i64;
    for (from, until) in windows {
        let long = until.micros_since(from);
        if into < long {
            return Some(Timestamp::from_micros(from.as_micros() + into));
        }
        into -= long;
    }
    None
}

/// The windows between two times, in order. On a day with a change to or from daylight saving time, the window follows
/// local clocks.
fn windows(hours: &AllowedHours, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let first = from.to_utc().with_timezone(&hours.zone).date_naive();
    let mut found = Vec::new();
    // The window of the day before may extend past midnight.
    let mut day = first.pred_opt().unwrap_or(first);
    for _ in 0..DAYS_MAX {
        if hours.days.contains(&day.weekday()) {
            let end = if hours.from < hours.until { day } else { day.succ_opt().unwrap_or(day) };
            let window = (instant(&hours.zone, day, hours.from), instant(&hours.zone, end, hours.until));
            let (begins, ends) = (window.0.max(from), window.1.min(until));
            if until <= window.0 {
                break;
            }
            if begins < ends {
                found.push((begins, ends));
            }
        }
        day = day.succ_opt().unwrap_or(day);
    }
    found
}

/// When clocks in `zone` first show this time; in a gap, when they would have shown it without the change.
fn instant(zone: &Zone, day: NaiveDate, time: NaiveTime) -> Timestamp {
    let wall = day.and_time(time);
    let found = zone.from_local_datetime(&wall).earliest().map(|at| at.with_timezone(&Utc));
    let before = || {
        let earlier = zone.from_local_datetime(&(wall - chrono::Duration::hours(3))).earliest();
        earlier.map(|at| at.with_timezone(&Utc) + chrono::Duration::hours(3))
    };
    Timestamp::nearest(&found.or_else(before).unwrap_or_else(|| wall.and_utc()))
}

/// `Mon-Fri 09:00-17:00`, `Mon,Wed 22:00-02:00`.
pub fn hours(text: &str, zone: Zone) -> Option<AllowedHours> {
    let (days, times) = text.split_once(' ')?;
    let (from, until) = times.trim().split_once('-')?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let mut all = Vec::new();
    for part in days.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (mut day, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
                all.push(day);
                while day != last {
                    day = day.succ();
                    all.push(day);
                }
            }
            None => all.push(part.parse().ok()?),
        }
    }
    let hours = AllowedHours { from: time(from)?, until: time(until)?, days: all, zone };
    (hours.from != hours.until).then_some(hours)
}

impl fmt::Display for ScenarioTimetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron { line, zone } => write!(f, "{line} ({zone})"),
            Self::Random { within, every } => {
                let days: Vec<String> = within.days.iter().map(ToString::to_string).collect();
                let (from, until) = (within.from.format("%H:%M"), within.until.format("%H:%M"));
                let every = humantime::format_duration(*every);
                write!(f, "once in {every}, {} {from}-{until} ({})", days.join(","), within.zone)
            }
        }
    }
}

/// The hours when a drill may run live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHours {
    /// The start time of day.
    pub from: NaiveTime,
    /// The end time of day (exclusive); if it is before `from`, it is on the next day.
    pub until: NaiveTime,
    /// The weekdays on which a window begins; never empty.
    pub days: Vec<Weekday>,
    /// The time zone.
    pub zone: Zone,
}

impl AllowedHours {
    /// Whether a drill may run at this moment.
    pub fn cover(&self, at: Timestamp) -> bool {
        let local = at.to_utc().with_timezone(&self.zone);
        let (time, day) = (local.time(), local.weekday());
        if self.from < self.until {
            return self.days.contains(&day) && self.from <= time && time < self.until;
        }
        // Past midnight, the weekday is the one on which the window began.
        (self.days.contains(&day) && self.from <= time) || (self.days.contains(&day.pred()) && time < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        crate::core::Zones::bundled().get("Europe/Berlin").expect("a zone")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn random_in(text: &str, every: u64) -> ScenarioTimetable {
        let within = hours(text, berlin()).expect("hours");
        ScenarioTimetable::Random { within, every: Duration::from_secs(every * 24 * 3600) }
    }

    #[test]
    fn a_random_moment_lies_in_its_hours_whatever_the_chance() {
        let (table, start) = (random_in("Mon-Fri 09:00-17:00", 30), at("2026-03-20T16:30:00Z"));
        let hours = hours("Mon-Fri 09:00-17:00", berlin()).expect("hours");
        let mut seen = Vec::new();
        for n in 0..200 {
            let next = table.next_after(start, f64::from(n) / 200.0).expect("a moment");
            assert!(hours.cover(next), "{next}");
            assert!(start < next && next < start + Duration::from_secs(30 * 24 * 3600), "{next}");
            seen.push(next);
        }
        assert!(seen.is_sorted() && seen[0] < seen[199]);
    }

    #[test]
    fn a_window_over_the_spring_gap_ends_where_clocks_say() {
        let hours = hours("Sun 01:00-04:00", berlin()).expect("hours");
        let found = windows(&hours, at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"));
        assert_eq!(found, [(at("2026-03-29T00:00:00Z"), at("2026-03-29T02:00:00Z"))]);
    }

    #[test]
    fn a_span_between_two_windows_takes_the_next() {
        let table = random_in("Mon 09:00-10:00", 1);
        let next = table.next_after(at("2026-11-24T12:00:00Z"), 0.5).expect("a moment");
        assert_eq!(next, at("2026-11-30T08:30:00Z"));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in ["", "Mon", "Mon 9-17", "Mon-Xyz 09:00-17:00", "Mon 09:00-09:00"] {
            assert!(hours(text, Zone::utc()).is_none(), "{text:?}");
        }
    }
}
