//! What a transaction may use while it runs. It changes incidents only through [`crate::core::step`], so it can have no
//! effect that is not in the journal.

mod judged;

use super::{
    CommittedEvent, LockSet,
    ended_windows::{ended_windows, ended_with},
    host::TransactionHost,
    line::{ChainHead, JournalLine, is_foreign},
    quarantine::{QuarantinedRow, RowName},
    responses::{KeptResponse, RequestKey, RequestProgress},
    touch::touch,
    working_set::{ChangeSet, PageClaims, StoredIncident, WorkingSet},
};
use crate::core::{
    self, Alert, ContactProof, DrillRun, Event, Incident, IncidentId, IncidentInput, IncidentKey, IncidentOpening,
    PageNonce, ResultCount, ResultName, Roster, SourceEvent, SourceName, Timestamp,
    judgement::row_name,
    names::SELF,
    result_count::{COUNT_PERIOD, NAMES_MAX},
    time::StepTime,
};
use std::sync::Arc;

/// One transaction: the part of the working set that it asked for, and what it changes.
pub struct Transaction<'a> {
    time: StepTime,
    host: &'a dyn TransactionHost,
    needs: &'a LockSet,
    lent: Vec<IncidentId>,
    loaded: &'a mut WorkingSet,
    changes: &'a mut ChangeSet,
    happened: Vec<CommittedEvent>,
    flaw: Option<String>,
}

impl<'a> Transaction<'a> {
    /// A transaction at `time`, run by `host`, over what `needs` names of `loaded`. Its changes are added to `changes`.
    pub fn new(
        time: impl Into<StepTime>,
        host: &'a dyn TransactionHost,
        needs: &'a LockSet,
        loaded: &'a mut WorkingSet,
        changes: &'a mut ChangeSet,
    ) -> Self {
        let keyed = needs.keys.iter().filter_map(|key| loaded.keys.get(key));
        let lent = needs.incidents.iter().chain(keyed).copied().collect();
        Self { time: time.into(), host, needs, lent, loaded, changes, happened: Vec::new(), flaw: None }
    }

    /// The events, in order, or why nothing may be committed: it could not be read back.
    pub fn finish(self) -> Result<Vec<CommittedEvent>, String> {
        match self.flaw {
            Some(flaw) => Err(flaw),
            None => Ok(self.happened),
        }
    }

    /// The time of people's clocks and calendars.
    pub fn civil(&self) -> Timestamp {
        self.time.civil
    }

    /// The transaction's time.
    pub fn now(&self) -> Timestamp {
        self.time.now
    }

    /// An incident, as it is now. It must be in the [`LockSet`].
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        let kept = self.loaded.incidents.get(&id).filter(|_| self.lent.contains(&id));
        kept.map(|kept| &*kept.incident)
    }

    /// The open incident with this key. The key must be in the [`LockSet`].
    pub fn open_with_key(&self, key: &IncidentKey) -> Option<IncidentId> {
        debug_assert!(self.needs.keys.contains(key), "a transaction must name the key {key:?}");
        self.loaded.keys.get(key).copied()
    }

    /// An open incident that is no drill, the first by its key; none where only drills are open. The store answers it
    /// ([`LockSet::live_open`] must be needed): incidents that this transaction does not name count as well.
    pub fn live_open(&self) -> Option<IncidentId> {
        debug_assert!(self.needs.live_open, "a transaction must name that it asks for what is open");
        self.host.live_open(self.loaded)
    }

    /// Opens an incident. Its key must be in the [`LockSet`]; its pages are claimed by this node. If an incident with
    /// that key is open already, the alert joins it: there is one open incident for each key.
    pub fn open(&mut self, mut opening: IncidentOpening, roster: &Roster) -> IncidentId {
        if let Some(id) = self.open_with_key(&opening.key).filter(|id| self.incident(*id).is_some()) {
            self.step(id, IncidentInput::Alert(opening.alert), roster);
            return id;
        }
        let id = self.host.next_id();
        opening.nonce.get_or_insert_with(|| self.host.draw());
        let (mut incident, mut events) = core::open(id, opening, roster, self.time);
        tell_apart(self.host, &mut incident, &mut events);
        let head = ChainHead::before_first(&id.to_string());
        self.loaded.keys.insert(incident.key.clone(), id);
        self.loaded.incidents.insert(
            id,
            StoredIncident { incident: Arc::new(incident), head, claims: PageClaims::default(), joined: None },
        );
        self.lent.push(id);
        self.keep(id, events, roster);
        id
    }

    /// Opens an incident in place of another one, which may have its key and which the caller ends in the same
    /// transaction.
    pub fn open_in_place_of(
        &mut self,
        before: Option<IncidentId>,
        opening: IncidentOpening,
        roster: &Roster,
    ) -> IncidentId {
        if before.is_some() && self.open_with_key(&opening.key) == before {
            self.loaded.keys.remove(&opening.key);
        }
        self.open(opening, roster)
    }

    /// Steps an incident, which must be in the [`LockSet`]. Returns the new events.
    pub fn step(&mut self, id: IncidentId, input: IncidentInput, roster: &Roster) -> &[CommittedEvent] {
        let before = self.happened.len();
        if self.lent.contains(&id)
            && let Some(kept) = self.loaded.incidents.get_mut(&id)
            && is_for(kept, &input, self.host.epoch())
        {
            let incident = Arc::make_mut(&mut kept.incident);
            let counted = |incident: &Incident| {
                incident.repeats.as_ref().map(|repeats| (repeats.count, repeats.last_at, incident.all_clears()))
            };
            let before = counted(incident);
            let mut events = core::step(incident, input, roster, self.time);
            if counted(incident) != before {
                // A repeat that is only counted has no event: its count is kept beside the journal.
                self.changes.heads.insert(id);
            }
            tell_apart(self.host, incident, &mut events);
            self.keep(id, events, roster);
        }
        &self.happened[before..]
    }

    /// Takes over those of `pages` that are still owed and claimed by a dead node: one without a lease and other than
    /// this node. Returns which. Pages of a node that left in order were not begun: they change hands without a word in
    /// the journal.
    pub fn take_over(&mut self, id: IncidentId, pages: &[u32], roster: &Roster) -> Vec<u32> {
        let host = self.host;
        let Some(kept) = self.loaded.incidents.get_mut(&id).filter(|_| self.lent.contains(&id)) else {
            return Vec::new();
        };
        let is_free = |epoch: &u64| *epoch != host.epoch() && !host.is_live(*epoch);
        let mine: Vec<u32> = pages
            .iter()
            .copied()
            .filter(|n| kept.incident.pages.get(n).is_some_and(|page| page.is_owed()))
            .filter(|n| kept.claims.get(n).is_none_or(is_free))
            .collect();
        let mut doubtful = Vec::new();
        for n in &mine {
            let before = kept.claims.get(n).copied();
            kept.claims.insert_mut(*n, host.epoch());
            self.changes.pages.insert((id, *n));
            self.changes.heads.insert(id);
            doubtful.extend(Some(*n).filter(|_| !before.is_some_and(|epoch| host.has_left(epoch))));
        }
        if !doubtful.is_empty() {
            self.step(id, IncidentInput::TakenOver { pages: doubtful }, roster);
        }
        mine
    }

    /// When a human ended an incident with this key that this alert had belonged to, or an overflow incident that
    /// counted it, if so. [`ended_windows`] must be in the [`LockSet`].
    pub fn ended(&self, key: &IncidentKey, alert: &Alert) -> Option<Timestamp> {
        let windows = ended_windows(key, alert);
        debug_assert!(
            windows.iter().all(|window| self.needs.observed.contains(window)),
            "a transaction must name the windows {windows:?}"
        );
        windows.iter().filter_map(|window| self.loaded.observed.get(window)?.last()).max()
    }

    /// What is kept of a request, which must be in the [`LockSet`], if it still counts.
    pub fn response(&self, key: &RequestKey) -> Option<Arc<KeptResponse>> {
        debug_assert!(self.needs.responses.contains(key), "a transaction must name the request {key:?}");
        self.loaded.responses.get(key).filter(|kept| kept.is_kept(self.time.now)).cloned()
    }

    /// Keeps how far a request got, which must be in the [`LockSet`], with the digest of its body.
    pub fn keep_response(&mut self, key: &RequestKey, digest: &str, progress: RequestProgress) {
        debug_assert!(self.needs.responses.contains(key), "a transaction must name the request {key:?}");
        let response = KeptResponse { digest: digest.to_owned(), at: self.time.now, progress };
        self.loaded.responses.insert(key.clone(), response);
        self.changes.responses.insert(key.clone());
    }

    /// Journals, in the chain of its source, the result of an alert that opened nothing; after the first few of its kind
    /// it is counted, and one event tells of many. The source must be in the [`LockSet`].
    pub fn record_alert(&mut self, source: &SourceName, event: SourceEvent) {
        let Some(name) = event.counted_as() else { return self.record_source(source, event) };
        let now = self.time.now;
        let name = self.room_for(source, name);
        let counts = self.loaded.counts.entry(source.clone()).or_default();
        let count = counts.entry(name.clone()).or_insert_with(|| ResultCount::new(name.clone(), now));
        let (told, whole) = (count.tell(now), count.take(now));
        self.changes.counts.insert((source.clone(), name));
        if let Some(told) = told {
            self.record_source(source, SourceEvent::Counted(told));
        }
        if whole {
            self.record_source(source, event);
        }
    }

    /// Journals what was counted for a source, as far as it is due. The source must be in the [`LockSet`].
    pub fn tell_counts(&mut self, source: &SourceName) {
        let now = self.time.now;
        let counts = self.loaded.counts.get_mut(source).into_iter().flatten();
        let due: Vec<ResultName> =
            counts.filter(|(_, count)| count.began_at + COUNT_PERIOD <= now).map(|(name, _)| name.clone()).collect();
        due.into_iter().for_each(|name| self.end_count(source, name));
    }

    /// The name under which to count: its own if there is room, or if a count can be ended that has long been idle.
    fn room_for(&mut self, source: &SourceName, name: ResultName) -> ResultName {
        let now = self.time.now;
        let Some(counts) = self.loaded.counts.get(source).filter(|counts| NAMES_MAX <= counts.len()) else {
            return name;
        };
        if counts.contains_key(&name) {
            return name;
        }
        let idle = counts.iter().filter(|(_, count)| count.is_idle(now)).min_by_key(|(_, count)| count.counted.last_at);
        let Some((idle, _)) = idle else { return name.among_others() };
        self.end_count(source, idle.clone());
        name
    }

    /// Ends a count and journals what no event tells of yet.
    fn end_count(&mut self, source: &SourceName, name: ResultName) {
        let ended = self.loaded.counts.get_mut(source).and_then(|counts| counts.remove(&name));
        self.changes.counts.insert((source.clone(), name));
        if let Some(ended) = ended.filter(|ended| 0 < ended.counted.count) {
            self.record_source(source, SourceEvent::Counted(ended.counted));
        }
    }

    /// Keeps a run of a drill, new or changed, with its line in Stentor's own chain, which must be in the [`LockSet`].
    pub fn keep_run(&mut self, run: DrillRun) {
        let event = SourceEvent::DrillRunKept { run: run.id, state: run.state, digest: run.digest() };
        self.record_source(&SourceName::from(SELF), event);
        self.changes.runs.push(run);
    }

    /// Journals an event in the chain of a source, which must be in the [`LockSet`].
    pub fn record_source(&mut self, source: &SourceName, event: SourceEvent) {
        debug_assert!(self.needs.sources.contains(source), "a transaction must name the source {source:?}");
        let chain = format!("source:{source}");
        let head = self.loaded.sources.entry(source.clone()).or_insert_with(|| ChainHead::before_first(&chain));
        match JournalLine::write(&chain, head, self.time.now, &event)
            .and_then(|line| line.reads_as(&event).map(|()| line))
        {
            Ok(line) => self.changes.lines.push(line),
            Err(flaw) => self.flaw = Some(flaw),
        }
        self.changes.sources.insert(source.clone());
    }

    /// Changes the state of a row that was set aside.
    pub fn quarantine(&mut self, entry: QuarantinedRow) {
        self.changes.quarantine.insert(entry.row.clone(), Some(entry));
    }

    /// Releases a row that had been set aside.
    pub fn release(&mut self, row: &RowName) {
        self.changes.quarantine.insert(row.clone(), None);
    }

    /// Stores a text that was shown under its content hash.
    pub fn keep_text(&mut self, hash: &str, text: &str) {
        self.changes.texts.insert(hash.to_owned(), text.to_owned());
    }

    /// Stores the key with which the packet of a request is encrypted.
    pub fn keep_request_key(&mut self, id: IncidentId, key: [u8; 32]) {
        self.changes.request_keys.insert(id, Some(key));
    }

    /// Destroys the key of a request: nobody can read its packet any more.
    pub fn destroy_request_key(&mut self, id: IncidentId) {
        self.changes.request_keys.insert(id, None);
    }

    fn keep(&mut self, id: IncidentId, events: Vec<Event>, roster: &Roster) {
        let Some(kept) = self.loaded.incidents.get_mut(&id) else { return };
        let chain = id.to_string();
        // The core never lets an incident's time run backwards; its lines bear the time that the core used.
        let at = kept.incident.last_at;
        for event in events {
            let line = JournalLine::write(&chain, &mut kept.head, at, &event);
            match line.and_then(|line| if is_foreign(&event) { line.reads_as(&event).map(|()| line) } else { Ok(line) })
            {
                Ok(line) => self.changes.lines.push(line),
                Err(flaw) => return self.flaw = Some(flaw),
            }
            touch(kept, self.changes, id, &event, self.host.epoch());
            if let Some(proof) = ContactProof::of(&event, &kept.incident, roster, at) {
                self.changes.proofs.insert((proof.person.clone(), proof.channel.clone()), proof);
            }
            let (seq, opened_at, drill) = (kept.head.seq, kept.incident.opened_at, kept.incident.drill);
            let is_engagement = matches!(event, Event::Engaged { .. } | Event::Covered { .. });
            let sandboxed = is_engagement && kept.incident.has_sandboxed_page();
            let trigger = kept.incident.trigger.clone();
            if let Event::OverflowCleared { key, .. } = &event
                && self.loaded.judged.ended(&row_name(&trigger, key), at)
            {
                self.changes.judged.insert(row_name(&trigger, key));
            }
            let priority = kept.incident.plan.priority;
            let step_ends = match &event {
                Event::Paged { page } => kept.incident.step_ends(page),
                _ => None,
            };
            self.happened.push(CommittedEvent {
                incident: id,
                seq,
                at,
                opened_at,
                drill,
                trigger,
                priority,
                step_ends,
                sandboxed,
                event,
            });
        }
        if !kept.incident.is_open() && self.loaded.keys.get(&kept.incident.key) == Some(&id) {
            self.loaded.keys.remove(&kept.incident.key);
            let row = row_name(&kept.incident.trigger, &kept.incident.key);
            if self.loaded.judged.ended(&row, at) {
                self.changes.judged.insert(row);
            }
            // An incident that the monitor itself ended may begin again by its word, and a question that nobody answered is
            // asked again.
            use core::{Actor, IncidentStatus::Resolved};
            let is_over = !matches!(&kept.incident.status, Resolved { by: Actor::Source(_) | Actor::Deadline, .. });
            if is_over {
                for window in ended_with(&kept.incident) {
                    self.loaded.observed.change(&window, |observed| observed.mark(at));
                    self.changes.observed.insert(window);
                }
            }
        }
    }
}

/// Gives each new page a nonce, which tells it from a page that had its number before a backup was restored.
fn tell_apart(host: &dyn TransactionHost, incident: &mut Incident, events: &mut [Event]) {
    for event in events {
        let Event::Paged { page } = event else { continue };
        let nonce = Some(PageNonce::from(host.draw()));
        Arc::make_mut(page).nonce = nonce;
        incident.pages.change(page.n, |page| page.nonce = nonce);
    }
}

/// Only the node that claims a page knows that it was never sent: another one may be sending it at this moment.
fn is_for(kept: &StoredIncident, input: &IncidentInput, epoch: u64) -> bool {
    match input {
        IncidentInput::Settled { page, settlement: core::SendOutcome::Unsent, .. } => {
            kept.claims.get(page).is_none_or(|claim| *claim == epoch)
        }
        _ => true,
    }
}
