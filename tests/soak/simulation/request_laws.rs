//! Laws 12 to 15, of requests: one check for each thing that a law says, named after it. What counts, and who has a
//! conversation, is counted here once more from the lines, beside what the state says.

use super::{LATE_MAX, Laws};
use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};
use stentor::core::{
    Actor, Answer, AnswerVerdict, AnswerVia, Ask, AskKind, ChoiceVerdict, Event, FormAnswer, HandoffState, HandoffStep,
    HandoffVerdict, Incident, IncidentId, IncidentOpening, IncidentStatus, PersonName, Request, RequestId,
    RequestOutcome, Timestamp,
    action_edit::EditedAction,
    form_answer::FORM_ANSWER,
    request::DENY,
    request_facts::{asked_digest, edited},
};

/// What was seen of requests, beside their incidents.
#[derive(Default)]
pub(super) struct RequestWatch {
    /// Those that were accepted, and by which key.
    accepted: BTreeMap<IncidentId, RequestId>,
    keyed: BTreeMap<String, RequestId>,
    /// What people said that they choose, and the digest that they were shown.
    chose: BTreeSet<(IncidentId, PersonName, String, String)>,
    /// What they filled in.
    filled: Vec<(IncidentId, PersonName, FormAnswer)>,
    /// What they said of conversations.
    stepped: BTreeSet<(IncidentId, PersonName, &'static str)>,
    /// Those that somebody wanted to end, and those of which somebody had new facts.
    withdrawn: BTreeSet<IncidentId>,
    renewed: BTreeSet<IncidentId>,
    /// What each person has chosen, where it counts.
    counted: BTreeMap<IncidentId, BTreeMap<PersonName, String>>,
    /// When each must have its outcome, and since when that is known.
    due: BTreeMap<IncidentId, (Timestamp, Timestamp)>,
    /// Who has each conversation, and whether they speak to the user.
    owners: BTreeMap<IncidentId, (PersonName, bool)>,
}

/// The name of a step that a person says of a conversation.
pub fn step_name(step: &HandoffStep) -> &'static str {
    match step {
        HandoffStep::Connect => "connect",
        HandoffStep::Finish { .. } => "finish",
        HandoffStep::Return { .. } => "return",
        HandoffStep::PassOn { .. } => "pass on",
    }
}

// What is seen beside the lines.
impl Laws {
    /// Every request that was accepted.
    pub fn accepted(&self) -> Vec<RequestId> {
        self.requests.accepted.values().copied().collect()
    }

    pub(super) fn law_12_an_accepted_request_is_kept(&mut self, key: Option<&String>, id: RequestId) {
        self.requests.accepted.insert(id.incident, id);
        let before = key.and_then(|key| self.requests.keyed.insert(key.clone(), id)).filter(|before| *before != id);
        self.check("law 12", before.is_none(), || format!("{id} was accepted by the key of {before:?}"));
        let kept = self.gone.contains_key(&id.incident)
            || self.incident(id.incident).and_then(Incident::request_id) == Some(id);
        self.check("law 12", kept, || format!("{id} was accepted and is nowhere"));
    }

    pub(super) fn about_to_choose(&mut self, said: (IncidentId, PersonName, String, String)) {
        self.requests.chose.insert(said);
    }

    pub(super) fn about_to_fill_in(&mut self, id: IncidentId, person: &PersonName, answer: Option<&FormAnswer>) {
        self.requests.filled.extend(answer.map(|answer| (id, person.clone(), answer.clone())));
    }

    pub(super) fn about_to_step(&mut self, said: (IncidentId, PersonName, &'static str)) {
        self.requests.stepped.insert(said);
    }

    pub(super) fn about_to_withdraw(&mut self, id: IncidentId) {
        self.requests.withdrawn.insert(id);
    }

    pub(super) fn about_to_renew(&mut self, id: IncidentId) {
        self.requests.renewed.insert(id);
    }

    /// What a node that has just started reads of it: its state, and the stream of its events.
    pub(super) fn law_12_its_outcome_can_be_read(
        &mut self,
        id: RequestId,
        state: Option<&RequestOutcome>,
        told: &[RequestOutcome],
    ) {
        let Some(incident) = self.incident(id.incident) else { return };
        let outcome = incident.request.as_ref().and_then(|request| request.outcome()).cloned();
        let holds = outcome.is_some() && state == outcome.as_ref() && told == outcome.as_slice();
        self.check("law 12", holds, || {
            format!("{id} is {outcome:?}, is read as {state:?}, and its events say {told:?}")
        });
    }

    pub(super) fn law_12_it_ends_in_time(&mut self, at: Timestamp, able_since: Option<Timestamp>) {
        let Some(able_since) = able_since else { return };
        let late = |(_, (due, known)): &(&IncidentId, &(Timestamp, Timestamp))| {
            LATE_MAX < at.micros_since((*due).max(*known).max(able_since))
        };
        if let Some((id, (due, _))) = self.requests.due.iter().find(late) {
            let what = format!("{id} had to end at {due} and has no outcome at {at}");
            self.fail("law 12", what);
        }
    }

    pub(super) fn forget_request(&mut self, id: IncidentId) {
        self.requests.due.remove(&id);
    }
}

// The lines, before they are applied.
impl Laws {
    pub(super) fn request_opens(&mut self, id: IncidentId, opening: &IncidentOpening) {
        let Some(ask) = opening.ask.as_deref() else { return };
        let of_same = |other: &&Incident| other.is_open() && other.key == opening.key;
        let other = self.incidents().find(of_same).map(|other| other.id);
        self.check("law 15", ask.handoff.is_none() || other.is_none(), || {
            format!("{id} hands the conversation over that {other:?} hands over")
        });
        let digest = asked_digest(&ask.action, ask.form.as_ref(), &opening.alert).ok();
        self.check("law 14", digest.as_ref() == Some(&ask.action_digest), || {
            format!("{id} asks about {digest:?} and says {}", ask.action_digest)
        });
        let rules = opening.plan.ask.as_ref();
        let allowed = ask.default.as_ref().is_none_or(|default| rules.is_some_and(|r| r.defaults.contains(default)));
        self.check("law 13", allowed, || format!("{id} has the default {:?}, which is not allowed", ask.default));
        let needed = rules.map(|rules| rules.approvals);
        self.check("law 13", needed == Some(ask.approvals), || format!("{id} needs {} people", ask.approvals));
    }

    pub(super) fn request_line(&mut self, id: IncidentId, at: Timestamp, event: &Event) {
        let Some(incident) = self.incident(id) else { return };
        let Some(request) = incident.request.clone() else { return };
        match event {
            Event::Chosen { person, option, page, verdict, .. } if verdict.counts() => {
                let answered = page.and_then(|n| incident.pages.get(&n));
                let theirs = answered.is_none_or(|page| page.person.as_ref() == Some(person));
                self.check("law 13", theirs, || format!("{id}: {option} of {person} counts, on the page of another"));
                self.law_13_only_who_was_asked_counts(id, (at, &request), (person, option));
                self.law_14_it_counts_for_what_was_shown(id, &request.ask, (person, option));
                self.requests.counted.entry(id).or_default().insert(person.clone(), option.clone());
                self.law_13_enough_decide(id, &request.ask, option, verdict);
            }
            // Whoever can not do it stands by no choice, whatever that is to the role.
            Event::Answered { person, via, verdict, answer: Answer::Unable, .. }
                if *via != AnswerVia::AutoReply
                    && !matches!(verdict, AnswerVerdict::NotAsked | AnswerVerdict::WhichRole { .. }) =>
            {
                // What they chose does not stand either.
                self.requests.counted.entry(id).or_default().remove(person);
            }
            Event::RequestEnded { outcome } => {
                let before = request.outcome();
                self.check("law 12", before.is_none(), || format!("{id} is {before:?} and becomes {outcome:?}"));
                self.law_13_an_outcome_has_its_reason(id, at, &request, outcome);
            }
            Event::Resolved { by, .. } => {
                let ended = request.outcome();
                self.check("law 12", ended.is_some(), || format!("{id} is over and its request has no outcome"));
                if let Some(RequestOutcome::Cancelled { .. }) = ended {
                    self.law_13_only_who_withdraws_cancels(id, by);
                }
            }
            _ if request.handoff.is_some() => self.handoff_line(id, event),
            _ => {}
        }
    }

    fn law_13_only_who_was_asked_counts(
        &mut self,
        id: IncidentId,
        (at, request): (Timestamp, &Request),
        (person, option): (&PersonName, &String),
    ) {
        let asked = self.may_be_asked(id, person, at);
        let others = request.ask.on_behalf_of.as_ref() != Some(person);
        let in_time = at < request.ask.deadline && request.outcome().is_none();
        let is_option = options(&request.ask).contains(option);
        let said = self.requests.chose.iter().any(|(of, by, what, _)| *of == id && by == person && what == option);
        self.check("law 13", asked && others && in_time && is_option && said, || {
            format!(
                "{id}: {option} by {person} counts: asked {asked}, not on their behalf {others}, in time {in_time}, \
                 an option {is_option}, said {said}"
            )
        });
    }

    fn law_14_it_counts_for_what_was_shown(
        &mut self,
        id: IncidentId,
        ask: &Ask,
        (person, option): (&PersonName, &String),
    ) {
        let shown = (id, person.clone(), option.clone(), ask.action_digest.clone());
        let holds = self.requests.chose.contains(&shown);
        self.check("law 14", holds, || format!("{id}: {option} counts of {person}, who was shown something else"));
    }

    /// Exactly when enough agree the choice decides.
    fn law_13_enough_decide(&mut self, id: IncidentId, ask: &Ask, option: &str, verdict: &ChoiceVerdict) {
        let agreed = self.requests.counted.get(&id).map_or(0, |counted| agreeing(counted, option).len());
        let enough = needed(ask, option) <= agreed;
        let decides = *verdict == ChoiceVerdict::Decides;
        self.check("law 13", enough == decides, || format!("{id}: {agreed} agree on {option}, it decides: {decides}"));
    }

    fn law_13_an_outcome_has_its_reason(
        &mut self,
        id: IncidentId,
        at: Timestamp,
        request: &Request,
        outcome: &RequestOutcome,
    ) {
        let ask = &request.ask;
        let is_handoff = ask.kind == AskKind::Handoff;
        let counted = self.requests.counted.get(&id).cloned().unwrap_or_default();
        let undecided = options(ask).iter().all(|option| agreeing(&counted, option).len() < needed(ask, option));
        let late = !is_handoff && ask.deadline <= at && undecided;
        let owner = self.requests.owners.get(&id).map(|(person, _)| person.clone());
        let holds = match outcome {
            RequestOutcome::Decided { option, by, answer, edited } => {
                let fits = self.law_13_is_filled_in(id, ask, by, answer.as_ref())
                    && self.law_14_is_as_it_was_changed(id, ask, by, edited.as_deref());
                let distinct: BTreeSet<&PersonName> = by.iter().collect();
                let counts = by.iter().all(|person| counted.get(person) == Some(option));
                !is_handoff
                    && at < ask.deadline
                    && counts
                    && fits
                    && distinct.len() == by.len()
                    && needed(ask, option) <= by.len()
            }
            RequestOutcome::Defaulted { option } => late && ask.default.as_ref() == Some(option),
            RequestOutcome::Expired => late && ask.default.is_none(),
            RequestOutcome::Cancelled { .. } => undecided,
            RequestOutcome::Superseded { by, .. } => {
                undecided && self.requests.renewed.contains(&id) && self.takes_its_place(id, *by)
            }
            RequestOutcome::Completed { by, .. } => {
                is_handoff && owner.as_ref() == Some(by) && self.has_stepped(id, by, "finish")
            }
            RequestOutcome::Returned { by, .. } => {
                is_handoff && owner.as_ref() == Some(by) && self.has_stepped(id, by, "return")
            }
            RequestOutcome::Unanswered { out_of_hours: true } => {
                ask.handoff.as_ref().is_some_and(|terms| terms.closed.is_some())
            }
            RequestOutcome::Unanswered { out_of_hours: false } => {
                is_handoff && owner.is_none() && request.deadline().is_some_and(|deadline| deadline <= at)
            }
        };
        self.check("law 13", holds, || {
            format!("{id} is {outcome:?} at {at}: due at {}, counted {counted:?}", ask.deadline)
        });
    }

    /// A form is decided by what somebody filled in, which fits it; nothing else has an answer.
    fn law_13_is_filled_in(&self, id: IncidentId, ask: &Ask, by: &[PersonName], answer: Option<&FormAnswer>) -> bool {
        match (&ask.form, answer) {
            (None, None) => true,
            (Some(form), Some(answer)) => {
                let said = |(of, person, filled): &(IncidentId, PersonName, FormAnswer)| {
                    *of == id && by.contains(person) && filled == answer
                };
                form.fits(answer) && self.requests.filled.iter().any(said)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    /// What is to be done is what was asked about, or what the one who approves made of it.
    fn law_14_is_as_it_was_changed(
        &self,
        id: IncidentId,
        ask: &Ask,
        by: &[PersonName],
        outcome: Option<&EditedAction>,
    ) -> bool {
        let Some(outcome) = outcome else { return true };
        let Some((edit, incident)) = ask.edit.as_ref().zip(self.incident(id)) else { return false };
        self.requests.filled.iter().any(|(of, person, answer)| {
            let made = || edited(ask, edit, answer, &incident.alert).ok().flatten();
            *of == id && by.contains(person) && made().as_ref() == Some(outcome)
        })
    }

    fn law_13_only_who_withdraws_cancels(&mut self, id: IncidentId, by: &Actor) {
        let Some(incident) = self.incident(id) else { return };
        let all_clear = incident.plan.ask.as_ref().is_some_and(|rules| rules.from_alerts);
        let wanted = self.requests.withdrawn.contains(&id);
        let holds = match by {
            Actor::Crisis(_) | Actor::Clock => incident.drill,
            Actor::Source(_) => wanted || all_clear,
            _ => wanted,
        };
        self.check("law 13", holds, || format!("{id} is cancelled by {by:?}, and nobody withdrew it"));
    }

    fn takes_its_place(&self, id: IncidentId, by: RequestId) -> bool {
        let other = self.incident(by.incident).filter(|other| other.request_id() == Some(by));
        let before = other.and_then(|other| other.request.as_ref()?.ask.supersedes.as_ref());
        self.gone.contains_key(&by.incident) || before.is_some_and(|before| before.request.incident == id)
    }

    fn has_stepped(&self, id: IncidentId, person: &PersonName, step: &'static str) -> bool {
        self.requests.stepped.contains(&(id, person.clone(), step))
    }

    /// Whether somebody was paged, or may be on call for one of the roles: whatever the wall clock says of rotations.
    fn may_be_asked(&self, id: IncidentId, person: &PersonName, at: Timestamp) -> bool {
        let Some(incident) = self.incident(id) else { return false };
        let hour = Duration::from_secs(3600);
        let times = [at, at + hour, at + 2 * hour];
        let on_call = |role| {
            incident
                .plan
                .roles
                .get(role)
                .into_iter()
                .flat_map(|row| &row.steps)
                .any(|step| times.iter().any(|time| self.roster.resolve(&step.page, *time).contains(person)))
        };
        let paged = |role| incident.briefs_of(role).any(|page| page.person.as_ref() == Some(person));
        incident.engagements.keys().any(|role| paged(role) || on_call(role))
    }
}

// Conversations.
impl Laws {
    /// Who has it took it, nobody else does, and only they speak to the user.
    fn handoff_line(&mut self, id: IncidentId, event: &Event) {
        let owner = self.requests.owners.get(&id).cloned();
        match event {
            Event::Engaged { person, .. } => {
                let free = owner.as_ref().is_none_or(|(has, _)| has == person);
                self.check("law 15", free, || format!("{id}: {person} takes what {owner:?} has"));
                self.requests.owners.entry(id).or_insert((person.clone(), false));
            }
            Event::HandedBack { person, .. } => {
                let has = owner.as_ref().is_some_and(|(has, _)| has == person);
                self.check("law 15", has, || format!("{id}: {person} gives up what {owner:?} has"));
                self.requests.owners.remove(&id);
            }
            Event::HandoffMoved(moved) if moved.verdict == HandoffVerdict::Done => {
                let said = self.has_stepped(id, &moved.person, step_name(&moved.step));
                let theirs = owner.as_ref().is_some_and(|(has, _)| *has == moved.person);
                let holds = said && (theirs || matches!(moved.step, HandoffStep::PassOn { .. }));
                self.check("law 15", holds, || {
                    format!("{id}: {} of {}, {owner:?} has it", step_name(&moved.step), moved.person)
                });
                if moved.step == HandoffStep::Connect
                    && let Some((_, speaks)) = self.requests.owners.get_mut(&id)
                {
                    *speaks = true;
                }
            }
            _ => {}
        }
    }

    /// The state names who has it, and nobody before.
    fn law_15_the_user_is_told_who_has_it(&mut self, incident: &Incident, request: &Request) {
        let Some(progress) = &request.handoff else { return };
        let owner = self.requests.owners.get(&incident.id).cloned();
        let told = progress.taken.as_ref().map(|taken| (taken.person.clone(), taken.connected_at.is_some()));
        self.check("law 15", told == owner, || format!("{}: {told:?} is told, {owner:?} has it", incident.id));
        let state = request.handoff_state();
        let fits = match (request.outcome(), &owner) {
            (None, None) => state == Some(HandoffState::Offered),
            (None, Some((_, false))) => state == Some(HandoffState::Assigned),
            (None, Some((_, true))) => state == Some(HandoffState::Connected),
            (Some(_), _) => {
                !matches!(state, None | Some(HandoffState::Offered | HandoffState::Assigned | HandoffState::Connected))
            }
        };
        self.check("law 15", fits, || format!("{} is {state:?}, and {owner:?} has it", incident.id));
    }
}

// What the store holds.
impl Laws {
    pub(super) fn request_stored(&mut self, incident: &Incident) {
        let Some(request) = incident.request.as_deref() else { return };
        let id = incident.id;
        let (over, ended) = (incident.status != IncidentStatus::Open, request.outcome().is_some());
        self.check("law 12", over == ended, || format!("{id} is over: {over}, its request has ended: {ended}"));
        self.law_15_the_user_is_told_who_has_it(incident, request);
        // Not the state's own word for it.
        let due = match &request.handoff {
            _ if ended => None,
            Some(progress) => (!self.requests.owners.contains_key(&id)).then_some(progress.until),
            None => Some(request.ask.deadline),
        };
        match due {
            Some(due) if self.requests.due.get(&id).is_some_and(|(known, _)| *known == due) => {}
            Some(due) => drop(self.requests.due.insert(id, (due, self.now))),
            None => drop(self.requests.due.remove(&id)),
        }
    }

    pub(super) fn law_12_it_has_ended(&mut self, incident: &Incident) {
        let ended = incident.request.as_ref().is_none_or(|request| request.outcome().is_some());
        self.check("law 12", ended, || format!("{} has no outcome in the end", incident.id));
    }
}

fn agreeing<'a>(counted: &'a BTreeMap<PersonName, String>, option: &str) -> Vec<&'a PersonName> {
    counted.iter().filter(|(_, chosen)| *chosen == option).map(|(person, _)| person).collect()
}

/// What can be chosen; a form with more than one choice has its answer in the fields.
fn options(ask: &Ask) -> BTreeSet<String> {
    let own = ask.options.iter().map(|option| option.name.clone());
    own.chain(ask.form.is_some().then(|| FORM_ANSWER.to_owned())).collect()
}

/// One denial denies.
fn needed(ask: &Ask, option: &str) -> usize {
    if ask.kind == AskKind::Approval && option == DENY { 1 } else { ask.approvals as usize }
}
