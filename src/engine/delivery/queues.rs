//! Decides which page may start when: one queue for each channel, one pace for each destination. There is no I/O and no
//! clock (`now` is an argument), so the simulation runs the same code.

use crate::{
    core::{
        ChannelName, Event, HeldWhy, IncidentId, Page, PageId, PersonName, SendOutcome, Timestamp, TriggerName,
        retry::{PaceState, SendPace, backoff},
    },
    engine::delivery::{
        destination::{BOTH, Destination, LineName, PageReality},
        queue::ChannelQueue,
        queued_page::QueuedPage,
        turn::{ShareId, UrgencyLane},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

pub use crate::engine::delivery::queued_page::{CARD_PACE, CARDS_PACE, PageOrigin};

/// If a channel must pause longer than this, the ladders are told: they may know another channel for its pages.
const HELD_LONG: Duration = Duration::from_secs(2);

/// The longest pause that a provider may ask for; after that the page has long gone by another channel.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);

/// The most destinations whose pace is remembered before idle ones are forgotten.
const DESTINATIONS_MAX: usize = 10_000;

/// The queues of all channels, with the pages that this node has claimed.
#[derive(Debug, Default)]
pub struct DeliveryQueues {
    pages: BTreeMap<PageId, QueuedPage>,
    lines: BTreeMap<LineName, ChannelQueue>,
    paced: HashMap<Destination, PaceState>,
    /// How many briefs of one trigger wait for one destination and were not sent yet.
    following: HashMap<(Destination, ShareId), usize>,
    /// The triggers, by number. They are as few as the matrices that were in use had.
    triggers: Vec<TriggerName>,
}

/// What [`DeliveryQueues::ready`] found to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReadyPages {
    /// Pages to send.
    pub start: Vec<PageId>,
    /// Pages that were withdrawn before they were sent.
    pub unsent: Vec<PageId>,
    /// Pages that must wait until then, and why.
    pub held: Vec<(PageId, Timestamp, HeldWhy)>,
}

impl DeliveryQueues {
    /// Queues a page that this node has claimed. A page that is known already stays as it is.
    pub fn enqueue(&mut self, origin: PageOrigin<'_>, page: &Page) {
        let id = PageId { incident: origin.incident, n: page.n };
        if self.pages.contains_key(&id) {
            return;
        }
        let mut waiting = QueuedPage::new(origin, self.number_of(origin.trigger), page);
        let turn = waiting.turn(page.retry_at.unwrap_or(page.born_at), id);
        waiting.turn = Some(turn);
        self.lines.entry(waiting.line.clone()).or_default().queue.insert(turn);
        if waiting.follows() {
            *self.following.entry(waiting.flow()).or_default() += 1;
        }
        self.pages.insert(id, waiting);
    }

    /// Applies an event of an incident: pages to send, to drop, to try again.
    pub fn apply(&mut self, origin: PageOrigin<'_>, event: &Event) {
        let incident = origin.incident;
        match event {
            Event::Paged { page } => self.enqueue(origin, page),
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

    /// Withdraws a page. One that is being sent is not interrupted.
    pub fn withdraw(&mut self, id: PageId) {
        if let Some(waiting) = self.pages.get_mut(&id) {
            follows_no_more(&mut self.following, waiting);
            waiting.withdrawn = true;
            waiting.lane = UrgencyLane::Gone;
        }
        // It is due at once, so that it is reported as unsent without delay.
        self.requeue(id, Timestamp::default());
    }

    /// This person's desk opened: their pages by this channel may go now.
    pub fn nudge(&mut self, channel: &ChannelName, person: &PersonName, now: Timestamp) {
        let theirs = BOTH.map(|r| Destination::Person(r, channel.clone(), person.clone()));
        // What it waited for has come.
        self.paced.retain(|destination, _| !theirs.contains(destination));
        let here = |waiting: &QueuedPage| theirs.contains(&waiting.destination) && waiting.turn.is_some();
        let ids: Vec<PageId> = self.pages.iter().filter(|(_, w)| here(w)).map(|(id, _)| *id).collect();
        for id in ids {
            self.requeue(id, now);
        }
    }

    /// Forgets a page that has ended or is not ours any more.
    pub fn finish(&mut self, id: PageId) {
        if let Some(waiting) = self.pages.remove(&id) {
            follows_no_more(&mut self.following, &waiting);
            self.leave_line(&waiting);
        }
    }

    /// Tries a page again at `at`.
    pub fn retry(&mut self, id: PageId, at: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        let turn = waiting.turn(at, id);
        let before = waiting.turn.replace(turn);
        let line = self.lines.entry(waiting.line.clone()).or_default();
        match before {
            Some(turn) => line.forget(turn),
            None => line.ended(waiting.holds.take()),
        }
        line.queue.insert(turn);
    }

    /// Handling this page panicked: it is tried again, with growing waits.
    pub fn panicked(&mut self, id: PageId, now: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        waiting.panics = waiting.panics.saturating_add(1);
        let wait = backoff(waiting.panics);
        self.retry(id, now + wait);
    }

    /// The number of the current attempt to handle this page; `None` if there is none.
    pub fn under_way(&self, id: PageId) -> Option<u32> {
        self.pages.get(&id).filter(|waiting| waiting.turn.is_none()).map(|waiting| waiting.taken)
    }

    /// Whether a page is known, in whatever state.
    pub fn knows(&self, id: PageId) -> bool {
        self.pages.contains_key(&id)
    }

    /// This person has no desk open: their other pages for it wait until then too.
    pub fn desk_closed(&mut self, id: PageId, until: Timestamp) {
        let Some(waiting) = self.pages.get(&id) else { return };
        for destination in waiting.destination.everywhere() {
            self.paced.entry(destination).or_default().hold_until(until, HeldWhy::DeskClosed);
        }
    }

    /// The provider asked for a pause when it was given this page. A limit on a room says nothing about people, because
    /// rooms use other methods of the provider. A limit that a live page met holds for drills too, never the other way
    /// round.
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
        let in_flight = BOTH.into_iter().filter_map(|other| self.lines.get(&(other, channel.clone())));
        let in_flight: usize = in_flight.map(|line| line.in_flight).sum();
        for same in BOTH.into_iter().filter(|other| of_person && reality <= *other) {
            let line = self.lines.entry((same, channel.clone())).or_default();
            line.throttle.throttled(waiting.destination.clone(), in_flight, until, now);
        }
    }

    /// The provider accepted this page.
    pub fn took(&mut self, id: PageId) {
        let name = self.pages.get(&id).map(|waiting| &waiting.line);
        if let Some(line) = name.and_then(|name| self.lines.get_mut(name)) {
            line.throttle.took();
        }
    }

    /// Takes out the pages that may start at `now`, most urgent first, within pace and concurrency.
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
        while let Some(turn) = line.most_urgent(now) {
            let id = turn.id;
            let Some(waiting) = self.pages.get_mut(&id) else {
                line.forget(turn);
                continue;
            };
            if waiting.withdrawn {
                line.set_aside(turn, now);
                waiting.take();
                ready.unsent.push(id);
                continue;
            }
            if let Destination::Room(_, incident) = waiting.destination
                && line.busy.contains_key(&incident)
            {
                line.move_away(turn);
                line.busy.entry(incident).or_default().waiting.insert(turn);
                continue;
            }
            let held_until = line.throttle.held_until();
            if now + HELD_LONG < held_until {
                line.set_aside(turn, now);
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
                line.set_aside(turn, now);
                waiting.take();
                if why == HeldWhy::DeskClosed {
                    follows_no_more(&mut self.following, waiting);
                    waiting.attempted = true;
                }
                ready.held.push((id, held, why));
                continue;
            }
            if now < free_at {
                line.move_away(turn);
                let turn = waiting.turn(free_at, id);
                waiting.turn = Some(turn);
                line.queue.insert(turn);
                continue;
            }
            for (to, pace) in paces {
                self.paced.entry(to).or_default().start(pace, now);
            }
            line.take(turn, now);
            waiting.take();
            follows_no_more(&mut self.following, waiting);
            waiting.attempted = true;
            if let Destination::Room(_, incident) = waiting.destination {
                waiting.holds = Some(incident);
                line.busy.entry(incident).or_default().since = now;
            }
            ready.start.push(id);
        }
    }

    /// When [`DeliveryQueues::ready`] has something next, if nothing else happens before.
    pub fn next_at(&self) -> Option<Timestamp> {
        let open = self.lines.iter().filter(|(name, line)| line.in_flight < line.at_once(name.0));
        let next = |line: &ChannelQueue| line.next_at().map(|at| at.max(line.throttle.held_until()));
        open.filter_map(|(_, line)| next(line)).min()
    }

    /// The pages of an incident that wait and were not handed to their channel yet.
    pub fn unsent(&self, incident: IncidentId) -> Vec<u32> {
        let of_incident = PageId { incident, n: 0 }..=PageId { incident, n: u32::MAX };
        let unsent = self.pages.range(of_incident).filter(|(_, waiting)| !waiting.attempted && !waiting.withdrawn);
        unsent.map(|(id, _)| id.n).collect()
    }

    /// How many more briefs of its trigger wait for the same destination as this page and were not sent yet.
    pub fn following(&self, id: PageId) -> usize {
        let flow = self.pages.get(&id).filter(|waiting| waiting.is_brief()).map(QueuedPage::flow);
        flow.and_then(|flow| self.following.get(&flow)).copied().unwrap_or(0)
    }

    /// When the oldest page was created that was not handed to its channel yet. Drills do not count.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        self.live_unsent().map(|waiting| waiting.born_at).min()
    }

    /// The same for briefs alone.
    pub fn oldest_unsent_brief(&self) -> Option<Timestamp> {
        self.live_unsent().filter(|waiting| waiting.is_brief()).map(|waiting| waiting.born_at).min()
    }

    fn live_unsent(&self) -> impl Iterator<Item = &QueuedPage> {
        self.pages.values().filter(|waiting| waiting.line.0 == PageReality::Live && !waiting.attempted)
    }

    /// Channels with a page that is due, while the queue has not moved for longer than `most`, and since when. Drills
    /// do not count. A page that waits for a pace, a provider or a desk is not due, and a long queue that moves is not
    /// stuck.
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

    /// The number of pages, waiting or being sent.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there are no pages.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    fn number_of(&mut self, trigger: &TriggerName) -> u32 {
        let known = self.triggers.iter().position(|known| known == trigger);
        let at = known.unwrap_or_else(|| {
            self.triggers.push(trigger.clone());
            self.triggers.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn requeue(&mut self, id: PageId, at: Timestamp) {
        let Some(waiting) = self.pages.get_mut(&id) else { return };
        let Some(before) = waiting.turn else { return };
        let turn = waiting.turn(at, id);
        waiting.turn = Some(turn);
        let line = self.lines.entry(waiting.line.clone()).or_default();
        line.move_away(before);
        line.queue.insert(turn);
    }

    fn leave_line(&mut self, waiting: &QueuedPage) {
        let Some(line) = self.lines.get_mut(&waiting.line) else { return };
        match waiting.turn {
            Some(turn) => line.forget(turn),
            None => line.ended(waiting.holds),
        }
    }

    fn forget_idle(&mut self, now: Timestamp) {
        if DESTINATIONS_MAX < self.paced.len() {
            self.paced.retain(|_, paced| paced.is_held(now));
        }
    }
}

/// A brief is sent, or is not wanted any more.
fn follows_no_more(following: &mut HashMap<(Destination, ShareId), usize>, waiting: &QueuedPage) {
    if !waiting.follows() {
        return;
    }
    let flow = waiting.flow();
    match following.get_mut(&flow) {
        Some(left) if 1 < *left => *left -= 1,
        _ => drop(following.remove(&flow)),
    }
}
