//! The laws as checks over what was seen: journal lines, stored states, sends that began. The checker folds the journal
//! itself and asks the engine nothing, so that a tape of what was seen can be altered to prove that it would notice.

use std::collections::{BTreeMap, BTreeSet};
use std::{sync::Arc, time::Duration};
use stentor::{
    core::{
        Answer, ChannelName, Engagement, Event, Incident, IncidentId, Outcome, Page, PageId, PageState, PersonName,
        Purpose, Record, RoleName, Roster, Settlement, SourceEvent, StoredLine, Timestamp, Verdict,
    },
    journal::Verifier,
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
    /// The door said that this alert is safe.
    Accepted { alert: String },
    /// A human is about to say this.
    Said { incident: IncidentId, person: PersonName, answer: Answer },
    /// A node begins to send a page.
    Started { at: Timestamp, node: u64, page: PageId },
    /// A node died, or was away for longer than its lease.
    Lost,
    /// A provider asked a node to leave a destination alone.
    Throttled { at: Timestamp, node: u64, page: PageId, until: Timestamp },
    /// Time goes on to `at`; since when the store worked and some node was there.
    Clock { at: Timestamp, able_since: Option<Timestamp> },
    /// What the store says is the next deadline.
    NextDeadline(Option<Timestamp>),
    /// A text that a page says it showed is not in the store.
    TextMissing { hash: String },
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
}

struct Shadow {
    incident: Incident,
    /// The event before the last one.
    last: Event,
    engaged: BTreeMap<RoleName, PersonName>,
}

pub struct Laws {
    roster: Arc<Roster>,
    /// Where only one law is asked about.
    only: Option<&'static str>,
    shadows: BTreeMap<IncidentId, Shadow>,
    verifier: Verifier,
    journaled: BTreeSet<String>,
    said: BTreeSet<(IncidentId, PersonName, String)>,
    starts: BTreeMap<PageId, Vec<Start>>,
    taken_over: BTreeMap<PageId, usize>,
    throttled: BTreeMap<(u64, Destination), (Timestamp, Timestamp)>,
    deadlines: BTreeMap<IncidentId, Timestamp>,
    lost: usize,
    broken: Option<Broken>,
}

type Destination = (ChannelName, Option<PersonName>, Option<IncidentId>);

impl Laws {
    pub fn new(roster: Arc<Roster>) -> Self {
        Self {
            roster,
            only: None,
            shadows: BTreeMap::new(),
            verifier: Verifier::new(&[]),
            journaled: BTreeSet::new(),
            said: BTreeSet::new(),
            starts: BTreeMap::new(),
            taken_over: BTreeMap::new(),
            throttled: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            lost: 0,
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
            Seen::Accepted { alert } => self.law_1_an_accepted_alert_is_in_the_journal(alert),
            Seen::Said { incident, person, answer } => {
                self.said.insert((*incident, person.clone(), answer.to_string()));
            }
            Seen::Started { at, node, page } => self.started(*at, *node, *page),
            Seen::Lost => self.lost += 1,
            Seen::Throttled { at, node, page, until } => {
                if let Some(destination) = self.destination(*page) {
                    self.throttled.insert((*node, destination), (*at, *until));
                }
            }
            Seen::Clock { at, able_since } => self.law_2_ladders_move_in_time(*at, *able_since),
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
        let Ok(record) = serde_json::from_str::<Record>(&line.body) else {
            return self.fail("law 8", format!("{} line {} is no record", line.chain, line.seq));
        };
        let Record { at, event, .. } = record;
        if let Event::Opened(opening) = &event {
            self.journaled.insert(opening.alert.id.clone());
            let incident = Incident::opened(id, opening, at);
            self.shadows.insert(id, Shadow { incident, last: event, engaged: BTreeMap::new() });
            return;
        }
        self.law_4_only_who_was_asked_engages(id, at, &event);
        self.law_4_only_its_next_covers(id, &event);
        self.law_5_one_has_it(id, &event);
        self.count(id, &event);
        if let Some(shadow) = self.shadows.get_mut(&id) {
            shadow.incident.apply(&event, at);
            shadow.last = event;
        }
    }

    fn source_line(&mut self, line: &StoredLine) {
        let Ok(record) = serde_json::from_str::<Record<SourceEvent>>(&line.body) else { return };
        let (SourceEvent::Unmatched { alert }
        | SourceEvent::Held { alert, .. }
        | SourceEvent::NothingOpen { alert }
        | SourceEvent::ConditionFailed { alert, .. }) = record.event;
        self.journaled.insert(alert.id.clone());
    }

    fn count(&mut self, id: IncidentId, event: &Event) {
        match event {
            Event::Joined { alert } => drop(self.journaled.insert(alert.id.clone())),
            Event::Settled { page, sent_at: Some(sent_at), .. } => {
                let starts = self.starts.entry(PageId { incident: id, n: *page }).or_default();
                starts.iter_mut().filter(|start| start.at == *sent_at).for_each(|start| start.settled = true);
            }
            Event::Settled { page, settlement: Settlement::Unsent, .. } => {
                let id = PageId { incident: id, n: *page };
                let begun = self.starts.contains_key(&id);
                self.check("law 5", !begun, || format!("{id} is noted as never sent, and it was"));
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
        let same = shadow.incident == *stored;
        self.check("law 8", same, || difference(&shadow.incident, stored));
        match shadow.incident.deadline() {
            Some(deadline) => drop(self.deadlines.insert(id, deadline)),
            None => drop(self.deadlines.remove(&id)),
        }
        self.law_1_every_role_is_paged(&shadow.incident);
        self.law_2_nothing_waits_for_nobody(&shadow.incident);
        self.law_3_reminders_do_not_pile_up(&shadow.incident);
        self.shadows.insert(id, shadow);
    }

    fn started(&mut self, at: Timestamp, node: u64, page: PageId) {
        self.law_3_nothing_stale_starts(page);
        self.law_10_a_repeat_has_a_crash_and_a_mark(page);
        if let Some(destination) = self.destination(page) {
            let (from, until) = self.throttled.get(&(node, destination)).copied().unwrap_or_default();
            // Whose turn had come before the provider spoke may go.
            let free = until <= at || at <= from + TURN_MAX;
            self.check("pace", free, || format!("{page} starts at {at}, held back until {until}"));
        }
        self.starts.entry(page).or_default().push(Start { at, settled: false });
    }

    fn destination(&self, page: PageId) -> Option<Destination> {
        let row = self.page(page)?;
        let room = row.person.is_none().then_some(page.incident);
        Some((row.channel.clone(), row.person.clone(), room))
    }

    fn page(&self, page: PageId) -> Option<&Page> {
        self.shadows.get(&page.incident)?.incident.pages.get(&page.n)
    }

    fn end(&mut self) {
        let report = std::mem::take(&mut self.verifier).finish();
        self.check("law 8", report.is_sound(), || format!("the journal is not sound: {:?}", report.faults));
        let shadows = std::mem::take(&mut self.shadows);
        for shadow in shadows.values() {
            self.law_5_everybody_is_told(&shadow.incident);
            self.law_5_the_room_is_told(&shadow.incident);
            self.law_10_nothing_is_forgotten(&shadow.incident);
        }
        self.shadows = shadows;
    }
}

// The laws.
impl Laws {
    fn law_1_an_accepted_alert_is_in_the_journal(&mut self, alert: &str) {
        let found = self.journaled.contains(alert);
        self.check("law 1", found, || format!("alert {alert} was accepted and is nowhere"));
    }

    fn law_1_every_role_is_paged(&mut self, incident: &Incident) {
        for role in &incident.plan.required {
            let entered = incident.engagements.get(role).is_some_and(|e| 0 < e.rung);
            self.check("law 1", entered, || format!("{}: {role} was never paged", incident.id));
        }
        for (role, engagement) in incident.engagements.iter().filter(|(_, e)| e.is_open()) {
            let reachable = |person: &&PersonName| !self.roster.channels(person).is_empty();
            let paged = |person: &PersonName| incident.rung_pages(role).any(|p| p.person.as_ref() == Some(person));
            let missed = engagement.on_call.iter().filter(reachable).find(|person| !paged(person)).cloned();
            self.check("law 1", missed.is_none(), || format!("{}: {role} did not page {missed:?}", incident.id));
        }
    }

    fn law_2_nothing_waits_for_nobody(&mut self, incident: &Incident) {
        for role in incident.open_roles() {
            let waits = waits_for_time(incident, role);
            self.check("law 2", waits, || format!("{}: {role} waits for nobody", incident.id));
        }
        let timed = incident.open_roles().next().is_none() || incident.deadline().is_some();
        self.check("law 2", timed, || format!("{} has no deadline", incident.id));
    }

    fn law_2_ladders_move_in_time(&mut self, at: Timestamp, able_since: Option<Timestamp>) {
        let Some(able_since) = able_since else { return };
        let late = self.deadlines.iter().find(|(_, due)| LATE_MAX < at.micros_since((**due).max(able_since)));
        if let Some((id, due)) = late {
            let what = format!("{id} was due at {due} and has not moved at {at}");
            self.fail("law 2", what);
        }
    }

    fn law_2_the_store_knows_the_next_deadline(&mut self, next: Option<Timestamp>) {
        let due = self.deadlines.values().min().copied();
        self.check("law 2", due == next, || format!("the next deadline is {due:?}, the store says {next:?}"));
    }

    fn law_3_nothing_stale_starts(&mut self, page: PageId) {
        let Some(shadow) = self.shadows.get(&page.incident) else {
            return self.fail("law 3", format!("{page} starts and is of no incident"));
        };
        let Some(row) = shadow.incident.pages.get(&page.n) else {
            return self.fail("law 3", format!("{page} starts and was never born"));
        };
        let wanted = match &row.purpose {
            Purpose::Brief { .. } => {
                let open = |role: &RoleName| shadow.incident.engagements.get(role).is_some_and(Engagement::is_open);
                shadow.incident.is_open() && row.role.as_ref().is_some_and(open)
            }
            Purpose::Taken { .. } | Purpose::StoodDown => shadow.incident.is_open(),
            Purpose::Resolved => !shadow.incident.is_open(),
            Purpose::RoomCard => shadow.incident.is_open(),
            Purpose::RoomLine { .. } => true,
        };
        let (holds, state) = (wanted && row.state == PageState::Queued, row.state);
        self.check("law 3", holds, || format!("{page} starts, is {state:?} and not wanted any more"));
    }

    fn law_3_reminders_do_not_pile_up(&mut self, incident: &Incident) {
        let mut waiting = BTreeSet::new();
        let mut queued =
            incident.pages.values().filter(|page| page.state == PageState::Queued && page.purpose.is_brief());
        let twice = queued.find(|page| !waiting.insert((&page.role, &page.person, &page.channel)));
        self.check("law 3", twice.is_none(), || format!("{}: twice in the queue: {twice:?}", incident.id));
    }

    fn law_4_only_who_was_asked_engages(&mut self, id: IncidentId, at: Timestamp, event: &Event) {
        let (Event::Engaged { role, person }, Some(shadow)) = (event, self.shadows.get(&id)) else { return };
        let incident = &shadow.incident;
        let row = incident.plan.roles.get(role);
        let answered = match &shadow.last {
            Event::Answered { role: Some(of), person: by, answer, verdict: Verdict::Engages, .. } => {
                let enough = row.is_some_and(|row| answer.satisfies(row.engaged_by));
                let said = self.said.contains(&(id, person.clone(), answer.to_string()));
                of == role && by == person && enough && said
            }
            _ => false,
        };
        let on_ladder = row.is_some_and(|row| {
            row.steps.iter().any(|rung| self.roster.resolve(&rung.page, at.max(incident.last_at)).contains(person))
        });
        let asked = on_ladder || incident.briefs_of(role).any(|page| page.person.as_ref() == Some(person));
        self.check("law 4", answered, || format!("{id}: {role} is engaged by {person} without a sufficient answer"));
        self.check("law 4", asked, || format!("{id}: {role} is engaged by {person}, who was not asked"));
    }

    fn law_4_only_its_next_covers(&mut self, id: IncidentId, event: &Event) {
        let Some(incident) = self.shadows.get(&id).map(|shadow| &shadow.incident) else { return };
        let holds = match event {
            Event::HandedOver { role, next } => {
                let named = incident.plan.roles.get(role).and_then(|row| row.next.as_ref());
                named.map_or_else(|| next.is_catch_all(), |named| named == next)
            }
            Event::Covered { role, by, person } => {
                let behind =
                    std::iter::successors(Some(role), |role| incident.engagements.get(*role)?.waits_on.as_ref());
                let engaged = incident.engagements.get(by).and_then(|e| e.outcome.as_ref());
                let has = matches!(engaged, Some(Outcome::Engaged { person: holder, .. }) if holder == person);
                let has_through = matches!(engaged, Some(Outcome::Covered { person: holder, .. }) if holder == person);
                behind.skip(1).take(16).any(|role| role == by) && (has || has_through)
            }
            _ => true,
        };
        self.check("law 4", holds, || format!("{id}: {event:?} does not follow the chain"));
    }

    fn law_5_one_has_it(&mut self, id: IncidentId, event: &Event) {
        let Some(shadow) = self.shadows.get_mut(&id) else { return };
        let (Event::Engaged { role, person } | Event::Covered { role, person, .. }) = event else { return };
        if let Some(first) = shadow.engaged.insert(role.clone(), person.clone()) {
            self.fail("law 5", format!("{id}: {role} was taken by {first} and again by {person}"));
        }
    }

    fn law_5_everybody_is_told(&mut self, incident: &Incident) {
        let id = incident.id;
        let begun = |page: &&Page| self.starts.contains_key(&PageId { incident: id, n: page.n });
        let briefed: Vec<&Page> = incident.pages.values().filter(|p| p.purpose.is_brief()).filter(begun).collect();
        for brief in briefed {
            let Some(role) = &brief.role else { continue };
            let ended = incident.engagements.get(role).is_some_and(|e| !e.is_open());
            let told: Vec<&Page> = incident.pages.values().filter(|page| tells(incident, brief, role, page)).collect();
            let said = told.iter().filter(|page| page.state == PageState::Accepted || 0 < page.refusals).count();
            let (who, by, n) = (&brief.person, &brief.channel, brief.n);
            let how =
                || format!("{id}: {who:?} was sent page {n} for {role} by {by} and told {said} times how it ended");
            let once =
                said == 1 || matches!(told.first().map(|page| &page.purpose), Some(Purpose::StoodDown)) && 0 < said;
            self.check("law 5", !ended || once, how);
        }
    }

    fn law_5_the_room_is_told(&mut self, incident: &Incident) {
        let over = |page: &Page| matches!(&page.purpose, Purpose::RoomLine { line } if line.starts_with("resolved by"));
        let told = incident.is_open() || incident.room.is_none() || incident.pages.values().any(over);
        self.check("law 5", told, || format!("{}: its room was not told that it is over", incident.id));
    }

    fn law_10_a_repeat_has_a_crash_and_a_mark(&mut self, page: PageId) {
        let unsettled = self.starts.get(&page).map_or(0, |starts| starts.iter().filter(|s| !s.settled).count());
        let taken_over = self.taken_over.get(&page).copied().unwrap_or(0);
        let marked = self.page(page).is_some_and(|row| row.maybe_repeated);
        let holds = unsettled <= taken_over && (unsettled == 0 || marked);
        self.check("law 10", holds, || {
            format!("{page} starts again: {unsettled} unsettled, {taken_over} times taken over, marked: {marked}")
        });
    }

    fn law_10_nothing_is_forgotten(&mut self, incident: &Incident) {
        for page in incident.pages.values() {
            let id = PageId { incident: incident.id, n: page.n };
            let begun = self.starts.contains_key(&id);
            let ended = match page.state {
                PageState::Queued | PageState::Withdrawn => false,
                PageState::Accepted => begun,
                PageState::Unreachable => begun || 0 < page.refusals,
                PageState::Unsent => true,
            };
            self.check("law 10", ended, || format!("{id} is {:?} in the end, begun: {begun}", page.state));
        }
    }
}

/// Whether the role has a deadline, or waits on one that has.
fn waits_for_time(incident: &Incident, role: &RoleName) -> bool {
    let mut at = role;
    for _ in 0..=incident.engagements.len() {
        let Some(engagement) = incident.engagements.get(at).filter(|e| e.is_open()) else { return false };
        match &engagement.waits_on {
            Some(next) => at = next,
            None => return engagement.deadline.is_some(),
        }
    }
    false
}

/// Whether `page` tells the reader of `brief` how it ended: by the end of the incident where that is over, else by who
/// has the role.
fn tells(incident: &Incident, brief: &Page, role: &RoleName, page: &Page) -> bool {
    if page.person != brief.person || page.channel != brief.channel {
        return false;
    }
    if !incident.is_open() {
        return page.purpose == Purpose::Resolved;
    }
    let about = page.role.as_ref() == Some(role);
    match incident.engagements.get(role).and_then(|e| e.outcome.as_ref()) {
        Some(Outcome::Engaged { person, .. } | Outcome::Covered { person, .. }) => {
            about && matches!(&page.purpose, Purpose::Taken { by, .. } if by == person)
        }
        Some(Outcome::StoodDown { .. }) => about && page.purpose == Purpose::StoodDown,
        Some(Outcome::Closed { .. }) | None => false,
    }
}

fn difference(folded: &Incident, stored: &Incident) -> String {
    let page = folded.pages.iter().find(|(n, page)| stored.pages.get(n) != Some(page));
    let page = page.map(|(n, page)| format!("; page {n}: {page:?} but {:?}", stored.pages.get(n)));
    format!("{} is not what its journal folds to{}", stored.id, page.unwrap_or_default())
}
