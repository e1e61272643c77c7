//! The windows of triggers, with an index by when they end, so that old ones are removed without a look at all.

use crate::core::{Timestamp, trigger::ThresholdWindow};
use std::collections::{BTreeMap, BTreeSet};

/// The most windows that are removed in one transaction because they have ended.
pub const SWEPT_MAX: usize = 256;

/// The most windows that are kept. Beyond it those that would end first are removed, and their triggers count anew.
pub const WINDOWS_MAX: usize = 200_000;

/// Windows by their names.
#[derive(Debug, Clone, Default)]
pub struct Windows {
    by_name: BTreeMap<String, ThresholdWindow>,
    by_end: BTreeSet<(Timestamp, String)>,
}

impl Windows {
    /// A window.
    pub fn get(&self, name: &str) -> Option<&ThresholdWindow> {
        self.by_name.get(name)
    }

    /// Changes a window, which is empty if there was none.
    pub fn change<R>(&mut self, name: &str, change: impl FnOnce(&mut ThresholdWindow) -> R) -> R {
        let mut window = self.remove(name).unwrap_or_default();
        let result = change(&mut window);
        self.insert(name.to_owned(), window);
        result
    }

    /// Adds a window; one that counts nothing is left out.
    pub fn insert(&mut self, name: String, window: ThresholdWindow) {
        if let Some(end) = window.ends_at() {
            self.by_end.insert((end, name.clone()));
            self.by_name.insert(name, window);
        }
    }

    /// Removes those that ended by `now`, and those for which there is no room, at most [`SWEPT_MAX`]; their names.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<String> {
        let mut swept = Vec::new();
        while swept.len() < SWEPT_MAX
            && let Some((end, name)) = self.by_end.first()
            && (*end <= now || WINDOWS_MAX < self.by_name.len())
        {
            let name = name.clone();
            self.remove(&name);
            swept.push(name);
        }
        swept
    }

    fn remove(&mut self, name: &str) -> Option<ThresholdWindow> {
        let window = self.by_name.remove(name)?;
        if let Some(end) = window.ends_at() {
            self.by_end.remove(&(end, name.to_owned()));
        }
        Some(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::trigger::TriggerThreshold;
    use std::time::Duration;

    fn at(seconds: usize) -> Timestamp {
        Timestamp::from_micros(1_000_000 * i64::try_from(seconds).expect("it works"))
    }

    #[test]
    fn ended_windows_are_swept_in_portions_and_the_others_stay() {
        let mut windows = Windows::default();
        let threshold = TriggerThreshold { count: 3, within: Duration::from_secs(60), consecutive: false };
        for n in 0..1000 {
            windows.change(&format!("w{n}"), |window| window.observe(threshold, at(n)));
        }
        windows.change("ended", |window| window.mark(at(0)));
        assert!(windows.sweep(at(59)).is_empty());
        assert_eq!(windows.sweep(at(60)), ["w0"]);
        windows.change("w999", |window| (0..2).filter(|_| window.observe(threshold, at(999))).count());
        assert_eq!(windows.by_name.len(), 999, "a window that has fired counts nothing");
        let mut left = windows.clone();
        assert_eq!(left.sweep(at(2000)).len(), SWEPT_MAX);
        while !left.sweep(at(2000)).is_empty() {}
        assert!(left.get("ended").is_some() && left.by_name.len() == 1, "an ended incident is remembered for a month");
        let month = 31 * 24 * 3600;
        assert_eq!(left.sweep(at(month)), ["ended"]);
    }
}
