//! What every store promises, run on each of them; and what the SQLite one promises besides.
#![allow(clippy::disallowed_methods)]

use crate::fixture;
mod request_keys;
mod unreadable;

use fixture::{Hands, PEOPLE, alert, crowd, opening, opening_of, roster};
use futures_util::future::join_all;
use std::{path::Path, sync::Arc, time::Duration};
use stentor::{
    core::{
        Actor, Alert, AlertStatus, Answer, AnswerVia, ContactProof, Event, GivenAnswer, Incident, IncidentId,
        IncidentInput, IncidentKey, IncidentNonce, IncidentOpening, Page, PageId, PageState, PersonName, RoleName,
        SendOutcome, SendReceipt, SourceEvent, SourceName, StoredLine, Timestamp, page::PageStage,
        trigger::TriggerThreshold,
    },
    journal::{self, JournalFaultKind, KeptAnchor, KeptAnchors},
    store::{
        ChangeSet, CommittedEvents, IncidentFilter, LockSet, Lookup, MemoryStore, RequestClass, SqliteStore, Store,
        StoreError, Transaction, TransactionHost, WorkingSet, clock::ClockSources, sqlite::disk::SpaceLimits, transact,
    },
};

// ---- the world that a promise is tried in -----------------------------------------------------------------------

/// A store that can be left and entered again, as another node.
struct World {
    hands: Hands,
    memory: Option<MemoryStore>,
    sqlite: Option<Arc<SqliteStore>>,
    dir: tempfile::TempDir,
}

impl World {
    fn memory() -> Self {
        let world = Self::sqlite();
        let hands = world.hands.clone();
        Self { memory: Some(MemoryStore::new(move || hands.wall())), ..world }
    }

    fn sqlite() -> Self {
        Self { hands: Hands::new(), memory: None, sqlite: None, dir: fixture::state_folder() }
    }

    /// The next node. The one before is dead then: closed, or its lease over.
    async fn node(&mut self) -> Arc<dyn Store> {
        if let Some(memory) = &self.memory {
            self.hands.pass(stentor::store::memory::LEASE);
            return Arc::new(memory.node());
        }
        self.reopen().await
    }

    async fn reopen(&mut self) -> Arc<SqliteStore> {
        if let Some(before) = self.sqlite.take() {
            before.close().await;
        }
        let store = open(self.dir.path(), &self.hands).await.expect("a store");
        self.sqlite = Some(store.clone());
        store
    }
}

async fn open(dir: &Path, hands: &Hands) -> Result<Arc<SqliteStore>, StoreError> {
    // Little is kept back, so that tests do not write megabytes for nothing.
    let limits = SpaceLimits { reserve: 64 << 10, floor: 1 << 20, look_every: Duration::ZERO };
    SqliteStore::open_with(dir, Arc::new(hands.clone()), limits).await
}

macro_rules! promises {
    ($($promise:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $promise() { super::$promise(super::World::memory()).await })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $promise() { super::$promise(super::World::sqlite()).await })*
        }
    };
}

mod clock;
mod disks;
mod failures;
mod folded;
mod lookup;
mod mended;
mod responses;
mod upgraded;

use responses::a_response_is_kept_with_what_it_says_or_not_at_all;

promises!(
    an_incident_opens_once_a_key_and_its_key_is_free_again_after_it,
    a_work_is_lent_only_what_it_names,
    a_closure_that_does_nothing_writes_nothing,
    sixty_four_clients_keep_their_order_and_every_chain_verifies,
    everything_is_there_after_a_restart,
    the_pages_of_a_dead_node_are_taken_over_exactly_once,
    the_pages_of_a_node_that_left_in_order_change_hands_and_are_no_repeats,
    deadlines_follow_the_incidents,
    a_withdrawn_page_is_not_wanted_right_after_the_commit,
    lists_are_newest_first,
    windows_count_over_restarts,
    texts_are_kept_to_the_letter,
    whoever_waits_hears_of_a_commit,
    a_contact_is_proven_by_its_reader_and_the_proof_outlives_the_node,
    a_proof_is_kept_with_the_event_that_proves_it_or_not_at_all,
    a_response_is_kept_with_what_it_says_or_not_at_all,
);

// ---- works ----------------------------------------------------------------------------------------------------------

async fn open_incident(store: &dyn Store, key: &str) -> (IncidentId, CommittedEvents) {
    let (opening, needs) = (opening(key), LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() });
    let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
    transact(store, RequestClass::Admission, needs, work).await.expect("opened")
}

async fn step(store: &dyn Store, id: IncidentId, input: IncidentInput) -> Result<CommittedEvents, StoreError> {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let work = move |unit: &mut Transaction<'_>| {
        unit.step(id, input.clone(), &roster());
    };
    transact(store, RequestClass::Ladder, needs, work).await.map(|((), committed)| committed)
}

fn settled(page: u32, settlement: SendOutcome) -> IncidentInput {
    IncidentInput::Settled { page, settlement, sent_at: Some(fixture::START), text: None }
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { receipt: SendReceipt::of("provider-7") }
}

fn says(person: &str, answer: Answer) -> IncidentInput {
    IncidentInput::Answer(GivenAnswer {
        person: person.into(),
        answer,
        via: AnswerVia::Desk,
        page: None,
        role: None,
        origin: None,
    })
}

fn resolve() -> IncidentInput {
    IncidentInput::Resolve { by: Actor::Operator("root".into()), why: None }
}

async fn view(store: &dyn Store, id: IncidentId) -> Arc<Incident> {
    store.view(id).await.expect("readable").expect("an incident")
}

async fn all_lines(store: &dyn Store) -> Vec<StoredLine> {
    store.lines(None, 0, usize::MAX).await.expect("lines")
}

async fn folded(store: &dyn Store, id: IncidentId) -> Incident {
    let lines = store.lines(Some(id.to_string()), 0, usize::MAX).await.expect("lines");
    let folded = journal::fold_check(id, &lines).expect("it folds");
    // What is counted and that no line tells of yet is kept beside the journal.
    let kept = view(store, id).await;
    let folded = folded.with_repeats(kept.repeats.clone(), &kept.alert);
    // What an earlier version opened does not tell its alerts apart.
    let known = folded.known.clone().filter(|_| kept.known.is_some());
    let changes = folded.changes.clone().filter(|_| kept.changes.is_some());
    Incident { known, changes, ..folded }
}

fn assert_sound(lines: Vec<StoredLine>) {
    let report = journal::verify(lines, KeptAnchors::default());
    assert!(report.is_sound(), "{report:?}");
}

/// Breaks the journal's table for a while, so that a commit fails although the disk is well.
async fn sql(dir: &Path, sql: &'static str) {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("stentor.db"));
    let mut conn = options.connect().await.expect("a connection");
    sqlx::raw_sql(sql).execute(&mut conn).await.expect(sql);
    sqlx::Connection::close(conn).await.expect("closed");
}

async fn try_open(store: &dyn Store, key: &str) -> Result<IncidentId, StoreError> {
    let (opening, needs) = (opening(key), LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() });
    let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
    transact(store, RequestClass::Admission, needs, work).await.map(|(id, _)| id)
}

/// A generator of choices that repeats: a failing seed is in the assertion's words.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn any_input(dice: &mut Dice, incident: &Incident, now: Timestamp) -> IncidentInput {
    let page = 1 + u32::try_from(dice.roll(incident.pages.len() as u64 + 1)).expect("few");
    let person = PEOPLE[usize::try_from(dice.roll(PEOPLE.len() as u64)).expect("few")];
    let why = || "it said \"no\"\n".to_owned();
    match dice.roll(14) {
        0 | 1 => IncidentInput::Tick,
        2 | 3 => settled(page, accepted()),
        4 => settled(page, SendOutcome::Retry { at: now + Duration::from_secs(1), why: why(), unknown: page % 2 == 0 }),
        5 | 6 => settled(page, SendOutcome::Unreachable { why: why() }),
        7 => settled(page, SendOutcome::Unsent),
        8 => {
            IncidentInput::Reported { page, stage: if page % 2 == 0 { PageStage::Seen } else { PageStage::Delivered } }
        }
        9 => says(person, Answer::Roger),
        10 => says(person, Answer::Unable),
        11 => says(person, Answer::Standby { span: Duration::from_secs(90) }),
        12 if dice.roll(4) == 0 => resolve(),
        12 => says(person, Answer::Wilco),
        _ => {
            let mut alert = alert();
            alert.values.insert("x".into(), f64::from(u32::try_from(dice.roll(1 << 31)).expect("few")) / 1e9 * 0.1);
            alert.lease_until = (page % 2 == 0).then(|| now + Duration::from_secs(40));
            alert.evidence = serde_json::json!({ "deep": [1, -2.5e-7, null, "\u{0}\u{1f4c9}"] });
            alert.unknown.insert("event".into(), "of its own".into());
            IncidentInput::Alert(Arc::new(alert))
        }
    }
}

// ---- promises of every store -------------------------------------------------------------------------------------

async fn an_incident_opens_once_a_key_and_its_key_is_free_again_after_it(mut world: World) {
    let store = world.node().await;
    let (first, committed) = open_incident(&*store, "XYZ").await;
    assert!(matches!(committed.events[0].event, Event::Opened(_)));
    let (again, committed) = open_incident(&*store, "XYZ").await;
    assert_eq!(again, first);
    assert!(matches!(committed.events[..], [ref one] if matches!(one.event, Event::Joined { .. })), "{committed:?}");
    assert_eq!(view(&*store, first).await.alerts, 2);
    step(&*store, first, resolve()).await.expect("resolved");
    let (second, _) = open_incident(&*store, "XYZ").await;
    assert_ne!(second, first);
}

async fn a_work_is_lent_only_what_it_names(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let work =
        move |unit: &mut Transaction<'_>| (unit.incident(id).is_some(), unit.step(id, resolve(), &roster()).len());
    let (seen, _) = transact(&*store, RequestClass::Ladder, LockSet::default(), work).await.expect("run");
    assert_eq!(seen, (false, 0));
    assert!(view(&*store, id).await.is_open());
}

async fn a_closure_that_does_nothing_writes_nothing(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let (lines, changed) = (all_lines(&*store).await.len(), *store.changed().borrow());
    let committed = step(&*store, id, IncidentInput::Tick).await.expect("a tick before its time");
    assert_eq!((committed.events.len(), committed.at), (0, store.now()));
    assert_eq!((all_lines(&*store).await.len(), *store.changed().borrow()), (lines, changed));
}

async fn sixty_four_clients_keep_their_order_and_every_chain_verifies(mut world: World) {
    let store = world.node().await;
    let ids: Vec<IncidentId> = join_all((0..8).map(|n| {
        let store = store.clone();
        async move { open_incident(&*store, &format!("key {n}")).await.0 }
    }))
    .await;
    let clients = (0..64).map(|client| {
        let (store, id) = (store.clone(), ids[client % ids.len()]);
        tokio::spawn(async move {
            let mut seqs = Vec::new();
            for _ in 0..20 {
                step(&*store, id, IncidentInput::Alert(Arc::new(alert()))).await.expect("kept");
                let committed = step(&*store, id, says("cy", Answer::Roger)).await.expect("kept");
                seqs.push(committed.events[0].seq);
            }
            assert!(seqs.is_sorted(), "a client's own works are in its order: {seqs:?}");
            seqs
        })
    });
    let mut seqs: Vec<u64> = join_all(clients).await.into_iter().flat_map(|seqs| seqs.expect("a client")).collect();
    seqs.sort_unstable();
    for id in &ids {
        assert_eq!(view(&*store, *id).await.alerts, 1 + 64 * 20 / 8);
        assert_eq!(folded(&*store, *id).await, *view(&*store, *id).await);
    }
    let distinct = seqs.chunk_by(|a, b| a == b).all(|same| same.len() == ids.len());
    assert!(distinct, "each place of each chain was given once");
    assert_sound(all_lines(&*store).await);
}

async fn everything_is_there_after_a_restart(mut world: World) {
    let store = world.node().await;
    let source = SourceName::from("risk-monitor");
    let (id, _) = open_incident(&*store, "XYZ").await;
    step(&*store, id, settled(1, accepted())).await.expect("settled");
    step(&*store, id, says("cy", Answer::Roger)).await.expect("answered");
    record(&*store, &source).await;
    let (before, lines, key) = (view(&*store, id).await, all_lines(&*store).await, store.server_key());
    let (next, now) = (store.next_deadline().await.expect("readable"), store.now());
    drop(store);

    world.hands.step_wall(-3_600_000_000);
    let store = world.node().await;
    assert_eq!(view(&*store, id).await, before);
    assert_eq!(all_lines(&*store).await, lines);
    assert_eq!(store.server_key(), key);
    assert_eq!(store.next_deadline().await.expect("readable"), next);
    assert!(now <= store.now(), "time went back from {now} to {}", store.now());
    record(&*store, &source).await;
    let (again, committed) = open_incident(&*store, "XYZ").await;
    assert_eq!((again, committed.events.len()), (id, 1), "the key is still open");
    assert_ne!(open_incident(&*store, "ABC").await.0, id, "numbers are not given twice");
    assert_sound(all_lines(&*store).await);
}

async fn record(store: &dyn Store, source: &SourceName) {
    let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
    let source = source.clone();
    let work = move |unit: &mut Transaction<'_>| {
        unit.record_source(&source, SourceEvent::Unmatched { alert: Arc::new(alert()) });
    };
    transact(store, RequestClass::Admission, needs, work).await.expect("recorded");
}

async fn the_pages_of_a_dead_node_are_taken_over_exactly_once(mut world: World) {
    let first = world.node().await;
    let (id, _) = open_incident(&*first, "XYZ").await;
    assert_eq!(first.orphans(100).await.expect("readable"), [], "its own node lives");
    step(&*first, id, settled(1, accepted())).await.expect("settled");
    let owed: Vec<u32> =
        view(&*first, id).await.pages.values().filter(|page| page.is_owed()).map(|page| page.n).collect();
    assert!(1 < owed.len(), "{owed:?}");
    let live = |n: u32| PageId { incident: id, n };
    assert!(first.is_wanted(live(owed[0])).await.expect("readable"));

    let second = world.node().await;
    assert!(!second.is_wanted(live(owed[0])).await.expect("readable"), "not its own yet");
    assert_eq!(second.orphans(1).await.expect("readable"), [(id, vec![owed[0]])]);
    assert_eq!(second.orphans(100).await.expect("readable"), [(id, owed.clone())]);
    let takers = (0..4).map(|_| take_over(&*second, id, &owed));
    let taken: Vec<Vec<u32>> = join_all(takers).await;
    assert_eq!(taken.concat(), owed, "one took all, the others nothing: {taken:?}");
    assert_eq!(second.orphans(100).await.expect("readable"), []);
    let incident = view(&*second, id).await;
    assert!(owed.iter().all(|n| incident.pages[n].maybe_repeated));
    assert!(second.is_wanted(live(owed[0])).await.expect("readable"));
    assert_eq!(folded(&*second, id).await, *incident);
}

async fn the_pages_of_a_node_that_left_in_order_change_hands_and_are_no_repeats(mut world: World) {
    let died = world.node().await;
    let (of_the_dead, _) = open_incident(&*died, "DEAD").await;
    let left = world.node().await;
    let (id, _) = open_incident(&*left, "XYZ").await;
    let owed = |incident: &Incident| -> Vec<u32> {
        incident.pages.values().filter(|page| page.is_owed()).map(|page| page.n).collect()
    };
    let (mine, theirs) = (owed(&*view(&*left, id).await), owed(&*view(&*left, of_the_dead).await));
    left.leave().await.expect("kept");

    let next = world.node().await;
    let before = all_lines(&*next).await.len();
    assert_eq!(take_over(&*next, id, &mine).await, mine);
    assert_eq!(all_lines(&*next).await.len(), before, "nothing happened to the incident");
    let incident = view(&*next, id).await;
    assert!(mine.iter().all(|n| !incident.pages[n].maybe_repeated));
    assert!(next.is_wanted(PageId { incident: id, n: mine[0] }).await.expect("readable"));
    assert_eq!(folded(&*next, id).await, *incident);
    // That one left in order says nothing of one before it which did not.
    assert_eq!(take_over(&*next, of_the_dead, &theirs).await, theirs);
    let incident = view(&*next, of_the_dead).await;
    assert!(theirs.iter().all(|n| incident.pages[n].maybe_repeated));

    // The new owner has them like its own pages: it dies with them, and they may be repeats.
    let last = world.node().await;
    assert_eq!(last.orphans(100).await.expect("readable").len(), 2);
    assert_eq!(take_over(&*last, id, &mine).await, mine);
    let incident = view(&*last, id).await;
    assert!(mine.iter().all(|n| incident.pages[n].maybe_repeated));
}

async fn take_over(store: &dyn Store, id: IncidentId, pages: &[u32]) -> Vec<u32> {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let pages = pages.to_vec();
    // A node may believe that all others are dead: the store knows which are not.
    let work = move |unit: &mut Transaction<'_>| unit.take_over(id, &pages, &roster());
    transact(store, RequestClass::Ladder, needs, work).await.expect("run").0
}

async fn deadlines_follow_the_incidents(mut world: World) {
    let store = world.node().await;
    assert_eq!(store.next_deadline().await.expect("readable"), None);
    let (a, _) = open_incident(&*store, "A").await;
    world.hands.pass(Duration::from_secs(5));
    let (b, _) = open_incident(&*store, "B").await;
    let deadline = |incident: &Incident| incident.deadline().expect("open");
    let (first, second) = (deadline(&*view(&*store, a).await), deadline(&*view(&*store, b).await));
    assert_eq!(store.next_deadline().await.expect("readable"), Some(first));
    assert_eq!(store.due(first, 10).await.expect("readable"), [a]);
    assert_eq!(store.due(second, 10).await.expect("readable"), [a, b]);
    assert_eq!(store.due(second, 1).await.expect("readable"), [a]);
    assert!(store.due(Timestamp::from_micros(first.as_micros() - 1), 10).await.expect("readable").is_empty());

    world.hands.pass(Duration::from_secs(600));
    step(&*store, a, IncidentInput::Tick).await.expect("ticked");
    let moved = deadline(&*view(&*store, a).await);
    assert!(store.now() < moved);
    assert_eq!(store.due(store.now(), 10).await.expect("readable"), [b]);
    step(&*store, b, resolve()).await.expect("resolved");
    assert_eq!(store.next_deadline().await.expect("readable"), Some(moved));
    step(&*store, a, resolve()).await.expect("resolved");
    assert_eq!(store.next_deadline().await.expect("readable"), None);
}

async fn a_withdrawn_page_is_not_wanted_right_after_the_commit(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let of_cy = |page: &&Arc<Page>| page.person.as_ref().is_some_and(|person| person.as_str() == "cy");
    let page = PageId { incident: id, n: view(&*store, id).await.pages.values().find(of_cy).expect("a page").n };
    assert!(store.is_wanted(page).await.expect("readable"));
    step(&*store, id, says("cy", Answer::Roger)).await.expect("engaged");
    assert!(!store.is_wanted(page).await.expect("readable"));
    assert_eq!(view(&*store, id).await.pages[&page.n].state, PageState::Withdrawn);
    for nowhere in [PageId { incident: id, n: 999 }, PageId { incident: IncidentId(999), n: 1 }] {
        assert!(!store.is_wanted(nowhere).await.expect("readable"));
    }
}

async fn lists_are_newest_first(mut world: World) {
    let store = world.node().await;
    let mut ids = Vec::new();
    for key in ["A", "B", "C"] {
        ids.push(open_incident(&*store, key).await.0);
    }
    step(&*store, ids[1], resolve()).await.expect("resolved");
    let list = async |open_only, limit| -> Vec<IncidentId> {
        let list = store.list(IncidentFilter { open_only, limit }).await.expect("readable");
        assert!(list.iter().all(|incident| !incident.pages.is_empty()), "pages come along");
        list.iter().map(|incident| incident.id).collect()
    };
    assert_eq!(list(false, 10).await, [ids[2], ids[1], ids[0]]);
    assert_eq!(list(true, 10).await, [ids[2], ids[0]]);
    assert_eq!(list(false, 1).await, [ids[2]]);
    assert_eq!(store.view(IncidentId(999)).await.expect("readable"), None);
}

async fn windows_count_over_restarts(mut world: World) {
    let hold = TriggerThreshold { count: 3, within: Duration::from_secs(3600), consecutive: false };
    let window = "flash-crash\0XYZ \u{1f4c9} \"quoted\"\n";
    let mut seen = Vec::new();
    for _ in 0..4 {
        let store = world.node().await;
        let needs = LockSet { observed: vec![window.into()], ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| unit.observe(window, hold);
        seen.push(transact(&*store, RequestClass::Admission, needs, work).await.expect("counted").0);
    }
    assert_eq!(seen, [(false, 1), (false, 2), (true, 0), (false, 1)]);
}

async fn texts_are_kept_to_the_letter(mut world: World) {
    let store = world.node().await;
    let text = "LIVE \0 \u{1} \u{7f} \u{2028} \u{1f4e3} \\u0000 \"x\" 'y' \r\n\t end";
    let key = format!("a key: {text}");
    let (id, _) = open_incident(&*store, &key).await;
    let work = move |unit: &mut Transaction<'_>| unit.keep_text("h1", text);
    transact(&*store, RequestClass::Ladder, LockSet::default(), work).await.expect("kept");
    let work =
        move |unit: &mut Transaction<'_>| unit.keep_text("h1", "another text, which has no business under this hash");
    transact(&*store, RequestClass::Ladder, LockSet::default(), work).await.expect("kept");
    drop(store);
    let store = world.node().await;
    assert_eq!(store.text("h1".into()).await.expect("readable").as_deref(), Some(text));
    assert_eq!(store.text("h2".into()).await.expect("readable"), None);
    assert_eq!(open_incident(&*store, &key).await.0, id);
    assert_eq!(view(&*store, id).await.key.as_str(), key);
}

/// Person, channel and what shows it, of every contact that was proven.
async fn proven(store: &dyn Store) -> Vec<(String, String, &'static str, bool)> {
    let proofs = store.proofs().await.expect("readable");
    let shown =
        |proof: ContactProof| (proof.person.to_string(), proof.channel.to_string(), proof.how.as_str(), proof.drill);
    proofs.into_iter().map(shown).collect()
}

fn page_of(incident: &Incident, person: &str, channel: &str) -> u32 {
    let mut pages = incident.pages.values();
    let of = |page: &&Arc<Page>| page.person.as_ref() == Some(&person.into()) && page.channel.as_str() == channel;
    pages.find(of).expect("a page").n
}

async fn a_contact_is_proven_by_its_reader_and_the_proof_outlives_the_node(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let incident = view(&*store, id).await;
    let (desk, sms) = (page_of(&incident, "ana", "desk"), page_of(&incident, "ana", "sms"));
    let mail = page_of(&incident, "cy", "mail");
    for page in [desk, sms, mail] {
        step(&*store, id, settled(page, accepted())).await.expect("settled");
    }
    assert_eq!(proven(&*store).await, [], "that a provider took a page proves nothing about its reader");
    let seen = |page, stage| IncidentInput::Reported { page, stage };
    // A desk shows what was sent by mail, too: that is no word from the mailbox.
    step(&*store, id, seen(mail, PageStage::Seen)).await.expect("kept");
    assert_eq!(proven(&*store).await, []);
    step(&*store, id, seen(desk, PageStage::Seen)).await.expect("kept");
    step(&*store, id, seen(sms, PageStage::Delivered)).await.expect("kept");
    let said = |person: &str, via, page| GivenAnswer {
        person: person.into(),
        answer: Answer::Roger,
        via,
        page,
        role: None,
        origin: None,
    };
    // An absence note is taken in as a word of its reader: it proves that nobody reads there.
    let away = GivenAnswer { answer: Answer::Unable, ..said("cy", AnswerVia::AutoReply, Some(mail)) };
    step(&*store, id, IncidentInput::Answer(away)).await.expect("kept");
    assert_eq!(proven(&*store).await.len(), 2);
    step(&*store, id, IncidentInput::Answer(said("cy", AnswerVia::MailLink, Some(mail)))).await.expect("kept");
    // Not Ana's page, and not Ana's phone.
    step(&*store, id, IncidentInput::Answer(said("di", AnswerVia::Sms, Some(sms)))).await.expect("kept");
    // A keyboard is no channel.
    step(&*store, id, IncidentInput::Answer(said("ed", AnswerVia::Cli, None))).await.expect("kept");
    let known = |person: &str, channel: &str, how| (person.to_owned(), channel.to_owned(), how, false);
    let expected = [known("ana", "desk", "shown"), known("ana", "sms", "delivered"), known("cy", "mail", "answered")];
    assert_eq!(proven(&*store).await, expected);
    let store = world.node().await;
    assert_eq!(proven(&*store).await, expected);
    // An answer at the desk proves the desk, whatever the page went by; a drill counts, and says so.
    world.hands.pass(Duration::from_secs(60));
    let (mut practice, needs) =
        (opening("ABC"), LockSet { keys: vec![IncidentKey::stored("ABC")], ..LockSet::default() });
    practice.alert = Arc::new(stentor::core::Alert { drill: true, ..(*practice.alert).clone() });
    let work = move |unit: &mut Transaction<'_>| unit.open(practice.clone(), &roster());
    let (drill, _) = transact(&*store, RequestClass::Admission, needs, work).await.expect("opened");
    let sms = page_of(&*view(&*store, drill).await, "ana", "sms");
    step(&*store, drill, IncidentInput::Answer(said("ana", AnswerVia::Desk, Some(sms)))).await.expect("kept");
    let newest = store.proofs().await.expect("readable").into_iter().next().expect("Ana's desk");
    assert_eq!((newest.how.as_str(), newest.drill, newest.incident), ("answered", true, drill));
    assert_eq!(newest.at, view(&*store, drill).await.last_at);
    assert_eq!(proven(&*store).await.len(), 3);
}

async fn a_proof_is_kept_with_the_event_that_proves_it_or_not_at_all(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let desk = page_of(&*view(&*store, id).await, "ana", "desk");
    match &world.memory {
        Some(memory) => memory.fail_next_commits(1),
        None => sql(world.dir.path(), "ALTER TABLE contact_proof RENAME TO elsewhere").await,
    }
    let seen = || IncidentInput::Reported { page: desk, stage: PageStage::Seen };
    step(&*store, id, seen()).await.expect_err("nothing can be kept");
    assert_eq!(view(&*store, id).await.pages[&desk].stages.seen, None);
    if world.memory.is_none() {
        sql(world.dir.path(), "ALTER TABLE elsewhere RENAME TO contact_proof").await;
    }
    assert_eq!(proven(&*store).await, []);
    step(&*store, id, seen()).await.expect("kept");
    assert_eq!(proven(&*store).await.len(), 1);
}

async fn whoever_waits_hears_of_a_commit(mut world: World) {
    let store = world.node().await;
    let mut changed = store.changed();
    changed.mark_unchanged();
    open_incident(&*store, "XYZ").await;
    assert!(changed.has_changed().expect("the store lives"));
    changed.mark_unchanged();
    assert!(store.anchor().await.expect("anchored").is_some());
    assert!(changed.has_changed().expect("the store lives"));
    assert!(store.now() < store.renew_lease().await.expect("a lease"));
}

#[test]
fn the_wall_clock_of_the_fixture_stands_at_its_start() {
    assert_eq!(Hands::new().wall().to_string(), "2026-11-23T09:00:00.000000Z");
    assert!(RoleName::catch_all().is_catch_all());
}
