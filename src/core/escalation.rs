//! The one function that decides. `step` judges an input and returns what happened; each event is applied as it is
//! emitted, so that later judgements see it. It can not fail.

use super::{
    alert::{Alert, AlertStatus},
    answer::{Answer, STANDBY_MAX, Verdict, Via},
    engagement::Outcome,
    event::{Actor, Event, Opening, Why},
    incident::{Incident, IncidentId, Status},
    names::{ChannelName, PersonName, RoleName},
    oncall::Roster,
    page::{Page, PageState, Purpose, Settlement, Stage},
    plan::{OnResolved, RolePlan},
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What can happen to an open incident from outside.
#[derive(Debug, Clone)]
pub enum Input {
    /// Another alert with its key: firing again, or all clear.
    Alert(Arc<Alert>),
    /// An attempt to send ended.
    Settled {
        /// The page's number.
        page: u32,
        /// How.
        settlement: Settlement,
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
        stage: Stage,
    },
    /// The provider had taken a page, and says now that it did not arrive.
    Undelivered {
        /// The page's number.
        page: u32,
        /// What the provider says.
        why: String,
    },
    /// The node that had these pages is gone.
    TakenOver {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A human spoke, authenticated.
    Answer(Said),
    /// Time has passed.
    Tick,
    /// It is over.
    Resolve(Actor),
}

/// An authenticated human's words.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who.
    pub person: PersonName,
    /// What.
    pub answer: Answer,
    /// How it came.
    pub via: Via,
    /// To which page, where that is known.
    pub page: Option<u32>,
    /// For which role, where they said so.
    pub role: Option<RoleName>,
}

/// Opens an incident: every required role enters its first step in the same breath.
pub fn open(id: IncidentId, opening: Opening, roster: &Roster, now: Timestamp) -> (Incident, Vec<Event>) {
    let mut incident = Incident::opened(id, &opening, now);
    let plan = opening.plan.clone();
    let mut judge = Judge { incident: &mut incident, roster, now, events: vec![Event::Opened(Box::new(opening))] };
    // All are there before the first is paged: one that is another's `next` too must not be entered in its place.
    for role in &plan.required {
        judge.emit(Event::RoleEntered { role: role.clone(), instead_of: None });
    }
    for role in &plan.required {
        judge.enter_step(role, 0, 0, Why::Entered);
    }
    if let Some(room) = &plan.room {
        judge.post(room.clone(), Purpose::RoomCard);
    }
    let events = judge.events;
    (incident, events)
}

/// Decides what `input` means for an open incident at `now`, applies it and returns what happened. An input that
/// means nothing (a double tick, a settlement of an unknown page, anything but an answer or a settlement after the
/// end) returns nothing.
pub fn step(incident: &mut Incident, input: Input, roster: &Roster, now: Timestamp) -> Vec<Event> {
    let now = now.max(incident.last_at);
    let mut judge = Judge { incident, roster, now, events: Vec::new() };
    match input {
        Input::Alert(alert) => judge.alert(alert),
        Input::Settled { page, settlement, sent_at, text } => judge.settled(page, settlement, sent_at, text),
        Input::Reported { page, stage } => judge.reported(page, stage),
        Input::Undelivered { page, why } => judge.undelivered(page, why),
        Input::TakenOver { pages } => judge.taken_over(pages),
        Input::Answer(said) => judge.answer(said),
        Input::Tick => judge.tick(),
        Input::Resolve(by) => judge.resolve(by),
    }
    judge.events
}

struct Judge<'a> {
    incident: &'a mut Incident,
    roster: &'a Roster,
    now: Timestamp,
    events: Vec<Event>,
}

// Alerts and time.
impl Judge<'_> {
    fn alert(&mut self, alert: Arc<Alert>) {
        if !self.incident.is_open() {
            return;
        }
        match alert.status {
            AlertStatus::Firing => self.emit(Event::Joined { alert }),
            AlertStatus::Resolved if self.incident.plan.on_resolved == OnResolved::Resolve => {
                self.resolve(Actor::Source(alert.source.clone()));
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
            return;
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
                self.advance(&role, Why::TimedOut);
            }
        }
        // After the ladders: what a rung leaves behind needs no other way any more.
        let late = |page: &&Page| Incident::patience_of(page).is_some_and(|until| until <= self.now);
        let overdue: Vec<u32> = self.incident.pages.values().filter(late).map(|page| page.n).collect();
        for page in overdue {
            self.emit(Event::Overdue { page });
            self.go_round(page);
        }
    }

    fn is_due(&self, role: &RoleName) -> bool {
        let engagement = self.incident.engagements.get(role).filter(|e| e.is_open());
        engagement.and_then(|e| e.deadline).is_some_and(|deadline| deadline <= self.now)
    }

    fn resolve(&mut self, by: Actor) {
        if !self.incident.is_open() {
            return;
        }
        let told = self.attempted(|page| page.purpose.is_brief());
        self.withdraw(|_| true);
        self.emit(Event::Resolved { by: by.clone() });
        for (person, channel) in told {
            self.page(None, Some(person), channel, Purpose::Resolved, 0, None);
        }
        if self.incident.room.is_some() {
            self.line(format!("resolved by {by}"));
        }
    }
}

// Ladders.
impl Judge<'_> {
    fn enter_role(&mut self, role: &RoleName, instead_of: &RoleName) {
        self.emit(Event::RoleEntered { role: role.clone(), instead_of: Some(instead_of.clone()) });
        self.enter_step(role, 0, 0, Why::Entered);
    }

    /// Pages a step. A step that can reach nobody is left at once, unless it is one that repeats for ever.
    fn enter_step(&mut self, role: &RoleName, step: usize, round: u32, why: Why) {
        let plan = self.incident.plan.clone();
        let Some(rung) = plan.roles.get(role).and_then(|row| row.steps.get(step)) else {
            return self.spend(role);
        };
        let mut on_call = self.roster.resolve(&rung.page, self.now);
        let engagement = self.incident.engagements.get(role);
        let exhausted = engagement.is_some_and(|e| e.exhausted);
        if let Some(unable) = engagement.map(|e| &e.unable).filter(|_| !exhausted) {
            on_call.retain(|person| !unable.contains(person));
        }
        self.emit(Event::StepEntered {
            role: role.clone(),
            step,
            round,
            on_call: on_call.clone(),
            until: self.now + rung.wait,
            why,
        });
        let born = self.incident.engagements.get(role).map_or(0, |e| e.rung);
        let ways = |person| self.ways(person, &rung.by).into_iter().map(move |way| (PersonName::clone(person), way));
        let calls: Vec<(PersonName, ChannelName)> = on_call.iter().flat_map(ways).collect();
        self.supersede(role, &calls);
        for (person, channel) in calls {
            self.page(Some(role), Some(person), channel, Purpose::Brief { round }, born, None);
        }
        self.leave_if_nobody_can_answer(role);
    }

    /// The channels of a step by which a person can be reached; where that is none of them, the person's first.
    fn ways(&self, person: &PersonName, by: &[ChannelName]) -> Vec<ChannelName> {
        let reach = self.roster.channels(person);
        let ways: Vec<ChannelName> = by.iter().filter(|channel| reach.contains(channel)).cloned().collect();
        if ways.is_empty() { reach.first().cloned().into_iter().collect() } else { ways }
    }

    fn leave_if_nobody_can_answer(&mut self, role: &RoleName) {
        let Some(engagement) = self.incident.engagements.get(role) else { return };
        let waiting = engagement.is_open() && engagement.waits_on.is_none() && !engagement.exhausted;
        if waiting && !self.somebody_can_answer(role) {
            self.advance(role, Why::NobodyLeft);
        }
    }

    fn somebody_can_answer(&self, role: &RoleName) -> bool {
        let Some(engagement) = self.incident.engagements.get(role) else { return false };
        let able = |page: &Page| page.person.as_ref().is_some_and(|person| !engagement.unable.contains(person));
        self.incident.rung_pages(role).any(|page| page.is_live() && able(page))
    }

    /// Moves the ladder one rung: the step again where it repeats and still makes sense, else the next one.
    fn advance(&mut self, role: &RoleName, why: Why) {
        let Some(engagement) = self.incident.engagements.get(role) else { return };
        let (step, round, exhausted) = (engagement.step, engagement.round, engagement.exhausted);
        let Some(row) = self.row(role) else { return };
        let repeats = row.steps.get(step).map_or(0, |rung| rung.repeat);
        if exhausted || (round < repeats && why == Why::TimedOut) {
            self.enter_step(role, step, round.saturating_add(1), why);
        } else if step + 1 < row.steps.len() {
            self.enter_step(role, step + 1, 0, why);
        } else {
            self.spend(role);
        }
    }

    /// All steps are used up: the next role takes over, or the last step repeats.
    fn spend(&mut self, role: &RoleName) {
        let next = self.row(role).and_then(|row| row.next.clone()).or_else(|| self.catch_all_for(role));
        let Some(next) = next.filter(|next| !self.leads_to(next, role)) else {
            return self.exhaust(role);
        };
        self.line(format!("nobody answered for {role}: {next} takes over"));
        self.emit(Event::HandedOver { role: role.clone(), next: next.clone() });
        match self.incident.engagements.get(&next).map(|e| (e.is_open(), e.holder().cloned())) {
            None => self.enter_role(&next, role),
            Some((true, _)) => {}
            Some((false, Some(holder))) => self.cover(role, &next, &holder),
            // It was stood down before this role needed it: it begins afresh.
            Some((false, None)) => self.enter_role(&next, role),
        }
    }

    fn catch_all_for(&self, role: &RoleName) -> Option<RoleName> {
        let name = RoleName::catch_all();
        (*role != name && self.incident.plan.roles.contains_key(&name)).then_some(name)
    }

    /// Whether `from` waits, perhaps through others, on `role`: handing over to it would wait for nobody.
    fn leads_to(&self, from: &RoleName, role: &RoleName) -> bool {
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

    fn exhaust(&mut self, role: &RoleName) {
        if self.incident.engagements.get(role).is_some_and(|e| !e.exhausted) {
            self.emit(Event::Exhausted { role: role.clone() });
        }
        let (step, round) = self.incident.engagements.get(role).map_or((0, 0), |e| (e.step, e.round));
        self.enter_step(role, step, round.saturating_add(1), Why::TimedOut);
    }

    fn row(&self, role: &RoleName) -> Option<&RolePlan> {
        self.incident.plan.roles.get(role)
    }
}

// Pages.
impl Judge<'_> {
    fn settled(&mut self, n: u32, settlement: Settlement, sent_at: Option<Timestamp>, text: Option<String>) {
        let Some(page) = self.incident.pages.get(&n).filter(|page| page.is_owed()) else { return };
        let withdrawn = page.state == PageState::Withdrawn;
        let settlement = match settlement {
            // Only a withdrawn page may end unsent: a queued one is still owed, whatever one node believes.
            Settlement::Unsent if !withdrawn => return,
            Settlement::Unsent if page.was_attempted() => {
                Settlement::Unreachable { why: "withdrawn; an attempt of before may have reached its reader".into() }
            }
            other => other,
        };
        let failed = matches!(settlement, Settlement::Unreachable { .. });
        let opens_room = page.purpose == Purpose::RoomCard;
        self.emit(Event::Settled { page: n, settlement, sent_at, text });
        if withdrawn {
            // Its person may have read it after all, and must hear how it ended.
            self.tell_late(n);
        } else if failed {
            self.go_round(n);
        }
        if opens_room && self.incident.room.is_some() {
            self.catch_room_up();
        }
    }

    /// What happened while the room was being made.
    fn catch_room_up(&mut self) {
        let taken: Vec<String> = self
            .incident
            .engagements
            .iter()
            .filter_map(|(role, e)| e.holder().map(|holder| format!("{role}: {holder} has it")))
            .collect();
        for line in taken {
            self.line(line);
        }
        if let Status::Resolved { by, .. } = self.incident.status.clone() {
            self.line(format!("resolved by {by}"));
        }
    }

    fn reported(&mut self, n: u32, stage: Stage) {
        let Some(page) = self.incident.pages.get(&n) else { return };
        let known = match stage {
            Stage::Delivered => page.stages.delivered,
            Stage::Seen => page.stages.seen,
        };
        if known.is_none() {
            self.emit(Event::Reported { page: n, stage });
        }
    }

    /// Only what was taken can turn out not to have arrived; a report that is doubled, or comes after a human's answer
    /// or a sight of it, changes nothing.
    fn undelivered(&mut self, n: u32, why: String) {
        let Some(page) = self.incident.pages.get(&n) else { return };
        if page.state == PageState::Accepted && page.stages.delivered.is_none() {
            self.emit(Event::Undelivered { page: n, why });
            self.go_round(n);
        }
    }

    fn taken_over(&mut self, pages: Vec<u32>) {
        let owed = |n: &u32| self.incident.pages.get(n).is_some_and(Page::is_owed);
        let pages: Vec<u32> = pages.into_iter().filter(owed).collect();
        if pages.is_empty() {
            return;
        }
        self.emit(Event::TakenOver { pages: pages.clone() });
        for n in pages {
            if self.incident.pages.get(&n).is_some_and(|page| page.state == PageState::Withdrawn) {
                let settlement = Settlement::Unreachable { why: "its node died; perhaps it was sent".into() };
                self.emit(Event::Settled { page: n, settlement, sent_at: None, text: None });
                self.tell_late(n);
            }
        }
    }

    /// A brief that its channel does not take goes by the person's first channel that this rung has not tried. Where
    /// there is none and nobody else of the rung can answer, the ladder moves at once.
    fn go_round(&mut self, n: u32) {
        let Some(page) = self.incident.pages.get(&n).cloned() else { return };
        let (Some(role), Some(person)) = (page.role.clone(), page.person.clone()) else { return };
        let Some(engagement) = self.incident.engagements.get(&role) else { return };
        if !engagement.is_open() || !page.purpose.is_brief() || page.rung != engagement.rung {
            return;
        }
        let tried: BTreeSet<&ChannelName> = self
            .incident
            .rung_pages(&role)
            .filter(|other| other.person.as_ref() == Some(&person))
            .map(|other| &other.channel)
            .collect();
        let other = self.roster.channels(&person).iter().find(|channel| !tried.contains(channel)).cloned();
        if let Some(channel) = other {
            self.supersede(&role, &[(person.clone(), channel.clone())]);
            self.page(Some(&role), Some(person), channel, page.purpose, page.rung, Some(n));
        } else {
            self.leave_if_nobody_can_answer(&role);
        }
    }

    fn page(
        &mut self,
        role: Option<&RoleName>,
        person: Option<PersonName>,
        channel: ChannelName,
        purpose: Purpose,
        rung: u32,
        instead_of: Option<u32>,
    ) {
        let n = self.incident.pages.keys().next_back().map_or(1, |last| last + 1);
        let patience = self.incident.plan.patience.get(&channel).filter(|_| purpose.is_brief());
        let page = Page {
            n,
            role: role.cloned(),
            person,
            channel,
            purpose,
            rung,
            instead_of,
            born_at: self.now,
            patience_until: patience.map(|patience| self.now + patience.0),
            state: PageState::Queued,
            refusals: 0,
            retry_at: None,
            maybe_repeated: false,
            stages: Default::default(),
            receipt: None,
            trouble: None,
            text: None,
        };
        self.emit(Event::Paged { page: Box::new(page) });
    }

    fn post(&mut self, channel: ChannelName, purpose: Purpose) {
        self.page(None, None, channel, purpose, 0, None);
    }

    /// One line for the war room, where there is one. Before it is made nothing is queued for it: the card tells.
    fn line(&mut self, line: String) {
        if let Some(channel) = self.incident.plan.room.clone()
            && self.incident.room.is_some()
        {
            self.post(channel, Purpose::RoomLine { line });
        }
    }

    /// What still waits for the same person by the same way is stale once they are called again: reminders must not
    /// pile up behind a channel that is down.
    fn supersede(&mut self, role: &RoleName, calls: &[(PersonName, ChannelName)]) {
        let calls: BTreeSet<(&PersonName, &ChannelName)> = calls.iter().map(|(person, way)| (person, way)).collect();
        let called = |page: &Page| page.person.as_ref().is_some_and(|person| calls.contains(&(person, &page.channel)));
        self.withdraw(|page| page.purpose.is_brief() && page.role.as_ref() == Some(role) && called(page));
    }

    fn withdraw(&mut self, which: impl Fn(&Page) -> bool) {
        let queued = |page: &&Page| page.state == PageState::Queued && which(page);
        let pages: Vec<u32> = self.incident.pages.values().filter(queued).map(|page| page.n).collect();
        if !pages.is_empty() {
            self.emit(Event::Withdrawn { pages });
        }
    }

    /// To whom, by what, a page was sent or may have been: each pair once.
    fn attempted(&self, which: impl Fn(&Page) -> bool) -> BTreeSet<(PersonName, ChannelName)> {
        let sent = self.incident.pages.values().filter(|page| page.was_attempted() && which(page));
        sent.filter_map(|page| Some((page.person.clone()?, page.channel.clone()))).collect()
    }

    /// Tells everyone to whom a brief about `role` was attempted how it ended.
    fn tell(&mut self, role: &RoleName, purpose: &Purpose) {
        let briefed = self.attempted(|page| page.purpose.is_brief() && page.role.as_ref() == Some(role));
        for (person, channel) in briefed {
            self.page(Some(role), Some(person), channel, purpose.clone(), 0, None);
        }
    }

    /// The same for one whose page was on its way when it was withdrawn.
    fn tell_late(&mut self, n: u32) {
        let Some(page) = self.incident.pages.get(&n).cloned() else { return };
        if !page.was_attempted() || !page.purpose.is_brief() {
            return;
        }
        let (Some(role), Some(person)) = (page.role, page.person) else { return };
        let Some(purpose) = self.ending(&role) else { return };
        let about = if purpose == Purpose::Resolved { None } else { Some(&role) };
        let told = self.incident.pages.values().any(|other| {
            other.person.as_ref() == Some(&person)
                && other.channel == page.channel
                && other.role.as_ref() == about
                && other.purpose == purpose
        });
        if !told {
            self.page(about, Some(person), page.channel, purpose, 0, None);
        }
    }

    fn ending(&self, role: &RoleName) -> Option<Purpose> {
        if !self.incident.is_open() {
            return Some(Purpose::Resolved);
        }
        match self.incident.engagements.get(role)?.outcome.as_ref()? {
            Outcome::Engaged { person, .. } => Some(Purpose::Taken { by: person.clone(), covering_as: None }),
            Outcome::Covered { by, person, .. } => {
                Some(Purpose::Taken { by: person.clone(), covering_as: Some(by.clone()) })
            }
            Outcome::StoodDown { .. } => Some(Purpose::StoodDown),
            Outcome::Closed { .. } => Some(Purpose::Resolved),
        }
    }
}

// Answers.
impl Judge<'_> {
    fn answer(&mut self, said: Said) {
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
    fn role_meant(&self, said: &Said) -> Result<RoleName, Verdict> {
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
    fn is_asked(&self, role: &RoleName, person: &PersonName) -> bool {
        let paged = self.incident.briefs_of(role).any(|page| page.person.as_ref() == Some(person));
        let on_ladder =
            |row: &RolePlan| row.steps.iter().any(|rung| self.roster.resolve(&rung.page, self.now).contains(person));
        paged || self.row(role).is_some_and(on_ladder)
    }

    fn verdict(&self, role: &RoleName, said: &Said) -> Verdict {
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

    fn standby(&self, deadline: Option<Timestamp>, span: Duration) -> Verdict {
        let asked = self.now + span.min(STANDBY_MAX);
        deadline.map_or(Verdict::StandbyRefused, |deadline| Verdict::StandbyGranted { until: deadline.max(asked) })
    }

    fn engage(&mut self, role: &RoleName, person: &PersonName) {
        self.emit(Event::Engaged { role: role.clone(), person: person.clone() });
        self.line(format!("{role}: {person} has it"));
        self.close_ladder(role, &Purpose::Taken { by: person.clone(), covering_as: None });
        self.cover_those_waiting_on(role, role, person);
        self.stand_down_behind(role);
    }

    fn cover_those_waiting_on(&mut self, waited_on: &RoleName, by: &RoleName, person: &PersonName) {
        let waits = |(_, e): &(&RoleName, &super::Engagement)| e.is_open() && e.waits_on.as_ref() == Some(waited_on);
        let waiting: Vec<RoleName> = self.incident.engagements.iter().filter(waits).map(|(r, _)| r.clone()).collect();
        for role in waiting {
            self.cover(&role, by, person);
        }
    }

    fn cover(&mut self, role: &RoleName, by: &RoleName, person: &PersonName) {
        self.emit(Event::Covered { role: role.clone(), by: by.clone(), person: person.clone() });
        self.line(format!("{role}: covered by {by}, {person} has it"));
        self.close_ladder(role, &Purpose::Taken { by: person.clone(), covering_as: Some(by.clone()) });
        self.cover_those_waiting_on(role, by, person);
    }

    /// A role that was entered only for others is let go once all of those have their outcome.
    fn stand_down_behind(&mut self, role: &RoleName) {
        let Some(behind) = self.incident.engagements.get(role).and_then(|e| e.waits_on.clone()) else { return };
        let Some(engagement) = self.incident.engagements.get(&behind) else { return };
        let done = |r: &RoleName| self.incident.engagements.get(r).is_none_or(|e| !e.is_open());
        if engagement.is_open() && !engagement.required && engagement.stands_for.iter().all(done) {
            self.emit(Event::StoodDown { role: behind.clone() });
            self.close_ladder(&behind, &Purpose::StoodDown);
            self.stand_down_behind(&behind);
        }
    }

    fn close_ladder(&mut self, role: &RoleName, purpose: &Purpose) {
        self.withdraw(|page| page.role.as_ref() == Some(role) && page.purpose.is_brief());
        self.tell(role, purpose);
    }

    fn emit(&mut self, event: Event) {
        self.incident.apply(&event, self.now);
        self.events.push(event);
    }
}
