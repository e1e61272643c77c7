//! The function that makes every decision. `step` judges an input and returns the events that follow. Each event is
//! applied as it is emitted, so later decisions in the same call see it. It cannot fail.

mod answers;
mod drills;
mod ending;
mod forms;
mod hand_back;
mod handoffs;
mod ladder;
mod notices;
mod pages;
mod requests;
mod rooms;
mod tiers;
mod waits;

use crate::core::{
    alert::{Alert, AlertStatus},
    answer::GivenAnswer,
    display_names::IncidentNames,
    drill::FaultKind,
    event::{Actor, Event, IncidentOpening, StepReason},
    finding::ClassificationKind,
    given_choice::{GivenChoice, GivenForm},
    handoff::GivenHandoffStep,
    incident::{Incident, IncidentId},
    key::IncidentKey,
    names::{PersonName, RoleName, SourceName},
    oncall::Roster,
    page::{PagePurpose, PageStage},
    plan::OnResolved,
    request::RequestOutcome,
    request_facts::Replacement,
    send_outcome::{HeldWhy, SendOutcome},
    tier::TierDecision,
    time::{StepTime, Timestamp},
};
use std::sync::Arc;

/// The last message of a drill that is stopped early.
pub const STOPPED: &str = "DRILL stopped: a real crisis began";

/// The retraction: the last message of a drill that reached its end.
pub const OVER: &str = "DRILL is over";

/// An input from outside to an open incident.
#[derive(Debug, Clone)]
pub enum IncidentInput {
    /// Another alert with the same key: firing again, or resolved.
    Alert(Arc<Alert>),
    /// An alert with a key that an overflow incident counts, or is to count: firing or resolved.
    Overflow {
        /// The key.
        key: IncidentKey,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A further alert says that it is more urgent.
    Raise(TierDecision),
    /// An attempt to send ended.
    Settled {
        /// The page's number.
        page: u32,
        /// How it ended.
        settlement: SendOutcome,
        /// When the attempt began.
        sent_at: Option<Timestamp>,
        /// The text that was shown, by content hash.
        text: Option<String>,
    },
    /// A device or a screen reported progress.
    Reported {
        /// The page's number.
        page: u32,
        /// The stage that was reached.
        stage: PageStage,
    },
    /// The person's desk page shows a page, whichever channel it was sent by.
    ShownAtDesk {
        /// The page's number.
        page: u32,
    },
    /// The provider had accepted a page and now reports that it did not arrive.
    Undelivered {
        /// The page's number.
        page: u32,
        /// What the provider says.
        why: String,
    },
    /// The node that had these pages is gone and did not shut down cleanly. Another node takes over the pages that it
    /// may have begun to send.
    TakenOver {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// An authenticated person answered.
    Answer(GivenAnswer),
    /// An authenticated person chose an option of the request.
    Choice(GivenChoice),
    /// An authenticated person filled in the form of the request.
    Form(GivenForm),
    /// An authenticated person connects to a conversation, finishes it, gives it back or passes it on.
    Handoff(GivenHandoffStep),
    /// The key of the request's packet is destroyed in the same transaction.
    Erase {
        /// Who does it.
        by: Actor,
    },
    /// The request is withdrawn.
    Cancel {
        /// By whom.
        by: Actor,
        /// Why, in their words.
        why: Option<String>,
    },
    /// The request is replaced by another one, because its facts changed.
    Supersede(Replacement),
    /// Time has passed.
    Tick,
    /// These pages wait in a queue of this node, and no channel was given them yet. Said before a tick.
    Unsent {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// The drill injects this fault into a page.
    Injected {
        /// The page's number.
        page: u32,
        /// The fault.
        fault: FaultKind,
    },
    /// These people are told that a drill will begin soon.
    Announce {
        /// The people to tell.
        people: Vec<PersonName>,
    },
    /// A real incident began: the drill is stopped.
    Preempt {
        /// The live incident.
        by: IncidentId,
    },
    /// The incident is over.
    Resolve {
        /// Who says so.
        by: Actor,
        /// Why, in their words.
        why: Option<String>,
    },
    /// Somebody classifies the incident. Accepted only after it is over.
    Judge {
        /// The person who classifies it.
        by: Actor,
        /// The classification.
        finding: ClassificationKind,
        /// A note in their own words.
        note: Option<String>,
    },
}

/// Opens an incident. Every required role enters its first step in the same call.
pub fn open(
    id: IncidentId,
    opening: IncidentOpening,
    roster: &Roster,
    time: impl Into<StepTime>,
) -> (Incident, Vec<Event>) {
    let StepTime { now, civil } = time.into();
    let mut incident = Incident::opened(id, &opening, now);
    let plan = opening.plan.clone();
    let mut judge =
        Decider { incident: &mut incident, roster, now, civil, events: vec![Event::Opened(Box::new(opening))] };
    if judge.end_out_of_hours() {
        judge.tell_systems();
        let events = judge.events;
        return (incident, events);
    }
    // All roles are created before the first is paged: a required role that is also the `next` of another one must not
    // be entered in its place.
    for role in &plan.required {
        judge.emit(Event::RoleEntered { role: role.clone(), instead_of: None });
    }
    for role in &plan.required {
        judge.enter_step(role, 0, 0, StepReason::Entered);
    }
    for room in &plan.rooms {
        judge.post(room.clone(), PagePurpose::RoomCard);
    }
    judge.tell_systems();
    let events = judge.events;
    (incident, events)
}

/// Decides what `input` means for an open incident at `now`, applies it and returns the events. Returns nothing for an
/// input that has no effect: a repeated tick, an outcome for an unknown page, or anything but an answer or an outcome
/// after the incident has ended.
pub fn step(incident: &mut Incident, input: IncidentInput, roster: &Roster, time: impl Into<StepTime>) -> Vec<Event> {
    let StepTime { now, civil } = time.into();
    let now = now.max(incident.last_at);
    let mut judge = Decider { incident, roster, now, civil, events: Vec::new() };
    // Any input that arrives after a drill's end time finds it over, even if no tick came first.
    if judge.incident.is_overdue_drill(now) {
        judge.resolve(Actor::Clock, None);
    }
    // The same for a request's deadline: what is said after it is too late.
    judge.end_late_request();
    match input {
        IncidentInput::Alert(alert) => judge.alert(alert),
        IncidentInput::Overflow { key, alert } => judge.overflow(key, alert),
        IncidentInput::Raise(decision) => drop(judge.raise(decision)),
        IncidentInput::Settled { page, settlement, sent_at, text } => judge.settled(page, settlement, sent_at, text),
        IncidentInput::Reported { page, stage } => judge.reported(page, stage, false),
        IncidentInput::ShownAtDesk { page } => judge.shown_at_desk(page),
        IncidentInput::Undelivered { page, why } => judge.undelivered(page, why),
        IncidentInput::TakenOver { pages } => judge.taken_over(pages),
        IncidentInput::Answer(said) => judge.answer(said),
        IncidentInput::Choice(said) => judge.choose(said),
        IncidentInput::Form(said) => judge.fill_in(said),
        IncidentInput::Handoff(said) => judge.handoff(said),
        IncidentInput::Erase { by } => judge.erase(by),
        IncidentInput::Cancel { by, why } => judge.cancel_request(by, why),
        IncidentInput::Supersede(other) => judge.supersede_request(other),
        IncidentInput::Tick => judge.tick(),
        IncidentInput::Unsent { pages } => judge.unsent(&pages),
        IncidentInput::Injected { page, fault } => judge.injected(page, fault),
        IncidentInput::Announce { people } => judge.announce(&people),
        IncidentInput::Preempt { by } => judge.preempt(by),
        IncidentInput::Resolve { by, why } => judge.resolve(by, why),
        IncidentInput::Judge { by, finding, note } => judge.find(by, finding, note),
    }
    judge.keep_rooms();
    judge.tell_systems();
    judge.events
}

struct Decider<'a> {
    incident: &'a mut Incident,
    roster: &'a Roster,
    now: Timestamp,
    civil: Timestamp,
    events: Vec<Event>,
}

impl Decider<'_> {
    fn alert(&mut self, alert: Arc<Alert>) {
        if !self.incident.is_open() {
            return;
        }
        if self.incident.is_repeat(&alert) {
            self.incident.count_repeat(alert, self.now);
            return self.tell_repeats(|due| due);
        }
        if self.incident.is_counted_return(&alert, self.now) {
            self.incident.count_return(alert, self.now);
            return self.tell_repeats(|due| due);
        }
        match alert.status {
            AlertStatus::Firing => {
                self.tell_repeats(|_| true);
                self.emit(Event::Joined { alert });
            }
            AlertStatus::Resolved => self.cleared(alert.source.clone()),
        }
    }

    fn cleared(&mut self, source: SourceName) {
        let resolves = self.incident.plan.on_resolved == OnResolved::Resolve;
        if resolves && self.is_asked_by(&source) {
            let why = Some(format!("all clear from {source}"));
            self.end_request(RequestOutcome::Cancelled { why }, Actor::Source(source));
        } else if resolves && !self.is_asking() {
            self.resolve(Actor::Source(source), None);
        } else if self.incident.all_clear_at.is_none() {
            let unsaid = self.incident.all_clears_unsaid(self.now);
            if unsaid.is_none() && self.incident.counts_changes(self.now) {
                self.incident.count_all_clear(self.now);
                return self.tell_repeats(|due| due);
            }
            self.tell_repeats(|_| true);
            let more = unsaid.filter(|unsaid| 0 < *unsaid).map(|unsaid| format!(", after {unsaid} more"));
            if unsaid.is_some() {
                let more = more.unwrap_or_default();
                self.line(format!("all clear from {source}{more}; the incident stays open until a human resolves it"));
            }
            self.emit(Event::AllClear { source });
        }
    }

    /// Counts a key, or its all-clear. The last all-clear is the incident's own.
    fn overflow(&mut self, key: IncidentKey, alert: Arc<Alert>) {
        if !self.incident.is_open() {
            return;
        }
        let known = self.incident.counts(&key);
        match alert.status {
            AlertStatus::Firing if known || self.incident.overflow_is_full_for(&key) => self.alert(alert),
            AlertStatus::Resolved if !known => {}
            _ if self.incident.is_counted_change_of(&key, &alert, self.now) => {
                self.incident.count_change_of(&key, alert, self.now);
                self.end_overflow();
                self.tell_repeats(|due| due);
            }
            AlertStatus::Firing => {
                self.tell_changes();
                self.emit(Event::Overflowed { key, alert });
            }
            AlertStatus::Resolved => {
                self.tell_changes();
                self.emit(Event::OverflowCleared { key, source: alert.source.clone() });
                self.end_overflow();
            }
        }
    }

    /// Ends an overflow for which every all-clear has come, once the period of the limit is over.
    fn end_overflow(&mut self) {
        if let Some((at, by)) = self.incident.overflow_end()
            && at <= self.now
        {
            self.cleared(by.clone());
        }
    }

    fn tick(&mut self) {
        if !self.incident.is_open() {
            return self.archive_rooms();
        }
        self.end_overflow();
        self.end_watch();
        if !self.incident.is_open() {
            return;
        }
        self.tell_repeats(|due| due);
        if let Some(lease) = self.incident.lease()
            && self.incident.silence_due().is_some_and(|due| due <= self.now)
        {
            self.tell_repeats(|_| true);
            self.emit(Event::SourceSilent { lease });
        }
        let due: Vec<RoleName> = self.incident.open_roles().filter(|role| self.is_due(role)).cloned().collect();
        for role in due {
            self.advance_if_due(&role);
        }
        self.go_round_unreported();
        // After the ladders: pages that a step has left behind need no other channel any more.
        for page in self.incident.pages.overdue(self.now) {
            let desk_closed = self.incident.pages.get(&page).is_some_and(|page| page.held == Some(HeldWhy::DeskClosed));
            self.emit(Event::Overdue { page, early: false, desk_closed });
            self.fail_over(page);
        }
    }

    /// Tells of the repeats that were counted, if `now` says so of whether that is due.
    fn tell_repeats(&mut self, now: impl FnOnce(bool) -> bool) {
        let is_due = self.incident.repeats_due().is_some_and(|due| due <= self.now);
        if now(is_due)
            && let Some(repeated) = self.incident.repeated()
        {
            self.emit(repeated);
        }
    }

    /// Counted changes are told of before an event that changes the same.
    fn tell_changes(&mut self) {
        let has_changes = self.incident.repeats.as_ref().is_some_and(|repeats| repeats.changes.is_some());
        self.tell_repeats(|_| has_changes);
    }

    /// Does nothing for a role that has meanwhile an outcome or a later deadline.
    fn advance_if_due(&mut self, role: &RoleName) {
        if self.is_due(role) && !self.waits_from_first_attempt(role) {
            self.advance(role, StepReason::TimedOut);
        }
    }

    fn is_due(&self, role: &RoleName) -> bool {
        let engagement = self.incident.engagements.get(role).filter(|e| e.is_open());
        engagement.and_then(|e| e.deadline).is_some_and(|deadline| deadline <= self.now)
    }

    /// What people read in place of ids.
    fn names(&self) -> IncidentNames<'_> {
        IncidentNames { plan: &self.incident.plan, people: &self.roster.names }
    }

    /// An open incident cannot be classified yet, and a repeated classification is ignored.
    fn find(&mut self, by: Actor, finding: ClassificationKind, note: Option<String>) {
        let known = self.incident.judgement.as_ref();
        let news = known.is_none_or(|known| known.finding != finding || known.note != note);
        if !self.incident.is_open() && news {
            self.emit(Event::Judged { by, finding, note });
        }
    }

    fn emit(&mut self, event: Event) {
        self.incident.apply(&event, self.now);
        self.events.push(event);
    }
}
