//! The labels of the metrics.

use prometheus_client::encoding::EncodeLabelSet;

/// Buckets in seconds, from machine to human time.
pub const SEND_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];
pub const ENGAGE_SECONDS: [f64; 12] = [5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
pub const LATE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0];

/// The outcomes of attempts that are no drill's.
pub const PAGE_OUTCOMES: [&str; 7] =
    ["accepted", "sandbox", "desk-closed", "retry", "unknown", "unreachable", "broken"];

/// The values of the label `drill`.
pub const DRILLS: [&str; 2] = ["false", "true"];

/// The APIs that take alerts.
pub const ALERT_APIS: [&str; 7] =
    ["native", "alertmanager", "pagerduty", "opsgenie", "alertmanager-webhook", "grafana", "cloudevents"];

/// What can become of an alert for a trigger.
pub(super) const ALERT_RESULTS: [&str; 13] = [
    "opened",
    "joined",
    "overflowed",
    "held",
    "over",
    "cleared",
    "condition-failed",
    "drill-refused",
    "over-quota",
    "over-cost",
    "unmatched",
    "nothing-open",
    "refused",
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct PageLabels {
    pub channel: String,
    pub outcome: &'static str,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ChannelLabel {
    pub channel: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SendLabels {
    pub channel: String,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RoleLabels {
    pub role: String,
    pub outcome: &'static str,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OpenedLabels {
    pub trigger: String,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct EnteredLabels {
    pub role: String,
    pub required: &'static str,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct HandedBackLabels {
    pub role: String,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct DrillLabel {
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct JudgedLabels {
    pub outcome: &'static str,
    pub drill: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AlertApiLabels {
    pub api: &'static str,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct MonitorEventLabels {
    pub api: &'static str,
    pub event: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ListenerLabel {
    pub listener: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AlertLabels {
    pub source: String,
    pub result: &'static str,
    pub drill: &'static str,
}

/// Kinds are words of others: as many of one source have series as are counted by name, and the rest have an empty one.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AlertKindLabels {
    pub source: String,
    pub kind: String,
    pub result: &'static str,
    pub layer: &'static str,
    pub drill: &'static str,
}

/// The proofs of contact of one channel, over all its people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelProofs {
    /// The age of the oldest proof, in seconds; `None` if nobody was ever reached.
    pub oldest_seconds: Option<u64>,
    /// The number of people without a proof.
    pub never: usize,
}
