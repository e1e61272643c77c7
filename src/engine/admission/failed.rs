//! Alerts for which a trigger's condition can not be evaluated: the catch-all is told, once for each thing that they are
//! about.

use crate::{
    core::{Alert, IncidentId, IncidentKey, TriggerName, trigger::TriggerThreshold},
    store::{LockSet, Transaction},
};
use std::time::Duration;

/// Of so many things in a day that a trigger can not evaluate for a source, the last one opens the incident that all
/// further ones join.
const THINGS: TriggerThreshold = TriggerThreshold { count: 6, within: Duration::from_secs(24 * 3600) };

/// The longest name of a thing in a summary, in characters.
const NAMED_MAX: usize = 60;

/// Where a failure is reported.
pub(super) struct FailureKeys {
    /// The incident about what this alert is about, if it says so.
    own: Option<IncidentKey>,
    /// The incident about all other things.
    shared: IncidentKey,
    /// The window in which things are counted.
    window: String,
}

impl FailureKeys {
    pub(super) fn of(trigger: &TriggerName, alert: &Alert, entity: Option<&str>) -> Self {
        let shared = IncidentKey::of_condition(trigger, &alert.source, alert.drill);
        let own = |entity| IncidentKey::of_condition_about(trigger, &alert.source, entity, alert.drill);
        Self { own: entity.map(own), window: shared.to_string(), shared }
    }

    pub(super) fn add_to(self, needs: &mut LockSet) {
        needs.observed.extend(self.own.is_some().then_some(self.window));
        needs.keys.extend(self.own);
        needs.keys.push(self.shared);
    }

    /// The open incident that this alert belongs to.
    pub(super) fn open_now(&self, tx: &Transaction<'_>) -> Option<IncidentId> {
        let own = self.own.as_ref().and_then(|own| tx.open_with_key(own));
        own.or_else(|| tx.open_with_key(&self.shared))
    }

    /// The key and the summary of a new incident.
    pub(super) fn news(
        self,
        tx: &mut Transaction<'_>,
        alert: &Alert,
        trigger: &TriggerName,
        why: &str,
        entity: Option<&str>,
    ) -> (IncidentKey, String) {
        let own = self.own.filter(|_| !tx.observe(&self.window, THINGS).0);
        let of = match (&own, entity) {
            (_, None) => String::new(),
            (Some(_), Some(entity)) => format!(" about {}", named(entity)),
            (None, Some(entity)) => format!(" about {} and others", named(entity)),
        };
        let (kind, source) = (&alert.kind, &alert.source);
        let summary = format!("trigger {trigger} can not evaluate {kind} alerts of {source}{of}: {why}");
        (own.unwrap_or(self.shared), summary)
    }
}

fn named(entity: &str) -> String {
    let name: String = entity.chars().take(NAMED_MAX).collect();
    if name.len() < entity.len() { format!("{name}…") } else { name }
}
