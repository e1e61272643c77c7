//! Logs that a program's credential was refused. A scraper with a wrong token tries again for ever: each source and scope
//! is one line a minute, with how many there were.

use crate::{core::SourceName, matrix::SourceScope};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The shortest time between two lines about one source and scope.
const EVERY: Duration = Duration::from_secs(60);

/// The most pairs of source and scope that have a line of their own: sources that were removed by a reload count too.
const PAIRS_MAX: usize = 2000;

static REFUSALS: Mutex<CredentialRefusals> = Mutex::new(CredentialRefusals { lines: Vec::new() });

/// Logs a refusal, or counts it. Without a source, no source has this credential, or there was none.
pub fn log(source: Option<&SourceName>, scope: SourceScope) {
    let mut refusals = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(more) = refusals.count(source, scope, Instant::now()) {
        let (source, scope) = (source.map_or("unknown", SourceName::as_str), scope.as_str());
        tracing::warn!(source, scope, more, "a request was refused: its credential does not allow this scope");
    }
}

struct CredentialRefusals {
    /// Who was refused what, the last line about it, and how many were refused since.
    lines: Vec<((Option<SourceName>, SourceScope), Instant, u64)>,
}

impl CredentialRefusals {
    /// How many more were refused since the last line, if it is time for another.
    fn count(&mut self, source: Option<&SourceName>, scope: SourceScope, now: Instant) -> Option<u64> {
        let known = self.lines.iter_mut().find(|((of, what), ..)| of.as_ref() == source && *what == scope);
        let Some((_, last, more)) = known else {
            if PAIRS_MAX <= self.lines.len() {
                return None;
            }
            self.lines.push(((source.cloned(), scope), now, 0));
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
    fn each_source_and_scope_is_one_line_a_minute_with_its_count() {
        let (mut refusals, start) = (CredentialRefusals { lines: Vec::new() }, Instant::now());
        let source = SourceName::from("prom");
        let mut at = |second, source, scope| refusals.count(source, scope, start + Duration::from_secs(second));
        let lines: Vec<u64> = (0..121).filter_map(|second| at(second, Some(&source), SourceScope::Metrics)).collect();
        assert_eq!(lines, [0, 59, 59]);
        assert_eq!(at(1, Some(&source), SourceScope::Read), Some(0), "another scope has its own line");
        assert_eq!(at(1, None, SourceScope::Metrics), Some(0), "and so has an unknown credential");
    }
}
