//! What a desk shows as time passes: the clock is the test's own.

use super::{command::app_on, desk::after, house::DESK};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use stentor::{
    channel::{kannel, slack, smtp, voice},
    core::{
        Actor, Alert, Answer, AnswerVerdict, AnswerVia, HeldWhy, Incident, IncidentId, Page, PagePurpose, PersonName,
        Timestamp,
    },
    http::{
        api::view,
        board::BOARD_MAX,
        desk::{
            changes::{ChangedIncidents, DeskChanges},
            snapshot::more_open,
            standing::told,
        },
        state::AppState,
    },
    report::incident_timeline::IncidentTimeline,
    store::MemoryStore,
};

/// 2026-11-23, a Monday, 09:00 in UTC.
const START_US: i64 = 1_795_424_400_000_000;

pub struct World {
    pub app: AppState,
    now_us: Arc<AtomicI64>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::of(DESK)
    }

    pub fn of(matrix: &str) -> Self {
        let now_us = Arc::new(AtomicI64::new(START_US));
        let clock = now_us.clone();
        let store = MemoryStore::new(move || Timestamp::from_micros(clock.load(Ordering::SeqCst)));
        let dir = tempfile::tempdir().unwrap();
        let app = app_on(matrix, Arc::new(store.node()), dir.path());
        Self { app, now_us, _dir: dir }
    }

    pub fn pass(&self, span: Duration) {
        self.now_us.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }

    async fn incident(&self) -> Arc<Incident> {
        self.app.engine.reads().view(IncidentId(1)).await.unwrap().unwrap()
    }

    async fn says(&self, person: &str, answer: Answer) {
        self.says_in(IncidentId(1), person, answer).await;
    }

    pub async fn says_in(&self, id: IncidentId, person: &str, answer: Answer) {
        let incident = self.app.engine.reads().view(id).await.unwrap().unwrap();
        let theirs = incident.pages.values().rfind(|page| page.person.as_ref().is_some_and(|p| p.as_str() == person));
        let Some(theirs) = theirs else { return };
        let page = stentor::core::PageId { incident: incident.id, n: theirs.n };
        self.app.engine.inbound().answer_page(page, person.into(), Some(answer), AnswerVia::Desk).await.unwrap();
    }

    /// All that a desk shows.
    pub async fn shown(&self, person: &str) -> Value {
        let person = PersonName::from(person);
        let change = DeskChanges::default().next(&self.app, &person, &ChangedIncidents::Any).await.unwrap();
        after(&Value::Null, &serde_json::to_value(change.unwrap()).unwrap())
    }

    async fn crash(&self) {
        self.crash_of("ES").await;
    }

    pub async fn crash_of(&self, symbol: &str) {
        let mut alert = Alert::new("monitor", "price_velocity");
        alert.labels.insert("symbol".into(), symbol.into());
        alert.values.insert("drop_pct".into(), 7.5);
        self.app.engine.admission().admit(vec![alert], Timestamp::from_micros(START_US)).await.unwrap();
    }

    /// The states of this person's pages.
    async fn desk(&self, person: &str) -> Vec<String> {
        let shown = self.shown(person).await;
        let pages = shown["pages"].as_array().unwrap().iter();
        pages.map(|page| page["state"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn what_somebody_has_stays_on_their_desk_until_the_incident_ends_and_is_not_theirs_after() {
    let world = World::new();
    world.crash().await;
    assert_eq!(world.desk("ana").await, ["open"]);
    world.says("ana", Answer::Wilco).await;
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["yours".into()], vec!["taken".into()]));

    // It is hers as long as the incident is open; the others need not look at it for ever.
    world.pass(Duration::from_secs(3 * 3600));
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["yours".into()], vec![]));
    // Nor is it too late to hand it back then.
    world.says("ana", Answer::Unable).await;
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["passed".into()], vec!["open".into()]));
    world.says("bo", Answer::Wilco).await;
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["taken".into()], vec!["yours".into()]));

    assert!(world.app.engine.inbound().resolve(IncidentId(1), Actor::Person("bo".into())).await.unwrap());
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["over".into()], vec!["over".into()]));
    world.pass(Duration::from_secs(9 * 60));
    assert_eq!(world.desk("bo").await, ["over"]);
    world.pass(Duration::from_secs(2 * 60));
    assert_eq!(world.desk("bo").await, Vec::<String>::new(), "ten minutes after the end, not after the answer");
}

/// Ana and Bo take turns, Gita stands behind them; Ana's clock is in Kolkata.
pub const TURNS: &str = r#"
[channel.desk]
kind = "screen"
[person.ana]
name = "Ana Ruiz"
timezone = "Asia/Kolkata"
[person.bo]
name = "Bo Lind"
timezone = "Europe/Stockholm"
[person.gita]
name = "Gita Rao"
timezone = "Europe/London"
[rotation.week]
people = ["ana", "bo"]
handoff = "0 8 * * Mon"
timezone = "Europe/London"
[role.trader]
step = [{ page = ["rotation.week"], by = ["desk"], wait = "45s" }]
next = "head"
[role.head]
step = [{ page = ["gita"], by = ["desk"], wait = "10m" }]
[trigger.flash-crash]
on = ["price_velocity"]
key = 'alert.labels.symbol'
summary = "{alert.labels.symbol} fell"
runbook = "https://wiki.desk.example/crash"
roles = ["trader"]
[catch-all]
page = ["gita"]
by = ["desk"]
"#;

#[tokio::test]
async fn an_idle_desk_says_until_when_its_person_is_on_call_who_is_next_and_what_is_proven() {
    let world = World::of(TURNS);
    let on_call = world.shown("ana").await["idle"].to_string().contains("You are on call for trader");
    let (first, zone) = if on_call { ("ana", "13:30 IST") } else { ("bo", "09:00 CET") };
    let next = if on_call { "Bo Lind" } else { "Ana Ruiz" };
    let unproven = "Nothing has proven yet that a page reaches you: a drill would.";
    let shown = world.shown(first).await;
    let until = format!("You are on call for trader, asked first until Mon 30 Nov {zone}, then {next}.");
    assert_eq!(shown["idle"], serde_json::json!([until, unproven]));
    let always = ["You are asked first for head, always.", "You are asked, always, when nobody else has answered."];
    assert_eq!(world.shown("gita").await["idle"], serde_json::json!([always[0], always[1], unproven]));
    let other = if on_call { "bo" } else { "ana" };
    assert_eq!(world.shown(other).await["idle"], serde_json::json!(["You are on call for nothing now.", unproven]));
    assert_eq!(world.shown("ana").await["person"]["zone"], "Asia/Kolkata");
    assert_eq!(world.shown("ana").await["person"]["clock"], "IST");

    world.crash().await;
    let shown = world.shown(first).await;
    assert_eq!(shown["idle"], serde_json::json!([]), "something is open");
    let page = &shown["pages"][0];
    assert_eq!((&page["what"], &page["otherwise"]), (&"ES fell".into(), &"Otherwise head takes over.".into()));
    assert!(page["ask"].as_str().unwrap().starts_with("TRADER: press \"I have it\" by "), "{page}");
    let runbook = serde_json::json!([{ "label": "Runbook", "url": "https://wiki.desk.example/crash" }]);
    assert_eq!(page["links"], runbook);
    assert_eq!(shown["incidents"][0]["roles"][0]["says"], "you are asked");
    world.says(first, Answer::Wilco).await;
    let shown = world.shown("gita").await;
    let name = if on_call { "Ana Ruiz" } else { "Bo Lind" };
    assert_eq!(shown["incidents"][0]["roles"][0]["says"], format!("{name} has it"));
    assert!(world.app.engine.inbound().resolve(IncidentId(1), Actor::Person("gita".into())).await.unwrap());
    assert_eq!(world.shown("gita").await["incidents"][0]["ended"], "ended by you at 09:00:00 GMT");
    let ended = world.shown("ana").await["incidents"][0]["ended"].clone();
    assert_eq!(ended, "ended by Gita Rao at 14:30:00 IST", "by the clock of the reader");
}

#[tokio::test]
async fn a_role_whose_ladder_went_on_says_who_is_asked_instead() {
    let world = World::of(TURNS);
    world.crash().await;
    for _ in 0..2 {
        world.pass(Duration::from_secs(60));
        world.app.engine.tick_timers().await.unwrap();
    }
    let shown = world.shown("gita").await;
    let roles = shown["incidents"][0]["roles"].as_array().unwrap();
    let says = |role: &str| roles.iter().find(|row| row["role"] == role).unwrap()["says"].clone();
    assert_eq!(
        (says("trader"), says("head")),
        ("nobody answered; you are asked instead, as head".into(), "you are asked".into())
    );
}

#[tokio::test]
async fn every_text_for_people_says_who_is_asked_instead_and_programs_read_a_word() {
    let named = TURNS.replace("[role.head]", "[role.head]\nname = \"Head of desk\"");
    let world = World::of(&named.replace("[role.trader]", "[role.trader]\nname = \"Equities trader\""));
    world.crash().await;
    for _ in 0..2 {
        world.pass(Duration::from_secs(60));
        world.app.engine.tick_timers().await.unwrap();
    }
    let instead = "Equities trader: nobody answered; Gita Rao is asked instead, as Head of desk";
    let shown = view::incident(&world.app.engine.config(), &*world.incident().await, world.app.engine.now());
    let trader = shown.roles.iter().find(|role| role.role == "trader").unwrap();
    assert_eq!((trader.state.as_str(), format!("Equities trader: {}", trader.says).as_str()), ("handed over", instead));
    let incident = world.incident().await;
    let card = Page { purpose: PagePurpose::RoomCard, person: None, ..(*incident.pages[&1]).clone() };
    let card = world.app.engine.config().render(&incident, &card, slack::KIND).body;
    assert!(card.contains("; Gita Rao is asked instead, as Head of desk"), "{card}");

    assert!(world.app.engine.inbound().resolve(IncidentId(1), Actor::Person("gita".into())).await.unwrap());
    let shown = view::incident(&world.app.engine.config(), &*world.incident().await, world.app.engine.now());
    let says: Vec<_> = shown.roles.iter().map(|role| (role.state.as_str(), role.says.as_str())).collect();
    assert_eq!(says, [("closed", "nobody answered"), ("closed", "nobody answered")]);
}

#[tokio::test]
async fn people_read_the_name_of_a_role_and_programs_its_id() {
    let named = TURNS.replace("[role.head]", "[role.head]\nname = \"Head of desk\"");
    let world = World::of(&named.replace("[role.trader]", "[role.trader]\nname = \"Equities trader\""));
    let idle = world.shown("gita").await["idle"].to_string();
    assert!(idle.contains("You are asked first for Head of desk, always."), "{idle}");
    world.crash().await;
    let incident = world.incident().await;
    let brief = incident.pages.values().find(|page| page.purpose.is_brief()).unwrap();
    let shown = world.shown(brief.person.as_ref().unwrap().as_str()).await;
    let page = &shown["pages"][0];
    assert_eq!((&page["role"], &page["role_name"]), (&"trader".into(), &"Equities trader".into()));
    assert!(page["ask"].as_str().unwrap().starts_with("EQUITIES TRADER: press"), "{page}");
    assert_eq!(page["otherwise"], "Otherwise Head of desk takes over.");
    assert_eq!(shown["incidents"][0]["roles"][0]["name"], "Equities trader");
    assert!(page["standing"].as_str().unwrap().starts_with("Nobody has Equities trader now: you are asked"), "{page}");
    for kind in [kannel::KIND, smtp::KIND, slack::KIND, voice::KIND] {
        let text = world.app.engine.config().render(&incident, brief, kind).body;
        assert!(text.to_lowercase().contains("equities trader") && !text.contains("as trader"), "{text}");
    }
    let shown = view::incident(&world.app.engine.config(), &incident, world.app.engine.now());
    assert_eq!(shown.roles[0].role, "trader");
}

#[test]
fn who_is_granted_standby_reads_until_when_by_their_own_clock() {
    let world = World::of(TURNS);
    let config = world.app.engine.config();
    let verdict = AnswerVerdict::StandbyGranted { until: Timestamp::from_micros(START_US), before: None };
    let said = |person: &str| told(&config, &verdict, &PersonName::from(person));
    assert_eq!(said("ana"), "you have until 14:30:00 IST");
    assert_eq!(said("gita"), "you have until 09:00:00 GMT");
}

#[tokio::test]
async fn every_open_incident_can_be_seen_however_many_there_are() {
    let world = World::of(TURNS);
    for n in 0..BOARD_MAX + 7 {
        world.crash_of(&format!("S{n}")).await;
    }
    let shown = world.shown("gita").await;
    assert_eq!((shown["incidents"].as_array().unwrap().len(), &shown["left_out"]["open"]), (BOARD_MAX, &7.into()));
    let more = serde_json::to_value(more_open(&world.app).await.unwrap()).unwrap();
    let ids = |rows: &Value| rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect::<Vec<_>>();
    let mut all = [ids(&shown["incidents"]), ids(&more)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), BOARD_MAX + 7, "each once");
    assert_eq!(more[0]["open_roles"], serde_json::json!(["trader"]));
}

#[tokio::test]
async fn a_role_that_stands_in_is_timed_from_when_it_was_asked_by_show_and_by_reports_alike() {
    let world = World::of(TURNS);
    world.crash().await;
    // No desk was open: the step does not wait for a page that was not tried yet.
    for page in world.incident().await.pages.values() {
        let (id, until) = (stentor::core::PageId { incident: IncidentId(1), n: page.n }, world.app.engine.now());
        let until = until + Duration::from_secs(300);
        world.app.engine.delivery().hold(id, until, HeldWhy::DeskClosed).await.unwrap();
    }
    world.pass(Duration::from_secs(45));
    world.app.engine.tick_timers().await.unwrap();
    world.pass(Duration::from_secs(10));
    world.says("gita", Answer::Wilco).await;
    let incident = world.incident().await;
    let shown = view::incident(&world.app.engine.config(), &incident, world.app.engine.now());
    let head = shown.roles.iter().find(|role| role.role == "head").unwrap();
    assert_eq!((head.entered, head.tte_ms), (45_000.0, Some(10_000.0)));
    let timeline = IncidentTimeline { incident: (*incident).clone(), records: Vec::new() };
    let reported = timeline.roles(world.app.engine.now());
    let seconds = |role: &str| reported.iter().find(|row| row.role.as_str() == role).unwrap().seconds();
    assert_eq!(seconds("head"), 10.0);
    // Demanded from the beginning, and covered by that answer.
    let trader = shown.roles.iter().find(|role| role.role == "trader").unwrap();
    assert_eq!((trader.covered_ms, seconds("trader")), (Some(55_000.0), 55.0));
    // That is no time to engagement, as in the report and the review of the same incident.
    assert_eq!((trader.tte_ms, trader.stages.engaged, trader.in_time), (None, None, None));
    let facts = stentor::report::facts::facts(&timeline, &Default::default(), false, world.app.engine.now());
    let facts = serde_json::to_value(&facts).unwrap();
    let of = |role: &str| facts["roles"].as_array().unwrap().iter().find(|row| row["role"] == role).unwrap().clone();
    assert_eq!((&of("trader")["took"], &of("trader")["stages"]["engaged"]), (&serde_json::Value::Null, &"-".into()));
    assert_eq!(of("head")["took"], "10.0 s");
}
