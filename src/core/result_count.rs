//! Counts of alerts that opened nothing: after the first few of a kind with one result, they are counted, and one event
//! tells of many.

use super::{names::TriggerName, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many alerts with one name are journaled whole in each [`COUNT_PERIOD`].
pub const WHOLE_MAX: u32 = 3;

/// How long a count goes on before it is journaled.
pub const COUNT_PERIOD: Duration = Duration::from_secs(6 * 3600);

/// The most names that are counted for one source at a time; the others are counted together, by their result alone.
pub const NAMES_MAX: usize = 50;

/// The longest kind that is counted by its name, in bytes.
pub const KIND_MAX: usize = 256;

/// The names of all events that are counted.
pub const RESULTS: [&str; 6] = ["unmatched", "nothing-open", "held", "over", "drill-refused", "condition-failed"];

/// What is counted together: alerts of one source that had the same result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResultName {
    /// The name of the event that journals the result.
    pub result: String,
    /// The trigger that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerName>,
    /// The kind of the alerts; `None` for all kinds for which there was no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl ResultName {
    /// The name under which it is counted where there is no room for its own.
    pub fn among_others(self) -> Self {
        Self { trigger: None, kind: None, ..self }
    }
}

/// Alerts that were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedAlerts {
    /// What they have in common.
    #[serde(flatten)]
    pub name: ResultName,
    /// How many.
    pub count: u64,
    /// When the first of them came.
    pub first_at: Timestamp,
    /// When the last of them came.
    pub last_at: Timestamp,
}

/// One count, from when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultCount {
    /// When it began.
    pub began_at: Timestamp,
    /// How many alerts were journaled whole since then.
    pub whole: u32,
    /// Those that were counted and that no event tells of yet.
    pub counted: CountedAlerts,
}

impl ResultCount {
    /// A count that begins at `now`.
    pub fn new(name: ResultName, now: Timestamp) -> Self {
        Self { began_at: now, whole: 0, counted: CountedAlerts { name, count: 0, first_at: now, last_at: now } }
    }

    /// Takes in one alert. Returns whether it must be journaled whole.
    pub fn take(&mut self, now: Timestamp) -> bool {
        self.counted.last_at = now;
        if self.whole < WHOLE_MAX {
            self.whole += 1;
            return true;
        }
        if self.counted.count == 0 {
            self.counted.first_at = now;
        }
        self.counted.count += 1;
        false
    }

    /// Begins again if its period is over. Returns what must be journaled of the period before.
    pub fn tell(&mut self, now: Timestamp) -> Option<CountedAlerts> {
        if now < self.began_at + COUNT_PERIOD {
            return None;
        }
        let before = std::mem::replace(self, Self::new(self.counted.name.clone(), now));
        Some(before.counted).filter(|counted| 0 < counted.count)
    }

    /// Whether nothing was counted for a whole period.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.counted.last_at + COUNT_PERIOD <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000 * seconds)
    }

    #[test]
    fn a_few_are_journaled_and_the_rest_is_told_once_a_period() {
        let name = ResultName { result: "unmatched".into(), trigger: None, kind: Some("disk".into()) };
        let mut count = ResultCount::new(name, at(0));
        let whole = (0..1000).filter(|second| count.tell(at(*second)).is_some() || count.take(at(*second))).count();
        assert_eq!(whole, WHOLE_MAX as usize);
        let period = i64::try_from(COUNT_PERIOD.as_secs()).expect("it works");
        assert!(count.tell(at(period - 1)).is_none() && !count.is_idle(at(period)));
        let told = count.tell(at(period)).expect("the period is over");
        assert_eq!((told.count, told.first_at, told.last_at), (997, at(3), at(999)));
        assert!(count.take(at(period)), "the next period begins with whole ones");
        assert!(count.tell(at(2 * period)).is_none(), "there is nothing to tell of");
    }
}
