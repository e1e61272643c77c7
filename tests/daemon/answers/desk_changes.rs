//! A desk is told what changed, and that is as good as being told everything.

use super::{
    command::app_on,
    desk::after,
    desk_time::{TURNS, World},
    house::DESK,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use stentor::{
    core::{Actor, Alert, Answer, AnswerVia, IncidentId, PageId, PersonName},
    http::{
        desk::changes::{ChangedIncidents, DeskChanges},
        state::AppState,
    },
    store::{IncidentFilter, SqliteStore, clock::SystemClock},
};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// A desk that stays open.
struct Open {
    person: &'static str,
    happened: Receiver<IncidentId>,
    changed: ChangedIncidents,
    changes: DeskChanges,
    shown: Value,
}

impl Open {
    fn of(person: &'static str, app: &AppState) -> Self {
        let (happened, changed) = (app.engine.changes(), ChangedIncidents::none());
        Self { person, happened, changed, changes: DeskChanges::default(), shown: Value::Null }
    }

    /// The next change, if anything has changed.
    async fn hears(&mut self, app: &AppState) -> Option<Value> {
        let mut changed = std::mem::replace(&mut self.changed, ChangedIncidents::none());
        loop {
            match self.happened.try_recv() {
                Ok(id) => changed.add(id),
                Err(TryRecvError::Lagged(_)) => changed = ChangedIncidents::Any,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let change = self.changes.next(app, &PersonName::from(self.person), &changed).await.unwrap()?;
        let change = serde_json::to_value(change).unwrap();
        self.shown = after(&self.shown, &change);
        Some(change)
    }
}

/// What a desk shows, without what counts its events.
fn content(shown: &Value) -> Value {
    let mut content = shown.clone();
    content["seq"] = json!(0);
    content["now"] = json!(0);
    content
}

fn cards(change: &Value, list: &str) -> Vec<String> {
    let cards = change[list]["cards"].as_array().into_iter().flatten();
    cards.map(|card| card["key"].as_str().unwrap().split(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_answer_sends_the_cards_of_its_incident_and_no_other() {
    let world = World::of(DESK);
    for n in 0..20 {
        world.crash_of(&format!("S{n}")).await;
    }
    let mut ana = Open::of("ana", &world.app);
    let whole = ana.hears(&world.app).await.unwrap();
    assert_eq!((cards(&whole, "pages").len(), cards(&whole, "incidents").len()), (20, 20));
    assert_eq!(ana.hears(&world.app).await, None, "nothing has changed");

    world.says_in(IncidentId(7), "bo", Answer::Wilco).await;
    let change = ana.hears(&world.app).await.unwrap();
    let page = cards(&change, "pages");
    assert!(page.len() == 1 && page[0].starts_with("INC-7."), "{change}");
    assert_eq!(cards(&change, "incidents"), ["INC-7"]);
    assert_eq!((&change["seq"], change.get("person")), (&json!(2), None), "{change}");
    assert!(change.to_string().len() * 5 < whole.to_string().len(), "{change}");

    // Time takes it away: no card is sent for that.
    world.pass(Duration::from_secs(11 * 60));
    ana.changed = ChangedIncidents::Any;
    let change = ana.hears(&world.app).await.unwrap();
    assert_eq!((cards(&change, "pages"), change["pages"]["order"].as_array().unwrap().len()), (vec![], 19));
    // It is open again, and comes back.
    world.says_in(IncidentId(7), "bo", Answer::Unable).await;
    let change = ana.hears(&world.app).await.unwrap();
    assert_eq!((cards(&change, "pages").len(), change["pages"]["order"].as_array().unwrap().len()), (1, 20));
}

#[tokio::test]
async fn whatever_happens_a_desk_that_hears_changes_shows_what_one_that_opens_now_shows() {
    for seed in 0..4 {
        let world = World::of(TURNS);
        let mut dice = StdRng::seed_from_u64(seed);
        let mut open = ["ana", "bo", "gita"].map(|person| Open::of(person, &world.app));
        for turn in 0..60 {
            let id = IncidentId(dice.random_range(1..=6));
            let person = ["ana", "bo", "gita"][dice.random_range(0..3)];
            let known = world.app.engine.reads().view(id).await.unwrap().is_some();
            match dice.random_range(0..6) {
                0 => world.crash_of(&format!("S{}", dice.random_range(0..40))).await,
                1 if known => world.says_in(id, person, Answer::Wilco).await,
                2 if known => world.says_in(id, person, Answer::Unable).await,
                3 if known => {
                    let _ = world.app.engine.inbound().resolve(id, Actor::Person(person.into())).await.unwrap();
                }
                4 => {
                    world.pass(Duration::from_secs(dice.random_range(1..400)));
                    world.app.engine.tick_timers().await.unwrap();
                    // As each desk looks, once a minute.
                    open.iter_mut().for_each(|desk| desk.changed = ChangedIncidents::Any);
                }
                _ => {}
            }
            // Some hear of several things at once.
            for desk in open.iter_mut().filter(|_| dice.random_range(0..3) != 0) {
                let _ = desk.hears(&world.app).await;
                let now = world.shown(desk.person).await;
                assert_eq!(content(&desk.shown), content(&now), "seed {seed}, turn {turn}, {}", desk.person);
            }
        }
    }
}

/// The time that processors have worked for this program.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// Incidents that all ask Ana.
const OWN: usize = 1_000;
const CHANGES: usize = 100;

/// What a change costs a desk with a thousand own pages. The figures of docs/src/limits.md are what this prints.
#[tokio::test]
async fn a_change_of_a_desk_with_a_thousand_pages_is_a_small_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Arc::new(SystemClock)).await.unwrap();
    let app = app_on(DESK, store, dir.path());
    let alert = |n: usize| {
        let mut alert = Alert::new("monitor", "price_velocity");
        alert.labels.insert("symbol".into(), format!("S{n}"));
        alert.values.insert("drop_pct".into(), 7.5);
        alert
    };
    app.engine.admission().admit((0..OWN).map(alert).collect(), app.engine.now()).await.unwrap();
    let newest = app.engine.reads().list(IncidentFilter { open_only: true, limit: CHANGES }).await.unwrap();
    assert_eq!(newest.len(), CHANGES);
    let mut ana = Open::of("ana", &app);
    let first = ana.hears(&app).await.unwrap().to_string().len();
    let (mut whole, mut news) = ((0, Duration::ZERO), (0, Duration::ZERO));
    for incident in newest {
        let page = incident.pages.values().find(|page| page.person.as_ref().is_some_and(|p| p.as_str() == "bo"));
        let page = PageId { incident: incident.id, n: page.unwrap().n };
        app.engine.inbound().answer_page(page, "bo".into(), Some(Answer::Wilco), AnswerVia::Desk).await.unwrap();
        let changed = ChangedIncidents::These([incident.id].into());
        for (desk, sum) in [(&mut DeskChanges::default(), &mut whole), (&mut ana.changes, &mut news)] {
            let began = worked();
            let change = desk.next(&app, &"ana".into(), &changed).await.unwrap();
            sum.1 += worked() - began;
            sum.0 += serde_json::to_string(&change).unwrap().len();
        }
    }
    let each = |(bytes, took): (usize, Duration)| (bytes / CHANGES, took / u32::try_from(CHANGES).unwrap());
    let (whole, news) = (each(whole), each(news));
    println!("{OWN} own pages: {first} bytes at first; each change anew {whole:?}, as news {news:?}");
    assert!(news.0 * 10 < whole.0, "bytes: {whole:?} {news:?}");
}
