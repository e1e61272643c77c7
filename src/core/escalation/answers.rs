//! Answers: which role is meant, what effect the answer has, and what an engagement releases.

use crate::core::{
    answer::{Answer, AnswerVerdict, GivenAnswer, STANDBY_MAX},
    answer_via::AnswerVia,
    display_names::DisplayNames,
    engagement::Engagement,
    escalation::Decider,
    event::Event,
    names::{PersonName, RoleName},
    page::PagePurpose,
    plan::RolePlan,
    proof::channel_of_answer,
    time::Timestamp,
};
use std::time::Duration;

impl Decider<'_> {
    pub(super) fn answer(&mut self, said: GivenAnswer) {
        // Handed over again: whatever they have said since then stands.
        if said.origin.as_ref().is_some_and(|origin| self.incident.has_heard(origin)) {
            return;
        }
        let (role, verdict) = match self.role_meant(&said) {
            Ok(role) => {
                let role = match said.answer {
                    Answer::Unable => self.held_through(role, &said.person),
                    Answer::Roger | Answer::Wilco | Answer::Standby { .. } => role,
                };
                let verdict = self.or_takes_back(self.verdict(&role, &said), &said);
                (Some(role), verdict)
            }
            Err(verdict) => (said.role.clone(), verdict),
        };
        self.emit(Event::Answered {
            role: role.clone(),
            person: said.person.clone(),
            answer: said.answer,
            via: said.via,
            page: said.page,
            channel: channel_of_answer(&said, self.incident, self.roster),
            origin: said.origin.clone(),
            verdict: verdict.clone(),
        });
        let Some(role) = role else { return };
        match verdict {
            AnswerVerdict::Engages => self.engage(&role, &said.person),
            AnswerVerdict::HandedBack => self.hand_back(&role, &said.person),
            AnswerVerdict::Passed => self.pass_on(&role, &said.person),
            AnswerVerdict::Received
            | AnswerVerdict::StandbyGranted { .. }
            | AnswerVerdict::StandbyRefused
            | AnswerVerdict::Yours
            | AnswerVerdict::TooLate { .. }
            | AnswerVerdict::TookBack { .. }
            | AnswerVerdict::Repeated
            | AnswerVerdict::Closed
            | AnswerVerdict::NotAsked
            | AnswerVerdict::WhichRole { .. } => {}
        }
    }

    fn pass_on(&mut self, role: &RoleName, person: &PersonName) {
        self.withdraw(|page| {
            page.purpose.is_brief() && page.role.as_ref() == Some(role) && page.person.as_ref() == Some(person)
        });
        self.leave_if_nobody_can_answer(role);
        // The time that they had asked for is over.
        self.advance_if_due(role);
    }

    /// The role that is meant: the page's role, the one that was named, or the only open one that this person was paged
    /// for.
    pub(super) fn role_meant(&self, said: &GivenAnswer) -> Result<RoleName, AnswerVerdict> {
        if !self.incident.is_open() {
            return Err(AnswerVerdict::Closed);
        }
        if let Some(n) = said.page {
            let page = self.incident.pages.get(&n).filter(|page| page.person.as_ref() == Some(&said.person));
            return page.and_then(|page| page.role.clone()).ok_or(AnswerVerdict::NotAsked);
        }
        if let Some(role) = &said.role {
            let known = self.incident.engagements.get(role);
            let meant = known.is_some_and(|e| e.holder() == Some(&said.person) || self.is_asked(role, &said.person));
            return if meant { Ok(role.clone()) } else { Err(AnswerVerdict::NotAsked) };
        }
        if let Some(given_up) = self.given_up(said) {
            return given_up;
        }
        let asked: Vec<&RoleName> =
            self.incident.engagements.keys().filter(|r| self.is_asked(r, &said.person)).collect();
        let open = |role: &&&RoleName| self.incident.engagements.get(**role).is_some_and(|e| e.is_open());
        let open: Vec<&RoleName> = asked.iter().filter(open).copied().collect();
        match (&open[..], &asked[..]) {
            ([role], _) | ([], [role, ..]) => Ok((*role).clone()),
            ([], []) => Err(AnswerVerdict::NotAsked),
            (many, _) => Err(AnswerVerdict::WhichRole { roles: many.iter().map(|role| (*role).clone()).collect() }),
        }
    }

    /// The role that is meant when somebody who has one or more roles only says unable: their own, unless they may mean
    /// another one. `None` for everybody else and for every other answer.
    fn given_up(&self, said: &GivenAnswer) -> Option<Result<RoleName, AnswerVerdict>> {
        let mut meant = self.roles_of(&said.person);
        if said.answer != Answer::Unable || meant.is_empty() {
            return None;
        }
        let open = self.incident.engagements.iter().filter(|(_, e)| e.is_open() && !e.unable.contains(&said.person));
        meant.extend(open.map(|(role, _)| role.clone()).filter(|role| self.is_asked(role, &said.person)));
        let meant: Vec<RoleName> = meant.into_iter().collect();
        Some(match &meant[..] {
            [role] => Ok(role.clone()),
            _ => Err(AnswerVerdict::WhichRole { roles: meant }),
        })
    }

    /// Whether this person was paged for the role, or is on call for one of its steps now.
    pub(super) fn is_asked(&self, role: &RoleName, person: &PersonName) -> bool {
        let paged = self.incident.pages.has_asked_for(role, person);
        let on_ladder = |row: &RolePlan| {
            row.steps.iter().any(|step_plan| self.roster.resolve(&step_plan.page, self.civil).contains(person))
        };
        paged || self.row(role).is_some_and(on_ladder)
    }

    pub(super) fn verdict(&self, role: &RoleName, said: &GivenAnswer) -> AnswerVerdict {
        let (Some(engagement), Some(row)) = (self.incident.engagements.get(role), self.row(role)) else {
            return AnswerVerdict::NotAsked;
        };
        if let Some(holder) = engagement.holder() {
            return if *holder == said.person {
                of_holder(said)
            } else {
                AnswerVerdict::TooLate { has: holder.clone() }
            };
        }
        if !engagement.is_open() {
            // It was stood down: the roles that it stood in for have a holder.
            let holder = engagement.stands_for.iter().filter_map(|r| self.incident.engagements.get(r)?.holder()).next();
            return holder.map_or(AnswerVerdict::Closed, |has| AnswerVerdict::TooLate { has: has.clone() });
        }
        match said.answer {
            // Whoever says so has decided nothing, and who else is needed is asked on.
            Answer::Roger | Answer::Wilco if self.is_undecided() => AnswerVerdict::Received,
            answer if answer.satisfies(row.engaged_by) => AnswerVerdict::Engages,
            Answer::Roger | Answer::Wilco if engagement.received.contains(&said.person) => AnswerVerdict::Repeated,
            Answer::Roger | Answer::Wilco => AnswerVerdict::Received,
            Answer::Standby { span } => self.standby(engagement.deadline.filter(|_| !engagement.stood_by), span),
            Answer::Unable if engagement.unable.contains(&said.person) => AnswerVerdict::Repeated,
            Answer::Unable => AnswerVerdict::Passed,
        }
    }

    /// Whoever can not do it stands by no choice either, also where that is no news to the role. A mailbox says nothing of
    /// that.
    fn or_takes_back(&self, verdict: AnswerVerdict, said: &GivenAnswer) -> AnswerVerdict {
        let stands =
            self.request().is_some_and(|own| own.outcome().is_none() && own.choices.contains_key(&said.person));
        let is_taken_back = said.answer == Answer::Unable && said.via != AnswerVia::AutoReply && stands;
        match verdict {
            AnswerVerdict::TooLate { has } if is_taken_back => AnswerVerdict::TookBack { has: Some(has) },
            AnswerVerdict::Repeated | AnswerVerdict::Closed if is_taken_back => AnswerVerdict::TookBack { has: None },
            other => other,
        }
    }

    pub(super) fn standby(&self, deadline: Option<Timestamp>, span: Duration) -> AnswerVerdict {
        let asked = self.now + span.min(STANDBY_MAX);
        deadline.map_or(AnswerVerdict::StandbyRefused, |deadline| AnswerVerdict::StandbyGranted {
            until: deadline.max(asked),
            before: Some(deadline),
        })
    }

    pub(super) fn engage(&mut self, role: &RoleName, person: &PersonName) {
        self.emit(Event::Engaged { role: role.clone(), person: person.clone() });
        self.line(format!("{}: {} has it", self.names().role(role), self.names().person(person)));
        self.close_ladder(role, &PagePurpose::Taken { by: person.clone(), covering_as: None });
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
        let names = self.names();
        self.line(format!("{}: covered by {}, {} has it", names.role(role), names.role(by), names.person(person)));
        self.close_ladder(role, &PagePurpose::Taken { by: person.clone(), covering_as: Some(by.clone()) });
        self.cover_those_waiting_on(role, by, person);
    }

    /// A role that was entered only for others is stood down once all of them have their outcome.
    pub(super) fn stand_down_behind(&mut self, role: &RoleName) {
        let Some(behind) = self.incident.engagements.get(role).and_then(|e| e.waits_on.clone()) else { return };
        let Some(engagement) = self.incident.engagements.get(&behind) else { return };
        let done = |r: &RoleName| self.incident.engagements.get(r).is_none_or(|e| !e.is_open());
        if engagement.is_open() && !engagement.required && engagement.stands_for.iter().all(done) {
            self.emit(Event::StoodDown { role: behind.clone() });
            self.close_ladder(&behind, &PagePurpose::StoodDown);
            self.stand_down_behind(&behind);
        }
    }

    pub(super) fn close_ladder(&mut self, role: &RoleName, purpose: &PagePurpose) {
        let is_stale = |purpose: &PagePurpose| purpose.is_brief() || matches!(purpose, PagePurpose::HandedBack { .. });
        self.withdraw(|page| page.role.as_ref() == Some(role) && is_stale(&page.purpose));
        self.tell(role, purpose);
    }
}

/// The effect of an answer from the person who already has the role. An automatic reply from their mailbox while they
/// work on it has no effect.
fn of_holder(said: &GivenAnswer) -> AnswerVerdict {
    match said.answer {
        Answer::Unable if said.via == AnswerVia::AutoReply => AnswerVerdict::Yours,
        Answer::Unable => AnswerVerdict::HandedBack,
        Answer::Standby { .. } => AnswerVerdict::Yours,
        Answer::Roger | Answer::Wilco => AnswerVerdict::Repeated,
    }
}
