//! What requests with an idempotency key were told, so that one that comes again is told the same and does nothing.
//!
//! A response is kept by the transaction that did what it says. All of them are in memory, as the windows of triggers
//! are: a transaction looks at them without a wait.

use crate::core::{SourceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long a response is kept, from when it was given. After that its key is free.
pub const RESPONSE_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The most responses that are kept of one source. Beyond it the oldest leave before their time: no request is refused.
pub const RESPONSES_MAX: usize = 50_000;

/// The most bytes that the responses of one source have together; the same holds beyond it.
pub const RESPONSES_BYTES_MAX: usize = 32 << 20;

/// The most responses that are removed in one transaction because their time is over.
const SWEPT_MAX: usize = 256;

/// Names one request: the same key of another source, or for something else, is another request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// Who asks.
    pub source: SourceName,
    /// For what, such as `alerts`.
    pub operation: String,
    /// What the sender calls it.
    pub key: String,
}

/// What is kept of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptResponse {
    /// The digest of its body: with another body it is another request.
    pub digest: String,
    /// When this was kept.
    pub at: Timestamp,
    /// How far it got.
    #[serde(flatten)]
    pub progress: RequestProgress,
}

/// How far a request got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "progress")]
pub enum RequestProgress {
    /// Part of it is done, and nobody was told so yet.
    Part {
        /// What is done, in the form of its operation.
        done: String,
    },
    /// All of it is done.
    Whole {
        /// The status of the response.
        status: u16,
        /// Its body.
        body: String,
    },
}

/// Responses by the keys of their requests.
#[derive(Debug, Clone, Default)]
pub struct KeptResponses {
    by_key: BTreeMap<RequestKey, Arc<KeptResponse>>,
    by_source: BTreeMap<SourceName, SourceResponses>,
}

#[derive(Debug, Clone, Default)]
struct SourceResponses {
    by_age: BTreeSet<(Timestamp, RequestKey)>,
    bytes: usize,
}

impl KeptResponse {
    /// Whether it counts at `now`.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.at + RESPONSE_KEPT
    }

    fn bytes(&self) -> usize {
        let content = match &self.progress {
            RequestProgress::Part { done } => done.len(),
            RequestProgress::Whole { body, .. } => body.len(),
        };
        content + self.digest.len()
    }
}

impl KeptResponses {
    /// What is kept of a request, whatever its age.
    pub fn get(&self, key: &RequestKey) -> Option<&Arc<KeptResponse>> {
        self.by_key.get(key)
    }

    /// Keeps this of a request, in place of what was kept.
    pub fn insert(&mut self, key: RequestKey, response: KeptResponse) {
        self.remove(&key);
        let of_source = self.by_source.entry(key.source.clone()).or_default();
        of_source.bytes += response.bytes();
        of_source.by_age.insert((response.at, key.clone()));
        self.by_key.insert(key, Arc::new(response));
    }

    /// Removes those whose time is over, at most [`SWEPT_MAX`], and those for which their source has no room; their keys.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<RequestKey> {
        let mut swept = Vec::new();
        for source in self.by_source.keys().cloned().collect::<Vec<_>>() {
            while let Some(oldest) = self.surplus(&source, now, swept.len() < SWEPT_MAX) {
                self.remove(&oldest);
                swept.push(oldest);
            }
        }
        swept
    }

    /// The oldest response of a source, if it must leave. `old`: also one whose time is over.
    fn surplus(&self, source: &SourceName, now: Timestamp, old: bool) -> Option<RequestKey> {
        let SourceResponses { by_age, bytes } = self.by_source.get(source)?;
        let (_, key) = by_age.first()?;
        let is_over = old && self.get(key).is_none_or(|response| !response.is_kept(now));
        // The newest stays, however large it is: what it says is being done at this moment.
        let is_too_much = 1 < by_age.len() && (RESPONSES_MAX < by_age.len() || RESPONSES_BYTES_MAX < *bytes);
        (is_over || is_too_much).then(|| key.clone())
    }

    fn remove(&mut self, key: &RequestKey) {
        let Some(response) = self.by_key.remove(key) else { return };
        let Some(of_source) = self.by_source.get_mut(&key.source) else { return };
        of_source.by_age.remove(&(response.at, key.clone()));
        of_source.bytes -= response.bytes();
        if of_source.by_age.is_empty() {
            self.by_source.remove(&key.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000 * seconds)
    }

    fn key(source: &str, n: usize) -> RequestKey {
        RequestKey { source: source.into(), operation: "alerts".into(), key: format!("k{n}") }
    }

    fn told(at: Timestamp, body: &str) -> KeptResponse {
        let progress = RequestProgress::Whole { status: 202, body: body.into() };
        KeptResponse { digest: "d".into(), at, progress }
    }

    #[test]
    fn what_is_over_leaves_in_portions_and_nothing_leaves_before() {
        let mut kept = KeptResponses::default();
        (0..1000).for_each(|n| kept.insert(key("monitor", n), told(at(0), "")));
        kept.insert(key("monitor", 7), told(at(5), ""));
        let day = 24 * 3600;
        assert!(kept.sweep(at(day - 1)).is_empty());
        assert_eq!(kept.sweep(at(day)).len(), SWEPT_MAX);
        while !kept.sweep(at(day)).is_empty() {}
        assert!(kept.get(&key("monitor", 7)).is_some() && kept.by_key.len() == 1, "it was given later");
        assert_eq!(kept.sweep(at(day + 5)), [key("monitor", 7)]);
        assert!(kept.by_source.is_empty());
    }

    #[test]
    fn the_oldest_of_a_source_leave_for_its_newest_and_no_other_source_pays() {
        let mut kept = KeptResponses::default();
        kept.insert(key("quiet", 0), told(at(0), ""));
        (0..RESPONSES_MAX + 3).for_each(|n| kept.insert(key("loud", n), told(at(1 + n as i64 / 1000), "")));
        let gone: BTreeSet<RequestKey> = kept.sweep(at(60)).into_iter().collect();
        assert_eq!(gone, [key("loud", 0), key("loud", 1), key("loud", 10)].into());
        assert!(kept.get(&key("quiet", 0)).is_some());

        let mut kept = KeptResponses::default();
        let large = "x".repeat(RESPONSES_BYTES_MAX / 2);
        (0..3).for_each(|n| kept.insert(key("loud", n), told(at(n as i64), &large)));
        assert_eq!(kept.sweep(at(60)), [key("loud", 0), key("loud", 1)]);
        kept.insert(key("loud", 9), told(at(9), &large.repeat(3)));
        assert_eq!(kept.sweep(at(60)), [key("loud", 2)], "the newest stays");
    }
}
