//! The plans of a trigger by tier.

use crate::core::{
    EscalationPlan, Priority, RolePlan, StepPlan,
    plan::OnResolved,
    tier::{EscalationTier, TierDecision},
};
use std::{collections::BTreeMap, sync::Arc};

/// The plan of the lowest tier; each has that of the next higher one, to which it can be raised.
pub fn by_tier(plan: &EscalationPlan) -> EscalationPlan {
    let of = |tier| Some(TierDecision { tier, impact: None, likelihood: None, because: Vec::new() });
    let immediate = EscalationPlan { tier: of(EscalationTier::Immediate), ..everybody(plan.clone()) };
    let mut warm = EscalationPlan {
        tier: of(EscalationTier::Warm),
        required: plan.required.iter().take(1).cloned().collect(),
        raised: Some(Arc::new(immediate)),
        ..plan.clone()
    };
    for role in warm.required.clone() {
        if let Some(row) = warm.roles.get_mut(&role) {
            row.steps = one_person(row);
        }
    }
    EscalationPlan {
        tier: of(EscalationTier::Watch),
        required: Vec::new(),
        rooms: Vec::new(),
        living: BTreeMap::new(),
        on_resolved: OnResolved::Resolve,
        raised: Some(Arc::new(warm)),
        ..plan.clone()
    }
}

/// The people of all steps at once, before all others.
pub(super) fn everybody(plan: EscalationPlan) -> EscalationPlan {
    let mut plan = EscalationPlan { priority: Priority::from(Priority::HIGHEST), ..plan };
    for role in plan.required.clone() {
        if let Some(row) = plan.roles.get_mut(&role) {
            row.steps = one_step(row);
        }
    }
    plan
}

/// The first one of the first step.
fn one_person(row: &RolePlan) -> Vec<StepPlan> {
    let first = row.steps.first().cloned();
    first
        .map(|step| StepPlan { page: step.page.into_iter().take(1).collect(), repeat: 0, ..step })
        .into_iter()
        .collect()
}

fn one_step(row: &RolePlan) -> Vec<StepPlan> {
    let mut steps = row.steps.iter();
    let Some(mut all) = steps.next().cloned() else { return Vec::new() };
    for step in steps {
        all.page.extend(step.page.iter().filter(|target| !all.page.contains(target)).cloned().collect::<Vec<_>>());
        all.by.extend(step.by.iter().filter(|channel| !all.by.contains(channel)).cloned().collect::<Vec<_>>());
    }
    vec![all]
}
