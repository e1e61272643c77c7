//! Which triggers match one alert.

use crate::{
    core::Alert,
    matrix::{expression::AlertScope, model::Matrix, trigger::TriggerMatch},
};

impl Matrix {
    /// The results of all triggers whose `on` contains the alert's kind, sorted by trigger name. Triggers whose
    /// condition does not hold give no result. Takes microseconds per trigger; at worst the time of two nested loops
    /// over the alert.
    pub fn judge(&self, alert: &Alert) -> Vec<TriggerMatch> {
        let Some(names) = self.by_kind.get(&alert.kind) else { return Vec::new() };
        let scope = AlertScope::new(&self.language, alert);
        let judged = names.iter().filter_map(|name| {
            let trigger = self.triggers.get(name)?;
            match trigger.judge(name, alert, &scope) {
                Ok(judgement) => judgement,
                Err(why) => Some(TriggerMatch::Failed { trigger: name.clone(), why }),
            }
        });
        judged.collect()
    }
}
