//! A journal that was written by a clock that was wrong: it is followed, and everybody is told.

use super::{
    command::{MATRIX, fire},
    common::{Daemon, Setup},
    fixture::Hands,
};
use std::{sync::Arc, time::Duration};
use stentor::{
    core::{SourceEvent, SourceName},
    store::{LockSet, RequestClass, SqliteStore, Store, Transaction, clock::ClockSources, transact},
};

/// Writes a line whose time is so far ahead of the machine's.
async fn write_ahead(daemon: &Daemon, by: Duration) {
    let hands = Hands::new();
    let now = stentor::store::clock::SystemClock.wall();
    hands.step_wall(now.micros_since(hands.wall()) + i64::try_from(by.as_micros()).unwrap());
    let store = SqliteStore::open(&daemon.state(), Arc::new(hands)).await.unwrap();
    let source = SourceName::from("stentor");
    let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
    let work = move |tx: &mut Transaction<'_>| tx.record_source(&source, SourceEvent::Stopped {});
    transact(&*store, RequestClass::Ladder, needs, work).await.unwrap();
    store.close().await;
}

#[test]
fn a_journal_a_year_ahead_is_a_problem_that_says_what_to_do_and_people_are_paged() {
    let mut daemon = Setup::new(MATRIX).start();
    assert!(daemon.stop());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(write_ahead(&daemon, Duration::from_secs(365 * 24 * 3600)));
    daemon.restart();
    let reply = daemon.control(&crate::wire::Call::get("/readyz"));
    let problems = reply.json()["problems"].to_string();
    assert!(reply.status == 200 && problems.contains("ahead of the wall clock"), "{problems}");
    assert!(
        problems.contains("Set the wall clock if it is wrong now") && problems.contains("new state folder"),
        "{problems}"
    );
    let doctor = daemon.cli(&["doctor"]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    let clock = said.lines().find(|line| line.contains(" clock ")).unwrap_or_default();
    assert!(clock.trim_start().starts_with("FAIL"), "{said}");
    // It works all the same, and no time goes back.
    fire(&daemon, "A");
    assert!(daemon.stop());
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}
