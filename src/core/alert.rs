//! What a monitor reports.

use super::{
    assessment::{Assessments, lenient},
    names::SourceName,
    time::{Timestamp, known_time},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How deep a field of an alert may be nested. It is stored inside other JSON, and parsers stop at 128 levels.
pub const NESTING_MAX: usize = 64;

/// One report from one monitor. Only `kind` is required. Fields that are not known are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// The id that the API gave it. The reply to its sender and the journal both use it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(skip)]
    pub id: String,
    /// Who reported it. The API sets it from the credential and ignores what the body says.
    #[serde(default = "nobody")]
    #[schemars(skip)]
    pub source: SourceName,
    /// What kind of alert, e.g. `price_velocity`; Prometheus' `alertname`.
    pub kind: String,
    /// Firing or resolved.
    #[serde(default)]
    pub status: AlertStatus,
    /// One sentence for humans.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Labels that identify it: symbol, desk, host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Measurements.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// Text that does not identify it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// How sure the monitor is, 0 to 1.
    #[serde(default = "sure")]
    pub confidence: f64,
    /// Anything that the monitor wants people to see.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub evidence: serde_json::Value,
    /// When the monitor saw it begin: the stage `detected`. A time that is out of range counts as unknown.
    #[serde(default, deserialize_with = "known_time", skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Whether it is part of an exercise.
    #[serde(default)]
    pub drill: bool,
    /// How long the source vouches for it; after that the source counts as silent. Only APIs whose protocol has leases
    /// set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub lease_until: Option<Timestamp>,
    /// What Stentor's assessments make of it. What a sender says here is ignored.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub assessed: Assessments,
    /// Fields that Stentor does not know: they are kept and shown, never refused.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

impl Alert {
    /// A firing alert of this kind with all other fields empty.
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
            assessed: Assessments::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// What identifies repeats of this alert: its source, kind, labels and start time. `None` without a start time:
    /// then a repeat cannot be told from a new alert.
    pub fn episode(&self) -> Option<String> {
        let labels: Vec<String> = self.labels.iter().map(|(name, text)| format!("{name}={text:?}")).collect();
        self.starts_at.map(|start| format!("{}/{}/{}/{start}", self.source, self.kind, labels.join(",")))
    }

    /// Why this alert cannot be stored: it could not be read back once written. `None` if it can. Costs one write and
    /// one read of the alert.
    pub fn flaw(&self) -> Option<String> {
        let mut open = self.unknown.values().chain([&self.evidence]);
        if open.any(|value| NESTING_MAX < depth(value)) {
            return Some(format!("it is nested too deep (more than {NESTING_MAX} levels): it could not be read back"));
        }
        let numbers = self.values.iter().map(|(name, number)| (name.as_str(), number));
        let mut numbers = numbers.chain([("confidence", &self.confidence)]);
        if let Some((name, number)) = numbers.find(|(_, number)| !number.is_finite()) {
            return Some(format!("{name} is {number}: only finite numbers can be kept"));
        }
        let read = serde_json::to_string(self).and_then(|text| serde_json::from_str::<Self>(&text));
        match read {
            Ok(read) if read == *self => None,
            Ok(_) => Some("it changes when it is stored and read back".to_owned()),
            Err(error) => Some(format!("it could not be read back: {error}")),
        }
    }

    /// The summary, or the kind if there is no summary.
    pub fn headline(&self) -> &str {
        if self.summary.is_empty() { &self.kind } else { &self.summary }
    }
}

/// Whether the condition still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It holds.
    #[default]
    Firing,
    /// The monitor says that it is over.
    Resolved,
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn nobody() -> SourceName {
    SourceName::from("")
}

fn sure() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "in": inner }) })
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(".{0,6}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// At the deepest place where an alert is ever stored.
        #[test]
        fn an_alert_without_a_flaw_is_read_back_within_a_line(
            evidence in any_value(), field in any_value(), name in ".{0,8}", number: f64, micros: i64, levels in 0..140_usize,
        ) {
            let mut alert = Alert::new("prom", "k");
            alert.evidence = if levels < 70 { nested(levels) } else { evidence };
            alert.unknown.insert(name, if 100 < levels { nested(levels - 40) } else { field });
            alert.values.insert("x".into(), number);
            alert.starts_at = Some(Timestamp::from_micros(micros));
            alert.lease_until = alert.starts_at;
            let flaw = alert.flaw();
            let event = super::super::Event::Joined { alert: alert.into() };
            let line = super::super::JournalRecord { v: 1, chain: "INC-1".into(), seq: 1, at: Timestamp::MAX, event };
            let text = serde_json::to_string(&line).expect("text");
            let read = serde_json::from_str::<super::super::JournalRecord>(&text);
            prop_assert!(flaw.is_some() || read.is_ok_and(|read| read == line), "{}", text);
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_a_flaw() {
        let alert = || Alert::new("prom", "k");
        assert_eq!(alert().flaw(), None);
        let deep = |levels| Alert { evidence: nested(levels), ..alert() }.flaw();
        assert_eq!(deep(NESTING_MAX), None);
        assert!(deep(NESTING_MAX + 1).is_some_and(|why| why.contains("nested too deep")));
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(
                Alert { values: [("x".into(), number)].into(), ..alert() }.flaw().is_some_and(|why| why.contains('x'))
            );
            assert!(Alert { confidence: number, ..alert() }.flaw().is_some());
        }
        let twice = Alert { unknown: [("kind".into(), json!("other"))].into(), ..alert() };
        assert!(twice.flaw().is_some_and(|why| why.contains("duplicate")));
        let hidden = Alert { unknown: [("evidence".into(), json!(1))].into(), ..alert() };
        assert!(hidden.flaw().is_some());
    }
}
