//! Handoffs: what the person who has a conversation says of it. Who has it is who took its role; the first one has it.

use super::Decider;
use crate::core::{
    actor::Actor,
    answer::{Answer, AnswerVerdict, GivenAnswer},
    display_names::DisplayNames,
    event::Event,
    handoff::{GivenHandoffStep, HandoffMove, HandoffState, HandoffStep, HandoffVerdict},
    names::PersonName,
    request::RequestOutcome,
};

impl Decider<'_> {
    pub(super) fn handoff(&mut self, said: GivenHandoffStep) {
        let GivenHandoffStep { person, step, via, page } = said;
        if let HandoffStep::PassOn { .. } = step {
            return self.pass_handoff_on(GivenHandoffStep { person, step, via, page });
        }
        let verdict = self.handoff_verdict(&person, &step);
        let moved = HandoffMove { person: person.clone(), step, via, page, verdict };
        self.emit(Event::HandoffMoved(moved.clone()));
        if moved.verdict != HandoffVerdict::Done {
            return;
        }
        let outcome = match moved.step {
            HandoffStep::Finish { result } => RequestOutcome::Completed { by: person.clone(), result },
            HandoffStep::Return { note } => RequestOutcome::Returned { by: person.clone(), note },
            HandoffStep::Connect | HandoffStep::PassOn { .. } => {
                let who = self.names().person(&person).to_owned();
                return self.line(format!("{who} speaks to the user now"));
            }
        };
        self.end_request(outcome, Actor::Person(person));
    }

    /// It is the answer *unable*, with a reason that the next one reads.
    fn pass_handoff_on(&mut self, said: GivenHandoffStep) {
        let GivenHandoffStep { person, step, via, page } = said;
        self.answer(GivenAnswer {
            person: person.clone(),
            answer: Answer::Unable,
            via,
            page,
            role: None,
            origin: None,
        });
        let passed = self.events.iter().any(|event| {
            let Event::Answered { person: who, verdict, .. } = event else { return false };
            *who == person && matches!(verdict, AnswerVerdict::Passed | AnswerVerdict::HandedBack)
        });
        if passed && self.request().is_some_and(|request| request.handoff.is_some()) {
            let verdict = HandoffVerdict::Done;
            self.emit(Event::HandoffMoved(HandoffMove { person, step, via, page, verdict }));
        }
    }

    fn handoff_verdict(&self, person: &PersonName, step: &HandoffStep) -> HandoffVerdict {
        let request = self.request();
        let Some((state, progress)) =
            request.and_then(|request| Some((request.handoff_state()?, request.handoff.as_ref()?)))
        else {
            return HandoffVerdict::Closed;
        };
        let has = progress.taken.as_ref().map(|taken| &taken.person);
        match state {
            HandoffState::Offered | HandoffState::Assigned | HandoffState::Connected if has != Some(person) => {
                HandoffVerdict::NotYours { has: has.cloned() }
            }
            HandoffState::Connected if *step == HandoffStep::Connect => HandoffVerdict::Repeated,
            HandoffState::Offered | HandoffState::Assigned | HandoffState::Connected => HandoffVerdict::Done,
            HandoffState::Completed | HandoffState::Returned | HandoffState::Unanswered | HandoffState::Cancelled => {
                HandoffVerdict::Closed
            }
        }
    }

    /// Ends a handoff that came out of hours, before anybody is asked. Whether it did.
    pub(super) fn end_out_of_hours(&mut self) -> bool {
        let terms = self.request().and_then(|request| request.ask.handoff.as_ref());
        if terms.is_none_or(|terms| terms.closed.is_none()) {
            return false;
        }
        self.end_request(RequestOutcome::Unanswered { out_of_hours: true }, Actor::Deadline);
        true
    }

    /// Only what is over is erased, and once.
    pub(super) fn erase(&mut self, by: Actor) {
        let progress = self.request().filter(|request| request.outcome().is_some());
        if progress.and_then(|request| request.handoff.as_ref()).is_some_and(|handoff| handoff.erased_at.is_none()) {
            self.emit(Event::Erased { by });
        }
    }
}
