//! A request with an idempotency key is admitted once, whatever happens in between.

use super::{World, crash};
use crate::fixture::START;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use stentor::{
    core::{Alert, IncidentId},
    engine::{AdmissionResult, KeptResult, KeyedRequest, KeyedResult},
    store::{IncidentFilter, RequestKey, StoreError},
};

fn request(key: &str, digest: &str) -> KeyedRequest {
    let key = RequestKey { source: "quiet".into(), operation: "alerts".into(), key: key.into() };
    let respond = Arc::new(|results: &[KeptResult]| {
        let again = results.iter().any(|result| result.admitted.is_over_quota() || result.admitted.refused().is_some());
        (!again).then(|| (202, serde_json::to_string(results).unwrap()))
    });
    KeyedRequest { key, digest: digest.into(), respond }
}

fn alerts(count: usize) -> Vec<Alert> {
    let one = |n: usize| {
        let mut alert = crash("quiet", &format!("S{n:03}"));
        alert.id = format!("ALT-{:016x}", rand::random::<u64>());
        alert
    };
    (0..count).map(one).collect()
}

impl World {
    async fn keyed(&self, key: &str, alerts: Vec<Alert>) -> Result<KeyedResult, StoreError> {
        self.engine.admission().admit_keyed(alerts, START, request(key, "sha256:1")).await
    }

    /// How many alerts each incident has.
    async fn incidents(&self) -> BTreeMap<IncidentId, u64> {
        let all = IncidentFilter { open_only: false, limit: usize::MAX };
        let all = self.store.list(all).await.unwrap();
        all.iter().map(|incident| (incident.id, incident.alerts)).collect()
    }
}

fn admitted(result: KeyedResult) -> Vec<KeptResult> {
    let KeyedResult::Admitted(results) = result else { panic!("{result:?}") };
    results
}

fn again(result: KeyedResult) -> Vec<KeptResult> {
    let KeyedResult::Again { status: 202, body } = result else { panic!("{result:?}") };
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn what_comes_again_opens_nothing_and_is_told_the_same() {
    for world in [World::memory(), World::sqlite().await] {
        let first = admitted(world.keyed("a", alerts(3)).await.unwrap());
        // The same once more without a key joins, so the alerts are counted: nothing of that here.
        for _ in 0..3 {
            assert_eq!(again(world.keyed("a", alerts(3)).await.unwrap()), first);
        }
        assert_eq!(world.incidents().await.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
        let other = world.engine.admission().admit_keyed(alerts(3), START, request("a", "sha256:2")).await.unwrap();
        assert_eq!(other, KeyedResult::OtherBody);
        assert_eq!(world.incidents().await.len(), 3);
        admitted(world.keyed("b", alerts(3)).await.unwrap());
        assert_eq!(
            world.incidents().await.values().copied().collect::<Vec<_>>(),
            [2, 2, 2],
            "another key is another request"
        );
    }
}

#[tokio::test]
async fn many_at_once_with_one_key_are_one() {
    for world in [World::memory(), World::sqlite().await] {
        let told = futures_util::future::join_all((0..8).map(|_| world.keyed("a", alerts(150)))).await;
        let told: BTreeSet<String> = told
            .into_iter()
            .map(|result| match result.unwrap() {
                KeyedResult::Again { body, .. } => body,
                result => serde_json::to_string(&admitted(result)).unwrap(),
            })
            .collect();
        assert_eq!(told.len(), 1, "all are told the same");
        let incidents = world.incidents().await;
        assert!(incidents.len() == 150 && incidents.values().all(|alerts| *alerts == 1), "{incidents:?}");
    }
}

/// 150 alerts are several transactions. The store fails in one of them, as at a crash, and the sender tries again.
#[tokio::test]
async fn a_failure_between_two_parts_loses_nothing_and_doubles_nothing() {
    let world = World::sqlite().await;
    let sql = async |sql: &'static str| {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world._dir.path().join("stentor.db"));
        let mut conn = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    };
    sql("CREATE TRIGGER no BEFORE INSERT ON incident WHEN new.key GLOB '*S100*' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    for _ in 0..2 {
        world.keyed("a", alerts(150)).await.expect_err("its second part");
        let incidents = world.incidents().await;
        assert!((1..100).contains(&incidents.len()) && incidents.values().all(|alerts| *alerts == 1), "{incidents:?}");
    }
    let before = world.incidents().await.len();
    sql("DROP TRIGGER no").await;
    // Another body is refused though no response was given yet.
    let other = world.engine.admission().admit_keyed(alerts(150), START, request("a", "sha256:2")).await.unwrap();
    assert_eq!((other, world.incidents().await.len()), (KeyedResult::OtherBody, before));
    let told = admitted(world.keyed("a", alerts(150)).await.unwrap());
    let opened: BTreeSet<String> = told.iter().map(|result| format!("{:?}", result.admitted.results)).collect();
    assert!(opened.len() == 150 && opened.iter().all(|result| result.starts_with("[Opened")), "{opened:?}");
    let incidents = world.incidents().await;
    assert!(incidents.len() == 150 && incidents.values().all(|alerts| *alerts == 1), "{incidents:?}");
    assert_eq!(again(world.keyed("a", alerts(150)).await.unwrap()), told);
}

#[tokio::test]
async fn a_failed_commit_keeps_nothing_and_the_next_attempt_is_the_first() {
    let world = World::memory();
    let failing = world.memory.clone().unwrap();
    failing.fail_next_commits(1);
    world.keyed("a", alerts(2)).await.expect_err("the commit failed");
    failing.set_full(true);
    assert!(matches!(world.keyed("a", alerts(2)).await, Err(StoreError::Full)));
    failing.set_full(false);
    assert_eq!(world.incidents().await.len(), 0);
    let told = admitted(world.keyed("a", alerts(2)).await.unwrap());
    failing.set_full(true);
    assert_eq!(again(world.keyed("a", alerts(2)).await.unwrap()), told, "a replay needs no room");
}

/// `Retry-After` tells the sender to send these again: the same request must then open them, and nothing twice.
#[tokio::test]
async fn what_was_refused_for_the_quota_is_admitted_when_the_request_comes_again() {
    let world = World::memory();
    let narrow = |symbol: &str| Alert { id: format!("ALT-{symbol}"), ..crash("narrow", symbol) };
    world.admit(vec![narrow("A"), narrow("B")]).await;
    let mixed = || ["A", "C", "D"].map(narrow).to_vec();
    for _ in 0..2 {
        let results = admitted(world.keyed("a", mixed()).await.unwrap());
        let over: Vec<bool> = results.iter().map(|result| result.admitted.is_over_quota()).collect();
        assert_eq!(over, [false, true, true]);
    }
    assert_eq!(world.incidents().await.into_values().collect::<Vec<_>>(), [2, 1], "the first is not doubled");
    world.clock.pass(Duration::from_secs(61));
    let results = admitted(world.keyed("a", mixed()).await.unwrap());
    assert!(matches!(results[0].admitted.results[..], [AdmissionResult::Joined { .. }]), "{results:?}");
    assert!(results[1..].iter().all(|result| matches!(result.admitted.results[..], [AdmissionResult::Opened { .. }])));
    assert_eq!(world.incidents().await.into_values().collect::<Vec<_>>(), [2, 1, 1, 1]);
    assert_eq!(again(world.keyed("a", mixed()).await.unwrap()), results);
}
