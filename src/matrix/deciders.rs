//! Says where people of the catch-all decide requests: they do only where the matrix names it.

use crate::{
    core::names::CATCH_ALL,
    matrix::draft::{MatrixDraft, TriggerDraft},
    toml_kit::faults::MatrixFaults,
};

pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let triggers = draft.triggers.values().filter_map(|trigger| trigger.value.as_ref());
    triggers.filter(|trigger| trigger.ask.is_some()).for_each(|trigger| catch_all(draft, trigger, faults));
}

fn catch_all(draft: &MatrixDraft, trigger: &TriggerDraft, faults: &mut MatrixFaults) {
    for role in trigger.roles.iter().filter(|role| ends_in_catch_all(draft, &role.value)) {
        let message = "people of the catch-all decide requests of this trigger, because `roles` or a `next` names it";
        let help = "if they should only be told that nobody decides, do not name it: it comes last by itself";
        faults.warning("catch-all-decides", role.at, message, help);
    }
}

fn ends_in_catch_all(draft: &MatrixDraft, role: &str) -> bool {
    let mut role = role;
    // A chain that is longer than the number of roles is a cycle.
    for _ in 0..=draft.roles.len() {
        let next = draft.roles.get(role).and_then(|role| role.value.as_ref()?.next.as_ref());
        match next {
            Some(next) => role = &next.value,
            None => break,
        }
    }
    role == CATCH_ALL
}
