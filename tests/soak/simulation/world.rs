//! Nodes over one store in virtual time: what each does next stands in one queue, and nothing else ever happens.

use super::{
    dice::Dice,
    fixture::{Hands, START},
    laws::{Broken, Laws, Seen},
    people::Mood,
    requesters::RequestJob,
    shape,
};
use futures_util::FutureExt;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use stentor::{
    core::{Alert, ChannelName, Event, GivenAnswer, HeldWhy, Incident, IncidentId, Page, PageId, Timestamp},
    engine::{Engine, RuntimeConfig, SendAttempt, request_history::RequestHistory},
    store::{IncidentFilter, MemoryNode, MemoryStore, QuarantineStatus, SteadyClock, Store, StoreError},
};

/// How long things go wrong; after that everything heals and must settle.
pub const CHAOS: Duration = Duration::from_secs(150);

/// How long after that whatever is still open is resolved by hand, and by when all must be quiet.
const RESOLVED_AFTER: Duration = Duration::from_secs(400);
const QUIET_AFTER: Duration = Duration::from_secs(1800);

/// How often a node renews its lease, as in production.
const LEASE_EVERY: Duration = Duration::from_secs(3);

/// How long a loop rests after its store failed, as in production.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// What can happen next.
pub enum Job {
    /// A node's loops.
    Timers(usize),
    Sends(usize),
    Lease(usize),
    /// A page whose turn came: it is prepared, or dropped where it was withdrawn.
    Prepare(usize, PageId),
    Drop(usize, PageId),
    /// A page whose channel's provider asked everybody to wait.
    Hold(usize, PageId, Timestamp, HeldWhy),
    /// An attempt ends.
    Done(usize, Box<SendAttempt>),
    /// Monitors and humans.
    Arrive(Box<Alert>),
    Answer(IncidentId, Box<GivenAnswer>, u32),
    Saw(PageId),
    Resolve(IncidentId),
    /// Systems that ask, and humans who decide.
    Request(Box<RequestJob>),
    /// Trouble.
    Crash(usize),
    Start,
    Stall(usize, Duration),
    Back,
    Wall(i64),
    ClockRestart,
    FailCommits(u32),
    Full(bool),
    Weather(ChannelName, Mood),
    /// Drills give way; what a drill holds back is brought.
    Drills(usize),
    Late(usize),
    Anchor,
    /// A row of an open incident is damaged: one of those that there are then.
    Spoil(usize),
    /// Operators are told of it.
    Tell(usize),
    /// The end of trouble, of accept timeout, of all.
    Heal,
    ResolveAll,
    IsQuiet,
}

pub struct Node {
    /// None once it has crashed: everything it had in memory is gone.
    pub engine: Option<Arc<Engine>>,
    pub epoch: u64,
    pub stalled_until: Timestamp,
    lag: Duration,
    timers_at: Option<Timestamp>,
    timers_after: Timestamp,
    sends_at: Option<Timestamp>,
    drills_at: Option<Timestamp>,
    late_at: Option<Timestamp>,
    tells_at: Option<Timestamp>,
}

pub struct World {
    pub dice: Dice,
    pub live: Arc<RuntimeConfig>,
    pub nodes: Vec<Node>,
    pub weather: BTreeMap<ChannelName, Mood>,
    pub healed: bool,
    pub laws: Laws,
    /// Everything that was seen, where somebody wants it.
    pub tape: Option<Vec<Seen>>,
    now: Timestamp,
    numbered: u64,
    queue: BTreeMap<(Timestamp, u64), Job>,
    hands: Hands,
    clock: Arc<Mutex<SteadyClock>>,
    store: MemoryStore,
    /// A handle that only looks.
    eye: MemoryNode,
    read_to: i64,
    able_since: Option<Timestamp>,
    is_full: bool,
    /// When the first alert that waits was due, as it was seen last.
    waits: Option<Timestamp>,
    /// What is seen after the lines of this step.
    after: Vec<Seen>,
}

impl World {
    /// The world of a seed, with all outside events already in its queue.
    pub fn new(seed: u64) -> Self {
        let mut world = Self::bare(seed);
        world.plan_alerts();
        world.plan_trouble();
        world.plan_damage(&mut Dice::new(seed ^ 0x5b01_1e55));
        world.plan_requests(&mut Dice::new(seed ^ 0x07e9_0e57));
        world.later(CHAOS, Job::Heal);
        world.plan_end();
        world
    }

    /// A world with trouble, in which nothing happens but requests: several, so that more of what is rare comes about.
    pub fn asking(seed: u64) -> Self {
        let mut world = Self::bare(seed);
        world.plan_trouble();
        world.plan_requests_densely(&mut Dice::new(seed ^ 0x07e9_0e57));
        world.plan_damage(&mut Dice::new(seed ^ 0x5b01_1e55));
        world.later(CHAOS, Job::Heal);
        world.plan_end();
        world
    }

    /// The end of all: what is still open is resolved by hand, and the run ends once everything is quiet.
    pub fn plan_end(&mut self) {
        self.later(CHAOS + RESOLVED_AFTER, Job::ResolveAll);
        self.later(CHAOS, Job::IsQuiet);
    }

    /// Some nodes, to which nothing happens.
    pub fn bare(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let live = shape::shape(dice.between(0, shape::SHAPES - 1), START);
        let hands = Hands::new();
        let clock = SteadyClock::start(Arc::new(hands.clone()), None, None);
        let clock = Arc::new(Mutex::new(clock));
        let read = clock.clone();
        let store = MemoryStore::seeded(move || read.lock().expect("a clock").now(), seed);
        let eye = store.node();
        let laws = Laws::new(Arc::new(live.matrix.roster.clone()));
        let mut world = Self {
            dice,
            live,
            nodes: Vec::new(),
            weather: BTreeMap::new(),
            healed: false,
            laws,
            tape: None,
            now: START,
            numbered: 0,
            queue: BTreeMap::new(),
            hands,
            clock,
            store,
            eye,
            read_to: 0,
            able_since: None,
            is_full: false,
            waits: None,
            after: Vec::new(),
        };
        for _ in 0..2 + world.dice.below(2) {
            world.start_node();
        }
        world
    }

    /// Runs until everything is quiet or a law is broken.
    pub fn run(&mut self) -> Option<Broken> {
        while let Some(((at, _), job)) = self.queue.pop_first() {
            self.hands.pass(at.since(self.now));
            self.now = at;
            let able_since = self.able_since;
            self.see(Seen::Clock { at, able_since });
            self.perform(job);
            self.observe();
            self.wake();
            if let Some(broken) = self.laws.broken() {
                return Some(broken.clone());
            }
        }
        self.keep_texts();
        self.read_back();
        self.see(Seen::End);
        self.laws.broken().cloned()
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn later(&mut self, span: Duration, job: Job) {
        self.numbered += 1;
        self.queue.insert((self.now + span, self.numbered), job);
    }

    pub fn see(&mut self, seen: Seen) {
        self.laws.see(&seen);
        if let Some(tape) = &mut self.tape {
            tape.push(seen);
        }
    }

    /// Seen once the lines of this step are.
    pub fn see_after(&mut self, seen: Seen) {
        self.after.push(seen);
    }

    pub fn page(&self, id: PageId) -> Option<Page> {
        self.laws.incident(id.incident)?.pages.get(&id.n).map(|page| Page::clone(page))
    }

    /// A node that answers the door, where there is one.
    pub fn some_node(&mut self) -> Option<Arc<Engine>> {
        let now = self.now;
        let able: Vec<Arc<Engine>> =
            self.nodes.iter().filter(|node| node.stalled_until <= now).filter_map(|n| n.engine.clone()).collect();
        (!able.is_empty()).then(|| self.dice.pick(&able))
    }

    /// Notes what the store said.
    pub fn kept<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        if let Err(StoreError::Failed(_)) = &result {
            self.able_since = self.able_since.map(|_| self.now);
        }
        result.ok()
    }

    pub fn set_failing(&mut self, commits: u32) {
        self.store.fail_next_commits(commits);
    }

    pub fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
        self.store.set_full(is_full);
    }

    pub fn step_wall(&mut self, by_us: i64) {
        self.hands.step_wall(by_us);
    }

    /// The daemon that keeps the store's time starts again, with what the wall clock shows now.
    pub fn restart_clock(&mut self) {
        let mut clock = self.clock.lock().expect("a clock");
        let anchor = clock.anchor();
        *clock = SteadyClock::start(Arc::new(self.hands.clone()), Some(&anchor), None);
    }

    pub fn start_node(&mut self) {
        let node = self.store.node();
        let epoch = node.epoch();
        let engine = Engine::new(Arc::new(node), self.live.clone(), "http://127.0.0.1:7000");
        let lag = self.dice.millis(0, 300);
        let (stalled_until, timers_after) = (self.now, self.now);
        let (timers_at, sends_at, drills_at, late_at, tells_at) = (None, None, None, None, None);
        let engine = Some(engine);
        self.nodes.push(Node {
            engine,
            epoch,
            stalled_until,
            lag,
            timers_at,
            timers_after,
            sends_at,
            drills_at,
            late_at,
            tells_at,
        });
        self.later(Duration::ZERO, Job::Lease(self.nodes.len() - 1));
        self.count_able();
    }

    /// Since when some node could do its work.
    pub fn count_able(&mut self) {
        let able = self.nodes.iter().any(|node| node.engine.is_some() && node.stalled_until <= self.now);
        self.able_since = able.then(|| self.able_since.unwrap_or(self.now));
    }

    /// The engine of a node that lives and is not away.
    fn here(&self, n: usize) -> Option<Arc<Engine>> {
        let node = &self.nodes[n];
        node.engine.clone().filter(|_| node.stalled_until <= self.now)
    }

    /// The engine of a node that lives; a job for one that is away waits until it is back.
    pub fn awake(&mut self, n: usize, job: Job) -> Option<(Arc<Engine>, Job)> {
        let node = &self.nodes[n];
        let engine = node.engine.clone()?;
        if self.now < node.stalled_until {
            let back = node.stalled_until.since(self.now);
            self.later(back, job);
            return None;
        }
        Some((engine, job))
    }

    pub fn timers(&mut self, n: usize) {
        self.nodes[n].timers_at = None;
        let Some(engine) = self.here(n) else { return };
        let moved = self.kept(ready(engine.tick_timers()));
        let opened = self.kept(ready(engine.admission().tick_judgements()));
        if moved.is_none() || opened.is_none() {
            self.nodes[n].timers_after = self.now + AFTER_FAILURE;
        }
    }

    pub fn sends(&mut self, n: usize) {
        self.nodes[n].sends_at = None;
        let Some(engine) = self.here(n) else { return };
        let turn = engine.delivery().tick_delivery();
        for page in turn.unsent {
            let wait = self.dice.millis(0, 20);
            self.later(wait, Job::Drop(n, page));
        }
        for (page, until, why) in turn.held {
            let wait = self.dice.millis(0, 20);
            self.later(wait, Job::Hold(n, page, until, why));
        }
        for page in turn.start {
            let wait = self.dice.millis(0, 20);
            self.later(wait, Job::Prepare(n, page));
        }
    }

    pub fn lease(&mut self, n: usize) {
        let Some((engine, _)) = self.awake(n, Job::Lease(n)) else { return };
        let held = self.kept(ready(engine.delivery().tick_lease()));
        let taken = self.kept(ready(engine.delivery().tick_orphans()));
        let rest = if held.and(taken).is_some() { LEASE_EVERY } else { AFTER_FAILURE };
        self.later(rest, Job::Lease(n));
    }

    pub fn drills(&mut self, n: usize) {
        self.nodes[n].drills_at = None;
        let Some(engine) = self.here(n) else { return };
        if self.kept(ready(engine.delivery().tick_drills())).is_none() {
            self.nodes[n].drills_at = Some(self.now + AFTER_FAILURE);
            self.later(AFTER_FAILURE, Job::Drills(n));
        }
    }

    /// The world's own channels stand in for those that the engine would ask: the page begins, and that is all.
    pub fn late(&mut self, n: usize) {
        self.nodes[n].late_at = None;
        let Some(engine) = self.here(n) else { return };
        for page in engine.delivery().take_late() {
            if self.kept(ready(engine.delivery().prepare_late(page))).flatten().is_some() {
                self.see(Seen::Late { page });
            }
        }
    }

    /// Damages one of the incidents that are open.
    pub fn spoil(&mut self, which: usize) {
        let open: Vec<IncidentId> = self.laws.incidents().filter(|i| i.is_open()).map(|incident| incident.id).collect();
        if !open.is_empty() {
            self.store.spoil(open[which % open.len()]);
        }
    }

    pub fn tell_of_damage(&mut self, n: usize) {
        self.nodes[n].tells_at = None;
        let Some(engine) = self.here(n) else { return };
        if self.kept(ready(engine.health().tick_quarantine())).is_none() {
            self.nodes[n].tells_at = Some(self.now + AFTER_FAILURE);
            self.later(AFTER_FAILURE, Job::Tell(n));
        }
    }

    pub fn anchor(&mut self) {
        if let Some(engine) = self.some_node() {
            self.kept(ready(engine.tick_anchor()));
        }
    }

    /// Ends the run where nothing is left to do; otherwise looks again.
    pub fn is_quiet(&mut self) {
        let settled = |incident: &Incident| {
            let owed = incident.pages.values().any(|page| page.is_owed());
            let put_away = incident.is_open() || incident.deadline().is_none();
            let answered = incident.request.as_ref().is_none_or(|request| request.outcome().is_some());
            !owed && put_away && answered && incident.open_roles().next().is_none()
        };
        let moving = self.queue.values().any(|job| {
            matches!(
                job,
                Job::Done(..)
                    | Job::Prepare(..)
                    | Job::Answer(..)
                    | Job::Request(_)
                    | Job::Arrive(_)
                    | Job::Drop(..)
                    | Job::Hold(..)
            )
        });
        if self.healed && !moving && !self.is_untold() && self.laws.incidents().all(settled) {
            self.queue.clear();
        } else if QUIET_AFTER < self.now.since(START) {
            let open = self.laws.incidents().find(|incident| !settled(incident)).map(|incident| incident.id);
            self.laws.fail("law 10", format!("{open:?} has not settled"));
        } else {
            self.later(Duration::from_secs(7), Job::IsQuiet);
        }
    }

    /// How many alerts the store has counted that no line tells of yet.
    pub fn counted(&self) -> u64 {
        let incidents = self.open_incidents();
        let repeats = incidents.iter().filter_map(|incident| incident.repeats.as_ref()).map(|repeats| repeats.count);
        let results = ready(self.eye.counted()).expect("counts");
        repeats.chain(results.iter().map(|(_, result)| result.counted.count)).sum()
    }

    fn open_incidents(&self) -> Vec<Arc<Incident>> {
        let open = IncidentFilter { open_only: true, limit: usize::MAX };
        ready(self.eye.list(open)).expect("incidents")
    }

    /// Reads what was committed, and compares.
    fn observe(&mut self) {
        // A repeat that is only counted has no line, and its alert's lease moves the deadline.
        let repeated = self.open_incidents().into_iter().filter(|incident| incident.repeats.is_some());
        let repeated = repeated.map(|incident| incident.id);
        // Only now: a look at an incident is what finds that it can not be read.
        self.see_what_was_set_aside();
        let lines = ready(self.eye.lines(None, self.read_to, usize::MAX)).expect("lines");
        let mut changed: Vec<IncidentId> =
            lines.iter().filter_map(|line| line.chain.parse().ok()).chain(repeated).collect();
        if changed.is_empty() && lines.is_empty() {
            return self.see_rest();
        }
        self.read_to = lines.last().map_or(self.read_to, |line| line.pos);
        changed.sort();
        changed.dedup();
        for line in lines {
            self.see(Seen::Line(line));
        }
        for id in changed {
            let Ok(Some(stored)) = ready(self.eye.view(id)) else { continue };
            self.see(Seen::Stored(stored));
        }
        let next = ready(self.eye.next_deadline()).expect("a deadline");
        self.see(Seen::NextDeadline(next));
        self.see_rest();
    }

    /// Before the lines of this step: what is lost counts for none of them any more.
    fn see_what_was_set_aside(&mut self) {
        let is_told = self.live.matrix.operators_plan().is_some();
        for entry in self.eye.quarantined() {
            let Some(incident) = entry.row.incident().filter(|id| self.laws.incident(*id).is_some()) else { continue };
            self.see(Seen::SetAside { incident, is_told });
        }
    }

    /// Whether something can not be read and nobody was told yet.
    fn is_untold(&self) -> bool {
        self.eye.quarantined().iter().any(|entry| entry.is_problem() && entry.standing == QuarantineStatus::Found)
    }

    fn see_rest(&mut self) {
        let waits = ready(self.eye.next_judgement()).expect("a deadline").filter(|_| !self.is_full);
        if waits != self.waits {
            self.waits = waits;
            self.see(Seen::NextWait(waits));
        }
        for seen in std::mem::take(&mut self.after) {
            self.see(seen);
        }
    }

    /// Turns the loops of every node on at the time that they ask for, as their wakings do in production.
    fn wake(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        let due = ready(self.eye.next_deadline()).expect("a deadline");
        let waits = ready(self.eye.next_judgement()).expect("a deadline");
        let due = due.into_iter().chain(waits).min();
        let open = ready(self.eye.open_now()).expect("a look");
        let gives_way = open.live.is_some() && !open.drills.is_empty();
        let news = self.is_untold();
        for n in 0..self.nodes.len() {
            let node = &mut self.nodes[n];
            let Some(engine) = node.engine.as_ref().filter(|_| node.stalled_until <= self.now) else { continue };
            let sends = engine.delivery().next_send().map(|at| at.max(self.now));
            let timers = due.map(|at| at.max(self.now).max(node.timers_after) + node.lag);
            let earlier = |armed: Option<Timestamp>, at: Timestamp| armed.is_none_or(|armed| at < armed);
            let sends = sends.filter(|at| earlier(node.sends_at, *at));
            let timers = timers.filter(|at| earlier(node.timers_at, *at));
            let drills = (gives_way && node.drills_at.is_none()).then(|| self.now + node.lag);
            let late = engine.delivery().next_late().map(|at| at.max(self.now)).filter(|at| earlier(node.late_at, *at));
            let tells = (news && node.tells_at.is_none()).then(|| self.now + node.lag);
            node.tells_at = tells.or(node.tells_at);
            node.drills_at = drills.or(node.drills_at);
            node.late_at = late.or(node.late_at);
            node.sends_at = sends.or(node.sends_at);
            node.timers_at = timers.or(node.timers_at);
            if let Some(at) = sends {
                self.later(at.since(self.now), Job::Sends(n));
            }
            if let Some(at) = drills {
                self.later(at.since(self.now), Job::Drills(n));
            }
            if let Some(at) = late {
                self.later(at.since(self.now), Job::Late(n));
            }
            if let Some(at) = tells {
                self.later(at.since(self.now), Job::Tell(n));
            }
            if let Some(at) = timers {
                self.later(at.since(self.now), Job::Timers(n));
            }
        }
    }

    /// What the systems that asked read, from a node that has just started.
    fn read_back(&mut self) {
        let accepted = self.laws.accepted();
        if accepted.is_empty() {
            return;
        }
        let node = Engine::new(Arc::new(self.store.node()), self.live.clone(), "http://127.0.0.1:7000");
        for request in accepted {
            if self.laws.incident(request.incident).is_none() {
                continue;
            }
            let stored = ready(node.reads().view(request.incident)).expect("a look");
            let state = stored.and_then(|incident| incident.request.as_ref()?.outcome().cloned());
            let mut told = Vec::new();
            let mut history = RequestHistory::of(request.incident);
            let read = history.read(node.reads(), |moment| {
                if let Event::RequestEnded { outcome } = moment.event {
                    told.push(outcome.clone());
                }
            });
            ready(read).expect("a history");
            self.see(Seen::ReadBack { request, state, told });
        }
    }

    fn keep_texts(&mut self) {
        let shown = self.laws.incidents().flat_map(|incident| incident.pages.values()).filter_map(|p| p.text.clone());
        for hash in shown.collect::<Vec<_>>() {
            if ready(self.eye.text(hash.clone())).expect("a look").is_none() {
                self.see(Seen::TextMissing { hash });
            }
        }
    }
}

/// The memory store's futures are ready at once.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing waits over the memory store")
}
