//! Which page may start when: one queue a channel, one pace a destination. No I/O and no clock: `now` is an argument,
//! so that the simulation runs this very code.

use super::{
    destination::{BOTH, Destination, LineName, PageReality},
    line::{ChannelQueue, QueueTurn, UrgencyLane},
};
use crate::core::{
    ChannelName, Event, HeldWhy, IncidentId, Page, PageId, PersonName, SendOutcome, Timestamp,
    retry::{PaceState, SendPace, backoff},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// A pause of a whole channel beyond this is told to the ladders, which may know another way for its pages.
const HELD_LONG: Duration = Duration::from_secs(2);

/// The longest pause of a provider's that is obeyed; beyond it the page has long gone by another channel.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);

/// How many of a channel's sends may be pages of drills. The real thing does not count them: it never waits for them.
pub const DRILLS_IN_FLIGHT_MAX: usize = 16;

/// Destinations whose pace is remembered before those that are idle are forgotten.
const DESTINATIONS_MAX: usize = 10_000;

/// How fast one room's card is edited: what changes in between is shown by the next edit.
pub const CARD_PACE: SendPace = SendPace { every: Duration::from_secs(3), burst: 1 };

/// How fast all cards of one channel are edited. Slack allows 50 edits a minute in a workspace; this leaves some for
/// others who work there.
pub const CARDS_PACE: SendPace = SendPace { every: Duration::from_millis(1334), burst: 5 };

#[derive(Debug)]
struct QueuedPage {
    line: LineName,
    destination: Destination,
    lane: UrgencyLane,
    /// An edit of a card.
    is_update: bool,
    born_at: Timestamp,
    /// Whether its channel has been given it, whatever became of that, or only the desk of its person is not open.
    attempted: bool,
    /// Whether it waits for a desk that is not open.
    waits_for_desk: bool,
    /// Its turn in its channel's queue; none while it is being sent.
    turn: Option<QueueTurn>,
    withdrawn: bool,
    /// How often dealing with it panicked.
    panics: u32,
    /// How often it was taken out of its queue.
    taken: u32,
    /// It is being sent into this incident's room, where nothing else may be sent meanwhile.
    holds: Option<IncidentId>,
}

impl QueuedPage {
    fn turn(&self, at: Timestamp, id: PageId) -> QueueTurn {
        (at, self.lane, self.born_at, id)
    }

    fn take(&mut self) {
        self.turn = None;
        self.taken = self.taken.wrapping_add(1);
    }

    /// Whether what holds its destination back for that reason holds it back, too. Where its desk is closed it is not
    /// worth waiting for, it shall hear so at once.
    fn heeds(&self, why: HeldWhy) -> bool {
        self.waits_for_desk || why != HeldWhy::DeskClosed
    }

    /// What it must keep to.
    fn paces(&self, channels: SendPace, id: PageId) -> Vec<(Destination, SendPace)> {
        if !self.is_update {
            return vec![(self.destination.clone(), channels)];
        }
        let (reality, channel) = self.line.clone();
        let card = Destination::Card(channel.clone(), id.incident);
        vec![(card, CARD_PACE), (Destination::Cards(reality, channel), CARDS_PACE)]
    }
}

/// The pages this node has claimed.
#[derive(Debug, Default)]
pub struct DeliveryQueues {
    pages: HashMap<PageId, QueuedPage>,
    lines: BTreeMap<LineName, ChannelQueue>,
    paced: HashMap<Destination, PaceState>,
}

/// What may be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReadyPages {
    /// To be sent.
    pub start: Vec<PageId>,
    /// Withdrawn before they were sent.
    pub unsent: Vec<PageId>,
    /// Not to be tried before then, and why.
    pub held: Vec<(PageId, Timestamp, HeldWhy)>,
}

impl DeliveryQueues {
    /// Queues a page that this node has claimed. A page that is known already is left as it is.
    pub fn enqueue(&mut self, incident: IncidentId, drill: bool, page: &Page) {
        let id = PageId { incident, n: page.n };
        if self.pages.contains_key(&id) {
            return;
        }
        let reality = if drill { PageReality::Drill } else { PageReality::Live };
        let destination = match &page.person {
            Some(person) => Destination::Person(reality, page.channel.clone(), person.clone()),
            None => Destination::Room(page.channel.clone(), incident),
        };
        let lane = match &page.purpose {
            crate::core::PagePurpose::Brief { round: 0 } => UrgencyLane::Crisis,
            crate::core::PagePurpose::Brief { .. } => UrgencyLane::Reminder,
            _ => UrgencyLane::Status,
        };
        let is_update = matches!(page.purpose, crate::core::PagePurpose::RoomUpdate { .. });
        let (line, born_at) = ((reality, page.channel.clone()), page.born_at);
        let attempted = page.was_attempted() || page.held == Some(HeldWhy::DeskClosed);
        let mut waiting = QueuedPage {
            line,
            destination,
            lane,
            is_update,
            born_at,
            attempted,
            waits_for_desk: page.purpose.waits_for_desk(),
            turn: None,
            withdrawn: false,
            panics: 0,
            taken: 0,
            holds: None,
        };
        let turn = waiting.turn(page.retry_at.unwrap_or(page.born_at), id);
        waiting.turn = Some(turn);
        self.lines.entry(waiting.line.clone()).or_default().queue.insert(turn);
        self.pages.insert(id, waiting);
    }

    /// What an event of an incident means here: pages to send, to drop, to try again.
    pub fn enact(&mut self, incident: IncidentId, drill: bool, event: &Event) {
        match event {
            Event::Paged { page } => self.enqueue(incident, drill, page),
            Event::Withdrawn { pages } => pages.iter().for_each(|n| self.withdraw(PageId { incident, n: *n })),
            Event::Settled { page, settlement, .. } => {
                let id = PageId { incident, n: *page };
                match settlement {
                    SendOutcome::Retry { at, .. } | SendOutcome::Held { until: at, .. } => self.retry(id, *at),
                    _ => self.finish(id),
                }
            }
            _ => {}
        }
    }

    /// A page is not wanted any more. One that is being sent ends as it ends.
    pub fn withdraw(&mut self, id: PageId) {
        if let Some(waiting) = self.pages.get_mut(&id) {
            waiting.withdrawn = true;
            waiting.lane = UrgencyLane::Gone;
        }
        // Its turn comes at once, so that it is reported unsent without delay.
        self.requeue(id, Timestamp::default());
    }

    /// A waiting page's channel may take it now: its desk opened.
    pub fn nudge(&mut self, channel: &ChannelName, person: &PersonName, now: Timestamp) {
        let theirs = BOTH.map(|r| Destination::Person(r, channel.clone(), person.clone()));
        // Whatever it was told to wait for has come.
        self.paced.retain(|destination, _| !theirs.contains(destination));
        let here = |waiting: &QueuedPage| theirs.contains(&waiting.destination) && waiting.turn.is_some();
        let ids: Vec<PageId> = self.pages.iter().filter(|(_, w)| here(w)).map(|(id, _)| *id).collect();
        for id in ids {
            self.requeue(id, now);
        }
    }

    /// The page ended or is not ours any more.
    pub fn finish(&mut self, id: PageId) {
        if let Some(waiting) = self.pages.remove(&id) {
            self.leave_line(&waiting);
        }
    }

    /// The page is to be tried again at `at`.
    pub fn retry(&mut self, id: PageId, at: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        let turn = waiting.turn(at, id);
        let before = waiting.turn.replace(turn);
        let line = self.lines.entry(waiting.line.clone()).or_default();
        match before {
            Some(turn) => line.forget(turn, id),
            None => line.ended(waiting.holds.take()),
        }
        line.queue.insert(turn);
    }

    /// Dealing with this page panicked: it is tried again, ever later.
    pub fn panicked(&mut self, id: PageId, now: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        waiting.panics = waiting.panics.saturating_add(1);
        let wait = backoff(waiting.panics);
        self.retry(id, now + wait);
    }

    /// Which dealing with this page is under way: a number of its own for each.
    pub fn under_way(&self, id: PageId) -> Option<u32> {
        self.pages.get(&id).filter(|waiting| waiting.turn.is_none()).map(|waiting| waiting.taken)
    }

    /// Whether it has this page, in whatever state.
    pub fn knows(&self, id: PageId) -> bool {
        self.pages.contains_key(&id)
    }

    /// This page's person has no desk open: what else waits for it need not look before then.
    pub fn desk_closed(&mut self, id: PageId, until: Timestamp) {
        let Some(waiting) = self.pages.get(&id) else { return };
        for destination in waiting.destination.everywhere() {
            self.paced.entry(destination).or_default().hold_until(until, HeldWhy::DeskClosed);
        }
    }

    /// The provider asked for a pause of that length when it was given this page. What it says about a room, whose methods
    /// have limits of their own, says nothing about people. What the real thing meets holds for drills too; the real thing
    /// makes its own experience.
    pub fn throttled(&mut self, id: PageId, after: Duration, now: Timestamp) {
        let Some(waiting) = self.pages.get(&id) else { return };
        let until = now + after.min(RETRY_AFTER_MAX);
        let (reality, channel) = waiting.line.clone();
        let cards = waiting.is_update.then(|| Destination::Cards(reality, channel.clone()));
        let met = cards.iter().chain([&waiting.destination]).flat_map(|met| met.and_for_drills());
        for destination in met {
            self.paced.entry(destination).or_default().hold_until(until, HeldWhy::Provider);
        }
        let of_person = matches!(waiting.destination, Destination::Person(..));
        for same in BOTH.into_iter().filter(|other| of_person && reality <= *other) {
            let line = self.lines.entry((same, channel.clone())).or_default();
            line.throttle.throttled(waiting.destination.clone(), until, now);
        }
    }

    /// The provider took this page.
    pub fn took(&mut self, id: PageId) {
        let name = self.pages.get(&id).map(|waiting| &waiting.line);
        if let Some(line) = name.and_then(|name| self.lines.get_mut(name)) {
            line.throttle.took();
        }
    }

    /// Takes out what may start at `now`, most urgent first, as far as pace and concurrency allow.
    pub fn ready(&mut self, now: Timestamp, pace: impl Fn(&ChannelName) -> SendPace) -> ReadyPages {
        let mut ready = ReadyPages::default();
        let lines: Vec<LineName> = self.lines.keys().cloned().collect();
        for line in lines {
            self.ready_of(&line, now, pace(&line.1), &mut ready);
        }
        self.forget_idle(now);
        ready
    }

    fn ready_of(&mut self, name: &LineName, now: Timestamp, pace: SendPace, ready: &mut ReadyPages) {
        let Some(line) = self.lines.get_mut(name) else { return };
        while let Some(turn @ (.., id)) = line.most_urgent(now) {
            let Some(waiting) = self.pages.get_mut(&id) else {
                line.forget(turn, id);
                continue;
            };
            if waiting.withdrawn {
                line.take(turn, id, now);
                waiting.take();
                ready.unsent.push(id);
                continue;
            }
            if let Destination::Room(_, incident) = waiting.destination
                && line.busy.contains_key(&incident)
            {
                line.forget(turn, id);
                line.busy.entry(incident).or_default().waiting.insert(turn);
                continue;
            }
            let held_until = line.throttle.held_until();
            if now + HELD_LONG < held_until {
                line.take(turn, id, now);
                waiting.take();
                ready.held.push((id, held_until, HeldWhy::Provider));
                continue;
            }
            if now < held_until || line.at_once(name.0) <= line.in_flight {
                return;
            }
            let paces = waiting.paces(pace, id);
            let free = |(to, pace): &(Destination, SendPace)| {
                let ready = |paced: &PaceState| match waiting.heeds(paced.held(now).1) {
                    true => paced.ready_at(*pace, now),
                    false => paced.turn_at(*pace, now),
                };
                self.paced.get(to).map_or(now, ready)
            };
            let left_alone = self.paced.get(&waiting.destination).map(|paced| paced.held(now));
            let left_alone = left_alone.filter(|(_, why)| waiting.heeds(*why));
            let (held, why) = left_alone.unwrap_or((now, HeldWhy::Provider));
            let free_at = paces.iter().map(free).max().unwrap_or(now).max(held);
            if now + HELD_LONG < held && matches!(waiting.destination, Destination::Person(..)) {
                line.take(turn, id, now);
                waiting.take();
                waiting.attempted |= why == HeldWhy::DeskClosed;
                ready.held.push((id, held, why));
                continue;
            }
            if now < free_at {
                line.forget(turn, id);
                let turn = waiting.turn(free_at, id);
                waiting.turn = Some(turn);
                line.queue.insert(turn);
                continue;
            }
            for (to, pace) in paces {
                self.paced.entry(to).or_default().start(pace, now);
            }
            line.take(turn, id, now);
            waiting.take();
            waiting.attempted = true;
            if let Destination::Room(_, incident) = waiting.destination {
                waiting.holds = Some(incident);
                line.busy.entry(incident).or_default().since = now;
            }
            ready.start.push(id);
        }
    }

    /// When [`DeliveryQueues::ready`] can have something, if nothing else happens before.
    pub fn next_at(&self) -> Option<Timestamp> {
        let open = self.lines.iter().filter(|(name, line)| line.in_flight < line.at_once(name.0));
        let next = |line: &ChannelQueue| line.next_at().map(|at| at.max(line.throttle.held_until()));
        open.filter_map(|(_, line)| next(line)).min()
    }

    /// When the oldest page that was not handed to its channel yet was born; drills do not count.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        let live = self.pages.values().filter(|waiting| waiting.line.0 == PageReality::Live);
        live.filter(|waiting| !waiting.attempted).map(|waiting| waiting.born_at).min()
    }

    /// Channels with a page whose turn has come and whose queue has not moved for longer than `most` since, each with
    /// since when; drills do not count. Whoever waits for a pace, a provider's wish or a desk has its turn later, and a
    /// long queue that moves is none that stands.
    pub fn standing(&self, now: Timestamp, most: Duration) -> BTreeMap<ChannelName, Timestamp> {
        let mut standing = BTreeMap::new();
        for waiting in self.pages.values().filter(|waiting| waiting.line.0 == PageReality::Live && !waiting.withdrawn) {
            let (Some(turn), Some(line)) = (waiting.turn, self.lines.get(&waiting.line)) else { continue };
            let since = line.waits_since(turn);
            if most < now.since(since) {
                let oldest = standing.entry(waiting.line.1.clone()).or_insert(since);
                *oldest = since.min(*oldest);
            }
        }
        standing
    }

    /// Pages held, waiting and under way.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    fn requeue(&mut self, id: PageId, at: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        let Some(before) = waiting.turn else { return };
        let turn = waiting.turn(at, id);
        waiting.turn = Some(turn);
        let line = self.lines.entry(waiting.line.clone()).or_default();
        line.forget(before, id);
        line.queue.insert(turn);
    }

    fn leave_line(&mut self, waiting: &QueuedPage) {
        let Some(line) = self.lines.get_mut(&waiting.line) else { return };
        match waiting.turn {
            Some(turn) => line.forget(turn, turn.3),
            None => line.ended(waiting.holds),
        }
    }

    fn forget_idle(&mut self, now: Timestamp) {
        if DESTINATIONS_MAX < self.paced.len() {
            self.paced.retain(|_, paced| paced.is_held(now));
        }
    }
}
