//! Warnings about what is written but has no effect: triggers that no source can fire, keys of sources that send no
//! alerts, and roles that nobody can tell apart.

use crate::{
    matrix::{
        draft::{MatrixDraft, TriggerDraft},
        settings::SourceScope,
    },
    toml_kit::faults::MatrixFaults,
};
use std::collections::BTreeMap;

pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    for trigger in draft.triggers.values().filter_map(|trigger| trigger.value.as_ref()) {
        never_fires(draft, trigger, faults);
    }
    same_names(draft, faults);
}

/// Whether a source may send alerts; one that could not be read may.
pub(super) fn sends_alerts(draft: &MatrixDraft, source: &str) -> bool {
    let source = draft.sources.get(source).and_then(|source| source.value.as_ref());
    source.is_none_or(|source| source.scopes.contains(&SourceScope::Alerts))
}

fn never_fires(draft: &MatrixDraft, trigger: &TriggerDraft, faults: &mut MatrixFaults) {
    let Some([first, rest @ ..]) = trigger.sources.as_deref() else { return };
    if !sends_alerts(draft, &first.value) && !rest.iter().any(|source| sends_alerts(draft, &source.value)) {
        let message = "this trigger can never fire: none of its `sources` has the scope \"alerts\"";
        faults.warning("never-fires", first.at, message, "add \"alerts\" to the `scopes` of one of these sources");
    }
}

fn same_names(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let mut known = BTreeMap::new();
    for (key, role) in &draft.roles {
        let Some(name) = role.value.as_ref().and_then(|role| role.name.as_ref()) else { continue };
        if let Some(other) = known.insert(name, key) {
            let message =
                format!("roles `{other}` and `{key}` have the same name {name:?}: nobody can tell them apart");
            faults.warning("same-name", role.at, message, "give one of them another `name`");
        }
    }
}
