//! Everything outside the nodes: monitors, channels in every weather, humans in every mood, and trouble.

use super::{
    dice::Dice,
    laws::Seen,
    requesters, shape,
    world::{CHAOS, Job, World, ready},
};
use std::time::Duration;
use stentor::{
    channel::{Message, SendError},
    core::{
        Actor, Alert, AlertStatus, Answer, AnswerVerdict, AnswerVia, DrillTerms, FaultKind, GivenAnswer, HeldWhy,
        IncidentId, InjectedFault, Page, PageId, PagePurpose, SendReceipt, Timestamp, page::PageStage,
    },
    engine::{AdmissionResult, AnswerError, Engine, IncomingAlert, SendAttempt},
    matrix::ChannelKind,
    store::StoreError,
};

/// How a channel is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    #[default]
    Good,
    Hangs,
    Throttles,
    Refuses,
    Unreachable,
    Broken,
}

const MOODS: [Mood; 6] = [Mood::Good, Mood::Hangs, Mood::Throttles, Mood::Refuses, Mood::Unreachable, Mood::Broken];

const HOUR_US: i64 = 3_600_000_000;

impl World {
    pub fn perform(&mut self, job: Job) {
        match job {
            Job::Timers(n) => self.timers(n),
            Job::Sends(n) => self.sends(n),
            Job::Lease(n) => self.lease(n),
            Job::Prepare(n, page) => self.prepare(n, page),
            Job::Drop(n, page) => self.drop_unsent(n, page),
            Job::Hold(n, page, until, why) => self.hold(n, page, until, why),
            Job::Done(n, attempt) => self.finish(n, attempt),
            Job::Arrive(alert) => self.arrive(alert),
            Job::Answer(id, said, tries) => self.answer(id, said, tries),
            Job::Saw(page) => self.saw(page),
            Job::Resolve(id) => self.resolve(id),
            Job::Request(job) => self.request(*job),
            Job::Crash(n) => self.crash(n),
            Job::Start => self.start_node(),
            Job::Stall(n, span) => self.stall(n, span),
            Job::Back => self.count_able(),
            Job::Wall(by_us) => self.step_wall(by_us),
            Job::ClockRestart => self.restart_clock(),
            Job::FailCommits(n) => self.set_failing(n),
            Job::Full(is_full) => self.set_full(is_full),
            Job::Weather(channel, mood) => drop(self.weather.insert(channel, mood)),
            Job::Drills(n) => self.drills(n),
            Job::Late(n) => self.late(n),
            Job::Anchor => self.anchor(),
            Job::Spoil(which) => self.spoil(which),
            Job::Tell(n) => self.tell_of_damage(n),
            Job::Heal => self.heal(),
            Job::ResolveAll => self.resolve_all(),
            Job::IsQuiet => self.is_quiet(),
        }
    }
}

// Sends.
impl World {
    fn prepare(&mut self, n: usize, page: PageId) {
        let Some((engine, _)) = self.awake(n, Job::Prepare(n, page)) else { return };
        let prepared = ready(engine.delivery().prepare(page));
        match self.kept(prepared) {
            None => {
                engine.delivery().postpone(page);
            }
            Some(None) => {}
            Some(Some(composed)) => {
                let (sent_at, node) = (self.now(), self.nodes[n].epoch);
                if let Some((fault, result)) = engine.delivery().injected(&composed, sent_at) {
                    let taken = result.is_ok();
                    self.see(Seen::Injected { at: sent_at, page, taken });
                    let (shown, fault) = ((composed.hash, composed.shown), Some(fault));
                    let attempt = SendAttempt { page, sent_at, ended_at: sent_at, shown, result, fault };
                    return self.later(Duration::ZERO, Job::Done(n, Box::new(attempt)));
                }
                self.see(Seen::Started { at: sent_at, node, page });
                let Some(row) = self.page(page) else { return };
                let (takes, result, arrives) = self.result(&engine, &row, page);
                if arrives {
                    self.read(page, &row, &composed.message, takes);
                }
                let shown = (composed.hash, composed.shown);
                let ended_at = sent_at + takes;
                let attempt = SendAttempt { page, sent_at, ended_at, shown, result, fault: None };
                self.later(takes, Job::Done(n, Box::new(attempt)));
            }
        }
    }

    /// How long the channel takes, what it says, and whether its human gets it.
    fn result(
        &mut self,
        engine: &Engine,
        row: &Page,
        page: PageId,
    ) -> (Duration, Result<SendReceipt, SendError>, bool) {
        let live = engine.config();
        let timeout = live.channels.get(&row.channel).map_or(Duration::from_secs(10), |wired| wired.timeout);
        let takes = self.dice.millis(1, 900).min(timeout);
        let mood = self.weather.get(&row.channel).copied().unwrap_or_default();
        // Even good weather has a cloud.
        let mood = if !self.healed && self.dice.chance(5) { self.dice.pick(&MOODS) } else { mood };
        let result = match mood {
            Mood::Good => {
                let room = (row.purpose == PagePurpose::RoomCard).then(|| format!("C{}", page.incident.0));
                Ok(SendReceipt { room, ..SendReceipt::of(format!("m{}", page.n)) })
            }
            Mood::Hangs => Err(SendError::unknown("no answer in time")),
            Mood::Throttles
                if live.channels.get(&row.channel).is_some_and(|wired| wired.kind == ChannelKind::SCREEN) =>
            {
                let after = Duration::from_secs(self.dice.between(1, 25));
                Err(SendError::DeskClosed { after, why: "no desk page of them is open".into() })
            }
            Mood::Throttles => {
                let after = (self.dice.chance(80)).then(|| Duration::from_secs(self.dice.between(1, 25)));
                Err(SendError::throttled(after, "too many"))
            }
            Mood::Refuses => Err(SendError::retry("not now")),
            Mood::Unreachable => Err(SendError::unreachable("no such number")),
            Mood::Broken => Err(SendError::broken("bad token")),
        };
        match mood {
            Mood::Good => (takes, result, true),
            Mood::Hangs => (timeout, result, self.dice.chance(50)),
            _ => (takes, result, false),
        }
    }

    fn finish(&mut self, n: usize, attempt: Box<SendAttempt>) {
        let Some((engine, Job::Done(_, attempt))) = self.awake(n, Job::Done(n, attempt)) else { return };
        if let Err(SendError::Retry { after: Some(after), .. }) = &attempt.result {
            let (node, page, at) = (self.nodes[n].epoch, attempt.page, self.now());
            self.see(Seen::Throttled { at, node, page, until: attempt.ended_at + *after });
        }
        let finished = ready(engine.delivery().finish(&attempt));
        if matches!(finished, Err(StoreError::Corrupt { .. })) {
            engine.delivery().postpone(attempt.page);
        } else if self.kept(finished).is_none() {
            self.later(stentor::core::retry::FIRST, Job::Done(n, attempt));
        }
    }

    fn drop_unsent(&mut self, n: usize, page: PageId) {
        let Some((engine, _)) = self.awake(n, Job::Drop(n, page)) else { return };
        let dropped = ready(engine.delivery().drop_unsent(page));
        if self.kept(dropped).is_none() {
            engine.delivery().postpone(page);
        }
    }

    fn hold(&mut self, n: usize, page: PageId, until: Timestamp, why: HeldWhy) {
        let Some((engine, _)) = self.awake(n, Job::Hold(n, page, until, why)) else { return };
        let held = ready(engine.delivery().hold(page, until, why));
        if self.kept(held).is_none() {
            engine.delivery().postpone(page);
        }
    }
}

// Humans.
impl World {
    /// A human reads a message that arrives after `takes`, and perhaps says something.
    fn read(&mut self, page: PageId, row: &Page, message: &Message, takes: Duration) {
        let Some(person) = row.person.clone() else { return };
        if self.dice.chance(15) {
            self.later(takes, Job::Saw(page));
        }
        self.plan_choices(page, &person, message, takes);
        let talkative = if message.ask.is_none() {
            4
        } else if self.healed {
            90
        } else {
            55
        };
        if !self.dice.chance(talkative) {
            return;
        }
        let thinks = if self.healed { self.dice.millis(500, 8_000) } else { self.dice.millis(1, 70_000) };
        let times = if self.dice.chance(12) { 2 } else { 1 };
        for _ in 0..times {
            let answer = self.answer_to();
            let person = if self.dice.chance(5) { self.dice.pick(&shape::people()).into() } else { person.clone() };
            let via = self.dice.pick(&[
                AnswerVia::Desk,
                AnswerVia::Sms,
                AnswerVia::chat("slack"),
                AnswerVia::MailLink,
                AnswerVia::Cli,
            ]);
            let (of, role) = match self.dice.below(10) {
                0 => (None, None),
                1 | 2 => (None, row.role.clone()),
                _ => (Some(page.n), None),
            };
            let said = GivenAnswer { person, answer, via, page: of, role, origin: None };
            let more = self.dice.millis(0, 3_000);
            self.later(takes + thinks + more, Job::Answer(page.incident, Box::new(said), 0));
        }
    }

    fn answer_to(&mut self) -> Answer {
        if self.healed {
            return Answer::Wilco;
        }
        match self.dice.below(100) {
            0..45 => Answer::Wilco,
            45..65 => Answer::Roger,
            65..82 => Answer::Standby { span: Duration::from_secs(self.dice.between(1, 900)) },
            _ => Answer::Unable,
        }
    }

    fn answer(&mut self, id: IncidentId, said: Box<GivenAnswer>, tries: u32) {
        let (person, answer) = (said.person.clone(), said.answer);
        self.see(Seen::Said { incident: id, person, answer });
        let result = match self.some_node() {
            Some(engine) => ready(engine.inbound().answer(id, (*said).clone())),
            None => Err(AnswerError::Store(StoreError::Closed)),
        };
        match result {
            Ok(AnswerVerdict::Engages) => {
                self.plan_conversation(id, &said);
                self.perhaps_hand_back(id, *said);
            }
            Ok(_) => {}
            Err(AnswerError::Store(error)) => {
                self.kept::<()>(Err(error));
                if tries < 5 {
                    self.later(Duration::from_secs(2), Job::Answer(id, said, tries + 1));
                }
            }
            Err(AnswerError::NoIncident(id)) => self.laws.fail("law 1", format!("{id} is gone")),
        }
    }

    /// Somebody took it who should not have, and finds out at once, before long, or never.
    fn perhaps_hand_back(&mut self, id: IncidentId, said: GivenAnswer) {
        if self.healed || !self.dice.chance(35) {
            return;
        }
        let after = if self.dice.chance(30) { self.dice.millis(0, 900) } else { self.dice.millis(900, 60_000) };
        let times = if self.dice.chance(15) { 2 } else { 1 };
        let bare = self.dice.chance(20);
        for _ in 0..times {
            let said = match bare {
                true => GivenAnswer { answer: Answer::Unable, page: None, role: None, ..said.clone() },
                false => GivenAnswer { answer: Answer::Unable, ..said.clone() },
            };
            self.later(after, Job::Answer(id, Box::new(said), 0));
        }
    }

    fn saw(&mut self, page: PageId) {
        let stage = self.dice.pick(&[PageStage::Delivered, PageStage::Seen]);
        if let Some(engine) = self.some_node() {
            self.kept(ready(engine.inbound().report(page, stage)));
        }
    }

    fn resolve(&mut self, id: IncidentId) {
        let by = Actor::Person(self.dice.pick(&shape::people()).into());
        let Some(engine) = self.some_node() else { return self.later(Duration::from_secs(3), Job::Resolve(id)) };
        self.see(Seen::Withdrawn { incident: id });
        let resolved = ready(engine.inbound().resolve(id, by));
        if !matches!(resolved, Err(StoreError::Corrupt { .. })) && self.kept(resolved).is_none() {
            self.later(Duration::from_secs(1), Job::Resolve(id));
        }
    }

    fn resolve_all(&mut self) {
        let unanswered = |request: &stentor::core::Request| request.outcome().is_none();
        let open = |incident: &&stentor::core::Incident| {
            incident.open_roles().next().is_some() || incident.request.as_deref().is_some_and(unanswered)
        };
        let open: Vec<IncidentId> = self.laws.incidents().filter(open).map(|incident| incident.id).collect();
        for id in open {
            self.later(Duration::ZERO, Job::Resolve(id));
        }
    }
}

// Monitors.
impl World {
    pub fn plan_alerts(&mut self) {
        for key in 0..3 + self.dice.below(6) {
            let kind = self.dice.pick(&[
                "boom", "boom", "boom", "boom", "boom", "boom", "hum", "odd", "ring", "beat", "drift", "nothing",
            ]);
            let (drill, leased) = (self.dice.chance(35), self.dice.chance(25));
            let begins = self.dice.millis(0, 60_000);
            // An episode that says when it began is not opened again once a human has closed it.
            let starts_at = self.dice.chance(50).then(|| self.now() + begins);
            for again in 0..1 + self.dice.below(4) {
                let mut alert = Alert::new("monitor", kind);
                alert.id = format!("a{key}.{again}");
                alert.labels.insert("k".into(), format!("k{key}"));
                alert.drill = drill;
                alert.starts_at = starts_at;
                let at = begins + self.dice.millis(0, 15_000);
                if leased {
                    alert.lease_until = Some(self.now() + at + self.dice.millis(5_000, 60_000));
                }
                alert.confidence = match kind {
                    "ring" if self.dice.chance(20) => 0.4,
                    "drift" => self.dice.pick(&[0.1, 0.1, 0.6, 0.95]),
                    _ => 1.0,
                };
                if 0 < again && self.dice.chance(30) {
                    alert.status = AlertStatus::Resolved;
                }
                self.later(at, Job::Arrive(Box::new(alert)));
            }
        }
    }

    /// A drill that ends soon, with some people and some trouble.
    fn terms(&mut self, now: Timestamp) -> DrillTerms {
        let mut terms = DrillTerms::until(now + self.dice.millis(5_000, 120_000));
        if self.dice.chance(30) {
            terms.participants = self.dice.some_of(&shape::people(), 5).into_iter().map(Into::into).collect();
        }
        if self.dice.chance(30) {
            terms.compress = 3;
        }
        for _ in 0..self.dice.below(3) {
            let channel = self.dice.pick(&shape::channel_names());
            let what = match self.dice.below(4) {
                3 => FaultKind::Broken { channel },
                0 => FaultKind::Down { channel },
                1 => FaultKind::Delayed { channel, by: self.dice.millis(500, 40_000) },
                _ => FaultKind::Absent { person: self.dice.pick(&shape::people()).into() },
            };
            let until = self.dice.chance(50).then(|| now + Duration::from_secs(30));
            terms.faults.push(InjectedFault { what, from: now, until });
        }
        terms
    }

    fn arrive(&mut self, alert: Box<Alert>) {
        let Some(engine) = self.some_node() else { return self.later(Duration::from_secs(2), Job::Arrive(alert)) };
        let now: Timestamp = self.now();
        let terms = self.terms(now);
        let counted = self.counted();
        let packet = alert.labels.get("k").filter(|_| alert.kind == "turn").map(|k| requesters::packet(k));
        let turn = IncomingAlert { alert: (*alert).clone(), packet };
        let Some(admitted) = self.kept(ready(engine.admission().admit_on(vec![turn], now, &terms))) else {
            // A monitor posts again what was refused.
            return self.later(Duration::from_secs(3), Job::Arrive(alert));
        };
        // An all-clear changes an incident or is noted; only what fires must be found again.
        let is_all_clear = |result: &AdmissionResult| matches!(result, AdmissionResult::Cleared { .. });
        let is_cleared = admitted.iter().flat_map(|admitted| &admitted.results).any(is_all_clear);
        if alert.status == AlertStatus::Firing && !is_cleared {
            let counted = counted < self.counted();
            self.see_after(Seen::Accepted { alert: alert.id.clone(), counted });
        }
        for request in admitted.iter().filter_map(|admitted| admitted.request.as_ref()) {
            self.see_after(Seen::Asked { key: None, request: request.id });
        }
        for result in admitted.into_iter().flat_map(|admitted| admitted.results) {
            if let AdmissionResult::Opened { incident } = result
                && self.dice.chance(35)
            {
                let after = self.dice.millis(50, 90_000);
                self.later(after, Job::Resolve(incident));
            }
        }
    }
}

// Trouble.
impl World {
    pub fn plan_trouble(&mut self) {
        for _ in 0..self.dice.below(4) {
            let at = self.some_time();
            let n = self.dice.below(3);
            self.later(at, Job::Crash(n));
            let back = at + self.dice.millis(10, 30_000);
            self.later(back, Job::Start);
        }
        for _ in 0..self.dice.below(6) {
            let at = self.some_time();
            let job = match self.dice.below(6) {
                0 => Job::Stall(self.dice.below(2), self.dice.millis(100, 25_000)),
                1 => Job::Wall(self.dice.pick(&[-HOUR_US, HOUR_US])),
                2 => Job::ClockRestart,
                3 => Job::Anchor,
                4 => Job::Full(true),
                _ => Job::FailCommits(u32::try_from(self.dice.between(1, 6)).expect("few")),
            };
            if matches!(job, Job::Full(_)) {
                let until = at + self.dice.millis(100, 12_000);
                self.later(until, Job::Full(false));
            }
            self.later(at, job);
        }
        for channel in shape::channel_names() {
            for _ in 0..self.dice.below(4) {
                let (at, mood) = (self.some_time(), self.dice.pick(&MOODS));
                self.later(at, Job::Weather(channel.clone(), mood));
                let better = at + self.dice.millis(500, 40_000);
                self.later(better, Job::Weather(channel.clone(), Mood::Good));
            }
        }
    }

    /// Drawn from dice of their own, so that everything else is as it would be without.
    pub fn plan_damage(&mut self, dice: &mut Dice) {
        if dice.chance(30) {
            for _ in 0..1 + dice.below(3) {
                let at = dice.millis(1_000, u64::try_from(CHAOS.as_millis()).expect("short") - 1);
                self.later(at, Job::Spoil(dice.below(100)));
            }
        }
    }

    fn some_time(&mut self) -> Duration {
        self.dice.millis(0, u64::try_from(CHAOS.as_millis()).expect("short") - 1)
    }

    fn crash(&mut self, n: usize) {
        let n = n.min(self.nodes.len() - 1);
        if self.nodes[n].engine.take().is_some() {
            self.see(Seen::Lost);
            self.count_able();
        }
    }

    /// A node that is away for longer than its lease is taken for dead, and finds that out.
    fn stall(&mut self, n: usize, span: Duration) {
        if self.nodes[n].engine.is_some() {
            self.nodes[n].stalled_until = self.now() + span;
            self.see(Seen::Lost);
            self.count_able();
            self.later(span, Job::Back);
        }
    }

    fn heal(&mut self) {
        self.healed = true;
        self.weather.clear();
        self.set_failing(0);
        self.set_full(false);
        if self.nodes.iter().all(|node| node.engine.is_none()) {
            self.start_node();
        }
    }
}
