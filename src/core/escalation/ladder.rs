//! Ladders: how a role moves from step to step, and from its last step to the next role.

use super::Decider;
use crate::core::{
    display_names::DisplayNames,
    event::{Event, StepReason},
    names::{ChannelName, PersonName, RoleName},
    page::{Page, PagePurpose},
    plan::RolePlan,
};

impl Decider<'_> {
    pub(super) fn enter_role(&mut self, role: &RoleName, instead_of: &RoleName) {
        // It may have been stood down before: the message that it needs nobody is out of date.
        self.withdraw(|page| page.role.as_ref() == Some(role) && page.purpose.tells_who_has_it());
        self.emit(Event::RoleEntered { role: role.clone(), instead_of: Some(instead_of.clone()) });
        self.enter_step(role, 0, 0, StepReason::Entered);
    }

    /// Pages a step. A step that reaches nobody is left immediately, unless it is the one that repeats forever.
    pub(super) fn enter_step(&mut self, role: &RoleName, step: usize, round: u32, why: StepReason) {
        let plan = self.incident.plan.clone();
        let Some(step_plan) = plan.roles.get(role).and_then(|row| row.steps.get(step)) else {
            return self.spend(role, why);
        };
        let on_call = self.on_call_for(role, step, why);
        self.emit(Event::StepEntered {
            role: role.clone(),
            step,
            round,
            on_call: on_call.clone(),
            until: self.now + step_plan.wait,
            why,
            civil: Some(self.civil).filter(|civil| *civil != self.now),
        });
        let born = self.incident.engagements.get(role).map_or(0, |e| e.step_entry);
        let channels = |person| {
            self.channels(person, &step_plan.by).into_iter().map(move |channel| (PersonName::clone(person), channel))
        };
        let calls: Vec<(PersonName, ChannelName)> = on_call.iter().flat_map(channels).collect();
        self.supersede(role, &calls);
        for (person, channel) in calls {
            self.page(Some(role), Some(person), channel, PagePurpose::Brief { round }, born, None);
        }
        self.leave_if_nobody_can_answer(role);
    }

    /// The people whom a step pages now: those on call who take part and have not answered unable. The step that
    /// repeats forever pages people who answered unable too, but not immediately the person who has just handed the
    /// role back, if there are others.
    pub(super) fn on_call_for(&self, role: &RoleName, step: usize, why: StepReason) -> Vec<PersonName> {
        let Some(step_plan) = self.row(role).and_then(|row| row.steps.get(step)) else { return Vec::new() };
        let mut on_call = self.roster.resolve(&step_plan.page, self.civil);
        if let Some(terms) = &self.incident.terms {
            on_call.retain(|person| terms.includes(person));
        }
        let Some(engagement) = self.incident.engagements.get(role) else { return on_call };
        if !engagement.exhausted {
            on_call.retain(|person| !engagement.unable.contains(person));
        } else if let Some(back) = engagement.handed_back.last().filter(|_| why == StepReason::HandedBack)
            && on_call.iter().any(|person| *person != back.person)
        {
            on_call.retain(|person| *person != back.person);
        }
        on_call
    }

    /// The channels of a step that reach a person; if none does, the person's first channel.
    pub(super) fn channels(&self, person: &PersonName, by: &[ChannelName]) -> Vec<ChannelName> {
        let reach = self.roster.channels(person);
        let channels: Vec<ChannelName> = by.iter().filter(|channel| reach.contains(channel)).cloned().collect();
        if channels.is_empty() { reach.first().cloned().into_iter().collect() } else { channels }
    }

    pub(super) fn leave_if_nobody_can_answer(&mut self, role: &RoleName) {
        let Some(engagement) = self.incident.engagements.get(role) else { return };
        let waiting = engagement.is_open() && engagement.waits_on.is_none() && !engagement.exhausted;
        if waiting && !self.somebody_can_answer(role) {
            self.advance(role, StepReason::NobodyLeft);
        }
    }

    pub(super) fn somebody_can_answer(&self, role: &RoleName) -> bool {
        let Some(engagement) = self.incident.engagements.get(role) else { return false };
        let able = |page: &Page| page.person.as_ref().is_some_and(|person| !engagement.unable.contains(person));
        self.incident.step_pages(role).any(|page| page.is_live() && able(page))
    }

    /// Moves the ladder one step: the same one again if it has repeats left and still makes sense, otherwise the next
    /// one.
    pub(super) fn advance(&mut self, role: &RoleName, why: StepReason) {
        if self.raise_unanswered() {
            return;
        }
        let Some(engagement) = self.incident.engagements.get(role) else { return };
        let (step, round, exhausted) = (engagement.step, engagement.round, engagement.exhausted);
        let Some(row) = self.row(role) else { return };
        let repeats = row.steps.get(step).map_or(0, |step_plan| step_plan.repeat);
        if exhausted || (round < repeats && why == StepReason::TimedOut) {
            self.enter_step(role, step, round.saturating_add(1), why);
        } else if step + 1 < row.steps.len() {
            self.enter_step(role, step + 1, 0, why);
        } else {
            self.spend(role, why);
        }
    }

    /// All steps are used up: the next role takes over, or the last step repeats.
    pub(super) fn spend(&mut self, role: &RoleName, why: StepReason) {
        let next = self.row(role).and_then(|row| row.next.clone()).or_else(|| self.catch_all_for(role));
        let Some(next) = next.filter(|next| !self.leads_to(next, role)) else {
            return self.exhaust(role, why);
        };
        self.line(format!("nobody has {}: {} takes over", self.names().role(role), self.names().role(&next)));
        self.emit(Event::HandedOver { role: role.clone(), next: next.clone() });
        match self.incident.engagements.get(&next).map(|e| (e.is_open(), e.holder().cloned())) {
            None => self.enter_role(&next, role),
            Some((true, _)) => {}
            Some((false, Some(holder))) => self.cover(role, &next, &holder),
            // It was stood down before this role needed it: it starts again.
            Some((false, None)) => self.enter_role(&next, role),
        }
    }

    pub(super) fn catch_all_for(&self, role: &RoleName) -> Option<RoleName> {
        let name = RoleName::catch_all();
        (*role != name && self.incident.plan.roles.contains_key(&name)).then_some(name)
    }

    /// Whether `from` waits on `role`, directly or through others. Handing over to it would then wait for nobody.
    pub(super) fn leads_to(&self, from: &RoleName, role: &RoleName) -> bool {
        let mut at = from.clone();
        for _ in 0..=self.incident.engagements.len() {
            if at == *role || !self.incident.plan.roles.contains_key(&at) {
                return true;
            }
            match self.incident.engagements.get(&at).filter(|e| e.is_open()).and_then(|e| e.waits_on.clone()) {
                Some(next) => at = next,
                None => return false,
            }
        }
        true
    }

    pub(super) fn exhaust(&mut self, role: &RoleName, why: StepReason) {
        if self.incident.engagements.get(role).is_some_and(|e| !e.exhausted) {
            self.emit(Event::Exhausted { role: role.clone() });
        }
        let (step, round) = self.incident.engagements.get(role).map_or((0, 0), |e| (e.step, e.round));
        self.enter_step(role, step, round.saturating_add(1), why);
    }

    pub(super) fn row(&self, role: &RoleName) -> Option<&RolePlan> {
        self.incident.plan.roles.get(role)
    }
}
