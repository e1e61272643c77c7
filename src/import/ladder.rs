//! The steps of a role.

use super::{
    draft::StepDraft,
    report::{FindingKind, ImportReport},
};

/// The most steps of a ladder that is gone through several times.
const STEPS_MAX: usize = 10;

/// Steps that are gone through so many times more.
pub fn go_round(steps: &mut Vec<StepDraft>, more: usize, of: &str, report: &mut ImportReport) {
    if steps.is_empty() || more == 0 {
        return;
    }
    let rounds = more.saturating_add(1).min((STEPS_MAX / steps.len()).max(1));
    let once = steps.clone();
    (1..rounds).for_each(|_| steps.extend(once.iter().cloned()));
    if rounds <= more {
        report.found(FindingKind::Changed, of, format!("its {} rounds are {rounds} here", more.saturating_add(1)));
    }
}
