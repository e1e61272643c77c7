//! Requests: what a choice means, and how a request ends. It ends once, and its incident with it.

use super::{Decider, forms::takes};
use crate::core::{
    actor::Actor,
    choice_verdict::ChoiceVerdict,
    event::Event,
    form_answer::FormAnswer,
    given_choice::GivenChoice,
    names::{RoleName, SourceName},
    proof::channel_of,
    read_back::ReadBack,
    request::{Request, RequestOutcome},
    request_facts::Replacement,
};

/// Why a handoff was withdrawn, if the machine gives no reason.
const USER_LEFT: &str = "the user left";

impl Decider<'_> {
    pub(super) fn choose(&mut self, said: GivenChoice) {
        let answer = self.answer_of(&said.option);
        self.decide(said, answer);
    }

    /// Takes a choice, and what was filled in with it: the answer to a form, or the action as it was changed.
    pub(super) fn decide(&mut self, said: GivenChoice, filled: Option<FormAnswer>) {
        // Handed over again: whatever they have said since then stands.
        if said.origin.as_ref().is_some_and(|origin| self.incident.has_heard(origin)) {
            return;
        }
        let (edited, verdict) = match self.edited(filled.as_ref()) {
            Ok(edited) => (edited, self.choice_verdict(&said, filled.as_ref())),
            // It can not be bound to what is done: it must not count for what was asked.
            Err(_) => (None, ChoiceVerdict::NoSuchOption),
        };
        let answer = filled.filter(|_| self.request().is_some_and(|request| request.ask.form.is_some()));
        self.emit(Event::Chosen {
            person: said.person.clone(),
            option: said.option.clone(),
            answer: answer.clone(),
            changes: edited.as_ref().map(|edited| edited.changes.clone()).unwrap_or_default(),
            via: said.via,
            page: said.page,
            channel: channel_of(said.via, said.page, &said.person, self.incident, self.roster),
            origin: said.origin.clone(),
            verdict: verdict.clone(),
        });
        match verdict {
            ChoiceVerdict::Decides => {
                let by = self.request().map(|request| request.chosen_by(&said.option)).unwrap_or_default();
                // Their roles have their answer; that it is over is told at once.
                for role in self.open_roles_of(&said) {
                    self.emit(Event::Engaged { role, person: said.person.clone() });
                }
                let outcome = RequestOutcome::Decided { option: said.option, by, answer, edited: edited.map(Box::new) };
                self.end_request(outcome, Actor::Person(said.person));
            }
            ChoiceVerdict::Counts { .. } => self.stop_asking(&said),
            ChoiceVerdict::Repeated
            | ChoiceVerdict::TooLate { .. }
            | ChoiceVerdict::NotAsked
            | ChoiceVerdict::NotDecider { .. }
            | ChoiceVerdict::OnBehalf
            | ChoiceVerdict::Stale
            | ChoiceVerdict::NotRepeated { .. }
            | ChoiceVerdict::Doubted { .. }
            | ChoiceVerdict::NoSuchOption => {}
        }
    }

    fn choice_verdict(&self, said: &GivenChoice, filled: Option<&FormAnswer>) -> ChoiceVerdict {
        let Some(request) = self.request() else { return ChoiceVerdict::NoSuchOption };
        if let Some(outcome) = request.outcome() {
            return ChoiceVerdict::TooLate { outcome: outcome.clone() };
        }
        if !takes(&request.ask, &said.option, filled) {
            return ChoiceVerdict::NoSuchOption;
        }
        // A page that is not there was shown by another incident, which had this number before a backup was restored.
        let page = said.page.map(|n| self.incident.pages.get(&n));
        if page.is_some_and(|page| page.is_none_or(|page| page.person.as_ref() != Some(&said.person))) {
            return ChoiceVerdict::NotAsked;
        }
        let asked: Vec<&RoleName> =
            self.incident.engagements.keys().filter(|role| self.is_asked(role, &said.person)).collect();
        if asked.is_empty() {
            return ChoiceVerdict::NotAsked;
        }
        let plan = &self.incident.plan;
        if !asked.into_iter().any(|role| plan.decides(role)) {
            return ChoiceVerdict::NotDecider { roles: plan.deciders() };
        }
        if request.ask.on_behalf_of.as_ref() == Some(&said.person) {
            return ChoiceVerdict::OnBehalf;
        }
        if said.digest.as_ref().is_some_and(|digest| *digest != request.ask.action_digest) {
            return ChoiceVerdict::Stale;
        }
        let before = request.choices.get(&said.person);
        let is_again = before.is_some_and(|choice| choice.option == said.option);
        // Who said the fact before need not say it again; who says another one must hear so.
        let is_fact = |fact: &&ReadBack| said.repeated.as_deref().map_or(is_again, |said| fact.is_repeated(said));
        if let Some(fact) = request.ask.read_back.as_ref().filter(|fact| !is_fact(fact)) {
            return ChoiceVerdict::NotRepeated { fact: fact.shown() };
        }
        if is_again {
            return ChoiceVerdict::Repeated;
        }
        // Only once: who chooses it again has read why. It decides nothing by itself.
        if let Some(why) = said.doubt.clone().filter(|_| !request.has_read_doubt(&said.person, &said.option, self.now))
        {
            return ChoiceVerdict::Doubted { why };
        }
        let agreed = request.chosen_by(&said.option).len() + 1;
        let agreed = u32::try_from(agreed).unwrap_or(u32::MAX);
        match request.ask.needed(&said.option).saturating_sub(agreed) {
            0 => ChoiceVerdict::Decides,
            missing => ChoiceVerdict::Counts { missing },
        }
    }

    /// The ladders of their roles go on only if nobody else is being asked: those who are missing must be found.
    fn stop_asking(&mut self, said: &GivenChoice) {
        let theirs = self.open_roles_of(said);
        // Who only stands in for them would be released with them.
        let is_other = |role: &RoleName| !theirs.contains(role) && !theirs.contains(self.incident.asked_for(role));
        let mut required = self.incident.plan.required.iter();
        let is_open = |role: &RoleName| self.incident.engagements.get(role).is_some_and(|role| role.is_open());
        if !required.any(|role| is_open(role) && is_other(role)) {
            return;
        }
        for role in theirs {
            // An earlier role in this loop may have covered it.
            if self.incident.engagements.get(&role).is_some_and(|engagement| engagement.is_open()) {
                self.engage(&role, &said.person);
            }
        }
    }

    /// The open roles that this person was paged for.
    fn open_roles_of(&self, said: &GivenChoice) -> Vec<RoleName> {
        let theirs = |role: &&RoleName| self.incident.pages.has_asked_for(role, &said.person);
        self.incident.open_roles().filter(theirs).cloned().collect()
    }

    /// Ends the request whose deadline has passed: by its default, or without a decision.
    pub(super) fn end_late_request(&mut self) {
        let is_due = |request: &&Request| request.deadline().is_some_and(|deadline| deadline <= self.now);
        let Some(request) = self.request().filter(is_due) else { return };
        let outcome = match request.ask.default.clone() {
            _ if request.handoff.is_some() => RequestOutcome::Unanswered { out_of_hours: false },
            Some(option) => RequestOutcome::Defaulted { option },
            None => RequestOutcome::Expired,
        };
        self.end_request(outcome, Actor::Deadline);
    }

    /// Withdraws the request. One that has ended stays as it is.
    pub(super) fn cancel_request(&mut self, by: Actor, why: Option<String>) {
        self.end_request(RequestOutcome::Cancelled { why }, by);
    }

    /// Ends the request because another one takes its place. Who reads that one now is not told of the end of this one;
    /// the others are.
    pub(super) fn supersede_request(&mut self, other: Replacement) {
        let Replacement { by, changed, asked } = other;
        if self.request().is_some_and(|request| request.outcome().is_none()) {
            let why = Some(format!("new facts, it is asked anew: {changed}"));
            self.emit(Event::RequestEnded { outcome: RequestOutcome::Superseded { by, changed } });
            let source = Actor::Source(self.incident.alert.source.clone());
            self.resolve_telling(source, why, |person| !asked.contains(person));
        }
    }

    pub(super) fn end_request(&mut self, outcome: RequestOutcome, by: Actor) {
        if self.request().is_some_and(|request| request.outcome().is_none()) {
            let why = self.why_over(&outcome);
            self.emit(Event::RequestEnded { outcome });
            self.resolve(by, why);
        }
    }

    /// People who were asked for a handoff must not look for a user who has left.
    fn why_over(&self, outcome: &RequestOutcome) -> Option<String> {
        let RequestOutcome::Cancelled { why } = outcome else { return None };
        let is_handoff = self.request().is_some_and(|request| request.handoff.is_some());
        is_handoff.then(|| why.clone().unwrap_or_else(|| USER_LEFT.to_owned()))
    }

    /// Whether a request is open, which its asker alone may withdraw by an all-clear.
    pub(super) fn is_asking(&self) -> bool {
        self.request().is_some_and(|request| request.outcome().is_none())
    }

    /// Whether a request of this source is open.
    pub(super) fn is_asked_by(&self, source: &SourceName) -> bool {
        self.is_asking() && self.incident.asker() == source
    }

    /// Whether a decision is open, which no answer but an option ends.
    pub(super) fn is_undecided(&self) -> bool {
        self.request().is_some_and(|request| request.handoff.is_none() && request.outcome().is_none())
    }

    pub(super) fn request(&self) -> Option<&Request> {
        self.incident.request.as_deref()
    }
}
