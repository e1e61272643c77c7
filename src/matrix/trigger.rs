//! One trigger: which alerts it checks, and the result for an alert.

use crate::{
    core::{
        Alert, AlertStatus, AskRules, EscalationPlan, IncidentKey, OpeningHours, RoleName, SourceName, TriggerName,
        judgement::{JudgementLayers, LayerEvidence, pass::LayerInput, row_name},
        trigger::TriggerThreshold,
    },
    matrix::{
        ask::AskCheck,
        decision::{DecisionMatrix, TierFacts, TierRule},
        expression::{CelExpression, ExpressionScope},
        summary::SummaryTemplate,
    },
};
use humantime::format_duration;
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
    /// Whether silences count for it.
    pub can_be_silenced: bool,
    /// What must be true besides.
    pub layers: Arc<JudgementLayers>,
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
    /// How the tier of its incidents is decided; without it, they have none.
    pub tier: Option<TierRule>,
    /// The plan of the lowest tier, and through it those of the others.
    pub(super) tiers: Option<Arc<EscalationPlan>>,
    pub(super) value: Option<CelExpression>,
    pub(super) witness: Option<CelExpression>,
    /// When an alert is an all-clear, though its monitor does not say so.
    pub clear_when: Option<CelExpression>,
    /// The assessments that it uses.
    pub assessments: BTreeSet<String>,
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
        /// The row of the trigger and key: of the count, and of the layers.
        window: String,
        /// What the layers look at, if there are any.
        layers: Option<LayerInput>,
        /// What decides the tier, if the matrix does.
        tier: Option<TierFacts>,
    },
    /// A monitor whose silence counts has spoken.
    Speaks {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident that its silence would open.
        key: IncidentKey,
        /// The summary of that incident.
        summary: String,
        /// The row of the trigger and key.
        window: String,
        /// Its layers.
        layers: Arc<JudgementLayers>,
    },
    /// The condition does not hold, and that matters: what counts only alerts that follow each other starts anew, and what
    /// waited waits no longer.
    Breaks {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident that the others were about.
        key: IncidentKey,
        /// The threshold, if it counts only alerts that follow each other.
        threshold: Option<TriggerThreshold>,
        /// The row of the trigger and key.
        window: String,
        /// What the layers look at, if that changes anything for them.
        layers: Option<LayerInput>,
        /// Whether it is no all-clear either: an open incident of this key goes on and takes it in.
        goes_on: bool,
    },
    /// The monitor reports that the condition is over, or `clear_when` says so. The condition is not evaluated: an all-clear
    /// seldom satisfies it.
    Clears {
        /// Which trigger.
        trigger: TriggerName,
        /// The key of the incident that it is about.
        key: IncidentKey,
        /// The threshold, if it counts only alerts that follow each other.
        threshold: Option<TriggerThreshold>,
        /// The row of the trigger and key.
        window: String,
        /// Who says so, where several witnesses count.
        layers: Option<LayerInput>,
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
        (scope, decision): (&ExpressionScope<'_>, &DecisionMatrix),
        may_be_silenced: bool,
    ) -> Result<Option<TriggerMatch>, String> {
        let firing = alert.status == AlertStatus::Firing;
        if firing
            && let Some(when) = &self.when
            && !when.holds(scope)?
        {
            return self.not_so(name, alert, scope, may_be_silenced);
        }
        let key = self.incident_key(name, alert, scope)?;
        if !firing {
            return Ok(Some(self.clears(name, key, alert, scope)));
        }
        let (trigger, window) = (name.clone(), row_name(name, &key));
        let summary = match &self.summary {
            Some(summary) => summary.fill(scope)?,
            None => self.layers.absent.map_or_else(
                || alert.headline().to_owned(),
                |limit| {
                    format!("{} has not been heard of for {}", about(&key), format_duration(limit.every + limit.grace))
                },
            ),
        };
        if self.layers.absent.is_some() {
            return Ok(Some(TriggerMatch::Speaks { trigger, key, summary, window, layers: self.layers.clone() }));
        }
        let layers = self.layer_input(alert, scope)?;
        let tier = self.tier.as_ref().map(|rule| rule.facts(decision, alert.confidence, scope));
        Ok(Some(TriggerMatch::Holds { trigger, key, summary, threshold: self.threshold, window, layers, tier }))
    }

    /// An alert for which the condition does not hold: an all-clear, if `clear_when` says so; else it matters where only
    /// alerts that follow each other count, and where something may wait. One without the key, or without a witness, is about nothing of
    /// that.
    fn not_so(
        &self,
        name: &TriggerName,
        alert: &Alert,
        scope: &ExpressionScope<'_>,
        may_be_silenced: bool,
    ) -> Result<Option<TriggerMatch>, String> {
        if let Some(clear_when) = &self.clear_when
            && clear_when.holds(scope)?
        {
            let key = self.incident_key(name, alert, scope)?;
            return Ok(Some(self.clears(name, key, alert, scope)));
        }
        let threshold = self.threshold.filter(|threshold| threshold.consecutive);
        let goes_on = self.clear_when.is_some();
        let may_wait = self.layers.breaks() || (may_be_silenced && self.can_be_silenced);
        let may_break = may_wait && self.layers.absent.is_none();
        if threshold.is_none() && !goes_on && !may_break {
            return Ok(None);
        }
        let (key, witness) = (self.incident_key(name, alert, scope), self.says(alert, scope));
        let (Ok(key), Ok(witness)) = (key, witness) else { return Ok(None) };
        // Between the two conditions nothing is over: what waits goes on waiting.
        let evidence = LayerEvidence { value: None, witness };
        let layers = (may_break && !goes_on).then(|| LayerInput { layers: self.layers.clone(), evidence });
        let (trigger, window) = (name.clone(), row_name(name, &key));
        Ok(Some(TriggerMatch::Breaks { trigger, key, threshold, window, layers, goes_on }))
    }

    fn clears(&self, name: &TriggerName, key: IncidentKey, alert: &Alert, scope: &ExpressionScope<'_>) -> TriggerMatch {
        let witness = self.layers.corroborate.and_then(|_| self.says(alert, scope).ok());
        let layers = witness.map(|witness| LayerInput {
            layers: self.layers.clone(),
            evidence: LayerEvidence { value: None, witness },
        });
        let threshold = self.threshold.filter(|threshold| threshold.consecutive);
        TriggerMatch::Clears { trigger: name.clone(), window: row_name(name, &key), key, threshold, layers }
    }

    fn layer_input(&self, alert: &Alert, scope: &ExpressionScope<'_>) -> Result<Option<LayerInput>, String> {
        if self.layers.is_empty() {
            return Ok(None);
        }
        let value = self.value.as_ref().map(|value| value.number(scope)).transpose()?;
        let evidence = LayerEvidence { value, witness: self.says(alert, scope)? };
        Ok(Some(LayerInput { layers: self.layers.clone(), evidence }))
    }

    /// Who says it, where witnesses count: without `by`, the source.
    fn says(&self, alert: &Alert, scope: &ExpressionScope<'_>) -> Result<String, String> {
        match (&self.layers.corroborate, &self.witness) {
            (None, _) => Ok(String::new()),
            (Some(_), Some(witness)) => witness.key(scope),
            (Some(_), None) => Ok(alert.source.to_string()),
        }
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

/// What an incident of this key is about, for people.
fn about(key: &IncidentKey) -> &str {
    let text = key.as_str();
    text.split_once('/').map(|(_, value)| value).filter(|value| !value.is_empty()).unwrap_or(text)
}
