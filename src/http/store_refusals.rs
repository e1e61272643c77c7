//! Logs that the store refused requests. Who sends alerts to a full disk tries again for hours: each kind of refusal is
//! one line a minute, with how many there were.

use crate::store::StoreError;
use std::{
    mem::{Discriminant, discriminant},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The shortest time between two lines about refusals of one kind.
const EVERY: Duration = Duration::from_secs(60);

static REFUSALS: Mutex<StoreRefusals> = Mutex::new(StoreRefusals::new());

/// Logs a refusal, or counts it.
pub fn log(error: &StoreError) {
    let mut refusals = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(more) = refusals.count(discriminant(error), Instant::now()) {
        tracing::error!(%error, more, "the store refused a request");
    }
}

struct StoreRefusals {
    /// The last line and how many were refused since, by kind of error: as many as there are kinds.
    lines: Vec<(Discriminant<StoreError>, Instant, u64)>,
}

impl StoreRefusals {
    const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// How many more of this kind were refused since the last line, if it is time for another.
    fn count(&mut self, kind: Discriminant<StoreError>, now: Instant) -> Option<u64> {
        let Some((_, last, more)) = self.lines.iter_mut().find(|(known, ..)| *known == kind) else {
            self.lines.push((kind, now, 0));
            return Some(0);
        };
        if now < *last + EVERY {
            *more += 1;
            return None;
        }
        *last = now;
        Some(std::mem::take(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refusal_is_one_line_a_minute_with_its_count() {
        let (mut refusals, start) = (StoreRefusals::new(), Instant::now());
        let full = discriminant(&StoreError::Full);
        let lines: Vec<u64> =
            (0..121).filter_map(|second| refusals.count(full, start + Duration::from_secs(second))).collect();
        assert_eq!(lines, [0, 59, 59]);
        assert_eq!(refusals.count(discriminant(&StoreError::Closed), start), Some(0), "another kind has its own");
    }
}
