//! Which assessments a trigger uses.

use crate::matrix::draft::TriggerDraft;
use std::collections::BTreeSet;

/// The assessments that a trigger uses, in its expressions and because it says so.
pub(super) fn used(trigger: &TriggerDraft) -> BTreeSet<String> {
    let layers = &trigger.layers;
    let when = trigger.when.as_ref().map(|when| &when.value);
    let check = trigger.check.as_ref().map(|check| &check.when);
    let expressions = [when, trigger.key.as_ref(), layers.value.as_ref(), layers.witness.as_ref(), check];
    let expressions = expressions.into_iter().chain([layers.clear_when.as_ref()]).flatten();
    let summary = trigger.summary.iter().flat_map(|summary| summary.expressions());
    let named = trigger.assess.iter().map(|name| name.value.clone());
    expressions.chain(summary).flat_map(|own| own.assessments().iter().cloned()).chain(named).collect()
}
