//! Who stands in for whom: a person who has not answered for one role should not be the one who is asked next in its
//! place. Also who is on no ladder at all.

use crate::{
    matrix::{
        contact_coverage::people,
        draft::{MatrixDraft, ROTATION, StepDraft},
    },
    toml_kit::faults::MatrixFaults,
};
use std::collections::BTreeSet;

/// How many names a warning lists before it counts the rest.
const NAMED_MAX: usize = 8;

pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    // What could not be read may name anybody; and where nothing is paged yet, everything is unused.
    if faults.has_errors() || draft.roles.is_empty() || draft.triggers.is_empty() {
        return;
    }
    nobody_new(draft, faults);
    unused_people(draft, faults);
    unused_channels(draft, faults);
}

/// Warns where who takes over a role was asked for it already: always for a `next`, and for the catch-all where it has
/// nobody else.
fn nobody_new(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let caught = draft.catch_all.as_ref().and_then(|step| step.value.as_ref());
    let last = caught.map(|step| asked(draft, std::slice::from_ref(step))).unwrap_or_default();
    for (name, placed) in &draft.roles {
        let Some(role) = &placed.value else { continue };
        let own = asked(draft, &role.steps);
        let next = role.next.as_ref().and_then(|next| Some((next, draft.roles.get(&next.value)?.value.as_ref()?)));
        if let Some((next, other)) = next {
            let both: Vec<&str> = asked(draft, &other.steps).intersection(&own).copied().collect();
            if !both.is_empty() {
                let message = format!(
                    "{} would stand in for themselves: role `{}` takes over `{name}`",
                    listed(&both),
                    next.value
                );
                faults.warning("stands-in-for-themselves", next.at, message, SOMEBODY_ELSE);
            }
        // Where the matrix names one person only, there is nobody else to name.
        } else if 1 < draft.people.len() && !last.is_empty() && last.is_subset(&own) {
            let message = format!("everybody in the catch-all was asked for role `{name}` before: nobody new is paged");
            faults.warning("stands-in-for-themselves", placed.at, message, SOMEBODY_ELSE);
        }
    }
}

const SOMEBODY_ELSE: &str = "who has not answered will hardly answer the next page: name somebody else";

/// Who is asked by these steps, as a rule: who is in an override is asked for some days only.
fn asked<'a>(draft: &'a MatrixDraft, steps: &'a [StepDraft]) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for entry in steps.iter().flat_map(|step| &step.page) {
        let Some(rotation) = entry.value.strip_prefix(ROTATION) else {
            names.insert(entry.value.as_str());
            continue;
        };
        let rotation = draft.rotations.get(rotation).and_then(|rotation| rotation.value.as_ref());
        names.extend(rotation.iter().flat_map(|rotation| &rotation.people).map(|person| person.value.as_str()));
    }
    names
}

/// One warning for all of them: a long list of people is one question to its author.
fn unused_people(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let used: BTreeSet<&str> = ladders(draft).flat_map(|step| people(draft, step)).map(|(name, _)| name).collect();
    let unused: Vec<_> = draft.people.iter().filter(|(name, _)| !used.contains(name.as_str())).collect();
    let Some((_, first)) = unused.first() else { return };
    let names: Vec<&str> = unused.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("no step and no catch-all pages {}", listed(&names));
    faults.warning(
        "unused-person",
        first.at,
        message,
        "name them in a step, in a rotation that a step pages, or nowhere",
    );
}

fn unused_channels(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let triggers = draft.triggers.values().filter_map(|trigger| trigger.value.as_ref());
    let told = triggers.flat_map(|trigger| trigger.rooms.iter().chain(&trigger.webhooks));
    let used: BTreeSet<&str> =
        ladders(draft).flat_map(|step| &step.by).chain(told).map(|channel| channel.value.as_str()).collect();
    let unused: Vec<_> = draft.channels.iter().filter(|(name, _)| !used.contains(name.as_str())).collect();
    let Some((_, first)) = unused.first() else { return };
    let names: Vec<&str> = unused.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("by {} pages go out only in place of another channel that fails", listed(&names));
    let help = "name it in `by`, `room` or `webhooks`, or remove the channel";
    faults.warning("unused-channel", first.at, message, help);
}

fn ladders(draft: &MatrixDraft) -> impl Iterator<Item = &StepDraft> {
    let steps = draft.roles.values().filter_map(|role| role.value.as_ref()).flat_map(|role| &role.steps);
    steps.chain(draft.catch_all.as_ref().and_then(|step| step.value.as_ref()))
}

/// `ana, bo and 3 more`.
fn listed(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED_MAX)].join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
