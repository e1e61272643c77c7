//! How many events per second the SQLite store can commit: `cargo run --release --example store_speed [DIRECTORY]`.
//!
//! Every client repeats one small transaction on an incident of its own and waits until it is durable: an alert that
//! joins (one journal line, the incident's body) or a page's retry (one journal line, the page's row, the incident's
//! head).
#![allow(clippy::disallowed_methods)]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use stentor::{
    core::{
        Alert, AnswerLevel, EscalationPlan, IncidentId, IncidentInput, IncidentKey, IncidentOpening, RoleName,
        RolePlan, Roster, SendOutcome, StepPlan, StepTarget, Timestamp, plan::OnResolved,
    },
    store::{LockSet, RequestClass, SqliteStore, Store, StoreError, Transaction, clock::SystemClock, transact},
};

const SPAN: Duration = Duration::from_secs(3);

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "store-speed".into());
    let store = SqliteStore::open(dir.as_ref(), Arc::new(SystemClock)).await?;
    println!("{:<8} {:>8} {:>10} {:>9} {:>9}", "work", "clients", "events/s", "p50 ms", "p99 ms");
    for clients in [1, 64, 512] {
        for work in ["joined", "retried"] {
            measure(&store, work, clients).await?;
        }
    }
    store.close().await;
    Ok(())
}

async fn measure(store: &Arc<SqliteStore>, work: &'static str, clients: usize) -> Outcome<()> {
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (store, id) = (store.clone(), open(store, &format!("{work} {client} of {clients}")).await?);
        tasks.push(tokio::spawn(async move {
            let (mut spans, until) = (Vec::new(), Instant::now() + SPAN);
            while Instant::now() < until {
                let begun = Instant::now();
                step(&store, id, input(work, store.now())).await?;
                spans.push(begun.elapsed());
            }
            Ok::<_, StoreError>(spans)
        }));
    }
    let mut spans = Vec::new();
    for task in tasks {
        spans.extend(task.await??);
    }
    spans.sort_unstable();
    let at = |part: f64| spans[((spans.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let rate = spans.len() as f64 / SPAN.as_secs_f64();
    println!("{work:<8} {clients:>8} {rate:>10.0} {:>9.3} {:>9.3}", at(0.5), at(0.99));
    Ok(())
}

fn input(work: &str, now: Timestamp) -> IncidentInput {
    if work == "joined" {
        return IncidentInput::Alert(Arc::new(Alert::new("speed", "price_velocity")));
    }
    let settlement = SendOutcome::Retry { at: now, why: "try again".into(), unknown: false };
    IncidentInput::Settled { page: 1, settlement, sent_at: Some(now), text: None }
}

async fn step(store: &Arc<SqliteStore>, id: IncidentId, input: IncidentInput) -> Result<(), StoreError> {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let run = move |unit: &mut Transaction<'_>| {
        unit.step(id, input.clone(), &Roster::default());
    };
    transact(&**store, RequestClass::Ladder, needs, run).await.map(drop)
}

async fn open(store: &Arc<SqliteStore>, key: &str) -> Result<IncidentId, StoreError> {
    let key = IncidentKey::stored(key);
    let needs = LockSet { keys: vec![key.clone()], ..LockSet::default() };
    let reach = BTreeMap::from([("ana".into(), vec!["sms".into(), "desk".into()])]);
    let roster = Roster { reach, ..Roster::default() };
    let run = move |unit: &mut Transaction<'_>| {
        let opening = IncidentOpening {
            key: key.clone(),
            summary: "how fast?".into(),
            plan: Arc::new(plan()),
            alert: Arc::new(Alert::new("speed", "price_velocity")),
            received_at: unit.now(),
            terms: None,
            ask: None,
            nonce: None,
        };
        unit.open(opening, &roster)
    };
    transact(&**store, RequestClass::Admission, needs, run).await.map(|(id, _)| id)
}

fn plan() -> EscalationPlan {
    let step = StepPlan {
        page: vec![StepTarget::Person("ana".into())],
        by: vec!["sms".into(), "desk".into()],
        wait: Duration::from_secs(3600),
        repeat: 0,
    };
    let row = RolePlan {
        name: None,
        engaged_by: AnswerLevel::Wilco,
        target: None,
        template: "default".into(),
        template_revision: "r1".into(),
        steps: vec![step],
        next: None,
    };
    EscalationPlan {
        trigger: "speed".into(),
        matrix: "m1".into(),
        required: vec!["trader".into()],
        roles: BTreeMap::from([(RoleName::from("trader"), row)]),
        accept_timeout: BTreeMap::new(),
        rooms: Vec::new(),
        living: Default::default(),
        webhooks: Vec::new(),
        actions: Vec::new(),
        report_timeout: Default::default(),
        ask: None,
        priority: Default::default(),
        tier: None,
        raised: None,
        on_resolved: OnResolved::Note,
    }
}
