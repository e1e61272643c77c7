//! The check of the whole record, over as many incidents as one likes, with the time that each of its parts takes.
//!
//! `STENTOR_INCIDENTS=20000 cargo test --test soak record:: -- --nocapture` prints a table; `STENTOR_FOLDER=DIR` keeps the
//! state folder there, for `stentor journal verify --state DIR`.

use crate::fixture::{Hands, opening, roster};
use futures_util::{StreamExt, stream};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use stentor::{
    core::{
        Actor, IncidentInput, IncidentKey, SendOutcome, SendReceipt,
        record::{RecordCursor, RecordPart},
    },
    store::{LockSet, RequestClass, SqliteStore, Store, Transaction, transact},
};

/// How many incidents there are if nobody says.
const INCIDENTS: usize = 300;

/// How many are written at once.
const AT_ONCE: usize = 256;

/// Pages of each incident that are settled.
const PAGES: u32 = 6;

/// An incident whose pages arrived and that was resolved.
async fn play(store: &SqliteStore, n: usize) {
    let mut opening = opening("key");
    opening.key = IncidentKey::stored(&format!("key-{n}"));
    let needs = LockSet { keys: vec![opening.key.clone()], ..LockSet::default() };
    let work = move |tx: &mut Transaction<'_>| {
        let id = tx.open(opening.clone(), &roster());
        for page in 1..=PAGES {
            let receipt = SendReceipt { id: format!("m-{page}"), ..SendReceipt::default() };
            let settlement = SendOutcome::Accepted { receipt };
            tx.step(id, IncidentInput::Settled { page, settlement, sent_at: None, text: None }, &roster());
        }
        tx.step(id, IncidentInput::Resolve { by: Actor::Operator("root".into()), why: None }, &roster());
    };
    transact(store, RequestClass::Admission, needs, work).await.expect("kept");
}

async fn filled(dir: &Path, incidents: usize) -> Arc<SqliteStore> {
    let hands = Hands::new();
    let store = SqliteStore::open(dir, Arc::new(hands.clone())).await.expect("a store");
    stream::iter(0..incidents).for_each_concurrent(AT_ONCE, |n| play(&store, n)).await;
    hands.pass(Duration::from_secs(60));
    store.anchor().await.expect("an anchor");
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_record_is_compared_in_portions_and_each_incident_once() {
    let number = std::env::var("STENTOR_INCIDENTS").ok().and_then(|number| number.parse().ok());
    let incidents: usize = number.unwrap_or(INCIDENTS);
    let dir = tempfile::tempdir().expect("a folder");
    let kept = std::env::var_os("STENTOR_FOLDER").map(PathBuf::from);
    let store = filled(kept.as_deref().unwrap_or(dir.path()), incidents).await;
    let mut parts: BTreeMap<String, (u64, u64, Duration)> = BTreeMap::new();
    let mut next = Some(RecordCursor::default());
    while let Some(from) = next {
        let began = Instant::now();
        let portion = store.audit(from).await.expect("checked");
        assert!(portion.faults.is_empty(), "{:?}", portion.faults);
        let part = parts.entry(format!("{:?}", from.part)).or_default();
        *part = (part.0 + 1, part.1 + portion.checked, part.2 + began.elapsed());
        next = portion.next;
    }
    for (part, (portions, rows, took)) in &parts {
        println!("{part}: {rows} row(s) in {portions} portion(s), {:.3} s", took.as_secs_f64());
    }
    let of = |part: RecordPart| parts[&format!("{part:?}")];
    assert_eq!(of(RecordPart::Incidents).1, incidents as u64);
    // What was deleted is looked for once, however many incidents there are.
    assert_eq!(of(RecordPart::Deleted).0, 1);
    store.close().await;
}
