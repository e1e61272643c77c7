//! Alerts about a question that is asked, and about one whose time is over where nobody has noticed that yet.

use super::World;
use std::time::Duration;
use stentor::{
    core::{
        Alert, AlertStatus, IncidentId, RequestOutcome, Timestamp, repeats::JOINED_WHOLE, request_facts::action_digest,
    },
    engine::AdmissionResult,
    store::clock::ClockSources as _,
};

impl World {
    async fn asked(&self, status: AlertStatus) -> AdmissionResult {
        let alert = Alert { status, ..Alert::new("quiet", "asked") };
        self.admit(vec![alert]).await.remove(0).results.remove(0)
    }

    async fn asks(&self) -> IncidentId {
        let AdmissionResult::Opened { incident } = self.asked(AlertStatus::Firing).await else { panic!("it asks") };
        incident
    }

    async fn outcome(&self, id: IncidentId) -> Option<RequestOutcome> {
        self.store.view(id).await.unwrap().unwrap().request.as_ref()?.outcome().cloned()
    }
}

#[tokio::test]
async fn an_alert_after_the_deadline_asks_anew_and_is_not_lost_with_the_old_question() {
    let world = World::sqlite().await;
    let first = world.asks().await;
    assert_eq!(world.asked(AlertStatus::Firing).await, AdmissionResult::Joined { incident: first });
    world.clock.pass(Duration::from_secs(60));
    let second = world.asks().await;
    assert_ne!(first, second);
    assert_eq!(world.outcome(first).await, Some(RequestOutcome::Defaulted { option: "deny".into() }));
    assert_eq!(world.outcome(second).await, None, "it has its own time");
}

#[tokio::test]
async fn an_all_clear_after_the_deadline_withdraws_nothing_and_is_kept() {
    let world = World::sqlite().await;
    let asked = world.asks().await;
    world.clock.pass(Duration::from_secs(60));
    assert_eq!(world.asked(AlertStatus::Resolved).await, AdmissionResult::Unmatched);
    assert_eq!(world.outcome(asked).await, Some(RequestOutcome::Defaulted { option: "deny".into() }));
    let lines = world.store.lines(Some("source:quiet".into()), 0, 100).await.unwrap();
    assert!(lines.iter().any(|line| line.body.contains("nothing-open")), "{lines:?}");
}

#[tokio::test]
async fn however_often_its_alert_comes_again_what_is_asked_stays_and_its_monitor_is_not_silent() {
    let world = World::sqlite().await;
    let saying = |orders: f64, until: Timestamp| {
        let mut alert = Alert { lease_until: Some(until), ..Alert::new("quiet", "asked") };
        alert.values.insert("orders".into(), orders);
        alert
    };
    let lease = Duration::from_secs(20);
    world.admit(vec![saying(9_000.0, world.clock.wall() + lease)]).await;
    let asked = world.newest().await;
    // The first are journaled one by one, the others are counted.
    for _ in 0..JOINED_WHOLE + 5 {
        world.clock.pass(Duration::from_secs(2));
        world.admit(vec![saying(1.0, world.clock.wall() + lease)]).await;
    }
    world.engine.tick_timers().await.unwrap();
    let incident = world.store.view(asked).await.unwrap().unwrap();
    assert_eq!((incident.alerts, incident.alert.values["orders"]), (JOINED_WHOLE + 6, 9_000.0));
    assert_eq!((incident.silent_since, incident.alert.lease_until), (None, Some(world.clock.wall() + lease)));
    let digest = action_digest(&serde_json::Value::Null, &incident.alert).unwrap();
    assert_eq!(incident.request.as_ref().unwrap().ask.action_digest, digest, "its pages name what is asked");
}
