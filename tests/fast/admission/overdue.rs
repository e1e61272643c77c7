//! Alerts about a question whose time is over, where nobody has noticed that yet.

use super::World;
use std::time::Duration;
use stentor::{
    core::{Alert, AlertStatus, IncidentId, RequestOutcome},
    engine::AdmissionResult,
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
