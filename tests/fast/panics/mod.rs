//! A panic of our own is a bug, and costs neither the page that met it nor those beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use crate::fixture;

use futures_util::future::BoxFuture;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use stentor::{
    channel::{Channel, Message, SendError, desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{
        Alert, ChannelName, ContactProof, DrillRun, Incident, IncidentId, IncidentIdentity, Page, PageId, PageIdentity,
        PageState, PersonName, RunId, ScheduledRun, SendReceipt, StoredLine, Timestamp, judgement::PendingAlert,
    },
    engine::{self, Engine, RuntimeConfig, SharedChannelParts},
    store::{
        AskedIncidents, AskedQuery, BriefOf, CommittedEvents, IncidentFilter, IncidentPortion, KeptResponse, Lookup,
        MemoryStore, OpenNow, OrphanPages, QuarantinedRow, RequestKey, RowName, RowRemains, RunPortion, SqliteStore,
        Store, StoreError, StoreRequest,
        clock::{ClockSources, SystemClock},
    },
    template::PageTemplates,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const MATRIX: &str = r#"
[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "NOT_SET" }
accept_timeout = "1m"

[channel.mail]
kind = "smtp"
url = "smtp://127.0.0.1:9"
from = "stentor@example.com"

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"
email = "ana@example.com"

[person.bo]
name = "Bo Lind"
phone = "+447700900002"

[role.trader]
step = [{ page = ["ana", "bo"], by = ["sms"], wait = "10m" }]

[trigger.crash]
on = ["crash"]
key = 'alert.labels.symbol'
roles = ["trader"]

[catch-all]
page = ["bo"]
by = ["sms"]
"#;

// ---- what goes wrong -----------------------------------------------------------------------------------------------

/// A channel that panics at whatever goes to Ana, and takes the rest.
#[derive(Default)]
struct Panics(AtomicUsize);

impl Channel for Panics {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        let is_anas = message.to.person().is_some_and(|person| person.as_str() == "ana");
        if is_anas && self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            panic!("before anything is awaited");
        }
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert!(!is_anas, "in the middle of it");
            Ok(SendReceipt::of("taken"))
        })
    }
}

/// What a store does wrong.
#[derive(Default)]
struct Faults {
    /// The follower is not told of commits.
    deaf: AtomicBool,
    /// The follower panics.
    follower_panics: AtomicBool,
    /// An incident can not be looked at without a panic.
    view_panics: AtomicBool,
    views: AtomicUsize,
}

/// A real store with faults.
struct Faulty {
    store: Arc<dyn Store>,
    faults: Arc<Faults>,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Store for Faulty {
    fn follow(&self, follower: stentor::store::CommitListener) {
        let faults = self.faults.clone();
        self.store.follow(Box::new(move |committed| {
            if faults.deaf.load(Ordering::SeqCst) {
                return;
            }
            assert!(!faults.follower_panics.load(Ordering::SeqCst), "the follower panics");
            follower(committed);
        }));
    }
    fn view(&self, id: IncidentId) -> Answer<'_, Option<Arc<Incident>>> {
        if self.faults.view_panics.load(Ordering::SeqCst) {
            self.faults.views.fetch_add(1, Ordering::SeqCst);
            panic!("it can not be looked at");
        }
        self.store.view(id)
    }
    fn leave(&self) -> Answer<'_, ()> {
        self.store.leave()
    }
    fn now(&self) -> Timestamp {
        self.store.now()
    }
    fn run(&self, work: StoreRequest) -> Answer<'_, CommittedEvents> {
        self.store.run(work)
    }
    fn due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<IncidentId>> {
        self.store.due(now, limit)
    }
    fn health(&self) -> Result<(), StoreError> {
        self.store.health()
    }
    fn is_quarantined(&self, id: IncidentId) -> bool {
        self.store.is_quarantined(id)
    }
    fn quarantined(&self) -> Vec<QuarantinedRow> {
        self.store.quarantined()
    }
    fn found_unreadable(&self, row: RowName, why: String) {
        self.store.found_unreadable(row, why);
    }
    fn remains(&self, row: RowName) -> Answer<'_, Vec<RowRemains>> {
        self.store.remains(row)
    }
    fn ended(&self) -> BoxFuture<'_, ()> {
        self.store.ended()
    }
    fn next_deadline(&self) -> Answer<'_, Option<Timestamp>> {
        self.store.next_deadline()
    }

    fn due_judgements(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<String>> {
        self.store.due_judgements(now, limit)
    }

    fn next_judgement(&self) -> Answer<'_, Option<Timestamp>> {
        self.store.next_judgement()
    }
    fn pending(&self, names: Vec<String>) -> Answer<'_, Vec<(String, PendingAlert)>> {
        self.store.pending(names)
    }
    fn changed(&self) -> watch::Receiver<u64> {
        self.store.changed()
    }
    fn renew_lease(&self) -> Answer<'_, Timestamp> {
        self.store.renew_lease()
    }
    fn orphans(&self, limit: usize) -> Answer<'_, OrphanPages> {
        self.store.orphans(limit)
    }
    fn owed(&self, after: Option<PageId>, limit: usize) -> Answer<'_, Vec<PageId>> {
        self.store.owed(after, limit)
    }
    fn is_wanted(&self, page: PageId) -> Answer<'_, bool> {
        self.store.is_wanted(page)
    }
    fn open_now(&self) -> Answer<'_, OpenNow> {
        self.store.open_now()
    }
    fn list(&self, filter: IncidentFilter) -> Answer<'_, Vec<Arc<Incident>>> {
        self.store.list(filter)
    }
    fn lines(&self, chain: Option<String>, after: i64, limit: usize) -> Answer<'_, Vec<StoredLine>> {
        self.store.lines(chain, after, limit)
    }
    fn proofs(&self) -> Answer<'_, Vec<ContactProof>> {
        self.store.proofs()
    }
    fn text(&self, hash: String) -> Answer<'_, Option<String>> {
        self.store.text(hash)
    }
    fn response(&self, key: RequestKey) -> Answer<'_, Option<Arc<KeptResponse>>> {
        self.store.response(key)
    }
    fn request_key(&self, id: IncidentId) -> Answer<'_, Option<[u8; 32]>> {
        self.store.request_key(id)
    }
    fn next_run(&self) -> Answer<'_, RunId> {
        self.store.next_run()
    }
    fn runs(&self, limit: usize) -> Answer<'_, Vec<DrillRun>> {
        self.store.runs(limit)
    }
    fn keep_turn(&self, turn: ScheduledRun) -> Answer<'_, ()> {
        self.store.keep_turn(turn)
    }
    fn turns(&self) -> Answer<'_, Vec<ScheduledRun>> {
        self.store.turns()
    }
    fn anchor(&self) -> Answer<'_, Option<StoredLine>> {
        self.store.anchor()
    }
    fn server_key(&self) -> [u8; 32] {
        self.store.server_key()
    }
}

impl Lookup for Faulty {
    fn identity(&self, id: IncidentId) -> Answer<'_, Option<IncidentIdentity>> {
        self.store.identity(id)
    }
    fn page_identity(&self, page: PageId) -> Answer<'_, Option<PageIdentity>> {
        self.store.page_identity(page)
    }
    fn newest(&self) -> Answer<'_, Option<IncidentId>> {
        self.store.newest()
    }
    fn open_count(&self) -> Answer<'_, usize> {
        self.store.open_count()
    }
    fn open_under(&self, prefix: String) -> Answer<'_, Vec<IncidentId>> {
        self.store.open_under(prefix)
    }
    fn portion(&self, filter: IncidentFilter, before: Option<IncidentId>) -> Answer<'_, IncidentPortion> {
        self.store.portion(filter, before)
    }
    fn asked(&self, person: PersonName, query: AskedQuery) -> Answer<'_, AskedIncidents> {
        self.store.asked(person, query)
    }
    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> Answer<'_, Vec<BriefOf>> {
        self.store.briefs_of(person, ended_since)
    }
    fn tail(&self, chain: String, count: usize) -> Answer<'_, i64> {
        self.store.tail(chain, count)
    }
    fn page_by_receipt(&self, channel: ChannelName, receipt: String) -> Answer<'_, Option<PageId>> {
        self.store.page_by_receipt(channel, receipt)
    }
    fn drill_run(&self, id: RunId) -> Answer<'_, Option<DrillRun>> {
        self.store.drill_run(id)
    }
    fn run_portion(&self, limit: usize, before: Option<RunId>) -> Answer<'_, RunPortion> {
        self.store.run_portion(limit, before)
    }
}

// ---- a node that runs ----------------------------------------------------------------------------------------------

struct World {
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    faults: Arc<Faults>,
    sms: Arc<Panics>,
    shutdown: CancellationToken,
    _dir: tempfile::TempDir,
}

/// A wall clock that goes as tokio's does: where that is paused, waits cost no time.
fn tokio_clock() -> impl Fn() -> Timestamp {
    let (start, begun) = (SystemClock.wall(), tokio::time::Instant::now());
    move || start + begun.elapsed()
}

impl World {
    /// A node on the memory store, in tokio's time, or on SQLite; where `panics`, its SMS channel does.
    async fn new(sqlite: bool, panics: bool) -> Self {
        let dir = fixture::state_folder();
        let store: Arc<dyn Store> = if sqlite {
            SqliteStore::open(&dir.path().join("state"), Arc::new(SystemClock)).await.unwrap()
        } else {
            Arc::new(MemoryStore::new(tokio_clock()).node())
        };
        let templates = PageTemplates::shipped();
        let matrix = fixture::parsed(MATRIX, SystemClock.wall());
        let outbox = SandboxOutbox::open(dir.path(), || SystemClock.wall()).unwrap();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
        let mut live = RuntimeConfig::wire(matrix, templates, &shared);
        let (sms, faults) = (Arc::<Panics>::default(), Arc::<Faults>::default());
        if panics {
            live.channels.get_mut("sms").unwrap().channel = sms.clone();
        }
        let store = Arc::new(Faulty { store, faults: faults.clone() });
        let engine = Engine::new(store.clone(), live, "http://127.0.0.1");
        let shutdown = CancellationToken::new();
        tokio::spawn(engine::run(engine.clone(), shutdown.clone()));
        Self { engine, store, faults, sms, shutdown, _dir: dir }
    }

    async fn crash(&self, symbol: &str) -> IncidentId {
        let mut alert = Alert::new("monitor", "crash");
        alert.labels.insert("symbol".into(), symbol.into());
        self.engine.admission().admit(vec![alert], SystemClock.wall()).await.unwrap();
        let open = self.engine.reads().list(IncidentFilter { open_only: true, limit: 1 }).await.unwrap();
        open[0].id
    }

    /// Waits for the pages of an incident to look so.
    async fn until(&self, what: &str, id: IncidentId, is: impl Fn(&[Arc<Page>]) -> bool) -> Vec<Arc<Page>> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let open = self.engine.reads().list(IncidentFilter { open_only: false, limit: 100 }).await.unwrap();
            let incident = open.iter().find(|incident| incident.id == id).unwrap();
            let pages: Vec<_> = incident.pages.values().filter(|page| page.purpose.is_brief()).cloned().collect();
            if is(&pages) {
                return pages;
            }
            assert!(Instant::now() < deadline, "this did not come: {what}: {pages:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn found_again(&self) -> bool {
        let text = self.engine.metrics().text(None, SystemClock.wall());
        text.contains("stentor_pages_found_again_total 2")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn accepted(page: &&Arc<Page>) -> bool {
    page.state == PageState::Accepted
}

fn of<'a>(pages: &'a [Arc<Page>], person: &str, channel: &str) -> Vec<&'a Arc<Page>> {
    let theirs = |page: &&Arc<Page>| page.person.as_ref().is_some_and(|own| own.as_str() == person);
    pages.iter().filter(theirs).filter(|page| page.channel.as_str() == channel).collect()
}

// ---- what holds ----------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_channel_that_panics_has_refused_and_its_page_goes_round_and_is_not_repeated_for_ever() {
    let world = World::new(false, true).await;
    let id = world.crash("ES").await;
    let pages = world.until("Ana's page by mail", id, |pages| of(pages, "ana", "mail").iter().any(accepted)).await;
    let refused = of(&pages, "ana", "sms")[0];
    assert!(refused.state == PageState::Unreachable, "{refused:#?}");
    assert_eq!(refused.refusals, 3, "it was tried again before, ever later");
    assert!(of(&pages, "bo", "sms").iter().all(accepted), "everybody else is reached");
    let calls = world.sms.0.load(Ordering::SeqCst);
    assert_eq!(calls, 3);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.sms.0.load(Ordering::SeqCst), calls, "it is over");
    assert!(!format!("{pages:?}").contains("in the middle of it"), "what a panic said is in the log alone");
}

#[tokio::test(start_paused = true)]
async fn a_panic_beside_the_channel_is_tried_again_ever_later_and_ends_with_its_cause() {
    let world = World::new(false, false).await;
    world.faults.view_panics.store(true, Ordering::SeqCst);
    let mut alert = Alert::new("monitor", "crash");
    alert.labels.insert("symbol".into(), "ES".into());
    world.engine.admission().admit(vec![alert], SystemClock.wall()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let views = world.faults.views.load(Ordering::SeqCst);
    // Two pages, each looked at twice an attempt, at 0, 0.5, 1.5 and 3.5 s.
    assert!((8..=16).contains(&views), "{views}");
    world.faults.view_panics.store(false, Ordering::SeqCst);
    world.until("both pages", IncidentId(1), |pages| pages.iter().filter(accepted).count() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_nobody_heard_of_are_found_and_sent() {
    for (sqlite, panics) in [(false, false), (true, false), (true, true)] {
        let world = World::new(sqlite, false).await;
        let fault = if panics { &world.faults.follower_panics } else { &world.faults.deaf };
        fault.store(true, Ordering::SeqCst);
        let id = world.crash("ES").await;
        fault.store(false, Ordering::SeqCst);
        let beside = world.crash("NQ").await;
        world.until("what was heard of", beside, |pages| pages.iter().filter(accepted).count() == 2).await;
        world.until("what was not", id, |pages| pages.iter().all(|page| page.state == PageState::Queued)).await;
        assert_eq!(world.engine.delivery().tick_owed().await.unwrap(), 0, "one look alone proves nothing");
        assert_eq!(world.engine.delivery().tick_owed().await.unwrap(), 2, "sqlite: {sqlite}, panics: {panics}");
        world.until("what was found", id, |pages| pages.iter().filter(accepted).count() == 2).await;
        assert!(world.found_again());
        for _ in 0..3 {
            assert_eq!(world.engine.delivery().tick_owed().await.unwrap(), 0, "nothing is missing");
        }
    }
}

/// What a lost word about a page's end leaves behind: a page that seems to be under way for ever.
#[tokio::test(start_paused = true)]
async fn a_page_whose_refusal_nobody_heard_of_is_tried_again() {
    let world = World::new(false, true).await;
    let id = world.crash("ES").await;
    world.until("a refusal", id, |pages| of(pages, "ana", "sms").iter().any(|page| page.refusals == 1)).await;
    world.faults.deaf.store(true, Ordering::SeqCst);
    world.until("a second one", id, |pages| of(pages, "ana", "sms").iter().any(|page| page.refusals == 2)).await;
    world.faults.deaf.store(false, Ordering::SeqCst);
    world.until("the way round", id, |pages| of(pages, "ana", "mail").iter().any(accepted)).await;
}

#[tokio::test]
async fn what_is_owed_is_told_in_parts() {
    for sqlite in [false, true] {
        let world = World::new(sqlite, false).await;
        world.shutdown.cancel();
        world.faults.deaf.store(true, Ordering::SeqCst);
        for symbol in ["ES", "NQ", "YM"] {
            world.crash(symbol).await;
        }
        let store = &world.store;
        let all = store.owed(None, 100).await.unwrap();
        assert!(all.len() == 6 && all.is_sorted(), "{all:?}");
        let (mut parts, mut after) = (Vec::new(), None);
        while let Some(last) = store.owed(after, 4).await.unwrap().last().copied() {
            parts.extend(store.owed(after, 4).await.unwrap());
            after = Some(last);
        }
        assert_eq!(parts, all);
        // What has ended is owed no more.
        let ended = stentor::core::IncidentInput::Settled {
            page: all[0].n,
            settlement: stentor::core::SendOutcome::Accepted { receipt: SendReceipt::of("x") },
            sent_at: None,
            text: None,
        };
        world.engine.step(all[0].incident, ended).await.unwrap();
        assert!(!store.owed(None, 100).await.unwrap().contains(&all[0]));
    }
}
