//! Logs refusals of requests. A scraper with a wrong token and a monitor that sends to a full disk try again for hours: each
//! kind of refusal is one line a minute, with how many there were.

use crate::{core::SourceName, matrix::SourceScope, store::StoreError};
use std::{
    mem::{Discriminant, discriminant},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The shortest time between two lines of one kind.
const EVERY: Duration = Duration::from_secs(60);

/// The most kinds that have lines: sources that were removed by a reload count too.
const KINDS_MAX: usize = 2000;

static CREDENTIALS: Mutex<LogThrottle<(Option<SourceName>, SourceScope)>> = Mutex::new(LogThrottle::new());
static STORE: Mutex<LogThrottle<Discriminant<StoreError>>> = Mutex::new(LogThrottle::new());

/// A credential does not allow what was asked for. Without a source, no source has this credential, or there was none.
pub fn credential(source: Option<&SourceName>, scope: SourceScope) {
    if let Some(more) = lock(&CREDENTIALS).count((source.cloned(), scope), Instant::now()) {
        let (source, scope) = (source.map_or("unknown", SourceName::as_str), scope.as_str());
        tracing::warn!(source, scope, more, "a request was refused: its credential does not allow this scope");
    }
}

/// The store refused a request.
pub fn store(error: &StoreError) {
    if let Some(more) = lock(&STORE).count(discriminant(error), Instant::now()) {
        tracing::error!(%error, more, "the store refused a request");
    }
}

fn lock<K>(throttle: &Mutex<LogThrottle<K>>) -> MutexGuard<'_, LogThrottle<K>> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For each kind the last line, and how many were refused since.
struct LogThrottle<K> {
    kinds: Vec<(K, Instant, u64)>,
}

impl<K: PartialEq> LogThrottle<K> {
    const fn new() -> Self {
        Self { kinds: Vec::new() }
    }

    /// How many more of this kind were refused since its last line, if it is time for another.
    fn count(&mut self, kind: K, now: Instant) -> Option<u64> {
        let Some((_, last, more)) = self.kinds.iter_mut().find(|(known, ..)| *known == kind) else {
            let has_room = self.kinds.len() < KINDS_MAX;
            self.kinds.extend(has_room.then_some((kind, now, 0)));
            return has_room.then_some(0);
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
        let (mut refusals, start) = (LogThrottle::new(), Instant::now());
        let mut at = |second, kind: &'static str| refusals.count(kind, start + Duration::from_secs(second));
        let lines: Vec<u64> = (0..121).filter_map(|second| at(second, "a")).collect();
        assert_eq!(lines, [0, 59, 59]);
        assert_eq!(at(1, "b"), Some(0), "another kind has its own");
    }
}
