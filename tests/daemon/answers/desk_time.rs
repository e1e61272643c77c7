//! What a desk shows as time passes: the clock is the test's own.

use super::{command::app_on, house::DESK};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use stentor::{
    core::{Actor, Alert, Answer, AnswerVia, Incident, IncidentId, PersonName, Timestamp},
    http::{desk::snapshot::snapshot, state::AppState},
    store::MemoryStore,
};

/// 2026-11-23, a Monday, 09:00 in UTC.
const START_US: i64 = 1_795_424_400_000_000;

struct World {
    app: AppState,
    now_us: Arc<AtomicI64>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let now_us = Arc::new(AtomicI64::new(START_US));
        let clock = now_us.clone();
        let store = MemoryStore::new(move || Timestamp::from_micros(clock.load(Ordering::SeqCst)));
        let dir = tempfile::tempdir().unwrap();
        let app = app_on(DESK, Arc::new(store.node()), dir.path());
        Self { app, now_us, _dir: dir }
    }

    fn pass(&self, span: Duration) {
        self.now_us.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }

    async fn incident(&self) -> Arc<Incident> {
        self.app.engine.store.view(IncidentId(1)).await.unwrap().unwrap()
    }

    async fn says(&self, person: &str, answer: Answer) {
        let incident = self.incident().await;
        let theirs = incident.pages.values().rfind(|page| page.person.as_ref().is_some_and(|p| p.as_str() == person));
        let page = stentor::core::PageId { incident: incident.id, n: theirs.unwrap().n };
        self.app.engine.answer_page(page, person.into(), Some(answer), AnswerVia::Desk).await.unwrap();
    }

    /// The states of this person's pages.
    async fn desk(&self, person: &str) -> Vec<String> {
        let shown = snapshot(&self.app, &PersonName::from(person)).await.unwrap();
        let shown: Value = serde_json::to_value(&shown).unwrap();
        let pages = shown["pages"].as_array().unwrap().iter();
        pages.map(|page| page["state"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn what_somebody_has_stays_on_their_desk_until_the_incident_ends_and_is_not_theirs_after() {
    let world = World::new();
    let mut alert = Alert::new("monitor", "price_velocity");
    alert.labels.insert("symbol".into(), "ES".into());
    alert.values.insert("drop_pct".into(), 7.5);
    world.app.engine.admit(vec![alert], Timestamp::from_micros(START_US)).await.unwrap();
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

    assert!(world.app.engine.resolve(IncidentId(1), Actor::Person("bo".into())).await.unwrap());
    assert_eq!((world.desk("ana").await, world.desk("bo").await), (vec!["over".into()], vec!["over".into()]));
    world.pass(Duration::from_secs(9 * 60));
    assert_eq!(world.desk("bo").await, ["over"]);
    world.pass(Duration::from_secs(2 * 60));
    assert_eq!(world.desk("bo").await, Vec::<String>::new(), "ten minutes after the end, not after the answer");
}
