//! What is known of those who send alerts: when they last spoke, and what became of what they sent.

use crate::{
    core::{Alert, ResultCount, SourceName, Timestamp, TriggerName},
    engine::{
        admission::{Admission, admission_result::AdmissionResult},
        alert_tally::{CountedResult, SourceRequest, SourceTally},
    },
    matrix::Matrix,
    store::StoreError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who sent alerts, and what became of them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SourcesReport {
    /// Since when `kinds` are counted, and requests known: the start of the daemon.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The sources of the matrix, and others that have sent: people by hand (`user:..`), and drills.
    pub sources: Vec<SourceReport>,
}

/// One of them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// Its name.
    pub source: String,
    /// Whether it is a source of the matrix of today.
    pub in_matrix: bool,
    /// The last request with alerts, or with a question, that had its token, since the start; also one that was empty or
    /// refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_request: Option<SourceRequestReport>,
    /// When its last alert was taken, since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_alert_at: Option<Timestamp>,
    /// What became of its alerts since the start, by kind.
    pub kinds: Vec<KindReport>,
    /// Alerts that opened nothing, as the store counts them, each from its own time on: this outlives a restart. A count
    /// is ended, with a line in the journal, some hours after it began. An alert may be in `kinds`, too.
    pub stored: Vec<StoredCount>,
}

/// A request that had the token of a source.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SourceRequestReport {
    /// When it was answered.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The status of the answer.
    pub status: u16,
}

/// The alerts of one kind.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct KindReport {
    /// The kind; missing for all those for which there was no room by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The triggers of today's matrix that look at alerts of this kind from this source; missing without a kind. Where it
    /// is empty, such alerts open nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub triggers: Option<Vec<TriggerName>>,
    /// When the last of them was counted.
    #[schemars(with = "String")]
    pub last_at: Timestamp,
    /// How many had which result.
    pub results: Vec<KindCount>,
}

/// How often alerts of a kind had a result. One alert has a result for each trigger that takes it, and one that waited has
/// another when it is judged again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct KindCount {
    /// The result, as in `stentor_alert_results_total`.
    pub result: String,
    /// The layer that held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Whether they were drills.
    pub drill: bool,
    /// How often.
    pub count: u64,
}

/// Alerts that opened nothing, as the store counts them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct StoredCount {
    /// Their result.
    pub result: String,
    /// The trigger that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub trigger: Option<TriggerName>,
    /// Their kind; missing for all those for which there was no room by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many.
    pub count: u64,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// When the last of them came.
    #[schemars(with = "String")]
    pub last_at: Timestamp,
}

impl Admission {
    /// Notes that a request with alerts, or with a question, was answered so, whether it brought one or not: that of a
    /// source, if it had the token of one.
    pub fn heard(&self, source: Option<SourceName>, status: u16) {
        if let Some(source) = source {
            self.context.alerts.heard(&source, SourceRequest { at: self.context.store.now(), status });
        }
    }

    /// Counts what became of an alert for one trigger, now or after it has waited.
    pub(super) fn count_result(&self, alert: &Alert, result: &AdmissionResult) {
        let counted = result.counted_as(alert);
        let (is_named, news) = self.context.alerts.count(alert, counted, self.context.store.now());
        self.context.metrics.alert(&alert.source, Some(alert.kind.as_str()).filter(|_| is_named), counted);
        if let Some(news) = news {
            tracing::warn!(source = %alert.source, "{news}");
            tracing::debug!(source = %alert.source, alert.kind = alert.kind, "the alert's kind");
        }
    }

    /// What is known of those who send alerts.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sources(&self) -> Result<SourcesReport, StoreError> {
        let matrix = &self.context.config.load_full().matrix;
        let mut stored: BTreeMap<SourceName, Vec<StoredCount>> = BTreeMap::new();
        for (source, count) in self.context.store.counted().await? {
            stored.entry(source).or_default().push(count.into());
        }
        let mut tallies = self.context.alerts.sources();
        let names: BTreeSet<SourceName> =
            matrix.sources.keys().chain(tallies.keys()).chain(stored.keys()).cloned().collect();
        let report = |name: SourceName| {
            let tally = tallies.remove(&name).unwrap_or_default();
            SourceReport::new(&name, tally, stored.remove(&name).unwrap_or_default(), matrix)
        };
        Ok(SourcesReport { since: self.context.alerts.began(), sources: names.into_iter().map(report).collect() })
    }
}

impl SourceReport {
    fn new(name: &SourceName, tally: SourceTally, stored: Vec<StoredCount>, matrix: &Matrix) -> Self {
        let request = tally.last_request;
        let kinds = tally.kinds.into_iter();
        Self {
            source: name.to_string(),
            in_matrix: matrix.sources.contains_key(name),
            last_request: request.map(|SourceRequest { at, status }| SourceRequestReport { at, status }),
            last_alert_at: tally.last_alert_at,
            kinds: kinds
                .map(|(kind, tally)| KindReport {
                    triggers: kind.as_ref().map(|kind| matrix.looking(kind, name)),
                    last_at: tally.last_at,
                    results: tally.results.into_iter().map(KindCount::from).collect(),
                    kind,
                })
                .collect(),
            stored,
        }
    }
}

impl From<(CountedResult, u64)> for KindCount {
    fn from((CountedResult { result, layer, drill }, count): (CountedResult, u64)) -> Self {
        Self { result: result.to_owned(), layer: layer.map(str::to_owned), drill, count }
    }
}

impl From<ResultCount> for StoredCount {
    fn from(ResultCount { began_at, whole, counted }: ResultCount) -> Self {
        let (name, last_at) = (counted.name, counted.last_at);
        let count = counted.count + u64::from(whole);
        Self { result: name.result, trigger: name.trigger, kind: name.kind, count, since: began_at, last_at }
    }
}
