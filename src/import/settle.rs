//! What a matrix would refuse of an export is left out of it, and reported.

use super::{
    draft::MatrixDraft,
    report::{FindingKind, ImportReport},
};
use crate::core::{
    Zones,
    hidden::{hidden, short_line},
};
use std::collections::BTreeSet;

/// The longest wait of a step, in minutes.
const WAIT_MAX: u64 = 24 * 60;

/// The longest name of a person, in characters.
const NAME_MAX: usize = 100;

/// Makes the sections what a matrix may have.
pub fn settle(draft: &mut MatrixDraft, zones: &Zones, report: &mut ImportReport) {
    let (mut numbers, mut mailboxes) = (BTreeSet::new(), BTreeSet::new());
    for person in &mut draft.people {
        let of = format!("person {:?}", person.key);
        let shown = visible(&person.name);
        person.name = if shown.is_empty() { person.key.clone() } else { shown };
        if let Some(number) = person.phone.take_if(|number| !numbers.insert(number.clone())) {
            report.found(FindingKind::NotCarried, &of, format!("another person has the number {number}, too"));
        }
        if let Some(email) = person.email.take_if(|email| !mailboxes.insert(email.to_lowercase())) {
            report.found(FindingKind::NotCarried, &of, format!("another person has the mailbox {email}, too"));
        }
        if let Some(zone) = person.timezone.take_if(|zone| zones.get(zone).is_none()) {
            report.found(FindingKind::NotCarried, &of, format!("{zone:?} is no name of a time zone"));
        }
    }
    for role in &mut draft.roles {
        let of = format!("role {:?}", role.key);
        for step in role.steps.iter_mut().filter(|step| WAIT_MAX < step.wait_minutes) {
            report.found(FindingKind::Changed, &of, format!("a wait of {} minutes is a day here", step.wait_minutes));
            step.wait_minutes = WAIT_MAX;
        }
    }
    draft.triggers.iter_mut().for_each(|trigger| trigger.about = visible(&trigger.about));
}

/// One line of characters that people see.
pub fn visible(text: &str) -> String {
    let line = short_line(text, NAME_MAX);
    // What shows nothing at all is no name.
    if hidden(&line, false).is_some() { String::new() } else { line }
}
