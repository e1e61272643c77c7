//! Cron lines in the local time of a time zone. Corrects the cron crate around changes to and from daylight saving
//! time.
//!
//! A line is matched against local times, and each local time maps to one instant: in the autumn overlap to its first
//! occurrence, in the spring gap to the first instant after the gap. That mapping never decreases, so neither do
//! [`CronSchedule::matches_after`]; the crate's own iterator does. Several local times may map to the end of one gap.

use super::{time::Timestamp, zone::Zone};
use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use std::{fmt, str::FromStr};

/// A five-field cron line: minute, hour, day of month, month, day of week (by name).
#[derive(Clone)]
pub struct CronSchedule {
    line: String,
    cron: cron::Schedule,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error("a cron line has five fields (minute hour day month weekday), not {0}")]
    Fields(usize),
    /// A digit in the fifth field.
    #[error("days of the week go by name (Mon, Tue-Fri): digits mean different days in different programs")]
    WeekdayDigit,
    /// The crate cannot parse it.
    #[error("{0}")]
    Syntax(String),
}

impl FromStr for CronSchedule {
    type Err = ScheduleError;

    fn from_str(line: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, _, weekday] = fields[..] else {
            return Err(ScheduleError::Fields(fields.len()));
        };
        // A digit after a slash is a step, not a day.
        let days = weekday.split(',').map(|part| part.split('/').next().unwrap_or(part));
        if days.into_iter().any(|day| day.contains(|c: char| c.is_ascii_digit())) {
            return Err(ScheduleError::WeekdayDigit);
        }
        let cron = cron::Schedule::from_str(&format!("0 {}", fields.join(" ")))
            .map_err(|error| ScheduleError::Syntax(error.to_string()))?;
        Ok(Self { line: line.to_owned(), cron })
    }
}

impl CronSchedule {
    /// Whether the line names both a day of the month and a day of the week: here both must match, in other programs one
    /// of them is enough.
    pub fn names_day_and_weekday(&self) -> bool {
        let fields: Vec<&str> = self.line.split_whitespace().collect();
        let named = |at: usize| fields.get(at).is_some_and(|field| !matches!(*field, "*" | "?"));
        named(2) && named(4)
    }

    /// The first time strictly after `after`; `None` if the line never matches again (years end at 2100).
    pub fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        self.matches_after(zone, after).next()
    }

    /// The instants of all matching local times, strictly after `after`, in order. One that several local times map to
    /// comes as often: in spring, those that the clocks skip and the one at the end of the gap.
    pub fn matches_after<'a>(&'a self, zone: &'a Zone, after: Timestamp) -> impl Iterator<Item = Timestamp> + 'a {
        let wall = after.to_utc().with_timezone(zone).naive_local();
        // Three hours back is longer than any overlap so far, so that its first occurrence is not missed.
        let from = Utc.from_utc_datetime(&(wall - Duration::hours(3)));
        let matches = self.cron.after_owned(from);
        let instants = matches.map(|match_| Timestamp::nearest(&first_instant(zone, match_.naive_utc())));
        instants.skip_while(move |instant| *instant <= after)
    }

    /// The first instant in [`DOUBLED_DAYS`] after `after` on which several matching local times fall.
    pub fn doubled_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let day = |n: i64| after.to_utc() + Duration::days(n);
        (0..DOUBLED_DAYS).find_map(|n| {
            let (before, past) = (offset(zone, day(n)), offset(zone, day(n + 1)));
            if past <= before {
                return None;
            }
            let end = change(zone, day(n), day(n + 1));
            let [gap, over] = [before, past].map(|offset| end + Duration::seconds(i64::from(offset)));
            let matches = self.cron.after_owned(gap - Duration::seconds(1)).take_while(|match_| *match_ <= over);
            (1 < matches.take(2).count()).then(|| Timestamp::nearest(&end))
        })
    }
}

/// How many days [`CronSchedule::doubled_after`] looks ahead: over a year, so that each change of the clocks is seen.
const DOUBLED_DAYS: i64 = 400;

/// The first instant at which clocks in `zone` show `wall`, or the first one after the gap that contains it.
pub fn first_instant(zone: &Zone, wall: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
        LocalResult::None => end_of_gap(zone, wall),
    }
}

/// The last instant at which clocks in `zone` show `wall`, or the first one after the gap that contains it.
pub fn last_instant(zone: &Zone, wall: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(_, instant) => instant.with_timezone(&Utc),
        LocalResult::None => end_of_gap(zone, wall),
    }
}

/// No zone has two changes within a day.
fn end_of_gap(zone: &Zone, wall: NaiveDateTime) -> DateTime<Utc> {
    change(zone, wall.and_utc() - Duration::hours(26), wall.and_utc() + Duration::hours(26))
}

/// The change of the offset between two instants, found by bisection.
fn change(zone: &Zone, mut low: DateTime<Utc>, mut high: DateTime<Utc>) -> DateTime<Utc> {
    let before = offset(zone, low);
    while Duration::seconds(1) < high - low {
        let middle = low + Duration::seconds((high - low).num_seconds() / 2);
        if offset(zone, middle) == before { low = middle } else { high = middle }
    }
    high
}

/// The offset from UTC, in seconds.
fn offset(zone: &Zone, at: DateTime<Utc>) -> i32 {
    chrono::Offset::fix(&zone.offset_from_utc_datetime(&at.naive_utc())).local_minus_utc()
}

impl fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.line)
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({:?})", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Zones;

    fn zone(name: &str) -> Zone {
        Zones::bundled().get(name).expect("a zone")
    }

    fn check(line: &str, zone_name: &str, after: &str, expected: &[&str]) {
        let schedule: CronSchedule = line.parse().expect("a good line");
        let zone = zone(zone_name);
        let mut at = Timestamp::parse(after).expect("a time");
        for wanted in expected {
            at = schedule.next_after(&zone, at).expect("one more");
            assert_eq!(at, Timestamp::parse(wanted).expect("a time"), "{line} in {zone}");
        }
    }

    #[test]
    fn a_time_in_the_spring_gap_runs_at_the_end_of_the_gap() {
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T00:00:00Z",
            &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
    }

    /// How often each instant comes within one day.
    fn matches(line: &str, zone_name: &str, day: &str) -> Vec<String> {
        let schedule: CronSchedule = line.parse().expect("a good line");
        let (zone, from) = (zone(zone_name), Timestamp::parse(day).expect("a time"));
        let until = from + std::time::Duration::from_secs(86_400);
        schedule.matches_after(&zone, from).take_while(|at| *at <= until).map(|at| at.to_string()).collect()
    }

    #[test]
    fn local_times_that_fall_on_one_instant_are_all_there() {
        let times = |texts: &[&str]| -> Vec<String> {
            texts.iter().map(|text| Timestamp::parse(text).expect("a time").to_string()).collect()
        };
        let one = "2026-03-29T01:00:00Z";
        assert_eq!(matches("0 2,3 * * *", "Europe/Madrid", "2026-03-28T12:00:00Z"), times(&[one, one]));
        let two = ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"];
        assert_eq!(matches("0 2,3 * * *", "Europe/Madrid", "2026-10-24T12:00:00Z"), times(&two));
    }

    #[test]
    fn a_line_is_doubled_where_clocks_skip_two_of_its_times() {
        for (line, name, doubled) in [
            ("0 2,3 * * *", "Europe/Madrid", Some("2027-03-28T01:00:00Z")),
            ("0,30 2 * * *", "Europe/Madrid", Some("2027-03-28T01:00:00Z")),
            ("0 1,2 * * *", "Europe/Madrid", None),
            ("0 3,4 * * *", "Europe/Madrid", None),
            ("0 2,3 * * Mon", "Europe/Madrid", None),
            ("0 2,3 * * *", "America/New_York", Some("2027-03-14T07:00:00Z")),
            ("0 1,2 * * *", "Europe/London", Some("2027-03-28T01:00:00Z")),
            // Half an hour.
            ("0,30 2 * * *", "Australia/Lord_Howe", Some("2027-10-02T15:30:00Z")),
            ("0 2,3 * * *", "Australia/Lord_Howe", None),
            // Midnight is skipped.
            ("0 0,1 * * *", "Africa/Cairo", Some("2027-04-29T22:00:00Z")),
            ("0 2,3 * * *", "Asia/Tokyo", None),
            ("0 2,3 * * *", "UTC", None),
        ] {
            let schedule: CronSchedule = line.parse().expect("a good line");
            let after = Timestamp::parse("2026-11-30T00:00:00Z").expect("a time");
            let found = schedule.doubled_after(&zone(name), after);
            assert_eq!(found, doubled.map(|at| Timestamp::parse(at).expect("a time")), "{line} in {name}");
        }
    }

    #[test]
    fn a_time_in_the_autumn_fold_runs_once() {
        check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn a_time_after_the_fold_is_never_in_the_past() {
        check("0 8 * * Mon", "Europe/London", "2026-10-25T01:05:00Z", &["2026-10-26T08:00:00Z"]);
    }

    #[test]
    fn next_is_strictly_later_from_every_minute_of_a_year_in_odd_zones() {
        let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"].map(zone);
        for zone in zones {
            for line in ["30 2 * * *", "0 1,2,3 * * Sun", "15 */6 * * *"] {
                let schedule: CronSchedule = line.parse().expect("a good line");
                let mut at = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
                let end = Timestamp::parse("2027-01-01T00:00:00Z").expect("a time");
                while at < end {
                    let next = schedule.next_after(&zone, at).expect("one more");
                    assert!(at < next, "{line} in {zone} at {at}");
                    at = at + std::time::Duration::from_secs(53 * 60);
                }
            }
        }
    }

    #[test]
    fn digits_for_weekdays_are_refused() {
        assert_eq!("0 8 * * 1-5".parse::<CronSchedule>().err(), Some(ScheduleError::WeekdayDigit));
        assert_eq!("0 8 * * Mon-Fri".parse::<CronSchedule>().err(), None);
        assert_eq!("0 0 8 * * Mon".parse::<CronSchedule>().err(), Some(ScheduleError::Fields(6)));
    }
}
