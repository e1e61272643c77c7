//! Recurrence rules (RFC 5545) as far as schedules of turns have them: every so many days, or weeks on some weekdays.

use super::schedule::{DAY, Shift, WEEK, Window};
use chrono::{Datelike, NaiveDateTime, Timelike};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurrenceRule {
    pub weekly: bool,
    pub interval: i64,
    /// Days of the week, Monday is 0; the day of the start without one.
    pub days: Vec<u32>,
}

impl RecurrenceRule {
    /// Reads `RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO`. The error says what can not be carried over.
    pub fn read(text: &str) -> Result<Self, String> {
        let parts = text.strip_prefix("RRULE:").unwrap_or(text).split(';').filter(|part| !part.is_empty());
        let mut rule = Self { weekly: false, interval: 1, days: Vec::new() };
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{text:?} is no rule"))?;
            match (name, value) {
                ("FREQ", "DAILY") => rule.weekly = false,
                ("FREQ", "WEEKLY") => rule.weekly = true,
                ("INTERVAL", n) => rule.interval = n.parse().ok().filter(|n| 0 < *n).ok_or(format!("INTERVAL={n}"))?,
                ("BYDAY", days) => rule.days = days.split(',').map(weekday).collect::<Result<_, _>>()?,
                ("WKST", _) => {}
                _ => return Err(format!("{name}={value} in its rule")),
            }
        }
        Ok(rule)
    }

    /// The shift of an event that comes again by this rule: `each` occurrences for each group in turn.
    pub fn shift(
        &self,
        groups: Vec<Vec<String>>,
        (start, end): (NaiveDateTime, NaiveDateTime),
        each: i64,
    ) -> Result<Shift, String> {
        let lasts = (end - start).num_seconds();
        if groups.is_empty() || lasts < 1 || each < 1 {
            return Err("it lasts no time, or nobody has it".into());
        }
        let every = self.interval.saturating_mul(if self.weekly { WEEK } else { DAY });
        let days = if self.days.is_empty() { vec![start.weekday().num_days_from_monday()] } else { self.days.clone() };
        let a_week = i64::try_from(days.len()).unwrap_or(1);
        let from = i64::from(start.num_seconds_from_midnight());
        if !self.weekly && !self.days.is_empty() {
            return Err("BYDAY in a daily rule".into());
        }
        // Between two occurrences nobody has it, unless one lasts until the next.
        let is_whole = every <= lasts;
        let windows = match self.weekly {
            true if is_whole && a_week == 1 => Vec::new(),
            true => days.iter().map(|day| Window { day: Some(*day), from, lasts: lasts.min(WEEK) }).collect(),
            false if is_whole => Vec::new(),
            false => vec![Window { day: None, from, lasts: lasts.min(DAY) }],
        };
        if 1 < self.interval && !is_whole {
            return Err("it does not come every day or every week, and nobody has it in between".into());
        }
        let turn = match (self.weekly, each % a_week) {
            (true, 0) => every.saturating_mul(each / a_week),
            (true, _) if groups.len() == 1 => every,
            (true, _) => return Err("turns change within its week".into()),
            (false, _) => every.saturating_mul(each),
        };
        // Turns of several days a week begin on Monday.
        let back = i64::from(start.weekday().num_days_from_monday()) * i64::from(1 < a_week);
        Ok(Shift { groups, start: start - chrono::Duration::days(back), turn, level: 0, windows })
    }
}

fn weekday(name: &str) -> Result<u32, String> {
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let found = days.iter().position(|day| *day == name).and_then(|day| u32::try_from(day).ok());
    found.ok_or_else(|| format!("BYDAY={name} in its rule"))
}
