//! One run: a single queue holds everything that will happen next.

mod alerts;

use crate::{
    channel::SendError,
    core::{
        self, Actor, Answer, AnswerVia, Event, FaultKind, GivenAnswer, HeldWhy, Incident, IncidentInput, IncidentKey,
        PageId, PageState, PersonName, RoleName, SendOutcome, Timestamp,
        judgement::{pass::PlayedJudgements, row_name},
        page::PageStage,
        retry::SendPace,
    },
    drill::simulator::{
        people::{VirtualAttempt, VirtualPeople},
        setting::{BehaviourModel, PlayedIncident, SimulationSetting},
    },
    engine::{
        again,
        delivery::{
            breaker::ChannelBreakers,
            queues::{DeliveryQueues, PageOrigin},
        },
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The largest number of steps in one run: a safety net for bugs of ours, never reached by a drill of one day.
const STEPS_MAX: usize = 2_000_000;

/// Who closes incidents that are still open at the end.
const BY: &str = "drill";

enum VirtualEvent {
    /// An alert of the scenario is reported.
    Report(usize),
    /// What waits in this row may have waited long enough.
    Judged(String),
    /// A ladder, an accept timeout or a lease may be due.
    Tick(usize),
    /// The delivery engine may have something to start.
    Deliver,
    /// An attempt that began at this time ends.
    Done(PageId, Timestamp, VirtualAttempt),
    /// A page is on its device.
    Arrived(PageId),
    /// Somebody answers a page.
    Answer(PageId, Answer),
    /// A line of the script is due.
    Script(usize),
    /// The drill is over.
    End,
}

pub(crate) struct VirtualWorld<'a> {
    setting: &'a SimulationSetting<'a>,
    people: VirtualPeople<'a>,
    now: Timestamp,
    numbered: u64,
    queue: BTreeMap<(Timestamp, u64), VirtualEvent>,
    reports_left: usize,
    /// Lines of the script that are still to come: any of them may hand back a role.
    script_left: usize,
    cases: Vec<PlayedIncident>,
    /// When the next tick of each incident is due.
    ticks: Vec<Option<Timestamp>>,
    keys: BTreeMap<IncidentKey, usize>,
    judged: PlayedJudgements,
    delivery: DeliveryQueues,
    delivers_at: Option<Timestamp>,
    breakers: ChannelBreakers,
    /// The people who have answered, by incident and role.
    answered: BTreeSet<(usize, RoleName, PersonName)>,
}

impl<'a> VirtualWorld<'a> {
    pub(crate) fn new(setting: &'a SimulationSetting<'a>, seed: u64, run: u64) -> Self {
        let mut world = Self {
            setting,
            people: VirtualPeople::new(setting, seed, run),
            now: setting.start,
            numbered: 0,
            queue: BTreeMap::new(),
            reports_left: setting.reports.len(),
            script_left: 0,
            cases: Vec::new(),
            ticks: Vec::new(),
            keys: BTreeMap::new(),
            judged: PlayedJudgements::default(),
            delivery: DeliveryQueues::default(),
            delivers_at: None,
            breakers: ChannelBreakers::default(),
            answered: BTreeSet::new(),
        };
        // Queued one at a time, so that a thousand alerts do not slow down every other step.
        world.next_report(0);
        let script = setting.scenario.answers.iter().filter(|_| setting.manner == BehaviourModel::Scripted);
        for (n, answer) in script.enumerate() {
            world.at(setting.start + answer.at, VirtualEvent::Script(n));
            world.script_left += 1;
        }
        world.at(setting.start + setting.scenario.ends, VirtualEvent::End);
        world
    }

    pub(crate) fn run(mut self) -> Vec<PlayedIncident> {
        let until = self.setting.start + self.setting.scenario.ends + self.setting.all_clear.unwrap_or_default();
        for _ in 0..STEPS_MAX {
            let Some(((at, _), job)) = self.queue.pop_first() else { break };
            if until < at || self.is_settled() {
                break;
            }
            self.now = at;
            self.perform(job);
            self.deliver();
        }
        self.cases
    }

    /// Whether nothing that follows can change a role's outcome, and no all-clear is still watched.
    fn is_settled(&self) -> bool {
        let open = |case: &PlayedIncident| case.incident.open_roles().next().is_some();
        self.reports_left == 0
            && self.script_left == 0
            && self.setting.all_clear.is_none()
            && !self.cases.iter().any(open)
            && !self.judged.states.values().any(|state| state.deadline().is_some())
    }

    fn at(&mut self, at: Timestamp, job: VirtualEvent) {
        self.numbered += 1;
        self.queue.insert((at, self.numbered), job);
    }

    fn next_report(&mut self, n: usize) {
        if let Some((at, _, _)) = self.setting.reports.get(n) {
            self.at(self.setting.start + *at, VirtualEvent::Report(n));
        }
    }

    fn perform(&mut self, job: VirtualEvent) {
        match job {
            VirtualEvent::Report(n) => {
                self.reports_left -= 1;
                self.next_report(n + 1);
                self.report(n);
            }
            VirtualEvent::Judged(row) => self.judged(&row),
            VirtualEvent::Tick(case) => {
                self.ticks[case] = None;
                self.tick(case);
            }
            VirtualEvent::Deliver => self.delivers_at = None,
            VirtualEvent::Done(page, sent_at, attempt) => self.done(page, sent_at, attempt),
            VirtualEvent::Arrived(page) => self.arrived(page),
            VirtualEvent::Answer(page, answer) => self.answer(page, answer),
            VirtualEvent::Script(n) => {
                self.script_left -= 1;
                self.script(n);
            }
            VirtualEvent::End => {
                for case in 0..self.cases.len() {
                    self.step(case, IncidentInput::Resolve { by: Actor::Operator(BY.to_owned()), why: None });
                }
            }
        }
    }

    /// As the engine does it: a ladder does not pass people whose pages wait in its own queue.
    fn tick(&mut self, case: usize) {
        let Some(PlayedIncident { incident, .. }) = self.cases.get(case) else { return };
        let pages = self.delivery.unsent(incident.id);
        if !pages.is_empty() {
            self.step(case, IncidentInput::Unsent { pages });
        }
        self.step(case, IncidentInput::Tick);
    }

    fn step(&mut self, case: usize, input: IncidentInput) {
        let now = self.now;
        let Some(PlayedIncident { incident, .. }) = self.cases.get_mut(case) else { return };
        let events = core::step(incident, input, &self.setting.matrix.roster, now);
        self.on_commit(case, events);
    }

    /// The daemon's work after a commit: pages to send, pages to drop, the next deadline.
    fn on_commit(&mut self, n: usize, events: Vec<Event>) {
        let Some(case) = self.cases.get_mut(n) else { return };
        for event in &events {
            let page = if let Event::Paged { page } = event { Some(&**page) } else { None };
            self.delivery.apply(PageOrigin::of(&case.incident, page), event);
            if matches!(event, Event::Resolved { .. }) {
                self.keys.remove(&case.incident.key);
                let row = row_name(&case.incident.trigger, &case.incident.key);
                let now = self.now;
                self.judged.states.get_mut(&row).into_iter().for_each(|state| state.ended(now));
            }
        }
        let now = self.now;
        case.events.extend(events.into_iter().map(|event| (now, event)));
        if let Some(deadline) = case.incident.deadline()
            && self.ticks[n].is_none_or(|at| deadline < at)
        {
            self.ticks[n] = Some(deadline);
            self.at(deadline.max(now), VirtualEvent::Tick(n));
        }
    }
}

// Pages, sent as in the delivery engine.
impl VirtualWorld<'_> {
    fn deliver(&mut self) {
        while let Some(at) = self.delivery.next_at() {
            if self.now < at {
                if self.delivers_at.is_none_or(|planned| at < planned) {
                    self.delivers_at = Some(at);
                    self.at(at, VirtualEvent::Deliver);
                }
                return;
            }
            let everywhere = SendPace { every: Duration::from_millis(100), burst: 10 };
            let channels = &self.setting.channels;
            let ready = self
                .delivery
                .ready(self.now, |name| channels.get(name).map_or(everywhere, |virtual_channel| virtual_channel.pace));
            let nothing = ready.start.is_empty() && ready.unsent.is_empty() && ready.held.is_empty();
            if nothing && self.delivery.next_at() == Some(at) {
                return;
            }
            for (page, until, why) in ready.held {
                self.settle(page, SendOutcome::Held { until, why }, None);
            }
            for page in ready.unsent {
                self.settle(page, SendOutcome::Unsent, None);
                self.delivery.finish(page);
            }
            for page in ready.start {
                self.send(page);
            }
        }
    }

    fn send(&mut self, id: PageId) {
        let Some(page) = self.incident(id).and_then(|incident| incident.pages.get(&id.n)).cloned() else {
            return self.delivery.finish(id);
        };
        if page.state != PageState::Queued {
            self.settle(id, SendOutcome::Unsent, None);
            return self.delivery.finish(id);
        }
        let broken = page.person.as_ref().and_then(|_| self.breakers.closed_to(&page.channel, self.now));
        if let Some(why) = broken {
            return self.settle(id, SendOutcome::Unreachable { why }, None);
        }
        let attempt = self.people.attempt(&page, self.now);
        self.at(self.now + attempt.takes, VirtualEvent::Done(id, self.now, attempt));
    }

    fn done(&mut self, id: PageId, sent_at: Timestamp, attempt: VirtualAttempt) {
        let VirtualAttempt { result, arrives, injected, .. } = attempt;
        let Some(page) = self.incident(id).and_then(|incident| incident.pages.get(&id.n)).cloned() else { return };
        // An injected fault opens no breaker in the daemon either.
        if page.person.is_some() && injected.is_none() {
            match &result {
                Err(SendError::Broken { why }) => drop(self.breakers.broke(&page.channel, why, self.now)),
                Ok(_) => drop(self.breakers.works(&page.channel)),
                Err(_) => {}
            }
        }
        let settlement = match result {
            Ok(receipt) => {
                self.delivery.took(id);
                SendOutcome::Accepted { receipt }
            }
            Err(SendError::Retry { after, why, unknown }) => {
                if let Some(after) = after {
                    self.delivery.throttled(id, after, self.now);
                }
                again(Some(&page), after, why, unknown, self.now)
            }
            Err(SendError::DeskClosed { why, .. }) if !page.purpose.waits_for_desk() => {
                return self.settle(id, SendOutcome::Unreachable { why }, None);
            }
            Err(SendError::DeskClosed { after, .. }) => {
                let until = self.now + after;
                self.delivery.desk_closed(id, until);
                return self.settle(id, SendOutcome::Held { until, why: HeldWhy::DeskClosed }, None);
            }
            Err(SendError::Unreachable { why, .. } | SendError::Broken { why }) => SendOutcome::Unreachable { why },
        };
        // As on the daemon: if no channel was asked, nothing was sent.
        let sent_at = Some(sent_at).filter(|_| !injected.as_ref().is_some_and(FaultKind::asks_no_channel));
        if let Some(fault) = injected {
            self.step(case_of(id), IncidentInput::Injected { page: id.n, fault });
        }
        self.settle(id, settlement, sent_at);
        if let Some(span) = arrives.filter(|_| page.purpose.is_brief() && page.person.is_some()) {
            self.at(self.now + span, VirtualEvent::Arrived(id));
        }
    }

    fn settle(&mut self, id: PageId, settlement: SendOutcome, sent_at: Option<Timestamp>) {
        let before = self.cases.get(case_of(id)).map_or(0, |case| case.events.len());
        self.step(case_of(id), IncidentInput::Settled { page: id.n, settlement, sent_at, text: None });
        if self.cases.get(case_of(id)).is_some_and(|case| case.events.len() == before) {
            self.delivery.finish(id);
        }
    }

    fn incident(&self, id: PageId) -> Option<&Incident> {
        self.cases.get(case_of(id)).map(|case| &case.incident)
    }
}

// People.
impl VirtualWorld<'_> {
    fn arrived(&mut self, id: PageId) {
        self.step(case_of(id), IncidentInput::Reported { page: id.n, stage: PageStage::Delivered });
        let Some(page) = self.incident(id).and_then(|incident| incident.pages.get(&id.n)).cloned() else { return };
        let Some(role) = page.role.clone() else { return };
        if let Some((after, answer)) = self.people.answer(&page, &role, self.now) {
            self.at(self.now + after, VirtualEvent::Answer(id, answer));
        }
    }

    /// A person answers, unless they already did by another channel, or the role has somebody and they were told.
    fn answer(&mut self, id: PageId, answer: Answer) {
        let Some(incident) = self.incident(id) else { return };
        let Some(page) = incident.pages.get(&id.n) else { return };
        let (Some(person), Some(role)) = (page.person.clone(), page.role.clone()) else { return };
        let is_open = incident.engagements.get(&role).is_some_and(|engagement| engagement.is_open());
        let via = self
            .setting
            .channels
            .get(&page.channel)
            .map_or(AnswerVia::Sms, |virtual_channel| virtual_channel.kind.spec().response.via);
        if is_open && self.answered.insert((case_of(id), role, person.clone())) {
            let said = GivenAnswer { person, answer, via, page: Some(id.n), role: None, origin: None };
            self.step(case_of(id), IncidentInput::Answer(said));
        }
    }

    /// A scripted answer goes to the newest open incident that asked this person, or else to the newest one.
    fn script(&mut self, n: usize) {
        let answer = &self.setting.scenario.answers[n];
        let asked = |case: &PlayedIncident| {
            let pages = &case.incident.pages;
            case.incident.is_open() && pages.values().any(|page| page.person.as_ref() == Some(&answer.person))
        };
        let case = self.cases.iter().rposition(asked).or_else(|| self.cases.len().checked_sub(1));
        let Some(case) = case else { return };
        let (person, role) = (answer.person.clone(), answer.role.clone());
        let said = GivenAnswer { person, answer: answer.says, via: AnswerVia::Cli, page: None, role, origin: None };
        self.step(case, IncidentInput::Answer(said));
    }
}

fn case_of(page: PageId) -> usize {
    usize::try_from(page.incident.0 - 1).unwrap_or(usize::MAX)
}
