//! Thousands of open incidents, and what the reader of the oldest page can still do: everything, at the same cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::fixture;

use fixture::{Hands, START, crowd, opening_of};
use secrecy::ExposeSecret;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{
        self, Actor, Alert, Answer, AnswerVerdict, AnswerVia, EscalationPlan, IncidentId, IncidentInput, IncidentKey,
        IncidentOpening, PageId, PersonName, Roster, SendOutcome, SendReceipt, StepTarget,
    },
    engine::{CODE_KEPT, CodedPage, Engine, RuntimeConfig, SharedChannelParts},
    http::api::view::{self, IncidentView, PAGES_MAX},
    store::{
        LockSet, MemoryStore, RequestClass, SqliteStore, Store, StoreError, Transaction, clock::ClockSources, transact,
    },
    template::PageTemplates,
};

/// Open incidents of others: beyond whatever a look at the newest ones has ever taken in.
const OTHERS: usize = 5_000;

const MATRIX: &str = r#"
[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "x"
password = { env = "X" }

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[person.bo]
name = "Bo Lind"
phone = "+447700900002"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }]

[role.head]
step = [{ page = ["bo"], by = ["sms"], wait = "10m" }]

[trigger.crash]
on = ["crash"]
roles = ["trader"]

[trigger.other]
on = ["other"]
roles = ["head"]

[catch-all]
page = ["bo"]
by = ["sms"]
every = "10m"
"#;

fn live(state: &std::path::Path) -> RuntimeConfig {
    let templates = PageTemplates::shipped();
    let matrix = fixture::parsed(MATRIX, START);
    let outbox = SandboxOutbox::open(state, || START).unwrap();
    RuntimeConfig::wire(
        matrix,
        templates,
        &SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true },
    )
}

struct World {
    hands: Hands,
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    dir: tempfile::TempDir,
}

impl World {
    fn over(store: Arc<dyn Store>, hands: Hands, dir: tempfile::TempDir) -> Self {
        let engine = Engine::new(store.clone(), live(dir.path()), "http://127.0.0.1");
        Self { hands, engine, store, dir }
    }

    fn memory() -> Self {
        let hands = Hands::new();
        let clock = hands.clone();
        let store = Arc::new(MemoryStore::new(move || clock.wall()).node());
        Self::over(store, hands, fixture::state_folder())
    }

    async fn sqlite() -> Self {
        let (hands, dir) = (Hands::new(), fixture::state_folder());
        let store = SqliteStore::open(dir.path(), Arc::new(hands.clone())).await.unwrap();
        Self::over(store, hands, dir)
    }

    /// Ana is paged, and her gateway takes the page under this id.
    async fn page_ana(&self, receipt: &str) -> PageId {
        self.engine.admission().admit(vec![Alert::new("monitor", "crash")], START).await.unwrap();
        let id = self.store.newest().await.unwrap().unwrap();
        let receipt = SendReceipt { id: receipt.to_owned(), ..SendReceipt::default() };
        let settlement = SendOutcome::Accepted { receipt };
        let input = IncidentInput::Settled { page: 1, settlement, sent_at: Some(START), text: None };
        self.engine.step(id, input).await.unwrap();
        PageId { incident: id, n: 1 }
    }

    async fn code_of(&self, page: PageId) -> String {
        let identity = self.store.page_identity(page).await.unwrap().unwrap();
        self.engine.keys().code(identity).expose_secret().to_owned()
    }

    /// So many more incidents about which Bo alone is asked.
    async fn page_bo(&self, count: usize) {
        let (mut plan, _): (EscalationPlan, Roster) = crowd(1);
        let row = plan.roles.get_mut("trader").unwrap();
        row.steps[0].page = vec![StepTarget::Person("bo".into())];
        row.steps[0].by = vec!["sms".into()];
        let (plan, roster) = (Arc::new(plan), self.engine.config().matrix.roster.clone());
        for from in (0..count).step_by(500) {
            let keys: Vec<String> = (from..count.min(from + 500)).map(|n| format!("other/{count}/{n}")).collect();
            let (plan, roster) = (plan.clone(), roster.clone());
            let needs =
                LockSet { keys: keys.iter().map(|key| IncidentKey::stored(key)).collect(), ..LockSet::default() };
            let run = move |unit: &mut Transaction<'_>| {
                for key in &keys {
                    let opening =
                        IncidentOpening { plan: plan.clone(), ..opening_of(key, EscalationPlan::clone(&plan)) };
                    unit.open(opening, &roster);
                }
            };
            transact(&*self.store, RequestClass::Admission, needs, run).await.unwrap();
        }
    }

    /// How long finding Ana's page by her code takes, at best.
    async fn cost(&self, code: &str, page: PageId) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..30 {
            let begun = Instant::now();
            let found = self.engine.inbound().page_with_code(&"ana".into(), code).await.unwrap();
            best = best.min(begun.elapsed());
            assert_eq!(found, Some(CodedPage { page, open: true }));
        }
        best
    }
}

#[tokio::test]
async fn in_memory_the_oldest_page_is_found_behind_thousands_of_others() {
    behind_thousands(World::memory()).await;
}

#[tokio::test]
async fn on_disk_the_oldest_page_is_found_behind_thousands_of_others() {
    behind_thousands(World::sqlite().await).await;
}

async fn behind_thousands(world: World) {
    let World { engine, store, .. } = &world;
    broken(&world).await;
    let page = world.page_ana("provider-7").await;
    let (ana, code) = (PersonName::from("ana"), world.code_of(page).await);
    world.page_bo(100).await;
    let few = world.cost(&code, page).await;
    world.page_bo(OTHERS).await;
    let many = world.cost(&code, page).await;
    println!("a code among 100 open incidents: {few:?}, among {OTHERS}: {many:?}");
    assert!(many < few * 10 + Duration::from_millis(2), "{few:?} and {many:?}: it grows with what others have open");

    assert_eq!(store.open_count().await.unwrap(), OTHERS + 102);
    let waiting = engine.inbound().waiting_for(&ana, 4).await.unwrap();
    assert_eq!((waiting.roles, waiting.more), (vec![(page.incident, "trader".into())], 0));
    assert_eq!(engine.inbound().page_with_receipt(&"sms".into(), "provider-7").await.unwrap(), Some(page));
    assert_eq!(engine.inbound().page_with_receipt(&"mail".into(), "provider-7").await.unwrap(), None);
    assert_eq!(engine.health().check().await, Vec::<String>::new());
    again(&world).await;
    others(&world).await;

    // Somebody else's code, and one of nobody, are none of Ana's.
    assert_eq!(engine.inbound().page_with_code(&"bo".into(), "00000").await.unwrap(), None);
    let found = engine.inbound().page_with_code(&ana, &code).await.unwrap().unwrap();
    let verdict =
        engine.inbound().answer_page(found.page, ana.clone(), Some(Answer::Wilco), AnswerVia::Sms).await.unwrap();
    assert_eq!(verdict, AnswerVerdict::Engages);

    // Late: it is known, and that it is over.
    engine.inbound().resolve(page.incident, Actor::Operator("root".into())).await.unwrap();
    let late = engine.inbound().page_with_code(&ana, &code).await.unwrap();
    assert_eq!(late, Some(CodedPage { page, open: false }));
    let verdict = engine.inbound().answer_page(page, ana.clone(), Some(Answer::Wilco), AnswerVia::Sms).await.unwrap();
    assert_eq!(verdict, AnswerVerdict::Closed);
    world.hands.pass(CODE_KEPT + Duration::from_secs(1));
    assert_eq!(engine.inbound().page_with_code(&ana, &code).await.unwrap(), None, "short codes are not known for ever");
    drop(world.dir);
}

/// A role that waits for nobody is found, however many incidents were opened after its own.
#[tokio::test]
async fn health_looks_at_every_open_incident() {
    let world = World::sqlite().await;
    world.page_ana("provider-7").await;
    world.page_bo(2_100).await;
    assert_eq!(world.engine.health().check().await, Vec::<String>::new());
    let World { hands, engine, store, dir } = world;
    drop((engine, store));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    // The core leaves none behind: this one is made by hand.
    let damage = "UPDATE body SET body = json_set(body, '$.engagements.trader.deadline', NULL) WHERE incident = 1";
    sqlx::raw_sql(damage).execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let store = loop {
        // The earlier writer ends by itself, once nobody can ask it any more.
        match SqliteStore::open(dir.path(), Arc::new(hands.clone())).await {
            Ok(store) => break store,
            Err(StoreError::Locked(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let world = World::over(store, hands, dir);
    assert_eq!(
        world.engine.health().check().await,
        ["role trader of INC-1 is open, but no step and no other role is due for it"]
    );
}

/// A channel is broken, and its incident the oldest of all.
async fn broken(world: &World) {
    let mut alert = Alert::new("stentor", "channel_broken");
    alert.summary = "channel sms reaches nobody: login refused".into();
    let plan = world.engine.config().matrix.operators_plan().unwrap();
    let opening = IncidentOpening {
        key: IncidentKey::of_channel(&"sms".into()),
        summary: alert.summary.clone(),
        plan,
        alert: Arc::new(alert),
        received_at: START,
        terms: None,
        ask: None,
        nonce: None,
    };
    let needs = LockSet { keys: vec![IncidentKey::of_channel(&"sms".into())], ..LockSet::default() };
    let run = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &Roster::default());
    transact(&*world.store, RequestClass::Ladder, needs, run).await.unwrap();
}

/// The next node takes the broken channel up.
async fn again(world: &World) {
    let next = Engine::new(world.store.clone(), live(world.dir.path()), "http://127.0.0.1");
    next.delivery().recall_breakers().await.unwrap();
    let broken: Vec<String> = next.delivery().breakers().broken().into_keys().map(|name| name.to_string()).collect();
    assert_eq!(broken, ["sms"]);
}

/// Bo has thousands of pages of his own: none of them is out of reach, and those that are not named are counted.
async fn others(world: &World) {
    let World { engine, store, .. } = world;
    let bo = PersonName::from("bo");
    let waiting = engine.inbound().waiting_for(&bo, 4).await.unwrap();
    assert_eq!((waiting.roles.len(), waiting.more), (4, OTHERS + 100 - 4));
    let newest = store.newest().await.unwrap().unwrap();
    for id in [IncidentId(3), IncidentId(1_500), newest] {
        let code = world.code_of(PageId { incident: id, n: 1 }).await;
        let begun = Instant::now();
        let found = engine.inbound().page_with_code(&bo, &code).await.unwrap().expect("his page");
        println!("one code of {} pages of his own: {:?}", OTHERS + 100, begun.elapsed());
        // Five digits are few for so many pages: of those with the same code it is the newest.
        assert!(id <= found.page.incident && world.code_of(found.page).await == code, "{id}: {found:?}");
    }
}

/// A link is a key to a role: it ends with its purpose.
#[tokio::test]
async fn an_answer_link_ends_a_week_after_its_incident() {
    let world = World::memory();
    let page = world.page_ana("m-1").await;
    let identity = world.store.page_identity(page).await.unwrap().unwrap();
    let link = world.engine.keys().link_token(identity).expose_secret().to_owned();
    let opens = async || world.engine.inbound().page_of_link(&link).await.unwrap() == Some(page);
    let week = stentor::engine::CODE_KEPT;
    world.hands.pass(3 * week);
    assert!(opens().await, "as long as it is open");
    let by = stentor::core::Actor::Operator("root".into());
    world.engine.step(page.incident, IncidentInput::Resolve { by, why: None }).await.unwrap();
    world.hands.pass(week);
    assert!(opens().await, "its reader may look at what became of it");
    world.hands.pass(Duration::from_secs(1));
    assert!(!opens().await);
}

/// More people, with three pages each, than an answer has room for.
const MANY_PEOPLE: usize = PAGES_MAX / 3 + 1;

#[test]
fn an_answer_has_the_newest_pages_of_a_large_incident_and_says_how_many_came_before() {
    let dir = fixture::state_folder();
    let (plan, roster) = crowd(MANY_PEOPLE);
    let (incident, _) = core::open(IncidentId(1), opening_of("k", plan), &roster, START);
    let (live, count) = (live(dir.path()), u32::try_from(incident.pages.len()).unwrap());
    let most = u32::try_from(PAGES_MAX).unwrap();
    let numbers = |view: &IncidentView| (view.pages[0].n, view.pages.last().unwrap().n, view.pages_before);
    assert_eq!(
        numbers(&view::incident(&live, &incident, incident.last_at)),
        (count - most + 1, count, incident.pages.len() - PAGES_MAX)
    );
    let (first, more) = view::incident_after(&live, &incident, 0, incident.last_at);
    assert_eq!((numbers(&first), more), ((1, most, 0), true));
    let (rest, more) = view::incident_after(&live, &incident, most, incident.last_at);
    assert_eq!((numbers(&rest), more), ((most + 1, count, PAGES_MAX), false));
}
