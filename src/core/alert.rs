//! What a monitor reports.

use super::{names::SourceName, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One report of one monitor. Only `kind` is required; fields that are not known are kept in `unknown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What the door called it, so that the answer to its sender and the journal speak of the same thing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Who reported it. The door sets it from the credential; what the body says is not believed.
    #[serde(default = "nobody")]
    pub source: SourceName,
    /// What kind of alert, e.g. `price_velocity`; Prometheus' `alertname`.
    pub kind: String,
    /// Firing, or all clear.
    #[serde(default)]
    pub status: AlertStatus,
    /// One sentence for humans.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Identity: symbol, desk, host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Measurements.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// Text that is not identity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// How sure the monitor is, 0 to 1.
    #[serde(default = "sure")]
    pub confidence: f64,
    /// Whatever the monitor wants humans to see.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub evidence: serde_json::Value,
    /// When the monitor saw it begin: the stage `detected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Part of an exercise.
    #[serde(default)]
    pub drill: bool,
    /// Until when the source vouches for it; past that it has gone silent. Only doors whose protocol has leases set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Fields that Stentor does not know: kept, shown, never refused.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

impl Alert {
    /// A firing alert of this kind, with nothing else known.
    pub fn new(source: impl Into<SourceName>, kind: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            source: source.into(),
            kind: kind.into(),
            status: AlertStatus::Firing,
            summary: String::new(),
            labels: BTreeMap::new(),
            values: BTreeMap::new(),
            annotations: BTreeMap::new(),
            confidence: 1.0,
            evidence: serde_json::Value::Null,
            starts_at: None,
            drill: false,
            lease_until: None,
            unknown: BTreeMap::new(),
        }
    }

    /// What makes a repetition of this alert: its source, kind, labels and beginning. None without a beginning: then
    /// nothing tells a repetition from a new one.
    pub fn episode(&self) -> Option<String> {
        let labels: Vec<String> = self.labels.iter().map(|(name, text)| format!("{name}={text:?}")).collect();
        self.starts_at.map(|start| format!("{}/{}/{}/{start}", self.source, self.kind, labels.join(",")))
    }

    /// The summary, or the kind where there is none.
    pub fn headline(&self) -> &str {
        if self.summary.is_empty() { &self.kind } else { &self.summary }
    }
}

/// Whether the condition holds or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It holds.
    #[default]
    Firing,
    /// The monitor says that it is over.
    Resolved,
}

fn nobody() -> SourceName {
    SourceName::from("")
}

fn sure() -> f64 {
    1.0
}
