//! How an incident ends, and who is told.

use super::{Decider, OVER, STOPPED};
use crate::core::{
    display_names::DisplayNames,
    event::{Actor, Event},
    incident::IncidentStatus,
    names::PersonName,
    page::{Page, PagePurpose},
    request::RequestOutcome,
    sentence::ended,
};

impl Decider<'_> {
    pub(super) fn resolve(&mut self, by: Actor, why: Option<String>) {
        self.resolve_telling(by, why, |_| true);
    }

    /// Tells the end to those of whom `hears` says so.
    pub(super) fn resolve_telling(&mut self, by: Actor, why: Option<String>, hears: impl Fn(&PersonName) -> bool) {
        if !self.incident.is_open() {
            return;
        }
        self.tell_repeats(|_| true);
        // A request whose incident is ended by hand is withdrawn: its asker learns it.
        if self.incident.request.as_ref().is_some_and(|request| request.outcome().is_none()) {
            self.emit(Event::RequestEnded { outcome: RequestOutcome::Cancelled { why: why.clone() } });
        }
        let told = self.attempted(|page| page.purpose.needs_an_end());
        // Once a drill is stopped early, that is the only thing said about it.
        let is_stopped = matches!(by, Actor::Crisis(_));
        // Other systems get every notice: what they are told about the past stays true.
        let stays = |page: &Page| page.purpose.outlives_incident() && (!is_stopped || page.purpose.is_notice());
        self.withdraw(|page| !stays(page));
        self.emit(Event::Resolved { by: by.clone(), why: why.clone() });
        for (person, channel) in told.into_iter().filter(|(person, _)| hears(person)) {
            self.page(None, Some(person), channel, PagePurpose::Resolved, 0, None);
        }
        self.tell_rooms_the_end(&by, why.as_deref());
    }

    /// Whether it is a drill that was stopped for a live incident.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.incident.status, IncidentStatus::Resolved { by: Actor::Crisis(_), .. })
    }

    /// The last line in the war room.
    pub(super) fn last_line(&self, by: &Actor, why: Option<&str>) -> String {
        match (by, self.incident.drill) {
            (Actor::Crisis(_), _) => STOPPED.to_owned(),
            (_, true) => format!("{OVER}; ended by {}", self.names().actor(by)),
            (_, false) => ended(&self.names().actor(by), why),
        }
    }
}
