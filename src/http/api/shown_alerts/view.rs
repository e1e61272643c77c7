//! One alert as Alertmanager's API shows it.

use crate::{
    core::{
        Alert, Incident, RoleName, Timestamp, TriggerName,
        judgement::{JudgementLayer, PendingAlert},
        silence::SilenceId,
    },
    http::{api::alertmanager, state::AppState},
};
use chrono::SecondsFormat;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The label that names an alert.
pub const ALERTNAME: &str = "alertname";

/// An alert.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShownAlert {
    /// Its labels; `alertname` is its kind.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    annotations: BTreeMap<String, String>,
    /// When it began; when Stentor received it, where its monitor did not say so.
    starts_at: String,
    /// When it ends unless its monitor repeats it; year 1 where the monitor said nothing of that.
    ends_at: String,
    /// When something last happened to it.
    updated_at: String,
    /// Where its rule is.
    #[serde(rename = "generatorURL", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    generator_url: String,
    /// A hash of its labels, as Alertmanager's.
    pub fingerprint: String,
    /// The roles that its trigger names.
    pub receivers: Vec<ReceiverName>,
    /// How it stands.
    pub status: ShownStatus,
}

/// A role, as a receiver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ReceiverName {
    /// Its name in the matrix.
    pub name: RoleName,
}

/// How an alert stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShownStatus {
    /// Which state.
    pub state: ShownState,
    /// The silence that holds it.
    silenced_by: Vec<SilenceId>,
    /// Always empty.
    inhibited_by: [String; 0],
    /// Always empty.
    muted_by: [String; 0],
}

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShownState {
    /// Its incident is open.
    Active,
    /// It waits for a layer of its trigger.
    Unprocessed,
    /// A silence holds it.
    Suppressed,
}

impl ShownAlert {
    /// The same alert, as another trigger has it.
    pub fn take_in(&mut self, other: Self) {
        let receivers: BTreeSet<_> = self.receivers.drain(..).chain(other.receivers).collect();
        self.receivers = receivers.into_iter().collect();
        if other.status.state < self.status.state {
            self.status = other.status;
        }
    }
}

/// The newest alert of an open incident.
pub fn of_incident(app: &AppState, incident: &Incident) -> ShownAlert {
    let repeated = incident.repeats.as_ref().map(|repeats| repeats.last_at);
    let updated_at = repeated.map_or(incident.last_at, |at| at.max(incident.last_at));
    let times = (incident.received_at, updated_at);
    shown(app, &incident.alert, &incident.plan.required, times, (ShownState::Active, None))
}

/// An alert that waits.
pub fn of_waiting(app: &AppState, trigger: &TriggerName, pending: &PendingAlert) -> ShownAlert {
    let state = match pending.layer {
        JudgementLayer::Silence => ShownState::Suppressed,
        JudgementLayer::Change
        | JudgementLayer::Corroborate
        | JudgementLayer::Threshold
        | JudgementLayer::Delay
        | JudgementLayer::Cooldown
        | JudgementLayer::Absent => ShownState::Unprocessed,
    };
    let times = (pending.received_at, pending.received_at);
    shown(app, &pending.alert, &roles_of(app, trigger), times, (state, pending.silence))
}

/// The roles that a trigger of today's matrix names.
pub fn roles_of(app: &AppState, trigger: &TriggerName) -> Vec<RoleName> {
    app.engine.config().matrix.plan(trigger).map(|plan| plan.required.clone()).unwrap_or_default()
}

fn shown(
    app: &AppState,
    alert: &Alert,
    roles: &[RoleName],
    (received_at, updated_at): (Timestamp, Timestamp),
    (state, silence): (ShownState, Option<SilenceId>),
) -> ShownAlert {
    let (now, wall) = (app.engine.now(), app.wall());
    let ours = |at: Timestamp| text_of(Timestamp::from_micros(at.as_micros().saturating_add(wall.micros_since(now))));
    let mut labels = alert.labels.clone();
    // A monitor that speaks Alertmanager's API may have alerts without a name; they are not given one.
    if alert.kind != alertmanager::UNNAMED || labels.is_empty() {
        labels.entry(ALERTNAME.to_owned()).or_insert_with(|| alert.kind.clone());
    }
    ShownAlert {
        fingerprint: fingerprint(&labels),
        labels,
        annotations: alert.annotations.clone(),
        starts_at: alert.starts_at.map_or_else(|| ours(received_at), text_of),
        ends_at: alert.lease_until.map_or_else(|| UNKNOWN_END.to_owned(), ours),
        updated_at: ours(updated_at),
        generator_url: alert.evidence["generatorURL"].as_str().unwrap_or_default().to_owned(),
        receivers: roles.iter().map(|name| ReceiverName { name: name.clone() }).collect(),
        status: ShownStatus { state, silenced_by: silence.into_iter().collect(), inhibited_by: [], muted_by: [] },
    }
}

/// The end of an alert whose monitor said nothing of it, as in Alertmanager's webhooks.
const UNKNOWN_END: &str = "0001-01-01T00:00:00.000Z";

fn text_of(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Alertmanager's: FNV-1a with 64 bits over the labels in their order.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let texts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    format!("{:016x}", bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_alertmanager() {
        let of = |labels: &[(&str, &str)]| {
            fingerprint(&labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(of(&[]), "cbf29ce484222325");
        assert_eq!(of(&[("foo", "bar")]), "3fff2c2d7595e046");
        assert_eq!(of(&[("severity", "critical"), ("alertname", "A1")]), "70ae0576423d1244");
        assert_eq!(of(&[("alertname", "mixedOK")]), "10a6278943ef250d");
    }
}
