//! Which triggers match one alert.

use crate::{
    core::{Alert, SourceName},
    matrix::{
        cost::CostMeter,
        expression::AlertScope,
        model::Matrix,
        trigger::{Trigger, TriggerMatch},
    },
};
use std::sync::Arc;

impl Matrix {
    /// The results of all triggers whose `on` contains the alert's kind, sorted by trigger name. Triggers whose
    /// condition does not hold give no result. Takes microseconds per trigger; at worst what [`EXPRESSION_COST_MAX`](crate::matrix::EXPRESSION_COST_MAX)
    /// units take for each of its expressions.
    pub fn judge(&self, alert: &Alert) -> Vec<TriggerMatch> {
        self.judge_within(alert, &Arc::new(CostMeter::new(u64::MAX)))
    }

    /// The same, where several alerts share what evaluations may cost. A trigger that can not be evaluated within that
    /// has failed.
    pub fn judge_within(&self, alert: &Alert, meter: &Arc<CostMeter>) -> Vec<TriggerMatch> {
        let Some(names) = self.by_kind.get(&alert.kind) else { return Vec::new() };
        let scope = AlertScope::new(&self.language, alert, meter);
        let judged = names.iter().filter_map(|name| {
            let trigger = self.triggers.get(name)?;
            if !self.listens(trigger, &alert.source) {
                return None;
            }
            match trigger.judge(name, alert, &scope) {
                Ok(judgement) => judgement,
                Err(why) => {
                    let entity = trigger.entity(alert, &scope);
                    Some(TriggerMatch::Failed { trigger: name.clone(), why, entity })
                }
            }
        });
        judged.collect()
    }

    /// Whether a trigger looks at alerts of this source. What does not come from a source of the matrix comes from a
    /// person at the control socket, or from a drill: those may fire every trigger.
    fn listens(&self, trigger: &Trigger, source: &SourceName) -> bool {
        trigger.sources.as_ref().is_none_or(|only| only.contains(source) || !self.sources.contains_key(source))
    }
}
