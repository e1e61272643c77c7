//! The dead-man ping: it is sent while the daemon works, and is not sent when it does not.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stuck;

use crate::common;
use crate::double;
use crate::fixture;

use crate::wire::Call;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::COOKIE as COOKIE_HEADER},
    routing::any,
};
use common::{Daemon, Setup};
use double::{Server, install_tls};
use fixture::START;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{
        self, Actor, Alert, Engagement, EngagementOutcome, Incident, IncidentId, IncidentKey, RoleName, Timestamp,
        stuck::stuck_roles,
    },
    drill::runner::drill_runner::DrillRunner,
    engine::{
        AdmissionResult, DeadManPinger, Engine, EngineLoop, LADDER_LATE_MAX, LOOP_STILL_MAX, QUEUE_STANDS_MAX,
        RuntimeConfig, SharedChannelParts, health::quarantine::ALONE_MAX,
    },
    http::{api::status, credential::COOKIE, state::AppState},
    store::{IncidentFilter, MemoryStore, RowName, clock::ClockSources},
    template::PageTemplates,
};

// ---- who is pinged --------------------------------------------------------------------------------------------------

/// A dead-man service that remembers what it was told.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    pings: Vec<(Method, String)>,
    refuses: Option<StatusCode>,
    refuses_post: bool,
}

impl Receiver {
    async fn start() -> (Self, Server) {
        let receiver = Self::default();
        let router = Router::new().route("/ping/{secret}", any(ping)).with_state(receiver.clone());
        (receiver, Server::start(router).await)
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().pings.len()
    }
}

async fn ping(State(receiver): State<Receiver>, method: Method, body: Bytes) -> StatusCode {
    let mut told = receiver.0.lock().unwrap();
    if told.refuses_post && method == Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    if let Some(status) = told.refuses {
        return status;
    }
    told.pings.push((method, String::from_utf8(body.to_vec()).unwrap()));
    StatusCode::OK
}

// ---- a node whose loops turn when the test says so ------------------------------------------------------------------

const MATRIX: &str = r#"
[daemon]
ping = { url = "URL", every = "1m" }

[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "NOT_SET" }

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[role.it]
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }]

[trigger.host-down]
on = ["HostDown"]
key = 'has(alert.labels.host) ? alert.labels.host : ""'
roles = ["it"]

[catch-all]
page = ["ana"]
by = ["sms"]
"#;

struct World {
    hands: fixture::Hands,
    store: MemoryStore,
    engine: Arc<Engine>,
    receiver: Receiver,
    pinger: DeadManPinger,
    _server: Server,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (receiver, server) = Receiver::start().await;
        let url = format!("http://{}/ping/1f6c", server.address);
        Self::with(&MATRIX.replace("URL", &url), receiver, server)
    }

    fn with(matrix: &str, receiver: Receiver, server: Server) -> Self {
        install_tls();
        let (hands, dir) = (fixture::Hands::new(), tempfile::tempdir().unwrap());
        let clock = hands.clone();
        let store = MemoryStore::new(move || clock.wall());
        let templates = PageTemplates::shipped();
        let matrix = fixture::parsed(matrix, START);
        let outbox = SandboxOutbox::open(dir.path(), || START).unwrap();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
        let live = RuntimeConfig::wire(matrix, templates, &shared);
        let engine = Engine::new(Arc::new(store.node()), live, "http://127.0.0.1");
        let pinger = DeadManPinger::new(None).unwrap();
        Self { hands, store, engine, receiver, pinger, _server: server, _dir: dir }
    }

    /// Time passes, second by second, and these loops turn in it.
    async fn pass(&mut self, span: Duration, turning: &[EngineLoop]) {
        for _ in 0..span.as_secs() {
            self.hands.pass(Duration::from_secs(1));
            for which in turning {
                self.engine.health().heartbeat().turned(*which);
                match which {
                    EngineLoop::Delivery => drop(self.engine.delivery().tick_delivery()),
                    EngineLoop::Timers => drop(self.engine.tick_timers().await),
                    EngineLoop::Lease => drop(self.engine.delivery().tick_lease().await),
                }
            }
            self.engine.health().problems();
        }
    }

    async fn crash(&self) {
        self.crash_of("a").await;
    }

    /// The incident that it opened or joined.
    async fn crash_of(&self, host: &str) -> IncidentId {
        let mut alert = Alert::new("monitor", "HostDown");
        alert.labels.insert("host".into(), host.into());
        match self.engine.admission().admit(vec![alert], self.hands.wall()).await.unwrap()[0].results[0] {
            AdmissionResult::Opened { incident } | AdmissionResult::Joined { incident } => incident,
            ref fate => panic!("{fate:?}"),
        }
    }

    async fn open(&self) -> Vec<Arc<Incident>> {
        self.engine.reads().list(IncidentFilter { open_only: true, limit: 100 }).await.unwrap()
    }

    /// Whether a ping comes, and what is said where none does.
    async fn ping(&mut self) -> (bool, String) {
        let before = self.receiver.count();
        let taken = self.pinger.tick(self.engine.health()).await;
        assert_eq!(self.receiver.count() - before, usize::from(taken));
        (taken, self.engine.health().pinged().last_error.unwrap_or_default())
    }
}

const NO_DELIVERY: [EngineLoop; 2] = [EngineLoop::Timers, EngineLoop::Lease];
const NO_TIMERS: [EngineLoop; 2] = [EngineLoop::Delivery, EngineLoop::Lease];
const NO_LEASE: [EngineLoop; 2] = [EngineLoop::Delivery, EngineLoop::Timers];

enum Trouble {
    /// Alerts are refused because the disk is full.
    FullDisk,
    /// This loop does not turn, for so long.
    Hangs([EngineLoop; 2], Duration),
    /// A page is not handed to its channel, though the loop seems to turn.
    QueueStands,
    /// Ladders do not move, though the loop seems to turn.
    LaddersStand,
    /// The receiver says no.
    Refused,
}

async fn break_(world: &mut World, fault: &Trouble) {
    let second = Duration::from_secs(1);
    match fault {
        Trouble::FullDisk => world.store.set_full(true),
        Trouble::Hangs(turning, span) => world.pass(*span, turning).await,
        Trouble::QueueStands => {
            world.crash().await;
            for _ in 0..(QUEUE_STANDS_MAX + second).as_secs() {
                world.pass(second, &NO_DELIVERY).await;
                world.engine.health().heartbeat().turned(EngineLoop::Delivery);
            }
        }
        Trouble::LaddersStand => {
            world.crash().await;
            for _ in 0..(Duration::from_secs(600) + LADDER_LATE_MAX + second).as_secs() {
                world.pass(second, &NO_TIMERS).await;
                world.engine.health().heartbeat().turned(EngineLoop::Timers);
            }
        }
        Trouble::Refused => world.receiver.0.lock().unwrap().refuses = Some(StatusCode::FORBIDDEN),
    }
}

async fn mend(world: &mut World) {
    world.store.set_full(false);
    world.receiver.0.lock().unwrap().refuses = None;
    world.pass(Duration::from_secs(1), &EngineLoop::ALL).await;
}

#[tokio::test]
async fn the_ping_stays_away_for_as_long_as_something_is_wrong() {
    let still = LOOP_STILL_MAX + Duration::from_secs(1);
    let cases = [
        (Trouble::FullDisk, "make 24 MiB free"),
        (Trouble::Hangs(NO_DELIVERY, still), "the delivery loop has not run for 21s"),
        (Trouble::Hangs(NO_TIMERS, still), "the timers loop"),
        (Trouble::Hangs(NO_LEASE, still), "the lease loop"),
        (Trouble::QueueStands, "for channel sms: its queue is stuck"),
        (Trouble::LaddersStand, "a ladder has been overdue for 10m"),
        (Trouble::Refused, "the receiver says 403"),
    ];
    for (fault, words) in cases {
        let mut world = World::new().await;
        world.pass(Duration::from_secs(1), &EngineLoop::ALL).await;
        assert_eq!(world.ping().await, (true, String::new()), "before: {words}");
        break_(&mut world, &fault).await;
        for _ in 0..2 {
            let (taken, said) = world.ping().await;
            assert!(!taken && said.contains(words), "{words}: {said}");
        }
        mend(&mut world).await;
        assert_eq!(world.ping().await, (true, String::new()), "after: {words}");
    }
}

/// What was overdue when it began has had no time to move: that is no fault of this daemon's.
#[tokio::test]
async fn a_ladder_that_was_overdue_at_the_start_is_late_only_once_it_could_have_moved() {
    let world = World::new().await;
    world.crash().await;
    let late = |signs: Vec<String>| signs.iter().any(|sign| sign.contains("has been overdue"));
    let span = LADDER_LATE_MAX + Duration::from_secs(1);
    world.hands.pass(Duration::from_secs(600) + span);
    assert!(late(world.engine.health().check().await));
    let begun = Engine::new(Arc::new(world.store.node()), world.engine.config(), "http://127.0.0.1");
    assert!(!late(begun.health().check().await), "it has just begun");
    world.hands.pass(span);
    assert!(late(begun.health().check().await));
}

/// A door of this daemon that takes connections and answers nobody, and one behind which somebody else answers.
#[tokio::test]
async fn the_ping_stays_away_while_the_own_door_does_not_answer() {
    let mut world = World::new().await;
    world.pass(Duration::from_secs(1), &EngineLoop::ALL).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.pinger = DeadManPinger::new(Some(silent.local_addr().unwrap())).unwrap();
    let (taken, said) = world.ping().await;
    assert!(!taken && said.contains("a request to our own HTTP port failed"), "{said}");
    let (status, told) = world.readyz().await;
    assert!(
        status == StatusCode::OK && told["problems"][0].as_str().unwrap().contains("our own HTTP port"),
        "whoever asks has come in: {told}"
    );
    world.pinger = DeadManPinger::new(Some(world._server.address)).unwrap();
    let (taken, said) = world.ping().await;
    assert!(!taken && said.contains("a request to our own HTTP port failed"), "{said}");
    // Its own, at last.
    let door = Server::start(stentor::http::tcp(world.app())).await;
    world.pinger = DeadManPinger::new(Some(door.address)).unwrap();
    assert_eq!(world.ping().await, (true, String::new()));
    assert_eq!(world.readyz().await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_open_incident_that_can_not_be_read_holds_the_ping_until_somebody_has_looked_at_it() {
    let mut world = World::new().await;
    let (lost, kept) = (world.crash_of("a").await, world.crash_of("b").await);
    world.store.spoil(lost);
    for _ in 0..2 {
        let (taken, said) = world.ping().await;
        assert!(
            !taken && said.contains("INC-1 can not be read") && said.contains("store quarantine show INC-1"),
            "{said}"
        );
    }
    let mut told = 0;
    for _ in 0..3 {
        told += world.engine.health().tick_quarantine().await.unwrap();
    }
    assert_eq!(told, 1, "once");
    let about = world.open().await.into_iter().find(|incident| incident.key.is_own()).expect("the operators' incident");
    assert_eq!((&about.key, about.plan.required.len()), (&IncidentKey::of_unreadable(lost), 1));
    assert!(about.summary.contains("HostDown") && about.summary.contains("clear INC-1"), "{}", about.summary);
    assert!(about.pages.values().any(|page| page.person.is_some()), "the catch-all is paged");
    let new = world.crash_of("a").await;
    assert!(new != lost, "its key is free");
    assert_eq!(world.crash_of("b").await, kept);
    // The others climb on.
    world.pass(Duration::from_secs(601), &EngineLoop::ALL).await;
    let moved = world.engine.reads().view(kept).await.unwrap().unwrap();
    assert_eq!(moved.engagements.len(), 2, "the catch-all has it now");
    assert!(!world.ping().await.0);
    let row = RowName::Incident(lost);
    assert!(world.engine.health().clear_quarantined(&row, &Actor::Operator("root".into())).await.unwrap());
    assert_eq!(world.ping().await, (true, String::new()));
    assert!(
        !world.engine.reads().view(about.id).await.unwrap().unwrap().is_open(),
        "and nobody is paged about it any more"
    );
    assert_eq!(world.engine.health().tick_quarantine().await.unwrap(), 0);
    assert!(world.engine.reads().view(lost).await.is_err());
}

#[tokio::test]
async fn a_whole_damaged_file_is_told_in_a_few_incidents_and_no_more() {
    let mut world = World::new().await;
    for n in 0..40 {
        let id = world.crash_of(&format!("host {n}")).await;
        world.store.spoil(id);
    }
    let (_, said) = world.ping().await;
    assert!(said.contains("37 more incidents can not be read") && said.len() < 1000, "{said}");
    assert_eq!(world.engine.health().tick_quarantine().await.unwrap(), 40);
    let about: Vec<String> = world.open().await.iter().map(|incident| incident.summary.clone()).collect();
    assert_eq!(about.len(), ALONE_MAX + 1);
    assert!(about.iter().any(|summary| summary.contains("30 more incidents can not be read")), "{about:?}");
    for entry in world.engine.reads().quarantined() {
        assert!(world.engine.health().clear_quarantined(&entry.row, &Actor::Operator("root".into())).await.unwrap());
    }
    assert_eq!(world.open().await.len(), 0);
    assert!(world.ping().await.0);
}

#[tokio::test]
async fn open_ladders_and_a_broken_channel_are_no_trouble() {
    let mut world = World::new().await;
    world.crash().await;
    let now = world.hands.wall();
    world.engine.delivery().breakers().broke(&"sms".into(), "login refused", now);
    world.pass(Duration::from_secs(3600), &EngineLoop::ALL).await;
    assert_eq!(world.ping().await, (true, String::new()));
    let pings = world.receiver.0.lock().unwrap().pings.clone();
    let told: Value = serde_json::from_str(&pings[0].1).unwrap();
    assert_eq!((told["status"].as_str(), &told["broken_channels"][0]), (Some("ok"), &Value::from("sms")));
}

/// What is told of a channel that hears nothing is not over because its pages go out.
#[tokio::test]
async fn a_deaf_channel_is_not_taken_for_a_broken_one_after_a_restart() {
    let world = World::new().await;
    world.engine.health().connection_failed(&"sms".into(), "the token was revoked", true).await;
    world.engine.delivery().recall_breakers().await.unwrap();
    assert_eq!(world.engine.delivery().tick_breakers().await.unwrap(), 0);
    let open = world.engine.reads().list(IncidentFilter { open_only: true, limit: 10 }).await.unwrap();
    assert_eq!(open.len(), 1, "the operators' incident");
    assert!(world.engine.delivery().breakers().broken().is_empty());
}

#[tokio::test]
async fn a_receiver_that_takes_no_post_gets_a_get() {
    let mut world = World::new().await;
    world.receiver.0.lock().unwrap().refuses_post = true;
    assert!(world.ping().await.0);
    assert_eq!(world.receiver.0.lock().unwrap().pings[0].0, Method::GET);
}

#[tokio::test]
async fn an_address_that_is_a_secret_is_in_no_complaint() {
    let (receiver, server) = Receiver::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("address");
    let kept = format!("url = {{ file = {path:?} }}");
    let mut world = World::with(&MATRIX.replace("url = \"URL\"", &kept), receiver, server);
    let (taken, said) = world.ping().await;
    assert!(!taken && said.contains("can not be read"), "{said}");
    for address in ["http://127.0.0.1:9/ping/hush-81b2", "hush-81b2", "http://[hush-81b2/"] {
        std::fs::write(&path, address).unwrap();
        let (taken, said) = world.ping().await;
        assert!(!taken && !said.contains("hush-81b2") && !said.is_empty(), "{address}: {said}");
    }
    // Read again each time: a repair needs no restart.
    std::fs::write(&path, format!("http://{}/ping/hush-81b2\n", world._server.address)).unwrap();
    assert!(world.ping().await.0);
}

impl World {
    /// A daemon over this node.
    fn app(&self) -> Arc<AppState> {
        Arc::new(AppState {
            engine: self.engine.clone(),
            hub: DeskHub::new(),
            outbox: SandboxOutbox::open(self._dir.path(), || START).unwrap(),
            shows_outbox: false,
            started_at: START,
            shutdown: Default::default(),
            client: reqwest::Client::new(),
            test_replies: None,
            drills: DrillRunner::new(self.engine.clone()),
            scenarios: self._dir.path().to_owned(),
            reloader: Default::default(),
            answered: Default::default(),
            texts: Default::default(),
            estimates: Default::default(),
            unfinished: Default::default(),
            board: Default::default(),
            guesses: Mutex::default(),
        })
    }

    /// What its `/readyz` says.
    async fn readyz(&self) -> (StatusCode, Value) {
        let until = self.engine.now() + Duration::from_secs(60);
        let cookie = format!("{COOKIE}={}", self.engine.keys().session(&"ana".into(), until).expose_secret());
        let headers = HeaderMap::from_iter([(COOKIE_HEADER, HeaderValue::from_str(&cookie).unwrap())]);
        let response = status::readyz(State(self.app()), None, headers).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Time passes as above, and what may be sent is sent.
    async fn work(&mut self, span: Duration) {
        for _ in 0..span.as_secs() {
            self.pass(Duration::from_secs(1), &NO_DELIVERY).await;
            self.engine.health().heartbeat().turned(EngineLoop::Delivery);
            let ready = self.engine.delivery().tick_delivery();
            for page in ready.start {
                self.engine.delivery().send(page).await.unwrap();
            }
            for page in ready.unsent {
                self.engine.delivery().drop_unsent(page).await.unwrap();
            }
            for (page, until, why) in ready.held {
                self.engine.delivery().hold(page, until, why).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_makes_a_daemon_unready_is_always_named() {
    let still = LOOP_STILL_MAX + Duration::from_secs(1);
    for fault in [
        Trouble::FullDisk,
        Trouble::Hangs(NO_DELIVERY, still),
        Trouble::Hangs(NO_TIMERS, still),
        Trouble::Hangs(NO_LEASE, still),
        Trouble::QueueStands,
    ] {
        let mut world = World::new().await;
        world.pass(Duration::from_secs(1), &EngineLoop::ALL).await;
        assert_eq!(world.readyz().await.0, StatusCode::OK);
        break_(&mut world, &fault).await;
        let (status, told) = world.readyz().await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
        assert!(told["ready"] == false && !told["problems"].as_array().unwrap().is_empty(), "{told}");
        mend(&mut world).await;
        assert_eq!(world.readyz().await.0, StatusCode::OK);
    }
    // A ladder that is late is told, and keeps no alert away.
    let mut world = World::new().await;
    break_(&mut world, &Trouble::LaddersStand).await;
    world.ping().await;
    let (status, told) = world.readyz().await;
    let first = told["problems"][0].as_str().unwrap();
    assert!(status == StatusCode::OK && first.starts_with("a ladder has been overdue"), "{told}");
}

/// Each kind of channel at its own pace, however slow, and a storm for one person.
#[tokio::test]
async fn a_storm_that_waits_for_a_channels_own_pace_keeps_no_alert_away() {
    let voice = "kind = \"voice\"\naccount = \"AC00000000000000000000000000000000\"\ntoken = { env = \"NOT_SET\" }\n\
                 from = \"+15005550006\"";
    let kannel = "kind = \"kannel\"\nurl = \"http://127.0.0.1:9/cgi-bin/sendsms\"\nusername = \"stentor\"\n\
                  password = { env = \"NOT_SET\" }";
    for (what, channel) in [
        ("voice", voice.to_owned()),
        ("a slow gateway", format!("{kannel}\npace = \"1/m\"")),
        ("a desk that is closed", "kind = \"screen\"".to_owned()),
    ] {
        let (receiver, server) = Receiver::start().await;
        let matrix = MATRIX.replace("URL", &format!("http://{}/ping/1f6c", server.address)).replace(kannel, &channel);
        let matrix = matrix.replace("[daemon]", "[daemon]\npublic_url = \"https://stentor.example.com\"");
        let mut world = World::with(&matrix, receiver, server);
        world.work(Duration::from_secs(1)).await;
        for host in 0..6 {
            let mut alert = Alert::new("monitor", "HostDown");
            alert.labels.insert("host".into(), format!("h{host}"));
            world.engine.admission().admit(vec![alert], world.hands.wall()).await.unwrap();
        }
        let mut oldest = 0.0_f64;
        for second in 0..180 {
            world.work(Duration::from_secs(1)).await;
            let (status, told) = world.readyz().await;
            assert_eq!(status, StatusCode::OK, "{what}, after {second} s: {told}");
            oldest = oldest.max(told["oldest_unsent_page_seconds"].as_f64().unwrap());
        }
        assert!(60.0 < oldest || what.contains("desk"), "{what}: nothing had to wait");
        assert_eq!(world.ping().await, (true, String::new()), "{what}");
    }
}

// ---- the real daemon ------------------------------------------------------------------------------------------------

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "this did not come: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn ready(daemon: &Daemon) -> (bool, Value) {
    let socket = daemon.state().join("stentor.sock");
    let reply = tokio::task::spawn_blocking(move || Call::get("/readyz").send_unix(&socket)).await.unwrap();
    (reply.status == 200, reply.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_store_can_not_be_written_pings_nobody_until_it_can() {
    install_tls();
    let (receiver, server) = Receiver::start().await;
    let url = format!("http://{}/ping/1f6c", server.address);
    let daemon = Setup::new(&MATRIX.replace("URL", &url).replace("1m", "1s")).start();
    eventually("two pings", || (2 <= receiver.count()).then_some(()));
    let database = daemon.state().join("stentor.db");
    let sql = async |words: &'static str| {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::raw_sql(words).execute(&mut conn).await.unwrap();
        sqlx::Connection::close(conn).await.unwrap();
    };
    sql("ALTER TABLE meta RENAME TO elsewhere").await;
    let held = loop {
        let (is_ready, told) = ready(&daemon).await;
        if told["ping"]["last_error"].as_str().is_some_and(|fault| fault.starts_with("held back")) {
            assert!(!is_ready && !told["problems"].as_array().unwrap().is_empty(), "{told}");
            break receiver.count();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    eventually("it is in the log", || daemon.log().contains("the dead-man ping could not be sent").then_some(()));
    assert_eq!(receiver.count(), held, "no ping while it is held back");
    sql("ALTER TABLE elsewhere RENAME TO meta").await;
    eventually("pings again", || (held < receiver.count()).then_some(()));
    while !ready(&daemon).await.0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eventually("that is in the log too", || daemon.log().contains("is sent again").then_some(()));
}
