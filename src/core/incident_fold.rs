//! How each event changes an incident. It decides nothing: what follows from an event is an event of its own.

use crate::core::{
    alert::Alert,
    answer::AnswerVerdict,
    answer_via::AnswerVia,
    choice_verdict::ChoiceVerdict,
    engagement::{Engagement, EngagementOutcome},
    event::Event,
    finding::Classification,
    handoff::{HandoffProgress, HandoffTerms},
    incident::{Incident, IncidentStatus, ORIGINS_MAX},
    key::IncidentKey,
    names::{PersonName, RoleName},
    overflow::OverflowKeys,
    page::{Page, PageState},
    repeats::AlertChanges,
    request::{Choice, Request},
    room::WarRoom,
    time::Timestamp,
};
use std::sync::Arc;

impl Incident {
    /// Records what happened. It decides nothing and cannot fail; an event about an unknown role or page changes
    /// nothing.
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        self.last_at = self.last_at.max(at);
        match event {
            Event::Opened(_) | Event::Injected { .. } | Event::Preempted { .. } => {}
            // The alerts.
            Event::Joined { alert } => self.joined(alert, at),
            Event::Repeated { count, alert, changes, .. } => self.apply_repeated(*count, alert, changes.as_ref()),
            Event::Overflowed { key, alert } => self.overflowed(key, alert, at),
            Event::OverflowCleared { key, source } => {
                self.change_of(|changes| changes.all_clear_of(key, at));
                self.count_overflow(|overflow| overflow.clear(key, source));
            }
            Event::AllClear { .. } => self.cleared(at),
            Event::SourceSilent { lease } => self.silent_since = Some(*lease),
            Event::Raised { decision } => {
                if let Some(plan) = self.plan.raised_to(decision.tier) {
                    self.plan = Arc::new(plan.decided(decision.clone()));
                }
            }
            // The pages.
            Event::Paged { page } => self.pages.insert(page.clone()),
            Event::Settled { page, .. } => self.settled(*page, event, at),
            Event::Overdue { page, .. } => self.pages.change(*page, |page| page.accept_until = None),
            Event::Unreported { page, within } => self.pages.change(*page, |page| page.was_unreported(*within)),
            Event::Reported { page, stage, at_desk } => {
                self.pages.change(*page, |page| page.report(*stage, *at_desk, at));
            }
            Event::Undelivered { page, why } => self.pages.change(*page, |page| undelivered(page, why)),
            Event::Withdrawn { pages } => self.each(pages, |page| page.state = PageState::Withdrawn),
            Event::TakenOver { pages } => self.each(pages, |page| page.maybe_repeated = true),
            // The roles.
            Event::RoleEntered { role, instead_of } => self.enter(role, instead_of.as_ref(), at),
            Event::StepEntered { role, step, round, on_call, until, .. } => {
                self.engagement(role, |e| e.step_entered(*step, *round, on_call, *until));
            }
            Event::StepProlonged { role, until } => self.engagement(role, |e| e.deadline = Some(*until)),
            Event::Answered { role, person, via, verdict, origin, .. } => {
                self.keep_origin(origin.as_ref());
                self.answered(role.as_ref(), person, *via, verdict);
            }
            Event::Chosen { person, option, via, origin, verdict, .. } => {
                self.keep_origin(origin.as_ref());
                if let ChoiceVerdict::Doubted { .. } = verdict {
                    self.change_request(|request| request.doubt(person, option, at));
                }
                if verdict.counts() {
                    let choice = Choice { option: option.clone(), at, via: *via };
                    self.change_request(|request| drop(request.choices.insert(person.clone(), choice)));
                }
            }
            Event::HandoffMoved(moved) => self.change_handoff(|handoff, _| handoff.moved(moved, at)),
            Event::Erased { .. } => self.change_handoff(|handoff, _| handoff.erased_at = Some(at)),
            Event::RequestEnded { outcome } => {
                self.change_request(|request| request.ended = Some((outcome.clone(), at)));
            }
            Event::Engaged { role, person } => {
                self.change_handoff(|handoff, _| handoff.take(role, person, at));
                self.end(role, EngagementOutcome::Engaged { person: person.clone(), at });
            }
            Event::Covered { role, by, person } => {
                self.end(role, EngagementOutcome::Covered { by: by.clone(), person: person.clone(), at });
            }
            Event::HandedBack { role, person } => {
                self.change_handoff(|handoff, terms| handoff.give_up(person, at, terms.after));
                self.engagement(role, |e| e.reopen(person, None, at));
            }
            Event::Reopened { role, of, person } => self.engagement(role, |e| e.reopen(person, Some(of), at)),
            Event::StoodDown { role } => self.end(role, EngagementOutcome::StoodDown { at }),
            Event::HandedOver { role, next } => self.handed_over(role, next),
            Event::Exhausted { role } => self.engagement(role, Engagement::exhaust),
            // The end, and what is said after it.
            Event::Resolved { by, why } => {
                self.close(IncidentStatus::Resolved { by: by.clone(), why: why.clone(), at }, at);
            }
            Event::Judged { by, finding, note } => {
                self.judgement = Some(Classification { finding: *finding, note: note.clone(), by: by.clone(), at });
            }
        }
    }

    fn joined(&mut self, alert: &Arc<Alert>, at: Timestamp) {
        if self.all_clear_at.is_some() || self.silent_since.is_some() {
            self.change_of(|changes| changes.journaled(at));
        }
        self.take_alert(alert);
        self.alerts += 1;
        if let Some(known) = &mut self.known {
            known.add(alert);
        }
        self.silent_since = None;
        self.all_clear_at = None;
    }

    /// The last alert is the incident's, with its values and its lease. What a request asks about stays what its pages
    /// showed: of further alerts it has the lease alone.
    pub(super) fn take_alert(&mut self, alert: &Arc<Alert>) {
        match &self.request {
            None => self.alert = alert.clone(),
            Some(_) if self.alert.lease_until != alert.lease_until => {
                Arc::make_mut(&mut self.alert).lease_until = alert.lease_until;
            }
            Some(_) => {}
        }
    }

    fn overflowed(&mut self, key: &IncidentKey, alert: &Arc<Alert>, at: Timestamp) {
        // The first of them has opened the incident.
        if let Some(overflow) = &self.overflow {
            if overflow.is_over_for(key) {
                self.change_of(|changes| changes.journaled_of(key, at));
            }
            self.joined(alert, at);
        }
        self.count_overflow(|overflow| overflow.count(key, alert));
    }

    pub(super) fn change_of(&mut self, change: impl FnOnce(&mut AlertChanges)) {
        if let Some(changes) = &mut self.changes {
            change(changes);
        }
    }

    pub(super) fn count_overflow(&mut self, change: impl FnOnce(&mut OverflowKeys)) {
        let overflow = Arc::make_mut(self.overflow.get_or_insert_default());
        change(overflow);
        self.summary = overflow.summary(&self.trigger);
    }

    fn settled(&mut self, n: u32, event: &Event, at: Timestamp) {
        let Event::Settled { settlement, sent_at, text, .. } = event else { return };
        self.pages.change(n, |page| page.settle(settlement, *sent_at, text.as_ref(), at));
        let opened = self.pages.get(&n).and_then(|page| Some((page.channel.clone(), WarRoom::opened_by(page)?)));
        self.rooms.extend(opened);
    }

    fn each(&mut self, pages: &[u32], change: impl Fn(&mut Page)) {
        pages.iter().for_each(|n| self.pages.change(*n, &change));
    }

    fn engagement(&mut self, role: &RoleName, change: impl FnOnce(&mut Engagement)) {
        if let Some(engagement) = Arc::make_mut(&mut self.engagements).get_mut(role) {
            change(engagement);
        }
    }

    fn enter(&mut self, role: &RoleName, instead_of: Option<&RoleName>, at: Timestamp) {
        // It is entered again after it was stood down: the step numbers of its old and new pages must stay distinct.
        let step_entry = self.engagements.get(role).map_or(0, |before| before.step_entry);
        let engagement = Engagement::entered(instead_of, step_entry, at);
        Arc::make_mut(&mut self.engagements).insert(role.clone(), engagement);
    }

    fn answered(&mut self, role: Option<&RoleName>, person: &PersonName, via: AnswerVia, verdict: &AnswerVerdict) {
        if let Some(role) = role {
            self.engagement(role, |e| e.answered(person, verdict));
        }
        // Who passes it on or hands it back does not stand by what they chose either. A mailbox says nothing of that.
        if via != AnswerVia::AutoReply && verdict.takes_back() {
            self.change_request(|request| drop(request.choices.remove(person)));
        }
    }

    fn keep_origin(&mut self, origin: Option<&String>) {
        self.origins.extend(origin.cloned());
        self.origins.drain(..self.origins.len().saturating_sub(ORIGINS_MAX));
    }

    fn change_request(&mut self, change: impl FnOnce(&mut Request)) {
        if let Some(request) = &mut self.request {
            change(Arc::make_mut(request));
        }
    }

    fn change_handoff(&mut self, change: impl FnOnce(&mut HandoffProgress, &HandoffTerms)) {
        self.change_request(|request| {
            if let (Some(progress), Some(terms)) = (&mut request.handoff, &request.ask.handoff) {
                change(progress, terms);
            }
        });
    }

    fn handed_over(&mut self, role: &RoleName, next: &RoleName) {
        self.engagement(role, |e| {
            e.waits_on = Some(next.clone());
            e.deadline = None;
        });
        self.engagement(next, |e| {
            e.stands_for.insert(role.clone());
        });
    }

    fn end(&mut self, role: &RoleName, outcome: EngagementOutcome) {
        self.engagement(role, |e| {
            e.outcome = Some(outcome);
            e.deadline = None;
        });
    }

    fn close(&mut self, status: IncidentStatus, at: Timestamp) {
        self.status = status;
        let open: Vec<RoleName> = self.open_roles().cloned().collect();
        for role in &open {
            self.end(role, EngagementOutcome::Closed { at });
        }
    }
}

fn undelivered(page: &mut Page, why: &str) {
    page.state = PageState::Unreachable;
    page.last_error = Some(why.to_owned());
}
