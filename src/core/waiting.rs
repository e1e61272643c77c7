//! Who was asked in an incident, and who it still waits for. The store indexes people's pages by this, and people who
//! ask are shown these names.

use super::{
    incident::Incident,
    names::{PersonName, RoleName},
    page::{Page, PageState},
    plan::AcceptTimeout,
    read_back::ReadBack,
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Page {
    /// The person whom a brief asks; `None` for pages that only inform.
    pub fn asks(&self) -> Option<&PersonName> {
        self.person.as_ref().filter(|_| self.purpose.is_brief())
    }
}

impl Incident {
    /// Everybody who was asked for any role.
    pub fn asked(&self) -> BTreeSet<&PersonName> {
        self.pages.asked()
    }

    /// Whether this person was asked for any role.
    pub fn has_asked(&self, person: &PersonName) -> bool {
        self.pages.has_asked(person)
    }

    /// Whether it is over at `now` though nothing has said so yet: a drill after its end time, a request after its deadline.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let deadline = self.request.as_ref().and_then(|request| request.deadline());
        self.is_overdue_drill(now) || self.is_open() && deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Whether the reader of this page can decide the request of the incident, if there is one.
    pub fn decides(&self, page: &Page) -> bool {
        page.role.as_ref().is_none_or(|role| self.plan.decides(role))
    }

    /// What people repeat with an option of the request, as they read it; `None` if nothing, or once it has ended.
    pub fn repeats(&self) -> Option<String> {
        let request = self.request.as_deref().filter(|request| request.outcome().is_none())?;
        request.ask.read_back.as_ref().map(ReadBack::shown)
    }

    /// Whether this person was asked for a role that decides the request.
    pub fn has_asked_to_decide(&self, person: &PersonName) -> bool {
        let decides = |role: &&RoleName| self.plan.decides(role);
        self.engagements.keys().filter(decides).any(|role| self.pages.has_asked_for(role, person))
    }

    /// The roles that this person was asked for, that nobody has yet, and that this person has not passed on.
    pub fn waiting_roles<'a>(&'a self, person: &'a PersonName) -> impl Iterator<Item = &'a RoleName> {
        let open = self.engagements.iter().filter(|(_, e)| e.is_open() && !e.unable.contains(person));
        let open = open.filter(|_| self.is_open()).map(|(role, _)| role);
        open.filter(move |role| self.pages.has_asked_for(role, person))
    }

    /// When the step that a brief belongs to ends; `None` for other pages, and when the ladder has left that step.
    pub fn step_ends(&self, page: &Page) -> Option<Timestamp> {
        let engagement = self.engagements.get(page.role.as_ref().filter(|_| page.purpose.is_brief())?)?;
        engagement.deadline.filter(|_| engagement.step_entry == page.step_entry)
    }

    /// When the delivery report of a brief must have come, and how long it is waited for; `None` if it is not waited for,
    /// or does not matter any more.
    pub fn report_deadline(&self, page: &Page) -> Option<(Timestamp, AcceptTimeout)> {
        let within = *self.plan.report_timeout.get(&page.channel)?;
        let known = page.stages.delivered.is_some() || page.stages.seen.is_some() || page.unreported;
        let waits = page.state == PageState::Accepted && !known;
        let accepted = page.stages.accepted.filter(|_| waits)?;
        let is_open = self.engagements.get(page.role.as_ref()?).is_some_and(|e| e.is_open());
        self.step_ends(page).filter(|_| is_open).map(|_| (accepted + within.0, within))
    }

    /// The briefs whose delivery report is waited for, by when it must have come, and how long that is. Only the present
    /// step of a role has any.
    pub fn awaiting_report(&self) -> impl Iterator<Item = (u32, Timestamp, AcceptTimeout)> {
        let waits = !self.plan.report_timeout.is_empty();
        let open = self.engagements.iter().filter(move |(_, e)| waits && e.is_open());
        let briefs = open.flat_map(|(role, e)| self.pages.of_step(role, e.step_entry));
        briefs.filter_map(|page| self.report_deadline(page).map(|(until, within)| (page.n, until, within)))
    }

    /// The role whose people are now asked for this one: itself, or the one at the end of the chain that it waits on.
    pub fn asked_for<'a>(&'a self, role: &'a RoleName) -> &'a RoleName {
        let mut asked = role;
        // A chain that is longer than the number of roles is a cycle.
        for _ in 0..self.engagements.len() {
            match self.engagements.get(asked).and_then(|engagement| engagement.waits_on.as_ref()) {
                Some(next) => asked = next,
                None => break,
            }
        }
        asked
    }

    /// Whether a role waits for this person.
    pub fn waits_for(&self, person: &PersonName) -> bool {
        self.waiting_roles(person).next().is_some()
    }
}
