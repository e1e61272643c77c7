//! The one function that decides. `step` judges an input and returns what happened; each event is applied as it is
//! emitted, so that later judgements see it. It can not fail.

mod answers;
mod hand_back;
mod ladder;
mod notices;
mod pages;
mod rooms;

use crate::core::{
    alert::{Alert, AlertStatus},
    answer::GivenAnswer,
    drill::FaultKind,
    event::{Actor, Event, IncidentOpening, StepReason},
    finding::ClassificationKind,
    incident::{Incident, IncidentId, IncidentStatus},
    names::{PersonName, RoleName},
    oncall::Roster,
    page::{Page, PagePurpose, PageStage},
    plan::OnResolved,
    send_outcome::SendOutcome,
    sentence::ended,
    time::Timestamp,
};
use std::sync::Arc;

/// The last words of a drill that is broken off.
pub const STOPPED: &str = "DRILL stopped: a real crisis began";

/// The retraction: the last words of a drill that came to its end.
pub const OVER: &str = "DRILL is over";

/// What can happen to an open incident from outside.
#[derive(Debug, Clone)]
pub enum IncidentInput {
    /// Another alert with its key: firing again, or all clear.
    Alert(Arc<Alert>),
    /// An attempt to send ended.
    Settled {
        /// The page's number.
        page: u32,
        /// How.
        settlement: SendOutcome,
        /// When the attempt began.
        sent_at: Option<Timestamp>,
        /// What was shown, by content hash.
        text: Option<String>,
    },
    /// A device or screen reported.
    Reported {
        /// The page's number.
        page: u32,
        /// What.
        stage: PageStage,
    },
    /// Its person's desk shows a page, by whatever channel it went.
    ShownAtDesk {
        /// The page's number.
        page: u32,
    },
    /// The provider had taken a page, and says now that it did not arrive.
    Undelivered {
        /// The page's number.
        page: u32,
        /// What the provider says.
        why: String,
    },
    /// The node that had these pages is gone, and did not leave in order. Those that it may have begun to send are taken
    /// over.
    TakenOver {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A human spoke, authenticated.
    Answer(GivenAnswer),
    /// Time has passed.
    Tick,
    /// The drill does this to a page, on purpose.
    Injected {
        /// The page's number.
        page: u32,
        /// What.
        trouble: FaultKind,
    },
    /// These people are told that a drill is about to begin.
    Announce {
        /// Whom.
        people: Vec<PersonName>,
    },
    /// Something real began: a drill is broken off.
    Preempt {
        /// The live incident.
        by: IncidentId,
    },
    /// It is over.
    Resolve {
        /// Who says so.
        by: Actor,
        /// Why, in their words.
        why: Option<String>,
    },
    /// Somebody says what it was; heard only once it is over.
    Judge {
        /// Who.
        by: Actor,
        /// What it was.
        finding: ClassificationKind,
        /// In their words.
        note: Option<String>,
    },
}

/// Opens an incident: every required role enters its first step in the same breath.
pub fn open(id: IncidentId, opening: IncidentOpening, roster: &Roster, now: Timestamp) -> (Incident, Vec<Event>) {
    let mut incident = Incident::opened(id, &opening, now);
    let plan = opening.plan.clone();
    let mut judge = Decider { incident: &mut incident, roster, now, events: vec![Event::Opened(Box::new(opening))] };
    // All are there before the first is paged: one that is another's `next` too must not be entered in its place.
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

/// Decides what `input` means for an open incident at `now`, applies it and returns what happened. An input that
/// means nothing (a double tick, a settlement of an unknown page, anything but an answer or a settlement after the
/// end) returns nothing.
pub fn step(incident: &mut Incident, input: IncidentInput, roster: &Roster, now: Timestamp) -> Vec<Event> {
    let now = now.max(incident.last_at);
    let mut judge = Decider { incident, roster, now, events: Vec::new() };
    // Whatever comes past a drill's end finds it over, whether or not its tick came first.
    if judge.incident.is_overdue_drill(now) {
        judge.resolve(Actor::Clock, None);
    }
    match input {
        IncidentInput::Alert(alert) => judge.alert(alert),
        IncidentInput::Settled { page, settlement, sent_at, text } => judge.settled(page, settlement, sent_at, text),
        IncidentInput::Reported { page, stage } => judge.reported(page, stage, false),
        IncidentInput::ShownAtDesk { page } => judge.shown_at_desk(page),
        IncidentInput::Undelivered { page, why } => judge.undelivered(page, why),
        IncidentInput::TakenOver { pages } => judge.taken_over(pages),
        IncidentInput::Answer(said) => judge.answer(said),
        IncidentInput::Tick => judge.tick(),
        IncidentInput::Injected { page, trouble } => judge.injected(page, trouble),
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
    events: Vec<Event>,
}

impl Decider<'_> {
    fn alert(&mut self, alert: Arc<Alert>) {
        if !self.incident.is_open() {
            return;
        }
        match alert.status {
            AlertStatus::Firing => self.emit(Event::Joined { alert }),
            AlertStatus::Resolved if self.incident.plan.on_resolved == OnResolved::Resolve => {
                self.resolve(Actor::Source(alert.source.clone()), None);
            }
            AlertStatus::Resolved if self.incident.all_clear_at.is_none() => {
                let source = alert.source.clone();
                self.line(format!("all clear from {source}; the incident stays open until a human resolves it"));
                self.emit(Event::AllClear { source });
            }
            AlertStatus::Resolved => {}
        }
    }

    fn tick(&mut self) {
        if !self.incident.is_open() {
            return self.archive_rooms();
        }
        if let Some(lease) = self.incident.lease()
            && lease <= self.now
        {
            self.emit(Event::SourceSilent { lease });
        }
        let due: Vec<RoleName> = self.incident.open_roles().filter(|role| self.is_due(role)).cloned().collect();
        for role in due {
            // An earlier one of these may have covered it.
            if self.is_due(&role) {
                self.advance(&role, StepReason::TimedOut);
            }
        }
        // After the ladders: what a rung leaves behind needs no other way any more.
        let late = |page: &&Arc<Page>| Incident::accept_deadline(page).is_some_and(|until| until <= self.now);
        let overdue: Vec<u32> = self.incident.pages.values().filter(late).map(|page| page.n).collect();
        for page in overdue {
            self.emit(Event::Overdue { page });
            self.fail_over(page);
        }
    }

    fn is_due(&self, role: &RoleName) -> bool {
        let engagement = self.incident.engagements.get(role).filter(|e| e.is_open());
        engagement.and_then(|e| e.deadline).is_some_and(|deadline| deadline <= self.now)
    }

    fn resolve(&mut self, by: Actor, why: Option<String>) {
        if !self.incident.is_open() {
            return;
        }
        let told = self.attempted(|page| page.purpose.needs_an_end());
        // Of a drill that is broken off nothing is said any more but that.
        let is_stopped = matches!(by, Actor::Crisis(_));
        // Other systems hear all of it: what they are told of the past stays true.
        let stays = |page: &Page| page.purpose.outlives_incident() && (!is_stopped || page.purpose.is_notice());
        self.withdraw(|page| !stays(page));
        self.emit(Event::Resolved { by: by.clone(), why: why.clone() });
        for (person, channel) in told {
            self.page(None, Some(person), channel, PagePurpose::Resolved, 0, None);
        }
        self.tell_rooms_the_end(&by, why.as_deref());
    }

    /// The real thing is left alone, and so is what is over.
    fn preempt(&mut self, by: IncidentId) {
        if self.incident.is_open() && self.incident.drill {
            self.emit(Event::Preempted { by });
            self.resolve(Actor::Crisis(by), None);
        }
    }

    /// By every way that reaches each: whoever is not asked yet has the time to look at any.
    fn announce(&mut self, people: &[PersonName]) {
        if !self.incident.is_open() || !self.incident.drill {
            return;
        }
        for person in people {
            for channel in self.roster.channels(person).to_vec() {
                self.page(None, Some(person.clone()), channel, PagePurpose::Announced, 0, None);
            }
        }
    }

    fn injected(&mut self, page: u32, trouble: FaultKind) {
        let known = self.incident.pages.contains_key(&page);
        if known && self.incident.drill {
            self.emit(Event::Injected { page, trouble });
        }
    }

    /// Whether it is a drill that was broken off for something real.
    fn is_stopped(&self) -> bool {
        matches!(self.incident.status, IncidentStatus::Resolved { by: Actor::Crisis(_), .. })
    }

    /// What the war room reads last.
    fn last_line(&self, by: &Actor, why: Option<&str>) -> String {
        match (by, self.incident.drill) {
            (Actor::Crisis(_), _) => STOPPED.to_owned(),
            (_, true) => format!("{OVER}; ended by {by}"),
            (_, false) => ended(by, why),
        }
    }

    /// What is open is not known yet; the same words again are no news.
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
