//! Which triggers match one alert.

use crate::{
    core::{Alert, SourceName, TriggerName},
    matrix::{
        cost::CostMeter,
        decision::TierFacts,
        expression::ExpressionScope,
        model::Matrix,
        trigger::{Trigger, TriggerMatch},
    },
};
use std::sync::Arc;

/// What the check of an answer, or the tier of what has waited, may cost, in units of [`CostMeter`]: somebody waits for it.
const CHECK_COST_MAX: u64 = 100_000;

impl Matrix {
    /// The results of all triggers whose `on` contains the alert's kind, sorted by trigger name. Triggers whose
    /// condition does not hold give no result. Takes microseconds per trigger; at worst what [`EXPRESSION_COST_MAX`](crate::matrix::EXPRESSION_COST_MAX)
    /// units take for each of its expressions. Assessments are made without their classifiers.
    pub fn judge(&self, alert: &Alert) -> Vec<TriggerMatch> {
        let meter = Arc::new(CostMeter::new(u64::MAX));
        match self.assessing(alert).is_empty() {
            true => self.judge_within(alert, &meter, false),
            false => self.judge_within(&self.assessed(alert), &meter, false),
        }
    }

    /// The same of an alert that was assessed, where several alerts share what evaluations may cost. A trigger that can not be evaluated within that
    /// has failed. Where silences may hold something, alerts for which a condition does not hold matter to all triggers.
    pub fn judge_within(&self, alert: &Alert, meter: &Arc<CostMeter>, may_be_silenced: bool) -> Vec<TriggerMatch> {
        let Some(names) = self.by_kind.get(&alert.kind) else { return Vec::new() };
        let scope = ExpressionScope::new(&self.language, alert, meter);
        let judged = names.iter().filter_map(|name| {
            let trigger = self.triggers.get(name)?;
            if !self.listens(trigger, &alert.source) {
                return None;
            }
            match trigger.judge(name, alert, (&scope, &self.decision), may_be_silenced) {
                Ok(judgement) => judgement,
                Err(why) => {
                    let entity = trigger.entity(alert, &scope);
                    Some(TriggerMatch::Failed { trigger: name.clone(), why, entity })
                }
            }
        });
        judged.collect()
    }

    /// What of an alert decides the tier of its trigger's incidents, by the assessments that it was received with; `None`
    /// where the matrix decides none.
    pub fn tier_facts(&self, trigger: &TriggerName, alert: &Alert) -> Option<TierFacts> {
        let rule = self.triggers.get(trigger)?.tier.as_ref()?;
        let meter = Arc::new(CostMeter::new(CHECK_COST_MAX));
        let scope = ExpressionScope::new(&self.language, alert, &meter);
        Some(rule.facts(&self.decision, alert.confidence, &scope))
    }

    /// The triggers that look at alerts of this kind and source, whatever their conditions say.
    pub fn looking(&self, kind: &str, source: &SourceName) -> Vec<TriggerName> {
        let names = self.by_kind.get(kind).into_iter().flatten();
        names
            .filter(|name| self.triggers.get(*name).is_some_and(|trigger| self.listens(trigger, source)))
            .cloned()
            .collect()
    }

    /// Why choosing this option contradicts the facts of a request, as the check of its trigger says. A check that can not
    /// be evaluated says so: people look once more.
    pub fn doubt(&self, trigger: &TriggerName, alert: &Alert, option: &str) -> Option<String> {
        let check = self.triggers.get(trigger)?.check.as_ref().filter(|check| check.option == option)?;
        let meter = Arc::new(CostMeter::new(CHECK_COST_MAX));
        match check.when.holds(&ExpressionScope::new(&self.language, alert, &meter)) {
            Ok(true) => Some(check.reason.clone()),
            Ok(false) => None,
            Err(_) => Some("the check of the matrix can not be evaluated for it".to_owned()),
        }
    }

    /// Whether a trigger looks at alerts of this source. What does not come from a source of the matrix comes from a
    /// person at the control socket, or from a drill: those may fire every trigger.
    fn listens(&self, trigger: &Trigger, source: &SourceName) -> bool {
        trigger.sources.as_ref().is_none_or(|only| only.contains(source) || !self.sources.contains_key(source))
    }
}
