//! Answers: which role is meant, what the words are worth, and what an engagement sets free.

use super::{Judge, Said};
use crate::core::{
    answer::{Answer, STANDBY_MAX, Verdict},
    engagement::Engagement,
    event::Event,
    names::{PersonName, RoleName},
    page::Purpose,
    plan::RolePlan,
    proof::channel_of_answer,
    time::Timestamp,
};
use std::time::Duration;

impl Judge<'_> {
    pub(super) fn answer(&mut self, said: Said) {
        let (role, verdict) = match self.role_meant(&said) {
            Ok(role) => {
                let verdict = self.verdict(&role, &said);
                (Some(role), verdict)
            }
            Err(verdict) => (said.role.clone(), verdict),
        };
        let engages = verdict == Verdict::Engages;
        let passed = verdict == Verdict::Passed;
        self.emit(Event::Answered {
            role: role.clone(),
            person: said.person.clone(),
            answer: said.answer,
            via: said.via,
            page: said.page,
            channel: channel_of_answer(&said, self.incident, self.roster),
            verdict,
        });
        let Some(role) = role else { return };
        if engages {
            self.engage(&role, &said.person);
        } else if passed {
            let person = Some(&said.person);
            self.withdraw(|page| {
                page.purpose.is_brief() && page.role.as_ref() == Some(&role) && page.person.as_ref() == person
            });
            self.leave_if_nobody_can_answer(&role);
        }
    }

    /// Which role is meant: the page's, the one that was named, or the only open one this person was paged for.
    pub(super) fn role_meant(&self, said: &Said) -> Result<RoleName, Verdict> {
        if !self.incident.is_open() {
            return Err(Verdict::Closed);
        }
        if let Some(n) = said.page {
            let page = self.incident.pages.get(&n).filter(|page| page.person.as_ref() == Some(&said.person));
            return page.and_then(|page| page.role.clone()).ok_or(Verdict::NotAsked);
        }
        if let Some(role) = &said.role {
            let asked = self.incident.engagements.contains_key(role) && self.is_asked(role, &said.person);
            return if asked { Ok(role.clone()) } else { Err(Verdict::NotAsked) };
        }
        let asked: Vec<&RoleName> =
            self.incident.engagements.keys().filter(|r| self.is_asked(r, &said.person)).collect();
        let open = |role: &&&RoleName| self.incident.engagements.get(**role).is_some_and(|e| e.is_open());
        let open: Vec<&RoleName> = asked.iter().filter(open).copied().collect();
        match (&open[..], &asked[..]) {
            ([role], _) | ([], [role, ..]) => Ok((*role).clone()),
            ([], []) => Err(Verdict::NotAsked),
            (many, _) => Err(Verdict::WhichRole { roles: many.iter().map(|role| (*role).clone()).collect() }),
        }
    }

    /// Whether this person was paged for the role, or is on call for one of its steps now.
    pub(super) fn is_asked(&self, role: &RoleName, person: &PersonName) -> bool {
        let paged = self.incident.briefs_of(role).any(|page| page.person.as_ref() == Some(person));
        let on_ladder =
            |row: &RolePlan| row.steps.iter().any(|rung| self.roster.resolve(&rung.page, self.now).contains(person));
        paged || self.row(role).is_some_and(on_ladder)
    }

    pub(super) fn verdict(&self, role: &RoleName, said: &Said) -> Verdict {
        let (Some(engagement), Some(row)) = (self.incident.engagements.get(role), self.row(role)) else {
            return Verdict::NotAsked;
        };
        if let Some(holder) = engagement.holder() {
            return if *holder == said.person { Verdict::Repeated } else { Verdict::TooLate { has: holder.clone() } };
        }
        if !engagement.is_open() {
            // Stood down: those for whom it stood in have it.
            let holder = engagement.stands_for.iter().filter_map(|r| self.incident.engagements.get(r)?.holder()).next();
            return holder.map_or(Verdict::Closed, |has| Verdict::TooLate { has: has.clone() });
        }
        match said.answer {
            answer if answer.satisfies(row.engaged_by) => Verdict::Engages,
            Answer::Roger | Answer::Wilco if engagement.received.contains(&said.person) => Verdict::Repeated,
            Answer::Roger | Answer::Wilco => Verdict::Received,
            Answer::Standby { span } => self.standby(engagement.deadline.filter(|_| !engagement.stood_by), span),
            Answer::Unable if engagement.unable.contains(&said.person) => Verdict::Repeated,
            Answer::Unable => Verdict::Passed,
        }
    }

    pub(super) fn standby(&self, deadline: Option<Timestamp>, span: Duration) -> Verdict {
        let asked = self.now + span.min(STANDBY_MAX);
        deadline.map_or(Verdict::StandbyRefused, |deadline| Verdict::StandbyGranted { until: deadline.max(asked) })
    }

    pub(super) fn engage(&mut self, role: &RoleName, person: &PersonName) {
        self.emit(Event::Engaged { role: role.clone(), person: person.clone() });
        self.line(format!("{role}: {person} has it"));
        self.close_ladder(role, &Purpose::Taken { by: person.clone(), covering_as: None });
        self.cover_those_waiting_on(role, role, person);
        self.stand_down_behind(role);
    }

    pub(super) fn cover_those_waiting_on(&mut self, waited_on: &RoleName, by: &RoleName, person: &PersonName) {
        let waits = |(_, e): &(&RoleName, &Engagement)| e.is_open() && e.waits_on.as_ref() == Some(waited_on);
        let waiting: Vec<RoleName> = self.incident.engagements.iter().filter(waits).map(|(r, _)| r.clone()).collect();
        for role in waiting {
            self.cover(&role, by, person);
        }
    }

    pub(super) fn cover(&mut self, role: &RoleName, by: &RoleName, person: &PersonName) {
        self.emit(Event::Covered { role: role.clone(), by: by.clone(), person: person.clone() });
        self.line(format!("{role}: covered by {by}, {person} has it"));
        self.close_ladder(role, &Purpose::Taken { by: person.clone(), covering_as: Some(by.clone()) });
        self.cover_those_waiting_on(role, by, person);
    }

    /// A role that was entered only for others is let go once all of those have their outcome.
    pub(super) fn stand_down_behind(&mut self, role: &RoleName) {
        let Some(behind) = self.incident.engagements.get(role).and_then(|e| e.waits_on.clone()) else { return };
        let Some(engagement) = self.incident.engagements.get(&behind) else { return };
        let done = |r: &RoleName| self.incident.engagements.get(r).is_none_or(|e| !e.is_open());
        if engagement.is_open() && !engagement.required && engagement.stands_for.iter().all(done) {
            self.emit(Event::StoodDown { role: behind.clone() });
            self.close_ladder(&behind, &Purpose::StoodDown);
            self.stand_down_behind(&behind);
        }
    }

    pub(super) fn close_ladder(&mut self, role: &RoleName, purpose: &Purpose) {
        self.withdraw(|page| page.role.as_ref() == Some(role) && page.purpose.is_brief());
        self.tell(role, purpose);
    }
}
