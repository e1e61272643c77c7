//! The laws as checks over what was seen: journal lines, stored states, sends that began. The checker folds the journal
//! itself and asks the engine nothing, so that a tape of what was seen can be altered to prove that it would notice.

#[path = "checks.rs"]
mod checks;
#[path = "fair.rs"]
mod fair;
#[path = "request_laws.rs"]
mod request_laws;

pub use fair::FIRST_MAX;
use fair::Fairness;
use request_laws::RequestWatch;
pub use request_laws::step_name;

use std::collections::{BTreeMap, BTreeSet};
use std::{sync::Arc, time::Duration};
use stentor::{
    core::{
        Answer, ChannelName, Engagement, Event, FormAnswer, Incident, IncidentId, IncidentKey, JournalRecord, Page,
        PageId, PersonName, RequestId, RequestOutcome, RoleName, Roster, SendOutcome, SourceEvent, StoredLine,
        Timestamp,
    },
    journal::{JournalVerifier, KeptAnchors},
};

/// How late a ladder may move.
const LATE_MAX: i64 = 1_000_000;

/// How long it takes from a page's turn to its start.
const TURN_MAX: Duration = Duration::from_millis(25);

/// One thing that was seen.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A line of the journal.
    Line(StoredLine),
    /// What the store holds of an incident after a step that changed it.
    Stored(Arc<Incident>),
    /// The door said that this alert is safe; whether the store counts one more alert since.
    Accepted {
        alert: String,
        counted: bool,
    },
    /// A human is about to say this.
    Said {
        incident: IncidentId,
        person: PersonName,
        answer: Answer,
    },
    /// A system is told that its request is accepted, and by which key of its own.
    Asked {
        key: Option<String>,
        request: RequestId,
    },
    /// A human is about to choose this, and was shown the question with this digest.
    Chose {
        incident: IncidentId,
        person: PersonName,
        option: String,
        digest: String,
        /// What they fill in, if it is a form.
        answer: Option<Box<FormAnswer>>,
    },
    /// A human is about to say this of a conversation.
    Stepped {
        incident: IncidentId,
        person: PersonName,
        step: &'static str,
    },
    /// Somebody is about to end it; somebody has new facts of it.
    Withdrawn {
        incident: IncidentId,
    },
    NewFacts {
        incident: IncidentId,
    },
    /// What is read of a request in the end: its state, and the outcomes that its events tell.
    ReadBack {
        request: RequestId,
        state: Option<RequestOutcome>,
        told: Vec<RequestOutcome>,
    },
    /// A node begins to send a page.
    Started {
        at: Timestamp,
        node: u64,
        page: PageId,
    },
    /// A drill does something to a page on purpose instead of sending it; whether the page counts as taken.
    Injected {
        at: Timestamp,
        page: PageId,
        taken: bool,
    },
    /// A page that its drill had held back is sent.
    Late {
        page: PageId,
    },
    /// An incident can not be read any more and was set aside; whether operators must be told.
    SetAside {
        incident: IncidentId,
        is_told: bool,
    },
    /// A node died, or was away for longer than its lease.
    Lost,
    /// A provider asked a node to leave a destination alone.
    Throttled {
        at: Timestamp,
        node: u64,
        page: PageId,
        until: Timestamp,
    },
    /// Time goes on to `at`; since when the store worked and some node was there.
    Clock {
        at: Timestamp,
        able_since: Option<Timestamp>,
    },
    /// What the store says is the next deadline.
    NextDeadline(Option<Timestamp>),
    /// When the first alert that waits for a layer is due, as the store says; nothing while the disk is full, where no
    /// incident can be opened.
    NextWait(Option<Timestamp>),
    /// A text that a page says it showed is not in the store.
    TextMissing {
        hash: String,
    },
    /// Everything had the time to settle.
    End,
}

/// A law that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub law: &'static str,
    pub what: String,
}

/// One attempt to send.
struct Start {
    at: Timestamp,
    settled: bool,
    /// Its channel is known not to have taken it.
    refused: bool,
    /// How many nodes had been lost when it began, if its page waited for a desk then: when its node is lost, it leaves no
    /// trace (`waited_for_a_desk`).
    from_a_desk: Option<usize>,
}

struct Shadow {
    incident: Incident,
    /// The event before the last one.
    last: Event,
    engaged: BTreeMap<RoleName, PersonName>,
    /// Roles that were opened again, each with the number of the last page before that.
    opened_again: Vec<(RoleName, u32)>,
}

pub struct Laws {
    roster: Arc<Roster>,
    /// Where only one law is asked about.
    only: Option<&'static str>,
    shadows: BTreeMap<IncidentId, Shadow>,
    verifier: JournalVerifier,
    journaled: BTreeSet<String>,
    said: BTreeSet<(IncidentId, PersonName, String)>,
    starts: BTreeMap<PageId, Vec<Start>>,
    taken_over: BTreeMap<PageId, usize>,
    /// What each node is sending into a room.
    pub(crate) under_way: BTreeMap<(u64, IncidentId, ChannelName), u32>,
    throttled: BTreeMap<(u64, Destination), (Timestamp, Timestamp)>,
    /// The next deadline of each incident, and since when it is that.
    deadlines: BTreeMap<IncidentId, (Timestamp, Timestamp)>,
    /// When the first alert that waits is due, and since when that is known.
    first_wait: Option<(Timestamp, Timestamp)>,
    now: Timestamp,
    /// Since when a drill and something live are open together.
    beside: Option<Timestamp>,
    lost: usize,
    /// Incidents that were open when they were set aside, and whether operators must be told.
    set_aside: BTreeMap<IncidentId, bool>,
    /// How often the journal says so, and how often an incident about it was opened.
    told: BTreeMap<String, usize>,
    opened_about: BTreeMap<IncidentKey, usize>,
    /// Everything that can not be read any more, as it was before.
    gone: BTreeMap<IncidentId, Incident>,
    requests: RequestWatch,
    fairness: Option<Fairness>,
    broken: Option<Broken>,
}

/// Whether it is for drills, the channel, and the person or the incident's room.
type Destination = (bool, ChannelName, Option<PersonName>, Option<IncidentId>);

impl Laws {
    pub fn new(roster: Arc<Roster>) -> Self {
        Self {
            roster,
            only: None,
            shadows: BTreeMap::new(),
            verifier: JournalVerifier::new(KeptAnchors::default()),
            journaled: BTreeSet::new(),
            said: BTreeSet::new(),
            starts: BTreeMap::new(),
            taken_over: BTreeMap::new(),
            under_way: BTreeMap::new(),
            throttled: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            first_wait: None,
            now: Timestamp::default(),
            beside: None,
            lost: 0,
            set_aside: BTreeMap::new(),
            told: BTreeMap::new(),
            opened_about: BTreeMap::new(),
            gone: BTreeMap::new(),
            requests: RequestWatch::default(),
            fairness: None,
            broken: None,
        }
    }

    /// Asks about one law alone.
    pub fn only(roster: Arc<Roster>, law: &'static str) -> Self {
        Self { only: Some(law), ..Self::new(roster) }
    }

    /// The first law that was broken.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// An incident as the journal tells it.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.shadows.get(&id).map(|shadow| &shadow.incident)
    }

    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.shadows.values().map(|shadow| &shadow.incident)
    }

    pub fn see(&mut self, seen: &Seen) {
        match seen {
            Seen::Line(line) => self.line(line),
            Seen::Stored(incident) => self.stored(incident),
            Seen::Accepted { alert, counted } => self.law_1_an_accepted_alert_is_kept(alert, *counted),
            Seen::Said { incident, person, answer } => {
                self.said.insert((*incident, person.clone(), answer.to_string()));
            }
            Seen::Asked { key, request } => self.law_12_an_accepted_request_is_kept(key.as_ref(), *request),
            Seen::Chose { incident, person, option, digest, answer } => {
                self.about_to_choose((*incident, person.clone(), option.clone(), digest.clone()));
                self.about_to_fill_in(*incident, person, answer.as_deref());
            }
            Seen::Stepped { incident, person, step } => self.about_to_step((*incident, person.clone(), step)),
            Seen::Withdrawn { incident } => self.about_to_withdraw(*incident),
            Seen::NewFacts { incident } => self.about_to_renew(*incident),
            Seen::ReadBack { request, state, told } => {
                self.law_12_its_outcome_can_be_read(*request, state.as_ref(), told);
            }
            Seen::Started { at, node, page } => self.started(*at, *node, *page),
            Seen::Injected { at, page, taken } => self.injected(*at, *page, *taken),
            Seen::Late { page } => self.law_6_no_drill_beside_the_real_thing(*page),
            Seen::SetAside { incident, is_told } => self.set_aside(*incident, *is_told),
            Seen::Lost => self.lost += 1,
            Seen::Throttled { at, node, page, until } => {
                if let Some((drill, channel, person, room)) = self.destination(*page) {
                    // What the real thing met holds drills too; what a drill met holds up nothing real.
                    for drill in [drill, true] {
                        let destination = (drill, channel.clone(), person.clone(), room);
                        self.throttled.insert((*node, destination), (*at, *until));
                    }
                }
            }
            Seen::Clock { at, able_since } => {
                self.law_2_ladders_move_in_time(*at, *able_since);
                self.law_2_waits_end_in_time(*at, *able_since);
                self.law_6_drills_give_way_in_time(*at, *able_since);
                self.law_12_it_ends_in_time(*at, *able_since);
                self.law_fair_nobody_waits_behind_a_flood(*at);
            }
            Seen::NextWait(next) => self.first_wait = next.map(|due| (due, self.now)),
            Seen::NextDeadline(next) => self.law_2_the_store_knows_the_next_deadline(*next),
            Seen::TextMissing { hash } => self.fail("law 8", format!("the text {hash} was shown and is not kept")),
            Seen::End => self.end(),
        }
    }

    pub fn fail(&mut self, law: &'static str, what: String) {
        if self.broken.is_none() && self.only.is_none_or(|only| only == law) {
            self.broken = Some(Broken { law, what });
        }
    }

    fn check(&mut self, law: &'static str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(law, what());
        }
    }
}

// What is seen, taken apart.
impl Laws {
    fn line(&mut self, line: &StoredLine) {
        self.verifier.line(line);
        let Ok(id) = line.chain.parse::<IncidentId>() else { return self.source_line(line) };
        let Ok(record) = serde_json::from_str::<JournalRecord>(&line.body) else {
            return self.fail("law 8", format!("{} line {} is no record", line.chain, line.seq));
        };
        let JournalRecord { at, event, .. } = record;
        if let Event::Opened(opening) = &event {
            self.journaled.insert(opening.alert.id.clone());
            if opening.key.is_own() {
                *self.opened_about.entry(opening.key.clone()).or_default() += 1;
            }
            self.law_6_no_drill_opens_beside_the_real_thing(id, opening.alert.drill);
            self.request_opens(id, opening);
            let incident = Incident::opened(id, opening, at);
            self.shadows
                .insert(id, Shadow { incident, last: event, engaged: BTreeMap::new(), opened_again: Vec::new() });
            return;
        }
        self.law_4_only_who_was_asked_engages(id, at, &event);
        self.law_4_only_its_holder_hands_back(id, &event);
        self.law_4_only_what_was_covered_opens_again(id, &event);
        self.law_4_only_its_next_covers(id, &event);
        self.law_5_one_has_it(id, &event);
        self.request_line(id, at, &event);
        self.count(id, &event);
        self.law_fair_first_pages_wait(id, at, &event);
        if let Some(shadow) = self.shadows.get_mut(&id) {
            shadow.incident.apply(&event, at);
            shadow.last = event;
        }
    }

    fn source_line(&mut self, line: &StoredLine) {
        let Ok(record) = serde_json::from_str::<JournalRecord<SourceEvent>>(&line.body) else { return };
        if let SourceEvent::Quarantined { row, .. } = &record.event {
            *self.told.entry(row.clone()).or_default() += 1;
        }
        let (SourceEvent::Unmatched { alert }
        | SourceEvent::Held { alert, .. }
        | SourceEvent::NothingOpen { alert }
        | SourceEvent::Over { alert, .. }
        | SourceEvent::DrillRefused { alert, .. }
        | SourceEvent::ConditionFailed { alert, .. }) = record.event
        else {
            return;
        };
        self.journaled.insert(alert.id.clone());
    }

    fn count(&mut self, id: IncidentId, event: &Event) {
        if let Event::Settled { page, .. } = event {
            self.under_way.retain(|(_, incident, _), n| *incident != id || n != page);
        }
        match event {
            Event::Joined { alert } | Event::Overflowed { alert, .. } | Event::Repeated { alert, .. } => {
                self.journaled.insert(alert.id.clone());
            }
            // A desk that was found closed was sent nothing.
            Event::Settled { page, settlement, .. } if settlement.is_desk_closed() => {
                let page = PageId { incident: id, n: *page };
                let left = self.starts.get_mut(&page).map(|starts| {
                    starts.pop_if(|start| !start.settled);
                    starts.len()
                });
                if left == Some(0) {
                    self.starts.remove(&page);
                }
            }
            Event::Settled { page, sent_at: Some(sent_at), settlement, .. } => {
                let refused = matches!(
                    settlement,
                    SendOutcome::Retry { unknown: false, .. }
                        | SendOutcome::Held { .. }
                        | SendOutcome::Unreachable { .. }
                );
                let starts = self.starts.entry(PageId { incident: id, n: *page }).or_default();
                for start in starts.iter_mut().filter(|start| start.at == *sent_at) {
                    (start.settled, start.refused) = (true, refused);
                }
            }
            Event::Settled { page, settlement: SendOutcome::Unsent, .. } => {
                let id = PageId { incident: id, n: *page };
                // Whether its node died before or after a desk showed it: the next desk shows how it stands by itself.
                if self.waited_for_a_desk(id) {
                    self.starts.remove(&id);
                }
                let sent = self.starts.get(&id).is_some_and(|starts| starts.iter().any(|start| !start.refused));
                self.check("law 5", !sent, || format!("{id} is noted as not sent, and it may have been"));
            }
            Event::RoleEntered { role, .. } => {
                let open =
                    self.incident(id).and_then(|incident| incident.engagements.get(role)).map(Engagement::is_open);
                self.check("law 2", open != Some(true), || format!("{id}: {role} is entered twice"));
            }
            Event::TakenOver { pages } => {
                for n in pages {
                    let times = self.taken_over.entry(PageId { incident: id, n: *n }).or_default();
                    *times += 1;
                    let (times, lost) = (*times, self.lost);
                    self.check("law 10", times <= lost, || format!("{id}.{n} was taken over from a node that lives"));
                }
            }
            _ => {}
        }
    }

    fn stored(&mut self, stored: &Incident) {
        let id = stored.id;
        let Some(shadow) = self.shadows.remove(&id) else {
            return self.fail("law 8", format!("{id} is stored and not in the journal"));
        };
        let told = shadow.incident.clone().with_repeats(stored.repeats.clone(), &stored.alert);
        self.check("law 8", told == *stored, || difference(&told, stored));
        match told.deadline() {
            Some(deadline) if self.deadlines.get(&id).is_some_and(|(known, _)| *known == deadline) => {}
            // It may be over when it becomes known: a monitor's word that arrives late.
            Some(deadline) => drop(self.deadlines.insert(id, (deadline, self.now))),
            None => drop(self.deadlines.remove(&id)),
        }
        self.request_stored(&shadow.incident);
        self.law_1_every_role_is_paged(&shadow.incident);
        self.law_2_nothing_waits_for_nobody(&shadow.incident);
        self.law_3_reminders_do_not_pile_up(&shadow.incident);
        self.rooms_the_card_shows_what_is(&shadow.incident);
        self.shadows.insert(id, shadow);
    }

    /// It has no ladder any more that could move, and its key is another's.
    fn set_aside(&mut self, id: IncidentId, is_told: bool) {
        self.forget_request(id);
        let Some(shadow) = self.shadows.remove(&id) else { return };
        self.gone.insert(id, shadow.incident.clone());
        self.deadlines.remove(&id);
        if shadow.incident.is_open() {
            self.set_aside.insert(id, is_told);
        }
    }

    fn started(&mut self, at: Timestamp, node: u64, page: PageId) {
        self.first_page_starts(at, page);
        self.law_3_nothing_stale_starts(page);
        self.law_6_no_drill_beside_the_real_thing(page);
        self.rooms_hear_one_thing_at_a_time(node, page);
        self.law_10_a_repeat_has_a_crash_and_a_mark(page);
        if let Some(destination) = self.destination(page) {
            let (from, until) = self.throttled.get(&(node, destination)).copied().unwrap_or_default();
            // Whose turn had come before the provider spoke may go.
            let free = until <= at || at <= from + TURN_MAX;
            self.check("pace", free, || format!("{page} starts at {at}, held back until {until}"));
        }
        let from_a_desk = self.waited_for_a_desk(page).then_some(self.lost);
        self.starts.entry(page).or_default().push(Start { at, settled: false, refused: false, from_a_desk });
    }

    /// Only pages of drills meet faults on purpose.
    fn injected(&mut self, at: Timestamp, page: PageId, taken: bool) {
        self.law_3_nothing_stale_starts(page);
        let drill = self.incident(page.incident).is_some_and(|incident| incident.drill);
        self.check("law 6", drill, || format!("{page} is no drill's and meets a fault on purpose"));
        if taken {
            let start = Start { at, settled: false, refused: false, from_a_desk: None };
            self.starts.entry(page).or_default().push(start);
        }
    }

    fn destination(&self, page: PageId) -> Option<Destination> {
        let row = self.page(page)?;
        let room = row.person.is_none().then_some(page.incident);
        let drill = self.incident(page.incident)?.drill;
        Some((drill, row.channel.clone(), row.person.clone(), room))
    }

    fn page(&self, page: PageId) -> Option<&Page> {
        self.shadows.get(&page.incident)?.incident.pages.get(&page.n).map(|page| &**page)
    }

    fn end(&mut self) {
        let report = std::mem::take(&mut self.verifier).finish();
        self.check("law 8", report.is_sound(), || format!("the journal is not sound: {:?}", report.faults));
        self.law_17_what_can_not_be_read_is_told_once();
        let gone = std::mem::take(&mut self.gone);
        let shadows = std::mem::take(&mut self.shadows);
        for shadow in shadows.values() {
            self.law_5_everybody_is_told(&shadow.incident, asked_anew(&shadow.incident, &shadows, &gone));
            self.law_5_everybody_hears_of_a_hand_back(&shadow.incident, &shadow.opened_again);
            self.law_5_the_room_is_told(&shadow.incident);
            self.law_10_nothing_is_forgotten(&shadow.incident);
            self.law_12_it_has_ended(&shadow.incident);
        }
        (self.shadows, self.gone) = (shadows, gone);
    }
}

/// The question that was asked in place of this one.
fn asked_anew<'a>(
    incident: &Incident,
    shadows: &'a BTreeMap<IncidentId, Shadow>,
    gone: &'a BTreeMap<IncidentId, Incident>,
) -> Option<&'a Incident> {
    match incident.request.as_ref()?.outcome()? {
        RequestOutcome::Superseded { by, .. } => {
            shadows.get(&by.incident).map(|shadow| &shadow.incident).or_else(|| gone.get(&by.incident))
        }
        _ => None,
    }
}

fn difference(folded: &Incident, stored: &Incident) -> String {
    let page = folded.pages.iter().find(|(n, page)| stored.pages.get(n) != Some(page));
    let page = page.map(|(n, page)| format!("; page {n}: {page:?} but {:?}", stored.pages.get(n)));
    format!("{} is not what its journal folds to{}", stored.id, page.unwrap_or_default())
}
