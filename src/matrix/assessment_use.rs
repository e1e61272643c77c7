//! Which assessments a trigger uses.

use crate::matrix::{
    decision::{DecisionMatrix, TierDraft},
    draft::TriggerDraft,
};
use std::collections::BTreeSet;

/// The assessments that a trigger uses, in its expressions and because it says so.
pub(super) fn used(trigger: &TriggerDraft, decision: Option<&DecisionMatrix>) -> BTreeSet<String> {
    let layers = &trigger.layers;
    let when = trigger.when.as_ref().map(|when| &when.value);
    let check = trigger.check.as_ref().map(|check| &check.when);
    let expressions = [when, trigger.key.as_ref(), layers.value.as_ref(), layers.witness.as_ref(), check];
    let expressions = expressions.into_iter().chain([layers.clear_when.as_ref()]).flatten();
    let summary = trigger.summary.iter().flat_map(|summary| summary.expressions());
    let named = trigger.assess.iter().map(|name| name.value.clone());
    let tier = trigger.tier.as_ref().filter(|tier| tier.fixed.is_none());
    let shifts = tier.and(decision).into_iter().flat_map(|decision| &decision.shifts);
    let of_tier =
        tier.into_iter().flat_map(TierDraft::expressions).chain(shifts.filter_map(|shift| shift.when.as_ref()));
    expressions.chain(of_tier).chain(summary).flat_map(|own| own.assessments().iter().cloned()).chain(named).collect()
}
