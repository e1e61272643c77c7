//! What a work may touch while it runs. Everything it changes it changes through [`crate::core::step`], so that an
//! effect that is not in the journal can not be written.

use super::{
    CommittedEvent, LockSet, OpenNow,
    line::{ChainHead, JournalLine, is_foreign},
    quarantine::{QuarantinedRow, RowName},
    touch::touch,
};
use crate::core::{
    self, Alert, ChannelName, ContactProof, Event, Incident, IncidentId, IncidentInput, IncidentKey, IncidentNonce,
    IncidentOpening, PageNonce, PersonName, Roster, SourceEvent, SourceName, Timestamp,
    trigger::{ThresholdWindow, TriggerThreshold},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{self, Excluded, Included, Unbounded},
    sync::Arc,
};

/// What is loaded of the store: the working set of a transaction (or of a batch of them). A store keeps one and may
/// keep its content between batches as a cache.
#[derive(Debug, Clone, Default)]
pub struct WorkingSet {
    /// Incidents with their pages and what the store knows beside them.
    pub incidents: BTreeMap<IncidentId, StoredIncident>,
    /// Which open incident has which key. A key that is loaded and has none is absent.
    pub keys: BTreeMap<IncidentKey, IncidentId>,
    /// Windows of triggers.
    pub observed: BTreeMap<String, ThresholdWindow>,
    /// Heads of the sources' chains.
    pub sources: BTreeMap<SourceName, ChainHead>,
    /// The number of the last incident that was opened.
    pub last_id: i64,
}

impl WorkingSet {
    /// An open incident that is no drill.
    pub fn live_open(&self) -> Option<IncidentId> {
        let mut live = self.between(Unbounded, Excluded(DRILLS)).chain(self.between(Included(AFTER_DRILLS), Unbounded));
        live.next()
    }

    /// The open incidents whose key begins so, by their keys.
    pub fn open_under(&self, prefix: &str) -> Vec<IncidentId> {
        let from = self.keys.range::<str, _>((Included(prefix), Unbounded));
        from.take_while(|(key, _)| key.as_str().starts_with(prefix)).map(|(_, id)| *id).collect()
    }

    /// What is open, as far as drills must know it.
    pub fn open_now(&self) -> OpenNow {
        let drills = self.between(Included(DRILLS), Excluded(AFTER_DRILLS)).collect();
        OpenNow { live: self.live_open(), drills }
    }

    fn between(&self, from: Bound<&str>, to: Bound<&str>) -> impl Iterator<Item = IncidentId> {
        self.keys.range::<str, _>((from, to)).map(|(_, id)| *id)
    }
}

/// What the keys of drills begin with, and the first text that is after all of those.
const DRILLS: &str = IncidentKey::DRILLS.0;
const AFTER_DRILLS: &str = IncidentKey::DRILLS.1;

/// One incident as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// The incident. Shared with readers; changed by copy where a reader holds it.
    pub incident: Arc<Incident>,
    /// Where its chain ends.
    pub head: ChainHead,
    /// Which epoch has claimed which owed page.
    pub claims: BTreeMap<u32, u64>,
    /// The line of the newest alert that joined since the body was last written.
    pub joined: Option<u64>,
}

/// What a transaction must write. Rows are read from [`WorkingSet`] when they are written.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// Journal lines, in order.
    pub lines: Vec<JournalLine>,
    /// Incidents whose body changed (new ones included).
    pub bodies: BTreeSet<IncidentId>,
    /// Incidents of which only the head (sequence, hash, deadline) changed.
    pub heads: BTreeSet<IncidentId>,
    /// Pages whose row changed.
    pub pages: BTreeSet<(IncidentId, u32)>,
    /// Who was asked in an incident, where that is new or it may wait for them no more, or again.
    pub asked: BTreeSet<(IncidentId, PersonName)>,
    /// Windows that changed.
    pub observed: BTreeSet<String>,
    /// Sources whose head changed.
    pub sources: BTreeSet<SourceName>,
    /// Texts to keep, by content hash.
    pub texts: BTreeMap<String, String>,
    /// Contacts that were proven, the last one of each person by each channel.
    pub proofs: BTreeMap<(PersonName, ChannelName), ContactProof>,
    /// Rows that were set aside and stand otherwise now; none is one that goes.
    pub quarantine: BTreeMap<RowName, Option<QuarantinedRow>>,
}

impl ChangeSet {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
            && self.heads.is_empty()
            && self.observed.is_empty()
            && self.texts.is_empty()
            && self.quarantine.is_empty()
    }
}

/// The lent working set of one work.
pub struct Transaction<'a> {
    now: Timestamp,
    node: NodeIdentity<'a>,
    needs: &'a LockSet,
    lent: Vec<IncidentId>,
    loaded: &'a mut WorkingSet,
    changes: &'a mut ChangeSet,
    happened: Vec<CommittedEvent>,
    flaw: Option<String>,
}

/// Who runs a work, which epochs are known to be alive, and where randomness comes from.
#[derive(Clone, Copy)]
pub struct NodeIdentity<'a> {
    /// The node's own epoch.
    pub epoch: u64,
    /// Whether the node with that epoch holds its lease.
    pub is_live: &'a dyn Fn(u64) -> bool,
    /// Whether the node with that epoch ended with nothing under way ([`super::Store::leave`]).
    pub has_left: &'a dyn Fn(u64) -> bool,
    /// Draws what tells a new incident from every other one.
    pub draw: &'a dyn Fn() -> IncidentNonce,
}

impl<'a> Transaction<'a> {
    /// Lends what `needs` names of `loaded` at `now` to a work of `node`; what changes is added to `changes`.
    pub fn new(
        now: Timestamp,
        node: NodeIdentity<'a>,
        needs: &'a LockSet,
        loaded: &'a mut WorkingSet,
        changes: &'a mut ChangeSet,
    ) -> Self {
        let keyed = needs.keys.iter().filter_map(|key| loaded.keys.get(key));
        let lent = needs.incidents.iter().chain(keyed).copied().collect();
        Self { now, node, needs, lent, loaded, changes, happened: Vec::new(), flaw: None }
    }

    /// What happened, in order; or why nothing of it may be kept: it could not be read back.
    pub fn finish(self) -> Result<Vec<CommittedEvent>, String> {
        match self.flaw {
            Some(flaw) => Err(flaw),
            None => Ok(self.happened),
        }
    }

    /// The transaction's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A needed incident as it is now.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        let kept = self.loaded.incidents.get(&id).filter(|_| self.lent.contains(&id));
        kept.map(|kept| &*kept.incident)
    }

    /// The open incident with a needed key.
    pub fn open_with_key(&self, key: &IncidentKey) -> Option<IncidentId> {
        debug_assert!(self.needs.keys.contains(key), "a work must name the key {key:?}");
        self.loaded.keys.get(key).copied()
    }

    /// An open incident that is no drill, the first by its key; none where only drills are open. Told from the keys of
    /// all open incidents, needed or not.
    pub fn live_open(&self) -> Option<IncidentId> {
        self.loaded.live_open()
    }

    /// Opens an incident whose key (a needed one) is free; its pages are born claimed by this node. Where an incident
    /// with that key is open already, the alert joins it: there is one open incident a key.
    pub fn open(&mut self, mut opening: IncidentOpening, roster: &Roster) -> IncidentId {
        if let Some(id) = self.open_with_key(&opening.key).filter(|id| self.incident(*id).is_some()) {
            self.step(id, IncidentInput::Alert(opening.alert), roster);
            return id;
        }
        self.loaded.last_id += 1;
        let id = IncidentId(self.loaded.last_id);
        opening.nonce.get_or_insert_with(self.node.draw);
        let (mut incident, mut events) = core::open(id, opening, roster, self.now);
        tell_apart(self.node, &mut incident, &mut events);
        let head = ChainHead::before_first(&id.to_string());
        self.loaded.keys.insert(incident.key.clone(), id);
        self.loaded
            .incidents
            .insert(id, StoredIncident { incident: Arc::new(incident), head, claims: BTreeMap::new(), joined: None });
        self.lent.push(id);
        self.keep(id, events, roster);
        id
    }

    /// Steps a needed incident; returns what that made happen (it is in [`Transaction::into_happened`] too).
    pub fn step(&mut self, id: IncidentId, input: IncidentInput, roster: &Roster) -> &[CommittedEvent] {
        let before = self.happened.len();
        if self.lent.contains(&id)
            && let Some(kept) = self.loaded.incidents.get_mut(&id)
            && is_for(kept, &input, self.node.epoch)
        {
            let incident = Arc::make_mut(&mut kept.incident);
            let mut events = core::step(incident, input, roster, self.now);
            tell_apart(self.node, incident, &mut events);
            self.keep(id, events, roster);
        }
        &self.happened[before..]
    }

    /// Takes over those of `pages` that are still owed and claimed by a dead epoch: one that holds no lease and is not
    /// this node's own. Returns which. Of those that a node left in order none was begun: they change hands, and the
    /// journal has nothing to say of it.
    pub fn take_over(&mut self, id: IncidentId, pages: &[u32], roster: &Roster) -> Vec<u32> {
        let node = self.node;
        let Some(kept) = self.loaded.incidents.get_mut(&id).filter(|_| self.lent.contains(&id)) else {
            return Vec::new();
        };
        let is_free = |epoch: &u64| *epoch != node.epoch && !(node.is_live)(*epoch);
        let mine: Vec<u32> = pages
            .iter()
            .copied()
            .filter(|n| kept.incident.pages.get(n).is_some_and(|page| page.is_owed()))
            .filter(|n| kept.claims.get(n).is_none_or(is_free))
            .collect();
        let mut doubtful = Vec::new();
        for n in &mine {
            let before = kept.claims.insert(*n, node.epoch);
            self.changes.pages.insert((id, *n));
            self.changes.heads.insert(id);
            doubtful.extend(Some(*n).filter(|_| !before.is_some_and(node.has_left)));
        }
        if !doubtful.is_empty() {
            self.step(id, IncidentInput::TakenOver { pages: doubtful }, roster);
        }
        mine
    }

    /// When a human ended an incident with this key to which this very alert had belonged, where one did
    /// ([`ended_window`] must be needed).
    pub fn ended(&self, key: &IncidentKey, alert: &Alert) -> Option<Timestamp> {
        let window = ended_window(key, alert)?;
        debug_assert!(self.needs.observed.contains(&window), "a work must name the window {window:?}");
        self.loaded.observed.get(&window).and_then(ThresholdWindow::last)
    }

    /// Counts an alert in a needed window; whether the trigger holds now, and how many have counted.
    pub fn observe(&mut self, window: &str, hold: TriggerThreshold) -> (bool, usize) {
        debug_assert!(self.needs.observed.iter().any(|need| need == window), "a work must name the window {window:?}");
        let observed = self.loaded.observed.entry(window.to_owned()).or_default();
        let holds = observed.observe(hold, self.now);
        self.changes.observed.insert(window.to_owned());
        (holds, observed.count())
    }

    /// Journals what became of an alert that opened nothing, in its (needed) source's chain.
    pub fn record_source(&mut self, source: &SourceName, event: SourceEvent) {
        debug_assert!(self.needs.sources.contains(source), "a work must name the source {source:?}");
        let chain = format!("source:{source}");
        let head = self.loaded.sources.entry(source.clone()).or_insert_with(|| ChainHead::before_first(&chain));
        match JournalLine::write(&chain, head, self.now, &event).and_then(|line| line.reads_as(&event).map(|()| line)) {
            Ok(line) => self.changes.lines.push(line),
            Err(flaw) => self.flaw = Some(flaw),
        }
        self.changes.sources.insert(source.clone());
    }

    /// Says where a row stands that was set aside; the store shows it so once this is kept.
    pub fn quarantine(&mut self, entry: QuarantinedRow) {
        self.changes.quarantine.insert(entry.row.clone(), Some(entry));
    }

    /// A row that had been set aside is not any more.
    pub fn release(&mut self, row: &RowName) {
        self.changes.quarantine.insert(row.clone(), None);
    }

    /// Keeps a text that was shown under its content hash.
    pub fn keep_text(&mut self, hash: &str, text: &str) {
        self.changes.texts.insert(hash.to_owned(), text.to_owned());
    }

    fn keep(&mut self, id: IncidentId, events: Vec<Event>, roster: &Roster) {
        let Some(kept) = self.loaded.incidents.get_mut(&id) else { return };
        let chain = id.to_string();
        // The core never lets an incident's time run backwards; its lines must bear the time that it used.
        let at = kept.incident.last_at;
        for event in events {
            let line = JournalLine::write(&chain, &mut kept.head, at, &event);
            match line.and_then(|line| if is_foreign(&event) { line.reads_as(&event).map(|()| line) } else { Ok(line) })
            {
                Ok(line) => self.changes.lines.push(line),
                Err(flaw) => return self.flaw = Some(flaw),
            }
            touch(kept, self.changes, id, &event, self.node.epoch);
            if let Some(proof) = ContactProof::of(&event, &kept.incident, roster, at) {
                self.changes.proofs.insert((proof.person.clone(), proof.channel.clone()), proof);
            }
            let (seq, opened_at, drill) = (kept.head.seq, kept.incident.opened_at, kept.incident.drill);
            // All pages are looked at: not for events of which there are as many as pages.
            let is_engagement = matches!(event, Event::Engaged { .. } | Event::Covered { .. });
            let sandboxed = is_engagement && kept.incident.has_sandboxed_page();
            self.happened.push(CommittedEvent { incident: id, seq, at, opened_at, drill, sandboxed, event });
        }
        if !kept.incident.is_open() && self.loaded.keys.get(&kept.incident.key) == Some(&id) {
            self.loaded.keys.remove(&kept.incident.key);
            // What a monitor itself has ended may begin again by its word alone.
            let by_human =
                !matches!(&kept.incident.status, core::IncidentStatus::Resolved { by: core::Actor::Source(_), .. });
            if by_human && let Some(window) = ended_window(&kept.incident.key, &kept.incident.alert) {
                self.loaded.observed.entry(window.clone()).or_default().mark(at);
                self.changes.observed.insert(window);
            }
        }
    }
}

/// Gives each page that was born what tells it from one that had its number before a backup was restored.
fn tell_apart(node: NodeIdentity<'_>, incident: &mut Incident, events: &mut [Event]) {
    for event in events {
        let Event::Paged { page } = event else { continue };
        let nonce = Some(PageNonce::from((node.draw)()));
        Arc::make_mut(page).nonce = nonce;
        if let Some(kept) = incident.pages.get_mut(&page.n) {
            Arc::make_mut(kept).nonce = nonce;
        }
    }
}

/// That a page was never sent only the node can know that has it: another may be sending it at this moment.
fn is_for(kept: &StoredIncident, input: &IncidentInput, epoch: u64) -> bool {
    match input {
        IncidentInput::Settled { page, settlement: core::SendOutcome::Unsent, .. } => {
            kept.claims.get(page).is_none_or(|claim| *claim == epoch)
        }
        _ => true,
    }
}

/// The window that keeps when a human ended an incident with this key, for repetitions of its last alert; none for an
/// alert of which no repetition can be told.
pub fn ended_window(key: &IncidentKey, alert: &Alert) -> Option<String> {
    alert.episode().map(|episode| format!("ended\u{1f}{key}\u{1f}{episode}"))
}
