//! An incident becomes more urgent: more people are engaged.

use super::Decider;
use crate::core::{
    event::{Actor, Event, StepReason},
    names::RoleName,
    page::PagePurpose,
    tier::{EscalationTier, TierDecision},
};

impl Decider<'_> {
    /// Engages whom the higher tier engages besides. Returns whether it is higher than before.
    pub(super) fn raise(&mut self, decision: TierDecision) -> bool {
        let Some(raised) = self.incident.plan.raised_to(decision.tier).filter(|_| self.incident.is_open()) else {
            return false;
        };
        self.tell_repeats(|_| true);
        self.emit(Event::Raised { decision });
        let open = |role: &RoleName| self.incident.engagements.get(role).map(|e| e.is_open() && e.waits_on.is_none());
        let (there, new): (Vec<RoleName>, Vec<RoleName>) =
            raised.required.iter().cloned().partition(|role| open(role).is_some());
        let again: Vec<RoleName> = there.into_iter().filter(|role| open(role) == Some(true)).collect();
        for role in &new {
            self.emit(Event::RoleEntered { role: role.clone(), instead_of: None });
        }
        for role in again.iter().chain(&new) {
            self.enter_step(role, 0, 0, StepReason::Entered);
        }
        for room in &raised.rooms {
            if self.incident.posts_to(room).next().is_none() {
                self.post(room.clone(), PagePurpose::RoomCard);
            }
        }
        true
    }

    /// The one person who was asked does not take it: everybody is asked. Returns whether that is so.
    pub(super) fn raise_unanswered(&mut self) -> bool {
        let because = vec!["the one person who was asked did not take it".to_owned()];
        let decision = TierDecision { tier: EscalationTier::Immediate, impact: None, likelihood: None, because };
        self.incident.plan.is_of(EscalationTier::Warm) && self.raise(decision)
    }

    /// Nothing came of what was only watched.
    pub(super) fn end_watch(&mut self) {
        if self.incident.watch_ends_at().is_some_and(|due| due <= self.now) {
            self.resolve(Actor::Clock, Some("it was only watched, and nothing more came".into()));
        }
    }
}
