//! Marks the rows that an event changes.

use crate::{
    core::{self, Event, IncidentId},
    store::working_set::{ChangeSet, StoredIncident},
};

/// Marks the rows that an event changes. The outcome of a page changes only its page and the head, so that the bytes
/// written for it do not grow with the number of people paged.
pub(super) fn touch(kept: &mut StoredIncident, changes: &mut ChangeSet, id: IncidentId, event: &Event, epoch: u64) {
    changes.heads.insert(id);
    match event {
        Event::Paged { page } => {
            kept.claims.insert_mut(page.n, epoch);
            changes.pages.insert((id, page.n));
            changes.asked.extend(page.asks().map(|person| (id, person.clone())));
        }
        Event::Settled { page, settlement, .. } => {
            if !kept.incident.pages.get(page).is_some_and(|page| page.is_owed()) {
                kept.claims.remove_mut(page);
            }
            changes.pages.insert((id, *page));
            if matches!(settlement, core::SendOutcome::Accepted { receipt } if receipt.room.is_some()) {
                kept.joined = None;
                changes.bodies.insert(id);
            }
        }
        Event::Reported { page, .. }
        | Event::Undelivered { page, .. }
        | Event::Overdue { page, .. }
        | Event::Unreported { page, .. } => {
            changes.pages.insert((id, *page));
        }
        Event::Withdrawn { pages } | Event::TakenOver { pages } => {
            changes.pages.extend(pages.iter().map(|n| (id, *n)));
        }
        // The journal line is all there is.
        Event::Injected { .. } => {}
        // It may wait for other people now: everybody who was asked is checked again.
        Event::RoleEntered { .. }
        | Event::Engaged { .. }
        | Event::Covered { .. }
        | Event::HandedBack { .. }
        | Event::Reopened { .. }
        | Event::StoodDown { .. }
        | Event::Resolved { .. } => {
            kept.joined = None;
            changes.bodies.insert(id);
            changes.asked.extend(kept.incident.asked().into_iter().map(|person| (id, person.clone())));
        }
        // Whoever is asked again may be waited for again.
        Event::StepEntered { on_call, .. } => {
            kept.joined = None;
            changes.bodies.insert(id);
            let again = on_call.iter().filter(|person| kept.incident.has_asked(person));
            changes.asked.extend(again.map(|person| (id, person.clone())));
        }
        Event::Answered { person, .. } | Event::Chosen { person, .. } => {
            kept.joined = None;
            changes.bodies.insert(id);
            if kept.incident.has_asked(person) {
                changes.asked.insert((id, person.clone()));
            }
        }
        Event::Opened(_)
        | Event::Joined { .. }
        | Event::Overflowed { .. }
        | Event::OverflowCleared { .. }
        | Event::Repeated { .. }
        | Event::AllClear { .. }
        | Event::SourceSilent { .. }
        | Event::Raised { .. }
        | Event::StepProlonged { .. }
        | Event::HandedOver { .. }
        | Event::Exhausted { .. }
        | Event::Preempted { .. }
        | Event::RequestEnded { .. }
        | Event::HandoffMoved(_)
        | Event::Erased { .. }
        | Event::Judged { .. } => {
            kept.joined = None;
            changes.bodies.insert(id);
        }
    }
}
