//! Checks that the people of each role can be reached by the channels of its steps, in time.

use crate::{
    channel::contact::ContactField,
    matrix::draft::{MatrixDraft, PersonDraft, ROTATION, RoleDraft, StepDraft},
    toml_kit::faults::{LocatedValue, MatrixFaults, SourceSpan},
};
use std::time::Duration;

/// With a shorter target, e-mail alone is too slow.
const MAIL_IS_TOO_SLOW_UNDER: Duration = Duration::from_secs(300);

pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    for (name, role) in &draft.roles {
        let Some(body) = &role.value else { continue };
        steps(draft, &format!("role `{name}`"), role.at, &body.steps, faults);
        in_time(draft, name, body, faults);
    }
    if let Some(LocatedValue { value: Some(step), at }) = &draft.catch_all {
        steps(draft, "the catch-all", *at, std::slice::from_ref(step), faults);
    }
}

fn steps(draft: &MatrixDraft, what: &str, at: SourceSpan, steps: &[StepDraft], faults: &mut MatrixFaults) {
    let pairs: Vec<PersonChannel<'_>> = steps.iter().flat_map(|step| pairs(draft, step)).collect();
    if !pairs.is_empty() && !pairs.iter().any(|pair| pair.lacks.is_none()) && is_whole(draft, steps) {
        let mut lacks: Vec<String> =
            pairs.iter().filter_map(|pair| Some(format!("{} has no `{}`", pair.name, pair.lacks?.key()))).collect();
        lacks.sort();
        lacks.dedup();
        let message = format!("nobody can be reached for {what}");
        faults.error("nobody-reachable", at, message, lacks.join("; "));
        return;
    }
    for pair in &pairs {
        let Some(datum) = pair.lacks.map(ContactField::key) else { continue };
        let message = format!("{} has no `{datum}` and can not be reached by {}", pair.name, pair.channel.value);
        let help = format!("add `{datum}` to person `{}`, or page them by another channel", pair.name);
        if pair.has_other {
            faults.warning("lacks-contact", pair.channel.at, message, help);
        } else {
            faults.error("lacks-contact", pair.channel.at, format!("{message}, the only one of this step"), help);
        }
    }
}

/// A person in a step and one of its channels.
struct PersonChannel<'a> {
    name: &'a str,
    channel: &'a LocatedValue<String>,
    /// What must be known of them and is not; none where the channel reaches them.
    lacks: Option<ContactField>,
    /// Whether another channel of the step reaches this person.
    has_other: bool,
}

fn pairs<'a>(draft: &'a MatrixDraft, step: &'a StepDraft) -> Vec<PersonChannel<'a>> {
    let mut pairs = Vec::new();
    for (name, person) in people(draft, step) {
        let lacks = |channel: &LocatedValue<String>| {
            let channel = draft.channel(&channel.value)?;
            Some(channel.needs().filter(|needs| !person.known.contains(needs)))
        };
        // An unknown channel is a fault of its own, and might have reached them.
        let has_other = step.by.iter().any(|channel| lacks(channel).is_none_or(|lacks| lacks.is_none()));
        for channel in &step.by {
            if let Some(lacks) = lacks(channel) {
                pairs.push(PersonChannel { name, channel, lacks, has_other });
            }
        }
    }
    pairs
}

/// Everybody whom a step may page, at any time in a rotation.
pub(super) fn people<'a>(draft: &'a MatrixDraft, step: &'a StepDraft) -> Vec<(&'a str, &'a PersonDraft)> {
    let mut names: Vec<&str> = Vec::new();
    for entry in &step.page {
        match entry.value.strip_prefix(ROTATION) {
            None => names.push(&entry.value),
            Some(rotation) => {
                let rotation = draft.rotations.get(rotation).and_then(|rotation| rotation.value.as_ref());
                let people = rotation.iter().flat_map(|rotation| &rotation.people);
                let overrides = rotation.iter().flat_map(|rotation| rotation.overrides.iter().map(|o| &o.person));
                names.extend(people.chain(overrides).map(|name| name.value.as_str()));
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| Some((name, draft.people.get(name)?.value.as_ref()?))).collect()
}

/// Whether all names in these steps are known. If not, a person who seems missing may be one of the unknown names.
fn is_whole(draft: &MatrixDraft, steps: &[StepDraft]) -> bool {
    !steps.is_empty()
        && steps.iter().all(|step| {
            let channels = step.by.iter().all(|channel| draft.channel(&channel.value).is_some());
            let people = step.page.iter().all(|entry| match entry.value.strip_prefix(ROTATION) {
                None => draft.people.get(&entry.value).is_some_and(|person| person.value.is_some()),
                Some(rotation) => draft.rotations.get(rotation).is_some_and(|rotation| rotation.value.is_some()),
            });
            channels && people && !step.by.is_empty() && !step.page.is_empty()
        })
}

fn in_time(draft: &MatrixDraft, name: &str, role: &RoleDraft, faults: &mut MatrixFaults) {
    let Some(target) = &role.target else { return };
    let within = target.value.within;
    let waits = role.steps.iter().map(|step| step.wait.unwrap_or_default().saturating_mul(step.repeat + 1));
    let length: Duration = waits.sum();
    if within < length {
        let (length, within) = (humantime::format_duration(length), humantime::format_duration(within));
        let message = format!("the steps of role `{name}` last {length}, longer than its target of {within}");
        let help = "shorten the waits, so that everybody has been paged before the target has passed";
        faults.warning("ladder-longer-than-target", target.at, message, help);
    }
    if MAIL_IS_TOO_SLOW_UNDER <= within {
        return;
    }
    let is_mail = |channel: &LocatedValue<String>| {
        draft.channel(&channel.value).is_some_and(|channel| channel.kind() == crate::channel::smtp::KIND)
    };
    for step in role.steps.iter().filter(|step| step.by.iter().all(is_mail)) {
        let Some(first) = step.by.first() else { continue };
        let message = format!("e-mail alone is too slow for role `{name}`, whose target is under five minutes");
        faults.warning("mail-alone", first.at, message, "add a channel that rings: a screen, SMS or Slack");
    }
}
