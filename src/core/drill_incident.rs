//! The drill side of an incident: its end time, its injected faults, whether it was stopped early.

use super::{
    actor::Actor,
    drill::{BROKEN_OFF, FaultKind},
    incident::{Incident, IncidentStatus},
    page::Page,
    time::Timestamp,
};

impl Incident {
    /// When the core ends it, if it is a drill with an end time.
    pub fn drill_ends_at(&self) -> Option<Timestamp> {
        self.terms.as_ref().map(|terms| terms.until)
    }

    /// The fault to inject into a page that is sent at `now`. The drill's last messages reach everybody who is present.
    pub fn injected_fault(&self, page: &Page, now: Timestamp) -> Option<&FaultKind> {
        let fault = self.terms.as_ref()?.fault(page.person.as_ref(), &page.channel, now)?;
        (self.is_open() || matches!(fault, FaultKind::Absent { .. })).then_some(fault)
    }

    /// Whether it is a drill that was stopped early. What it had not shown by then does not count as failed.
    pub fn was_broken_off(&self) -> bool {
        let IncidentStatus::Resolved { by, why, .. } = &self.status else { return false };
        let told = why.as_ref().is_some_and(|why| why.starts_with(BROKEN_OFF));
        self.drill && (told || matches!(by, Actor::Crisis(_)))
    }

    /// Whether it is a drill that is still open at `now`, after its end time.
    pub fn is_overdue_drill(&self, now: Timestamp) -> bool {
        self.is_open() && self.drill_ends_at().is_some_and(|until| until <= now)
    }
}
