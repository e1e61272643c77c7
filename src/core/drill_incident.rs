//! What an incident that is a drill has beside: an end, faults on purpose, how it was broken off.

use super::{
    actor::Actor,
    drill::{BROKEN_OFF, FaultKind},
    incident::{Incident, IncidentStatus},
    page::Page,
    time::Timestamp,
};

impl Incident {
    /// When the core ends it: a drill has an end.
    pub fn drill_ends_at(&self) -> Option<Timestamp> {
        self.terms.as_ref().map(|terms| terms.until)
    }

    /// What goes wrong on purpose with a page that is sent at `now`. Its last words reach everybody who is there.
    pub fn trouble(&self, page: &Page, now: Timestamp) -> Option<&FaultKind> {
        let trouble = self.terms.as_ref()?.fault(page.person.as_ref(), &page.channel, now)?;
        (self.is_open() || matches!(trouble, FaultKind::Absent { .. })).then_some(trouble)
    }

    /// Whether it is a drill that was broken off: what it did not show by then, it does not deny.
    pub fn was_broken_off(&self) -> bool {
        let IncidentStatus::Resolved { by, why, .. } = &self.status else { return false };
        let told = why.as_ref().is_some_and(|why| why.starts_with(BROKEN_OFF));
        self.drill && (told || matches!(by, Actor::Crisis(_)))
    }

    /// Whether it is a drill that should be over at `now` and is not yet.
    pub fn is_overdue_drill(&self, now: Timestamp) -> bool {
        self.is_open() && self.drill_ends_at().is_some_and(|until| until <= now)
    }
}
