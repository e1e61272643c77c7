//! The labels of the metrics.

use prometheus_client::encoding::EncodeLabelSet;

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
