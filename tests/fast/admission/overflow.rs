//! What one trigger may open within a minute, and what becomes of the rest.

use super::World;
use crate::fixture::START;
use std::{collections::BTreeSet, time::Duration};
use stentor::{
    core::{Actor, Alert, AlertStatus, Event, Incident, IncidentId, IncidentInput, IncidentStatus, Timestamp},
    engine::AdmissionResult,
};

fn alert(symbol: &str, status: AlertStatus) -> Alert {
    let mut alert = Alert::new("monitor", "flood");
    alert.labels.insert("symbol".into(), symbol.into());
    alert.starts_at = Some(Timestamp::from_micros(START.as_micros() - 1_000_000));
    alert.status = status;
    alert
}

impl World {
    async fn flood(&self, symbol: &str) -> AdmissionResult {
        self.admit(vec![alert(symbol, AlertStatus::Firing)]).await.remove(0).results.remove(0)
    }

    async fn clear(&self, symbol: &str) -> AdmissionResult {
        self.admit(vec![alert(symbol, AlertStatus::Resolved)]).await.remove(0).results.remove(0)
    }

    /// The trigger opens its three incidents; the next alert opens the overflow.
    async fn overflowing(&self) -> IncidentId {
        for symbol in ["A", "B", "C"] {
            assert!(matches!(self.flood(symbol).await, AdmissionResult::Opened { .. }), "{symbol}");
        }
        match self.flood("D").await {
            AdmissionResult::Overflowed { incident } => incident,
            other => panic!("{other:?}"),
        }
    }

    async fn incident(&self, id: IncidentId) -> Incident {
        (*self.store.view(id).await.unwrap().unwrap()).clone()
    }
}

#[tokio::test]
async fn beyond_its_limit_a_trigger_counts_further_keys_in_one_incident_that_pages() {
    for world in [World::memory(), World::sqlite().await] {
        let overflow = world.overflowing().await;
        let opened = world.incident(overflow).await;
        assert_eq!((opened.key.as_str(), &*opened.summary), ("stentor:overflow/flood", "1 more of flood: D"));
        assert!(opened.pages.values().any(|page| page.asks().is_some()), "it pages by the same ladder");

        let counted = AdmissionResult::Overflowed { incident: overflow };
        for symbol in ["E", "F", "G", "H"] {
            assert_eq!(world.flood(symbol).await, counted);
        }
        // What comes again belongs to what has it.
        assert!(matches!(world.flood("A").await, AdmissionResult::Joined { incident } if incident != overflow));
        assert_eq!(world.flood("E").await, AdmissionResult::Joined { incident: overflow });
        let now = world.incident(overflow).await;
        assert_eq!((&*now.summary, now.alerts), ("5 more of flood: H, G, F and 2 more", 6));

        // The limit is each trigger's own, and drills have theirs.
        assert!(matches!(
            world.admit(vec![super::crash("monitor", "ACME")]).await[0].results[..],
            [AdmissionResult::Opened { .. }]
        ));
        let metrics = world.engine.metrics().text(None, START);
        let line = "stentor_alert_results_total{source=\"monitor\",result=\"overflowed\",drill=\"false\"} 5";
        assert!(metrics.contains(line), "{metrics}");

        // A minute later it opens incidents again.
        world.clock.pass(Duration::from_secs(61));
        assert!(matches!(world.flood("Z").await, AdmissionResult::Opened { .. }));
        assert_eq!(world.flood("F").await, AdmissionResult::Joined { incident: overflow }, "it is counted there");
    }
}

#[tokio::test]
async fn an_all_clear_is_that_of_its_own_key_and_the_last_one_closes_the_overflow() {
    let world = World::sqlite().await;
    let overflow = world.overflowing().await;
    world.flood("E").await;
    let cleared = AdmissionResult::Cleared { incident: overflow };
    assert_eq!(world.clear("D").await, cleared);
    assert_eq!(world.clear("D").await, AdmissionResult::Unmatched, "once is enough");
    let now = world.incident(overflow).await;
    assert!(now.is_open());
    assert_eq!(&*now.summary, "2 more of flood, 1 of them over: E");
    // Fires anew, and is over again.
    assert_eq!(world.flood("D").await, AdmissionResult::Overflowed { incident: overflow });
    assert_eq!(world.clear("D").await, cleared);
    assert_eq!(world.clear("E").await, cleared);
    assert!(world.incident(overflow).await.is_open(), "it stays open for the minute of the limit");
    let due = world.incident(overflow).await.deadline().expect("a deadline");
    world.clock.pass(Duration::from_secs(60));
    assert!(due <= START + Duration::from_secs(60));
    world.engine.step(overflow, IncidentInput::Tick).await.unwrap();
    let by = IncidentStatus::Resolved {
        by: Actor::Source("monitor".into()),
        why: None,
        at: START + Duration::from_secs(60),
    };
    assert_eq!(world.incident(overflow).await.status, by);
}

/// Each all-clear ends what its alert had opened: further alerts of the key must not open more than the limit.
#[tokio::test]
async fn a_flapping_key_opens_no_more_than_the_limit() {
    let world = World::memory();
    let mut opened = BTreeSet::new();
    for _ in 0..100 {
        match world.flood("A").await {
            AdmissionResult::Opened { incident } | AdmissionResult::Overflowed { incident } => opened.insert(incident),
            other => panic!("{other:?}"),
        };
        assert!(matches!(world.clear("A").await, AdmissionResult::Cleared { .. }));
        world.clock.pass(Duration::from_millis(200));
    }
    assert_eq!(opened.len(), 4, "three of the limit, and one that counts the others");
}

#[tokio::test]
async fn what_a_human_ended_with_the_overflow_pages_nobody_again() {
    let world = World::sqlite().await;
    let overflow = world.overflowing().await;
    world.flood("E").await;
    world.clear("D").await;
    let over = IncidentInput::Resolve { by: Actor::Person("ana".into()), why: None };
    world.engine.step(overflow, over).await.unwrap();
    world.clock.pass(Duration::from_secs(61));
    assert!(matches!(world.flood("E").await, AdmissionResult::Over { .. }), "the same episode");
    assert!(matches!(world.flood("D").await, AdmissionResult::Opened { .. }), "its monitor had ended it");
    let mut anew = alert("E", AlertStatus::Firing);
    anew.starts_at = Some(START);
    assert!(matches!(world.admit(vec![anew]).await[0].results[..], [AdmissionResult::Opened { .. }]));
}

#[tokio::test]
async fn an_overflow_is_read_from_its_rows_and_folds_from_its_journal() {
    let world = World::sqlite().await;
    let overflow = world.overflowing().await;
    world.flood("E").await;
    world.clear("D").await;
    let kept = world.incident(overflow).await;
    let lines = world.store.lines(Some(overflow.to_string()), 0, 1000).await.unwrap();
    let records: Vec<stentor::core::JournalRecord> =
        lines.iter().map(|line| serde_json::from_str(&line.body).unwrap()).collect();
    let counts = |event: &Event| matches!(event, Event::Overflowed { .. } | Event::OverflowCleared { .. });
    assert_eq!(records.iter().filter(|record| counts(&record.event)).count(), 3);
    let folded = Incident::fold(overflow, records.iter().map(|record| (record.at, &record.event))).unwrap();
    assert_eq!(folded, kept);
}

/// Junk of one source fills the trigger's limit, and somebody has taken the incident that counts it: another source's
/// crisis pages all the same.
#[tokio::test]
async fn the_flood_of_one_source_hides_no_crisis_of_another() {
    let world = World::sqlite().await;
    let overflow = world.overflowing().await;
    let by = Actor::Person("ana".into());
    let mut other = alert("REAL", AlertStatus::Firing);
    other.source = "loud".into();
    let admitted = world.admit(vec![other.clone()]).await;
    let [AdmissionResult::Opened { incident }] = admitted[0].results[..] else { panic!("{admitted:?}") };
    assert!(incident != overflow && world.incident(incident).await.pages.values().any(|page| page.asks().is_some()));
    // Once in a minute: a second key of that source is counted like all others.
    other.labels.insert("symbol".into(), "REAL-2".into());
    assert_eq!(world.admit(vec![other]).await[0].results, [AdmissionResult::Overflowed { incident: overflow }]);
    let _ = world.engine.inbound().resolve(overflow, by).await.unwrap();
}
