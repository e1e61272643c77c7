//! What every store promises, run on each of them; and what the SQLite one promises besides.
#![allow(clippy::disallowed_methods)]

use crate::fixture;
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
        ChangeSet, CommittedEvents, IncidentFilter, LockSet, Lookup, MemoryStore, NodeIdentity, RequestClass,
        SqliteStore, Store, StoreError, Transaction, WorkingSet, clock::ClockSources, sqlite::disk::SpaceLimits,
        transact,
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
        Self { hands: Hands::new(), memory: None, sqlite: None, dir: tempfile::tempdir().expect("a directory") }
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

mod lookup;

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
    the_stored_state_is_the_fold_of_the_journal,
    anchors_find_what_was_done_to_the_journal,
    what_could_not_be_read_back_is_not_kept_and_costs_its_own_work_alone,
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
    IncidentInput::Answer(GivenAnswer { person: person.into(), answer, via: AnswerVia::Desk, page: None, role: None })
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
    journal::fold_check(id, &lines).expect("it folds")
}

fn assert_sound(lines: Vec<StoredLine>) {
    let report = journal::verify(lines, KeptAnchors::default());
    assert!(report.is_sound(), "{report:?}");
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
                let committed = step(&*store, id, IncidentInput::Alert(Arc::new(alert()))).await.expect("kept");
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

    // Whoever took them over has them as any others: it dies with them, and they may be repeats.
    let last = world.node().await;
    assert_eq!(last.orphans(100).await.expect("readable").len(), 2);
    assert_eq!(take_over(&*last, id, &mine).await, mine);
    let incident = view(&*last, id).await;
    assert!(mine.iter().all(|n| incident.pages[n].maybe_repeated));
}

async fn take_over(store: &dyn Store, id: IncidentId, pages: &[u32]) -> Vec<u32> {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let pages = pages.to_vec();
    // Whoever asks may believe that everybody else is dead: the store knows who is not.
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
    let hold = TriggerThreshold { count: 3, within: Duration::from_secs(3600) };
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
    let said =
        |person: &str, via, page| GivenAnswer { person: person.into(), answer: Answer::Roger, via, page, role: None };
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

/// A generator of choices that repeats: a failing seed is in the assertion's words.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn the_stored_state_is_the_fold_of_the_journal(mut world: World) {
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let mut store = world.node().await;
        let mut ids = vec![open_incident(&*store, &format!("first of {seed}")).await.0];
        for n in 0..120 {
            let id = ids[usize::try_from(dice.roll(ids.len() as u64)).expect("few")];
            match dice.roll(12) {
                0 => ids.push(open_incident(&*store, &format!("{seed} {}", n / 20)).await.0),
                1 => world.hands.pass(Duration::from_millis(dice.roll(90_000))),
                2 if n % 3 == 0 => {
                    store = world.node().await;
                    for (id, pages) in store.orphans(1000).await.expect("readable") {
                        take_over(&*store, id, &pages).await;
                    }
                }
                _ => {
                    let input = any_input(&mut dice, &*view(&*store, id).await, store.now());
                    step(&*store, id, input).await.expect("kept");
                }
            }
        }
        for round in ["before", "after"] {
            for id in &ids {
                assert_eq!(folded(&*store, *id).await, *view(&*store, *id).await, "seed {seed}, {round} a restart");
            }
            store = world.node().await;
        }
        store.anchor().await.expect("anchored");
        assert_sound(all_lines(&*store).await);
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

async fn anchors_find_what_was_done_to_the_journal(mut world: World) {
    let store = world.node().await;
    let (a, _) = open_incident(&*store, "A").await;
    record(&*store, &"risk-monitor".into()).await;
    let first = store.anchor().await.expect("anchored").expect("there was something");
    assert_eq!(store.anchor().await.expect("anchored"), None, "nothing changed since");
    let (b, _) = open_incident(&*store, "B").await;
    step(&*store, a, says("cy", Answer::Roger)).await.expect("answered");
    drop(store);
    let store = world.node().await;
    let second = store.anchor().await.expect("anchored").expect("there was something");
    assert_eq!((&*first.chain, first.seq, second.seq), ("anchors", 1, 2));
    let lines = all_lines(&*store).await;
    assert_eq!(lines.last(), Some(&second));
    let kept = [KeptAnchor { seq: 2, hash: second.hash }];

    let report = journal::verify(lines.clone(), kept.into_iter().collect());
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.lines, report.chains, report.anchors, report.proven_to), (lines.len() as u64, 4, 2, Some(2)));

    let find = |what: &str, lines: Vec<StoredLine>, kept: &[KeptAnchor]| -> Vec<(String, u64, JournalFaultKind)> {
        let report = journal::verify(lines, kept.iter().copied().collect());
        assert!(!report.is_sound(), "{what} was not found");
        report.faults.into_iter().map(|fault| (fault.chain, fault.seq, fault.what)).collect()
    };
    let at = |chain: &str, seq: u64| lines.iter().position(|l| l.chain == chain && l.seq == seq).expect("a line");
    let (a, b) = (a.to_string(), b.to_string());

    let mut changed = lines.clone();
    changed[at(&a, 2)].body = changed[at(&a, 2)].body.replacen("trader", "tradef", 1);
    assert_ne!(changed, lines);
    let faults = find("a changed byte", changed, &[]);
    assert!(faults.iter().all(|(chain, _, what)| *chain == a && *what == JournalFaultKind::Altered), "{faults:?}");
    assert!(!faults.is_empty());

    let mut removed = lines.clone();
    removed.remove(at(&a, 4));
    assert_eq!(find("a removed line", removed, &[]), [(a.clone(), 5, JournalFaultKind::Gap { expected: 4 })]);

    let mut swapped = lines.clone();
    for line in &mut swapped {
        line.chain = if line.chain == a {
            b.clone()
        } else if line.chain == b {
            a.clone()
        } else {
            line.chain.clone()
        };
    }
    let faults = find("a swap of chains", swapped, &[]);
    assert!(
        faults.contains(&(a.clone(), 1, JournalFaultKind::Altered))
            && faults.contains(&(b.clone(), 1, JournalFaultKind::Misplaced))
    );

    let mut inserted = lines.clone();
    let (mut before, mut forged) = (stentor::core::event::genesis("INC-99"), lines[at(&b, 1)].clone());
    forged.body = forged.body.replace(&b, "INC-99");
    before = stentor::core::event::link(&before, forged.body.as_bytes());
    (forged.chain, forged.hash) = ("INC-99".into(), before);
    inserted.insert(at(&b, 1), forged);
    assert_eq!(
        find("an inserted chain", inserted, &[]),
        [("INC-99".into(), 1, JournalFaultKind::Unanchored { anchor: 2 })]
    );

    let tail_of_a: Vec<_> = lines.iter().filter(|l| l.chain != a || l.seq < 5).cloned().collect();
    let faults = find("a chain cut short", tail_of_a, &[]);
    assert!(
        faults.iter().any(|(chain, _, what)| *chain == a && *what == JournalFaultKind::Missing { anchor: 1 }),
        "{faults:?}"
    );

    let truncated: Vec<_> = lines[..at("anchors", 2)].to_vec();
    assert_sound(truncated.clone());
    assert_eq!(
        find("a truncated tail", truncated, &kept),
        [("anchors".into(), 2, JournalFaultKind::KeptCutOff { last: 1 })]
    );

    let rewritten = rewrite(&lines, &a);
    assert_sound(rewritten.clone());
    assert_eq!(find("a rewritten journal", rewritten, &kept), [("anchors".into(), 2, JournalFaultKind::NotAsKept)]);
}

/// What somebody who can rewrite the whole journal would do: change one line, then compute every hash anew.
fn rewrite(lines: &[StoredLine], victim: &str) -> Vec<StoredLine> {
    let mut lines = lines.to_vec();
    let mut hashes = std::collections::BTreeMap::new();
    let mut replaced: Vec<(String, String)> = Vec::new();
    for line in &mut lines {
        if line.chain == victim && line.seq == 1 {
            line.body = line.body.replace("7.3%", "0.1%");
        }
        for (from, to) in &replaced {
            line.body = line.body.replace(from, to);
        }
        let before = *hashes.entry(line.chain.clone()).or_insert_with(|| stentor::core::event::genesis(&line.chain));
        let hash = stentor::core::event::link(&before, line.body.as_bytes());
        replaced.push((stentor::core::event::hex(&line.hash), stentor::core::event::hex(&hash)));
        (line.hash, *hashes.get_mut(&line.chain).expect("just put")) = (hash, hash);
    }
    lines
}

async fn what_could_not_be_read_back_is_not_kept_and_costs_its_own_work_alone(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let lines = all_lines(&*store).await;
    let nested = (0..140).fold(serde_json::Value::from(1), |inner, _| serde_json::Value::Array(vec![inner]));
    let bad = [
        Alert { confidence: f64::NAN, ..alert() },
        Alert { values: [("x".into(), f64::INFINITY)].into(), ..alert() },
        Alert { evidence: nested, ..alert() },
        Alert { unknown: [("labels".into(), "none".into())].into(), ..alert() },
    ];
    for bad in bad.map(Arc::new) {
        let opens = IncidentOpening { alert: bad.clone(), ..opening("BAD") };
        let works = (0..3).map(|how| {
            let (store, bad, opens) = (store.clone(), bad.clone(), opens.clone());
            async move {
                let source = SourceName::from("risk-monitor");
                let keys = vec![IncidentKey::stored("BAD")];
                let needs = LockSet { incidents: vec![id], keys, sources: vec![source.clone()], ..LockSet::default() };
                let work = move |unit: &mut Transaction<'_>| match how {
                    0 => drop(unit.step(id, IncidentInput::Alert(bad.clone()), &roster())),
                    1 => drop(unit.open(opens.clone(), &roster())),
                    _ => unit.record_source(&source, SourceEvent::Unmatched { alert: bad.clone() }),
                };
                transact(&*store, RequestClass::Admission, needs, work).await
            }
        });
        let (refused, kept) = tokio::join!(join_all(works), step(&*store, id, IncidentInput::Alert(Arc::new(alert()))));
        assert!(refused.iter().all(|result| matches!(result, Err(StoreError::Unwritable(_)))), "{refused:?}");
        kept.expect("the others are kept");
    }
    let nameless = SourceName::from("a\0b");
    let needs = LockSet { sources: vec![nameless.clone()], ..LockSet::default() };
    let event = SourceEvent::Unmatched { alert: Arc::new(alert()) };
    let work = move |unit: &mut Transaction<'_>| unit.record_source(&nameless, event.clone());
    let refused = transact(&*store, RequestClass::Admission, needs, work).await;
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
    assert_eq!(view(&*store, id).await.alerts, 5);
    assert_eq!(all_lines(&*store).await.len(), lines.len() + 4);
    assert_eq!(open_incident(&*store, "BAD").await.0, IncidentId(2), "a number that was not kept is given now");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert!(store.health().is_ok() && store.quarantined().is_empty());
    assert_sound(all_lines(&*store).await);
}

// ---- what goes wrong, in each store's own way -------------------------------------------------------------------

#[tokio::test]
async fn a_failed_commit_in_memory_keeps_nothing() {
    let mut world = World::memory();
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let (before, lines) = (view(&*store, id).await, all_lines(&*store).await);
    let memory = world.memory.as_ref().expect("a memory store");
    memory.fail_next_commits(1);
    assert!(matches!(step(&*store, id, resolve()).await, Err(StoreError::Failed(_))));
    assert_eq!((view(&*store, id).await, all_lines(&*store).await), (before, lines));
    memory.set_full(true);
    let needs = LockSet { keys: vec![IncidentKey::stored("ABC")], ..LockSet::default() };
    let work = |unit: &mut Transaction<'_>| unit.open(opening("ABC"), &roster());
    assert!(matches!(transact(&*store, RequestClass::Admission, needs, work).await, Err(StoreError::Full)));
    step(&*store, id, resolve()).await.expect("ladders go on");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
}

#[test]
fn the_lines_of_an_incident_never_go_back_in_time() {
    let (mut loaded, mut changes) = (WorkingSet::default(), ChangeSet::default());
    let node =
        NodeIdentity { epoch: 1, is_live: &|_| true, has_left: &|_| false, draw: &|| IncidentNonce::new([7; 16]) };
    let needs = LockSet { keys: vec![IncidentKey::stored("XYZ")], ..LockSet::default() };
    let late = fixture::START + Duration::from_secs(60);
    let id = Transaction::new(late, node, &needs, &mut loaded, &mut changes).open(opening("XYZ"), &roster());
    let mut unit = Transaction::new(fixture::START, node, &needs, &mut loaded, &mut changes);
    assert_eq!(unit.step(id, settled(1, accepted()), &roster())[0].at, late);
    assert!(changes.lines.iter().all(|line| line.at == late));
}

#[tokio::test]
async fn futures_of_the_memory_store_are_ready_at_once() {
    use futures_util::FutureExt;
    let mut world = World::memory();
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").now_or_never().expect("ready");
    view(&*store, id).now_or_never().expect("ready");
    store.orphans(1).now_or_never().expect("ready").expect("readable");
}

/// Breaks the journal's table for a while, so that a commit fails although the disk is well.
async fn sql(dir: &Path, sql: &'static str) {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("stentor.db"));
    let mut conn = options.connect().await.expect("a connection");
    sqlx::raw_sql(sql).execute(&mut conn).await.expect(sql);
    sqlx::Connection::close(conn).await.expect("closed");
}

#[tokio::test]
async fn a_failed_commit_on_disk_keeps_nothing_and_the_next_one_is_kept() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let (before, lines) = (view(&*store, id).await, all_lines(&*store).await);
    sql(world.dir.path(), "CREATE TRIGGER no BEFORE INSERT ON page BEGIN SELECT RAISE(ABORT, 'not now'); END").await;
    let tried = step(&*store, id, says("cy", Answer::Wilco)).await;
    assert!(matches!(&tried, Err(StoreError::Failed(why)) if why.contains("not now")), "{tried:?}");
    let needs = LockSet { keys: vec![IncidentKey::stored("ABC")], ..LockSet::default() };
    let work = |unit: &mut Transaction<'_>| unit.open(opening("ABC"), &roster());
    assert!(transact(&*store, RequestClass::Admission, needs, work).await.is_err());
    assert_eq!((view(&*store, id).await, all_lines(&*store).await), (before, lines));
    sql(world.dir.path(), "DROP TRIGGER no").await;
    step(&*store, id, says("cy", Answer::Wilco)).await.expect("kept");
    assert_eq!(open_incident(&*store, "ABC").await.0, IncidentId(2), "the number that was not kept is given now");
    for id in [id, IncidentId(2)] {
        assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    }
    assert_sound(all_lines(&*store).await);
}

#[tokio::test]
async fn a_work_that_panics_harms_nobody_else() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let before = view(&*store, id).await;
    let bad = async {
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| -> () {
            unit.step(id, resolve(), &roster());
            panic!("a bug in a closure");
        };
        transact(&*store, RequestClass::Ladder, needs, work).await
    };
    let good = (0..8).map(|_| step(&*store, id, IncidentInput::Alert(Arc::new(alert()))));
    let (bad, good) = tokio::join!(bad, join_all(good));
    assert!(matches!(bad, Err(StoreError::Failed(_))), "{bad:?}");
    assert!(good.iter().all(Result::is_ok));
    let after = view(&*store, id).await;
    assert_eq!((after.is_open(), after.alerts), (true, before.alerts + 8));
    assert_eq!(folded(&*store, id).await, *after);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    for n in 1..=3 {
        step(&*store, id, settled(n, accepted())).await.expect("settled");
    }
    // What a kill leaves behind: the files as they are, while the store is still open.
    let image = tempfile::tempdir().expect("a directory");
    for name in ["stentor.db", "stentor.db-wal"] {
        std::fs::copy(world.dir.path().join(name), image.path().join(name)).expect("a copy");
    }
    let revived = open(image.path(), &world.hands).await.expect("a store");
    assert_eq!(view(&*revived, id).await, view(&*store, id).await);
    assert_eq!(all_lines(&*revived).await, all_lines(&*store).await);
    revived.close().await;
}

#[tokio::test]
async fn time_goes_on_over_a_restart_whatever_the_wall_clock_does() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    store.renew_lease().await.expect("a lease");
    let before = store.now();
    world.hands.pass(Duration::from_secs(10));
    world.hands.step_wall(3_600_000_000);
    let store = world.reopen().await;
    assert_eq!(store.now(), before + Duration::from_secs(10));
    assert_eq!(store.drift_us(), 3_600_000_000);
}

#[tokio::test]
async fn a_settlement_writes_as_little_for_a_crowd_as_for_one() {
    let mut grown = Vec::new();
    for people in [1, 400] {
        let mut world = World::sqlite();
        let store = world.reopen().await;
        let (plan, roster) = crowd(people);
        let (opening, needs) =
            (opening_of("XYZ", plan), LockSet { keys: vec![IncidentKey::stored("XYZ")], ..LockSet::default() });
        let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster);
        let (id, _) = transact(&*store, RequestClass::Admission, needs, work).await.expect("opened");
        // The log begins afresh, so that its length is what was written since.
        let store = world.reopen().await;
        assert_eq!(view(&*store, id).await.pages.len(), 3 * people);
        let log = world.dir.path().join("stentor.db-wal");
        let length = || std::fs::metadata(&log).map_or(0, |meta| meta.len());
        let before = length();
        // Nothing but its own page's row, the incident's head and a line may be written.
        sql(
            world.dir.path(),
            "CREATE TRIGGER no_body BEFORE UPDATE ON body BEGIN SELECT RAISE(ABORT, 'the body'); END;
             CREATE TRIGGER no_page BEFORE UPDATE ON page WHEN new.n <> 2 BEGIN SELECT RAISE(ABORT, 'a page'); END;",
        )
        .await;
        for n in 1..=3 {
            world.hands.pass(Duration::from_secs(1));
            let why = format!("attempt {n}");
            let refused = SendOutcome::Retry { at: store.now() + Duration::from_secs(1), why, unknown: false };
            step(&*store, id, settled(2, refused)).await.expect("settled");
        }
        step(&*store, id, settled(2, accepted())).await.expect("settled");
        grown.push(length() - before);
        store.close().await;
    }
    // A taller tree may cost a page of 4 KiB more here and there.
    assert!(grown[1] <= grown[0] + 4 * 4120, "{grown:?}");
}

#[tokio::test]
async fn equal_plans_are_stored_once() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    for n in 0..20 {
        open_incident(&*store, &format!("key {n}")).await;
    }
    let store2 = world.reopen().await;
    drop(store);
    for n in 20..30 {
        open_incident(&*store2, &format!("key {n}")).await;
    }
    store2.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.expect("a connection");
    let plans: i64 = sqlx::query_scalar("SELECT count(*) FROM plan").fetch_one(&mut conn).await.expect("a count");
    assert_eq!(plans, 1);
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_a_closed_store_says_so() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let second = open(world.dir.path(), &world.hands).await.err();
    let pid = std::process::id().to_string();
    assert!(matches!(&second, Some(StoreError::Locked(what)) if what.contains(&pid)), "{second:?}");
    let (id, _) = open_incident(&*store, "XYZ").await;
    store.close().await;
    assert!(matches!(step(&*store, id, IncidentInput::Tick).await, Err(StoreError::Closed)));
    assert!(matches!(store.lines(None, 0, 1).await, Err(StoreError::Closed)));
    assert!(!world.dir.path().join("stentor.db-wal").exists(), "everything is in the one file");
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_alone() {
    let mut world = World::sqlite();
    world.reopen().await.close().await;
    sql(world.dir.path(), "PRAGMA user_version = 99").await;
    let newer = open(world.dir.path(), &world.hands).await.err();
    assert!(matches!(newer, Some(StoreError::Newer { found: 99, known: 6 })), "{newer:?}");
}

#[tokio::test]
async fn alerts_that_joined_and_all_clears_are_there_after_a_restart_in_any_order() {
    for damage in ["SELECT 1", "UPDATE page SET body = x'00ff' WHERE n = 2", "UPDATE body SET body = 'gone'"] {
        for order in ["j", "jj", "jc", "cj", "cjc", "jcj"] {
            let mut world = World::sqlite();
            let store = world.reopen().await;
            let (id, _) = open_incident(&*store, "XYZ").await;
            for (n, letter) in order.chars().enumerate() {
                let mut alert = alert();
                alert.summary = format!("alert {n}");
                alert.status = if letter == 'j' { AlertStatus::Firing } else { AlertStatus::Resolved };
                step(&*store, id, IncidentInput::Alert(Arc::new(alert))).await.expect("kept");
            }
            store.close().await;
            sql(world.dir.path(), damage).await;
            for round in ["once", "twice"] {
                let store = world.reopen().await;
                assert_eq!(folded(&*store, id).await, *view(&*store, id).await, "{order} {round} after {damage}");
                // Only the head and a page are written: what joined must not be forgotten over that.
                step(&*store, id, settled(if round == "once" { 1 } else { 3 }, accepted())).await.expect("kept");
                store.close().await;
            }
        }
    }
}

#[tokio::test]
async fn every_schema_of_before_can_still_be_opened_and_worked_with() {
    for version in [1, 2, 3, 4, 5] {
        of_before(version, "SELECT 1").await;
    }
    // A row that can not be read stops no upgrade.
    for version in [4, 5] {
        let damage = "UPDATE body SET body = 'gone' WHERE incident = 2; UPDATE page SET body = x'00ff' WHERE n = 2";
        of_before(version, damage).await;
    }
}

/// Opens a state of this schema, after this damage to it, and works with it.
async fn of_before(version: u32, damage: &'static str) {
    let mut world = World::sqlite();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options.create_if_missing(true)).await.expect("a connection");
    sqlx::raw_sql(include_str!("../../fixture/state-v1.sql")).execute(&mut conn).await.expect("the dump");
    let steps = [
        include_str!("../../../src/store/sqlite/schema_2.sql"),
        include_str!("../../../src/store/sqlite/schema_3.sql"),
        include_str!("../../../src/store/sqlite/schema_4.sql"),
        include_str!("../../../src/store/sqlite/schema_5.sql"),
    ];
    for (step, to) in steps.into_iter().zip(2..=version) {
        sqlx::raw_sql(step).execute(&mut conn).await.expect("the step");
        let stamp = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {to}"));
        sqlx::raw_sql(stamp).execute(&mut conn).await.expect("the version");
    }
    sqlx::raw_sql(damage).execute(&mut conn).await.expect("the damage");
    sqlx::Connection::close(conn).await.expect("closed");

    let store = world.reopen().await;
    let (over, open) = (IncidentId(1), IncidentId(2));
    assert!(!view(&*store, over).await.is_open());
    for id in [over, open] {
        assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
        // Codes and links that are out there stay as they were.
        assert_eq!(store.identity(id).await.expect("readable").map(|incident| incident.nonce), Some(None));
    }
    if damage == "SELECT 1" {
        lookup::agrees(&*store, &format!("upgraded from schema {version}")).await;
    }
    // Whoever was asked is found, whatever can not be read: nobody's code becomes a wrong one.
    for person in PEOPLE.map(PersonName::from) {
        let briefs = store.briefs_of(person.clone(), fixture::START).await.expect("readable");
        let mut found: Vec<PageId> = briefs.iter().map(|of| of.brief.page).collect();
        found.sort_unstable();
        let mut expected = Vec::new();
        for id in [over, open] {
            let incident = view(&*store, id).await;
            let theirs = incident.pages.values().filter(|page| page.asks() == Some(&person));
            expected.extend(theirs.map(|page| PageId { incident: id, n: page.n }));
            let waits = briefs.iter().any(|of| of.waits && of.brief.page.incident == id);
            assert!(waits || !incident.waits_for(&person), "{person} {id}");
        }
        assert_eq!(found, expected, "{person}, schema {version}, {damage}");
    }
    let orphans = store.orphans(1000).await.expect("readable");
    assert_eq!(orphans.iter().map(|(id, pages)| (id.0, pages.len())).collect::<Vec<_>>(), [(1, 8), (2, 26)]);
    for (id, pages) in orphans {
        assert_eq!(take_over(&*store, id, &pages).await, pages);
    }
    assert_eq!(store.next_deadline().await.expect("readable"), view(&*store, open).await.deadline());
    let text = store.text("5d41".into()).await.expect("readable");
    assert_eq!(text.as_deref(), Some("LIVE: XYZ fell 7.3% in 4 s. Answer WILCO {code}"));
    record(&*store, &"risk-monitor".into()).await;
    assert_eq!(proven(&*store).await, [], "nobody knows what an older program was told");
    let page = view(&*store, open).await.pages.values().find(|page| page.channel.as_str() == "desk").map(|page| page.n);
    step(&*store, open, IncidentInput::Reported { page: page.expect("a page"), stage: PageStage::Seen })
        .await
        .expect("kept");
    assert_eq!(proven(&*store).await.len(), 1);
    assert_eq!(open_incident(&*store, "flash-crash/ABC").await.0, open);
    assert_eq!(open_incident(&*store, "flash-crash/XYZ").await.0, IncidentId(3));
    assert_eq!(store.anchor().await.expect("anchored").map(|line| line.seq), Some(2));
    assert_sound(all_lines(&*store).await);
}

#[tokio::test]
async fn runs_of_drills_and_their_turns_survive() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let run = |n: i64, state| stentor::core::DrillRun {
        id: stentor::core::RunId(n),
        scenario: "crash".into(),
        revision: "r1".into(),
        text: "name = \"crash\"".into(),
        by: "operator root".into(),
        started_at: store.now(),
        ended_at: None,
        state,
        why: String::new(),
        compress: 1,
        matrix: "m1".into(),
        incidents: vec![IncidentId(n)],
        score: serde_json::Value::Null,
    };
    let turn = |next| stentor::core::ScheduledRun {
        scenario: "crash".into(),
        rule: "daily".into(),
        next,
        last: String::new(),
    };
    store.keep_run(run(1, stentor::core::RunState::Running)).await.expect("kept");
    store.keep_run(run(2, stentor::core::RunState::Running)).await.expect("kept");
    let over = run(1, stentor::core::RunState::Held);
    store.keep_run(over.clone()).await.expect("kept");
    store.keep_turn(turn(store.now())).await.expect("kept");
    let later = turn(store.now() + Duration::from_secs(60));
    store.keep_turn(later.clone()).await.expect("kept");
    store.close().await;
    let store = world.reopen().await;
    let runs = store.runs(10).await.expect("readable");
    assert_eq!((runs.len(), runs[0].id.0, &runs[1]), (2, 2, &over), "newest first, each as it stands now");
    assert_eq!(store.runs(1).await.expect("readable").len(), 1);
    // One that a later version wrote, say, must hide no other, and its number is not given again.
    store.close().await;
    sql(world.dir.path(), "UPDATE drill_run SET body = 'gone' WHERE id = 2").await;
    let store = world.reopen().await;
    assert_eq!(store.runs(10).await.expect("readable"), [over]);
    assert_eq!(store.newest_run().await.expect("readable"), Some(stentor::core::RunId(2)));
    assert_eq!(store.turns().await.expect("readable"), [later]);
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_folded_from_the_journal() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    step(&*store, id, settled(1, accepted())).await.expect("settled");
    let before = view(&*store, id).await;
    store.close().await;
    sql(world.dir.path(), "UPDATE body SET body = 'gone'; UPDATE page SET body = x'00ff' WHERE n = 2").await;
    let store = world.reopen().await;
    assert_eq!(view(&*store, id).await, before);
    assert_eq!(store.orphans(100).await.expect("readable").len(), 1, "claims are columns of their own");
    step(&*store, id, says("cy", Answer::Roger)).await.expect("the ladder goes on");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
}

#[tokio::test]
async fn an_incident_that_is_lost_altogether_is_reported_and_the_others_live() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (lost, _) = open_incident(&*store, "LOST").await;
    let (kept, _) = open_incident(&*store, "KEPT").await;
    store.close().await;
    sql(
        world.dir.path(),
        "UPDATE body SET body = 'gone' WHERE incident = 1; UPDATE journal SET body = 'gone' WHERE chain = 'INC-1' AND seq = 2;
         UPDATE journal SET hash = x'00' WHERE chain = 'INC-1' AND seq = 3",
    )
    .await;
    let store = world.reopen().await;
    world.hands.pass(Duration::from_secs(600));
    assert!(matches!(store.view(lost).await, Err(StoreError::Corrupt { .. })));
    assert!(matches!(step(&*store, lost, IncidentInput::Tick).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.due(store.now(), 10).await.expect("readable"), [kept], "no timer spins on it");
    step(&*store, kept, IncidentInput::Tick).await.expect("kept");
    assert_eq!(store.list(IncidentFilter { open_only: true, limit: 10 }).await.expect("readable").len(), 1);
    let report = journal::verify(all_lines(&*store).await, KeptAnchors::default());
    let seqs: Vec<u64> = report.faults.iter().map(|fault| fault.seq).collect();
    assert!(report.faults.iter().all(|fault| fault.chain == "INC-1") && seqs.contains(&2) && seqs.contains(&3));
}

// ---- disks ----------------------------------------------------------------------------------------------------------

/// A small file system in memory; none where this user may not mount one.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path()).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("SKIPPED: mounting a small tmpfs needs root");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// Writes until nothing is left.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [64 << 10, 4 << 10, 1 << 10] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

async fn try_open(store: &dyn Store, key: &str) -> Result<IncidentId, StoreError> {
    let (opening, needs) = (opening(key), LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() });
    let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
    transact(store, RequestClass::Admission, needs, work).await.map(|(id, _)| id)
}

#[tokio::test]
async fn on_a_full_disk_open_ladders_go_on_and_new_alerts_are_refused() {
    let Some(disk) = Mount::new("size=12m") else { return };
    let (dir, hands) = (disk.0.path().join("state"), Hands::new());
    let limits = SpaceLimits { reserve: 2 << 20, floor: 1 << 20, look_every: Duration::ZERO };
    let open = || SqliteStore::open_with(&dir, Arc::new(hands.clone()), limits);
    let (reserve, filler) = (dir.join("reserve"), disk.0.path().join("filler"));

    let store = open().await.expect("a store");
    let id = try_open(&*store, "A").await.expect("there is room");
    assert_eq!(std::fs::metadata(&reserve).expect("a reserve").len(), limits.reserve);
    fill(&filler);
    assert!(matches!(try_open(&*store, "B").await, Err(StoreError::Full)));
    let mut kept = 0;
    for n in 0..400 {
        hands.pass(Duration::from_secs(1));
        let joined = step(&*store, id, IncidentInput::Alert(Arc::new(alert()))).await;
        kept += joined.map_err(|error| format!("{n}: {error}")).expect("the ladder goes on").events.len();
    }
    assert_eq!(kept, 400);
    step(&*store, id, says("ana", Answer::Wilco)).await.expect("an answer counts");
    assert!(!reserve.exists(), "it was given up");
    assert!(matches!(try_open(&*store, "C").await, Err(StoreError::Full)));
    store.renew_lease().await.expect("the lease needs no disk");
    let before = view(&*store, id).await;
    store.close().await;

    let store = open().await.expect("it opens on a full disk");
    assert_eq!(view(&*store, id).await, before);
    step(&*store, id, says("cy", Answer::Roger)).await.expect("the ladder goes on");
    assert!(matches!(try_open(&*store, "D").await, Err(StoreError::Full)));
    std::fs::remove_file(&filler).expect("removed");
    try_open(&*store, "E").await.expect("there is room again");
    assert_eq!(std::fs::metadata(&reserve).expect("a reserve").len(), limits.reserve);
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert_sound(all_lines(&*store).await);
    store.close().await;
}

#[tokio::test]
async fn on_a_full_disk_admissions_alone_do_not_use_up_the_reserve() {
    let Some(disk) = Mount::new("size=12m") else { return };
    let (dir, hands) = (disk.0.path().join("state"), Hands::new());
    // The floor is nothing: only the failed write can tell.
    let limits = SpaceLimits { reserve: 2 << 20, floor: 0, look_every: Duration::from_secs(3600) };
    let store = SqliteStore::open_with(&dir, Arc::new(hands), limits).await.expect("a store");
    fill(&disk.0.path().join("filler"));
    let mut refused = 0;
    for n in 0..50 {
        refused += usize::from(matches!(try_open(&*store, &format!("key {n}")).await, Err(StoreError::Full)));
    }
    assert!(0 < refused);
    assert!(dir.join("reserve").exists());
    store.close().await;
}

#[tokio::test]
async fn a_directory_that_can_not_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let mount = Mount::new("ro");
    let own = tempfile::tempdir().expect("a directory");
    let dir = mount.as_ref().map_or(own.path(), |mount| mount.0.path());
    if mount.is_none() {
        std::fs::set_permissions(dir, PermissionsExt::from_mode(0o500)).expect("set");
    }
    if mount.is_none() && std::fs::write(dir.join("x"), "").is_ok() {
        eprintln!("SKIPPED: this user may write anywhere and mount nothing");
        return;
    }
    let refused = open(dir, &Hands::new()).await.err();
    assert!(matches!(refused, Some(StoreError::ReadOnly(_))), "{refused:?}");
}

#[test]
fn the_wall_clock_of_the_fixture_stands_at_its_start() {
    assert_eq!(Hands::new().wall().to_string(), "2026-11-23T09:00:00.000000Z");
    assert!(RoleName::catch_all().is_catch_all());
}
