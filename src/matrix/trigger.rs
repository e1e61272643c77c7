//! One trigger: which alerts it checks, and the result for an alert.

use crate::{
    core::{
        Alert, AlertStatus, AskRules, EscalationPlan, IncidentKey, OpeningHours, RoleName, SourceName, TriggerName,
        trigger::TriggerThreshold,
    },
    matrix::{
        ask::AskCheck,
        expression::{CelExpression, ExpressionScope},
        summary::SummaryTemplate,
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// A rule that turns alerts into an incident.
#[derive(Debug)]
pub struct Trigger {
    /// The kinds of alert that it checks.
    pub on: Vec<String>,
    /// The sources that it listens to, for alerts and for all-clears; without them, all.
    pub sources: Option<BTreeSet<SourceName>>,
    /// The condition; without one, it always holds.
    pub when: Option<CelExpression>,
    /// How often the condition must hold in which window; without a threshold, once is enough.
    pub threshold: Option<TriggerThreshold>,
    /// The expression for the incident key: besides the trigger, it decides which alerts belong to one incident.
    pub key: Option<CelExpression>,
    /// How many incidents it opens within a minute. Further ones are counted in one overflow incident.
    pub openings_per_minute: u32,
    /// The incident's summary; without one, the alert's own headline.
    pub summary: Option<SummaryTemplate>,
    /// The address of its runbook: http or https.
    pub runbook: Option<String>,
    /// The roles that it engages.
    pub roles: Vec<RoleName>,
    /// When somebody is there for its handoffs; `None`: always.
    pub hours: Option<OpeningHours>,
    pub(super) plan: Arc<EscalationPlan>,
    pub(super) check: Option<AskCheck>,
    pub(super) failure_plan: Option<Arc<EscalationPlan>>,
}

/// The result of one trigger for one alert.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerMatch {
    /// The condition holds.
    Holds {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident to open or join.
        key: IncidentKey,
        /// Its summary.
        summary: String,
        /// How often it must hold; `None` if once is enough.
        threshold: Option<TriggerThreshold>,
        /// The window that `threshold` counts in.
        window: String,
    },
    /// The condition does not hold, and the trigger counts only alerts that follow each other: its count starts anew.
    Breaks {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident that the others were about.
        key: IncidentKey,
        /// The threshold.
        threshold: TriggerThreshold,
        /// The window that it counts in.
        window: String,
    },
    /// The monitor reports that the condition is over. The condition is not evaluated: an all-clear seldom satisfies
    /// it.
    Clears {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident that it is about.
        key: IncidentKey,
    },
    /// The condition, the key or the summary cannot be evaluated for this alert.
    Failed {
        /// Which trigger.
        trigger: TriggerName,
        /// Why, in one sentence.
        why: String,
        /// What the alert is about, if it says so: a host, a symbol.
        entity: Option<String>,
    },
}

/// The labels by which monitors name what an alert is about, the most exact first.
const ENTITY_LABELS: [&str; 8] = ["instance", "host", "hostname", "node", "pod", "device", "service", "symbol"];

impl Trigger {
    pub(super) fn judge(
        &self,
        name: &TriggerName,
        alert: &Alert,
        scope: &ExpressionScope<'_>,
    ) -> Result<Option<TriggerMatch>, String> {
        let firing = alert.status == AlertStatus::Firing;
        if firing
            && let Some(when) = &self.when
            && !when.holds(scope)?
        {
            return Ok(self.breaks(name, alert, scope));
        }
        let key = self.incident_key(name, alert, scope)?;
        let trigger = name.clone();
        if !firing {
            return Ok(Some(TriggerMatch::Clears { trigger, key }));
        }
        let summary = match &self.summary {
            Some(summary) => summary.fill(scope)?,
            None => alert.headline().to_owned(),
        };
        let window = window(name, &key);
        Ok(Some(TriggerMatch::Holds { trigger, key, summary, threshold: self.threshold, window }))
    }

    /// An alert for which the condition does not hold matters where only consecutive alerts count. One without the key is
    /// about nothing that is counted.
    fn breaks(&self, name: &TriggerName, alert: &Alert, scope: &ExpressionScope<'_>) -> Option<TriggerMatch> {
        let threshold = self.threshold.filter(|threshold| threshold.consecutive)?;
        let key = self.incident_key(name, alert, scope).ok()?;
        Some(TriggerMatch::Breaks { trigger: name.clone(), window: window(name, &key), key, threshold })
    }

    /// What an alert is about that this trigger can not evaluate: the trigger's own key if that can be evaluated, else a
    /// label that monitors use for it.
    pub(super) fn entity(&self, alert: &Alert, scope: &ExpressionScope<'_>) -> Option<String> {
        let own = self.key.as_ref().and_then(|key| key.key(scope).ok());
        let label = || ENTITY_LABELS.iter().find_map(|label| alert.labels.get(*label)).cloned();
        own.filter(|own| !own.is_empty()).or_else(label).filter(|entity| !entity.is_empty())
    }

    /// A drill has its own keys, so that it never shares an incident with a live alert.
    fn incident_key(
        &self,
        name: &TriggerName,
        alert: &Alert,
        scope: &ExpressionScope<'_>,
    ) -> Result<IncidentKey, String> {
        let value = match &self.key {
            Some(key) => key.key(scope)?,
            None => String::new(),
        };
        Ok(match self.plan.ask.as_ref().is_some_and(AskRules::hands_over) {
            true => IncidentKey::of_conversation(&alert.source, &value, alert.drill),
            false => IncidentKey::of_trigger(name, &value, alert.drill),
        })
    }
}

/// The name of the window in which a trigger counts the alerts of one key.
fn window(name: &TriggerName, key: &IncidentKey) -> String {
    format!("{name}\u{1f}{key}")
}
