//! When somebody is there: days of the week with times, in the local time of a zone.

use super::{schedule::first_instant, time::Timestamp, zone::Zone};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use std::str::FromStr;

/// Days with times, such as `Mon-Fri 09:00-17:30`, in the local time of a zone.
#[derive(Debug, Clone)]
pub struct OpeningHours {
    spans: Vec<OpeningSpan>,
    zone: Zone,
}

/// The same times on several days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningSpan {
    days: Vec<Weekday>,
    from: NaiveTime,
    /// Exclusive; `None` is the end of the day.
    until: Option<NaiveTime>,
}

/// A text that is not such a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hours are days and times, like \"Mon-Fri 09:00-17:30\" or \"Sat,Sun 10:00-24:00\", not {0:?}")]
pub struct UnknownHours(String);

impl OpeningHours {
    /// These spans, in the local time of a zone.
    pub fn new(spans: Vec<OpeningSpan>, zone: Zone) -> Self {
        Self { spans, zone }
    }

    /// Whether somebody is there at this time.
    pub fn are_open(&self, now: Timestamp) -> bool {
        let wall = now.to_utc().with_timezone(&self.zone).naive_local();
        self.spans.iter().any(|span| span.covers(wall))
    }

    /// When somebody is there next, if nobody is now; within eight days.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_utc().with_timezone(&self.zone).date_naive();
        let days = (0..=8).filter_map(|n| today.checked_add_days(Days::new(n)));
        let starts = days.flat_map(|day| self.spans.iter().filter_map(move |span| span.start_on(day)));
        let starts = starts.map(|wall| Timestamp::nearest(&first_instant(&self.zone, wall)));
        starts.filter(|at| now < *at).min()
    }

    /// The zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }
}

impl OpeningSpan {
    fn covers(&self, wall: NaiveDateTime) -> bool {
        let time = wall.time();
        self.days.contains(&wall.weekday()) && self.from <= time && self.until.is_none_or(|until| time < until)
    }

    fn start_on(&self, day: NaiveDate) -> Option<NaiveDateTime> {
        self.days.contains(&day.weekday()).then(|| day.and_time(self.from))
    }
}

impl FromStr for OpeningSpan {
    type Err = UnknownHours;

    fn from_str(text: &str) -> Result<Self, UnknownHours> {
        span(text).ok_or_else(|| UnknownHours(text.to_owned()))
    }
}

fn span(text: &str) -> Option<OpeningSpan> {
    let (days, times) = text.trim().split_once(char::is_whitespace)?;
    let mut named = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        named.push(day);
        while day != last {
            day = day.succ();
            named.push(day);
        }
    }
    let (from, until) = times.trim().split_once('-')?;
    let from = time(from)?;
    let until = if until.trim() == "24:00" { None } else { Some(time(until)?) };
    (until.is_none_or(|until| from < until)).then_some(OpeningSpan { days: named, from, until })
}

/// A day by its three letters, as in a cron line.
fn weekday(text: &str) -> Option<Weekday> {
    let text = text.trim();
    (text.len() == 3).then(|| text.parse().ok()).flatten()
}

fn time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text.trim(), "%H:%M").ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::zone::Zones;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn london(spans: &[&str]) -> OpeningHours {
        let spans = spans.iter().map(|text| text.parse().expect("hours")).collect();
        OpeningHours::new(spans, Zones::bundled().get("Europe/London").expect("a zone"))
    }

    #[test]
    fn they_are_in_local_time_and_end_before_their_end() {
        let hours = london(&["Mon-Fri 09:00-17:30", "Sat 10:00-24:00"]);
        // In July London is an hour ahead of UTC.
        for (now, open) in [
            ("2026-07-06T07:59:59Z", false),
            ("2026-07-06T08:00:00Z", true),
            ("2026-07-06T16:29:59Z", true),
            ("2026-07-06T16:30:00Z", false),
            ("2026-07-11T22:59:59Z", true),
            ("2026-07-11T23:00:00Z", false),
            ("2026-07-12T12:00:00Z", false),
        ] {
            assert_eq!(hours.are_open(at(now)), open, "{now}");
        }
        assert_eq!(hours.opens_at(at("2026-07-11T23:30:00Z")), Some(at("2026-07-13T08:00:00Z")));
        assert_eq!(hours.opens_at(at("2026-07-10T20:00:00Z")), Some(at("2026-07-11T09:00:00Z")));
        // The night in which the clocks change.
        assert_eq!(hours.opens_at(at("2026-10-24T23:30:00Z")), Some(at("2026-10-26T09:00:00Z")));
    }

    #[test]
    fn days_may_go_over_the_end_of_the_week() {
        let hours = london(&["Sat-Mon 08:00-09:00"]);
        assert!(hours.are_open(at("2026-12-06T08:30:00Z")), "it is a Sunday");
        assert!(!hours.are_open(at("2026-12-08T08:30:00Z")));
    }

    #[test]
    fn other_texts_are_no_hours() {
        for text in
            ["", "Mon", "Mon 9-17", "Mon 17:00-09:00", "Monday 09:00-17:00", "Foo 09:00-10:00", "Mon 09:00-25:00"]
        {
            assert!(text.parse::<OpeningSpan>().is_err(), "{text}");
        }
    }
}
