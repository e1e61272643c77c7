//! A queue of tens of thousands of open incidents drains at one rate, however many there are.

use crate::fixture::{Hands, START, crowd, opening_of, state_folder};
use futures_util::{StreamExt, stream};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stentor::{
    core::{EscalationPlan, IncidentId, IncidentInput, IncidentKey, PageId, Roster, SendOutcome, SendReceipt},
    store::{LockSet, RequestClass, SqliteStore, Store, Transaction, transact},
};

/// As many sends as a channel has under way.
const AT_ONCE: usize = 64;

/// The last so many of each queue are timed: the first of them would be in memory in any case.
const TIMED: i64 = 8_000;

#[tokio::test]
#[ignore = "takes minutes: cargo test --test soak -- --ignored --nocapture storm::drain"]
async fn thirty_thousand_open_incidents_drain_as_fast_as_nineteen_thousand() {
    let (fewer, more) = (drained(19_000).await, drained(30_000).await);
    let ratio = fewer.as_secs_f64() / more.as_secs_f64();
    println!("the last {TIMED} of 19,000: {fewer:.2?}, of 30,000: {more:.2?}; {ratio:.2} of the rate");
    assert!(0.7 < ratio, "a longer queue drains at {ratio:.2} of the rate");
}

/// How long the last pages of a queue take that pages one person for each of so many incidents.
async fn drained(open: i64) -> Duration {
    let dir = state_folder();
    let store: Arc<dyn Store> = SqliteStore::open(dir.path(), Arc::new(Hands::new())).await.unwrap();
    store.renew_lease().await.unwrap();
    let (mut plan, roster): (EscalationPlan, Roster) = crowd(1);
    plan.roles.get_mut("trader").unwrap().steps[0].by = vec!["sms".into()];
    let (plan, roster) = (Arc::new(plan), Arc::new(roster));
    for from in (0..open).step_by(500) {
        open_some(&store, &plan, &roster, from..from + 500).await;
    }
    drain(&store, &roster, 1..=open - TIMED).await;
    let begun = Instant::now();
    drain(&store, &roster, open - TIMED + 1..=open).await;
    begun.elapsed()
}

async fn open_some(
    store: &Arc<dyn Store>,
    plan: &Arc<EscalationPlan>,
    roster: &Arc<Roster>,
    numbers: std::ops::Range<i64>,
) {
    let keys: Vec<IncidentKey> = numbers.map(|n| IncidentKey::stored(&format!("flood/{n}"))).collect();
    let needs = LockSet { keys: keys.clone(), ..LockSet::default() };
    let (plan, roster) = (plan.clone(), roster.clone());
    let run = move |tx: &mut Transaction<'_>| {
        for key in &keys {
            let opening = opening_of(key.as_str(), EscalationPlan::clone(&plan));
            tx.open(opening, &roster);
        }
    };
    transact(&**store, RequestClass::Admission, needs, run).await.unwrap();
}

/// Each page in its turn: looked at, and settled.
async fn drain(store: &Arc<dyn Store>, roster: &Arc<Roster>, numbers: std::ops::RangeInclusive<i64>) {
    let sends = numbers.map(|n| {
        let (store, roster) = (store.clone(), roster.clone());
        async move {
            let id = IncidentId(n);
            assert!(store.view(id).await.unwrap().is_some());
            assert!(store.is_wanted(PageId { incident: id, n: 1 }).await.unwrap());
            let settlement = SendOutcome::Accepted { receipt: SendReceipt::default() };
            let input = IncidentInput::Settled { page: 1, settlement, sent_at: Some(START), text: None };
            let needs = LockSet { incidents: vec![id], ..LockSet::default() };
            let run = move |tx: &mut Transaction<'_>| {
                tx.step(id, input.clone(), &roster);
            };
            transact(&*store, RequestClass::Ladder, needs, run).await.unwrap();
        }
    });
    stream::iter(sends).buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
}
