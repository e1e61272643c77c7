//! Alerts for which a trigger's condition can not be evaluated: the catch-all is told, once for each thing that they are
//! about.

use crate::{
    core::{Alert, IncidentId, IncidentKey, TriggerName, trigger::TriggerThreshold},
    store::{LockSet, Transaction},
};
use std::time::Duration;

/// Of so many things in a day that a trigger can not evaluate for a source, the last one opens the incident that all
/// further ones join.
const THINGS: TriggerThreshold =
    TriggerThreshold { count: 6, within: Duration::from_secs(24 * 3600), consecutive: false };

/// How often a thing may get an incident of its own though the shared one is open.
const AFTER_TAKEN: Duration = Duration::from_secs(60);

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
    /// The window for a thing that gets its own incident though the shared one is open: somebody has taken that.
    after_taken: String,
}

impl FailureKeys {
    pub(super) fn of(trigger: &TriggerName, alert: &Alert, entity: Option<&str>) -> Self {
        let shared = IncidentKey::of_condition(trigger, &alert.source, alert.drill);
        let own = |entity| IncidentKey::of_condition_about(trigger, &alert.source, entity, alert.drill);
        Self { own: entity.map(own), window: shared.to_string(), after_taken: format!("{shared}\u{1f}taken"), shared }
    }

    pub(super) fn add_to(self, needs: &mut LockSet) {
        needs.observed.extend([self.window, self.after_taken].into_iter().filter(|_| self.own.is_some()));
        needs.keys.extend(self.own);
        needs.keys.push(self.shared);
    }

    /// The open incident that this alert belongs to. Once somebody has taken the shared one, nobody is paged about what
    /// joins it: then one further thing in [`AFTER_TAKEN`] gets an incident of its own.
    pub(super) fn open_now(&self, tx: &mut Transaction<'_>) -> Option<IncidentId> {
        if let Some(own) = self.own.as_ref().and_then(|own| tx.open_with_key(own)) {
            return Some(own);
        }
        let shared = tx.open_with_key(&self.shared)?;
        let is_taken = tx.incident(shared).is_some_and(|incident| incident.open_roles().next().is_none());
        let pages_anew = is_taken && self.own.is_some() && tx.allows(&self.after_taken, 1, AFTER_TAKEN);
        (!pages_anew).then_some(shared)
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
        let is_shared_open = tx.open_with_key(&self.shared).is_some();
        let own = self.own.filter(|_| is_shared_open || !tx.observe(&self.window, THINGS).0);
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
