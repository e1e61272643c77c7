//! What requests with an idempotency key were told.

use super::{World, all_lines, assert_sound, sql, try_open, view};
use crate::fixture::{opening, roster};
use std::time::Duration;
use stentor::{
    core::{IncidentId, IncidentKey},
    store::{
        KeptResponse, LockSet, RESPONSE_KEPT, RequestClass, RequestKey, RequestProgress, Store, StoreError,
        Transaction, transact,
    },
};

fn key(source: &str, operation: &str, key: &str) -> RequestKey {
    RequestKey { source: source.into(), operation: operation.into(), key: key.into() }
}

fn whole(body: &str) -> RequestProgress {
    RequestProgress::Whole { status: 202, body: body.into() }
}

/// Opens an incident, unless the request was told something before.
async fn once(store: &dyn Store, request: &RequestKey, opens: &str) -> Result<(IncidentId, bool), StoreError> {
    let (opening, keys, responses) = (opening(opens), vec![IncidentKey::stored(opens)], vec![request.clone()]);
    let (needs, request) = (LockSet { keys, responses, ..LockSet::default() }, request.clone());
    let work = move |tx: &mut Transaction<'_>| {
        if let Some(KeptResponse { progress: RequestProgress::Whole { body, .. }, .. }) =
            tx.response(&request).as_deref()
        {
            return (body.parse().expect("an incident"), true);
        }
        let id = tx.open(opening.clone(), &roster());
        tx.keep_response(&request, "sha256:1", whole(&id.to_string()));
        (id, false)
    };
    transact(store, RequestClass::Admission, needs, work).await.map(|(told, _)| told)
}

async fn told(store: &dyn Store, request: &RequestKey) -> Option<RequestProgress> {
    store.response(request.clone()).await.expect("readable").map(|kept| kept.progress.clone())
}

pub async fn a_response_is_kept_with_what_it_says_or_not_at_all(mut world: World) {
    let store = world.node().await;
    let request = key("monitor", "alerts", "k \u{0}\"1\"");
    assert_eq!(told(&*store, &request).await, None);
    // A commit that fails keeps neither.
    match &world.memory {
        Some(memory) => memory.fail_next_commits(1),
        None => {
            sql(world.dir.path(), "CREATE TRIGGER no BEFORE INSERT ON response BEGIN SELECT RAISE(ABORT, 'no'); END")
                .await
        }
    }
    assert!(once(&*store, &request, "XYZ").await.is_err());
    assert_eq!((told(&*store, &request).await, all_lines(&*store).await.len()), (None, 0));
    if world.memory.is_none() {
        sql(world.dir.path(), "DROP TRIGGER no").await;
    }
    let (first, _) = once(&*store, &request, "XYZ").await.expect("opened");
    assert_eq!(once(&*store, &request, "other").await.expect("told"), (first, true));
    assert_eq!(told(&*store, &request).await, Some(whole(&first.to_string())));
    // Neither another source nor another operation has anything to do with it.
    for other in [key("desk", "alerts", &request.key), key("monitor", "requests", &request.key)] {
        assert_eq!(told(&*store, &other).await, None);
    }
    let second = key("monitor", "alerts", "2");
    world.hands.pass(Duration::from_secs(3600));
    assert!(!once(&*store, &second, "ABC").await.expect("opened").1);

    // It is there after a restart, until its time is over; then the key is free.
    let store = world.node().await;
    assert_eq!(once(&*store, &request, "other").await.expect("told"), (first, true));
    world.hands.pass(RESPONSE_KEPT - Duration::from_secs(3600) - Duration::from_secs(60));
    assert_eq!(once(&*store, &request, "other").await.expect("told"), (first, true), "a replay does not prolong it");
    world.hands.pass(Duration::from_secs(60));
    assert_eq!(told(&*store, &request).await, None);
    let (again, is_replay) = once(&*store, &request, "other").await.expect("opened");
    assert!(!is_replay && again != first && view(&*store, again).await.is_open());
    assert!(once(&*store, &second, "other").await.expect("told").1, "this one was told later");
    assert_sound(all_lines(&*store).await);
}

async fn rows(world: &World) -> i64 {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
    let mut conn = options.connect().await.expect("a connection");
    sqlx::query_scalar("SELECT count(*) FROM response").fetch_one(&mut conn).await.expect("a count")
}

#[tokio::test]
async fn responses_whose_time_is_over_leave_the_disk_with_and_without_a_restart() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let requests: Vec<RequestKey> = (0..600).map(|n| key("monitor", "alerts", &format!("{n}"))).collect();
    let needs = LockSet { responses: requests.clone(), ..LockSet::default() };
    let work = move |tx: &mut Transaction<'_>| {
        requests.iter().for_each(|request| tx.keep_response(request, "sha256:1", whole("{}")));
    };
    transact(&*store, RequestClass::Admission, needs, work).await.expect("kept");
    assert_eq!(rows(&world).await, 600);
    world.hands.pass(RESPONSE_KEPT);
    store.renew_lease().await.expect("renewed");
    let left = rows(&world).await;
    assert!((1..600).contains(&left), "each commit takes some, so that none takes long: {left} are left");
    world.reopen().await;
    assert_eq!(rows(&world).await, 0);
}

/// What a kill leaves behind: the files as they are, while the store is still open.
#[tokio::test]
async fn a_response_survives_a_kill_and_a_damaged_one_stops_nobody() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (one, two) = (key("monitor", "alerts", "1"), key("monitor", "alerts", "2"));
    let (first, _) = once(&*store, &one, "XYZ").await.expect("opened");
    once(&*store, &two, "ABC").await.expect("opened");
    let image = crate::fixture::state_folder();
    for name in ["stentor.db", "stentor.db-wal"] {
        std::fs::copy(world.dir.path().join(name), image.path().join(name)).expect("a copy");
    }
    let revived = super::open(image.path(), &world.hands).await.expect("a store");
    assert_eq!(once(&*revived, &one, "other").await.expect("told"), (first, true));
    revived.close().await;
    sql(image.path(), "UPDATE response SET body = 'gone' WHERE key = '1'").await;
    let revived = super::open(image.path(), &world.hands).await.expect("a store");
    assert!(!once(&*revived, &one, "other").await.expect("opened").1, "it is a new request");
    assert!(once(&*revived, &two, "other").await.expect("told").1);
    assert!(try_open(&*revived, "more").await.is_ok());
    revived.close().await;
}
