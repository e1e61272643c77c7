//! What alerts that only repeat themselves leave on the disk, and that each of them is counted.

use super::*;
use std::time::Duration;
use stentor::{
    core::{JournalRecord, SourceEvent, result_count},
    store::StoredLine,
};

const MANY: u64 = 1000;

impl World {
    /// On a disk, with its clock in our hands.
    async fn on_disk() -> (Self, Hands) {
        let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
        let store = SqliteStore::open(dir.path(), Arc::new(hands.clone())).await.unwrap();
        (Self::over(store, hands.clone(), dir), hands)
    }

    async fn lines(&self, chain: &str) -> Vec<StoredLine> {
        self.store.lines(Some(chain.into()), 0, usize::MAX).await.unwrap()
    }

    async fn admit_many(&self, n: u64, alert: impl Fn(u64) -> Alert) {
        for from in (0..n).step_by(50) {
            self.admit((from..n.min(from + 50)).map(&alert).collect()).await;
        }
    }

    /// As somebody who copies the files of a daemon that was just killed.
    async fn after_a_crash(&self) -> (Arc<SqliteStore>, tempfile::TempDir) {
        let copy = tempfile::tempdir().unwrap();
        for name in ["stentor.db", "stentor.db-wal"] {
            std::fs::copy(self._dir.path().join(name), copy.path().join(name)).unwrap();
        }
        (SqliteStore::open(copy.path(), Arc::new(Hands::new())).await.unwrap(), copy)
    }
}

fn bytes(lines: &[StoredLine]) -> usize {
    lines.iter().map(|line| line.body.len()).sum()
}

#[tokio::test]
async fn repeats_of_an_open_incident_fill_no_disk_and_their_count_survives_a_crash() {
    let (world, hands) = World::on_disk().await;
    world.admit(vec![crash("monitor", "ACME")]).await;
    let id = world.newest().await;
    let before = world.lines(&id.to_string()).await;
    world.admit_many(MANY, |_| crash("monitor", "ACME")).await;
    let lines = world.lines(&id.to_string()).await;
    let grown = bytes(&lines) - bytes(&before);
    assert!(grown < 5_000, "{grown} bytes in {} lines", lines.len() - before.len());
    let (copy, _dir) = world.after_a_crash().await;
    let kept = copy.view(id).await.unwrap().unwrap();
    assert_eq!(*kept, *world.store.view(id).await.unwrap().unwrap());
    assert_eq!(kept.alerts, 1 + MANY, "each was answered with 202, and is counted");
    copy.close().await;
    // One more line tells of all of them.
    hands.pass(Duration::from_secs(61));
    world.engine.tick_timers().await.unwrap();
    let told = world.lines(&id.to_string()).await;
    assert!(told.iter().any(|line| line.body.contains("\"event\":\"repeated\",\"count\":991")), "{:?}", told.last());
    assert_eq!(world.store.view(id).await.unwrap().unwrap().alerts, 1 + MANY);
}

#[tokio::test]
async fn what_no_trigger_takes_is_journaled_a_few_times_and_then_counted() {
    let (world, hands) = World::on_disk().await;
    world.admit_many(MANY, |_| Alert::new("quiet", "strange")).await;
    let whole = usize::try_from(result_count::WHOLE_MAX).unwrap();
    assert_eq!(world.lines("source:quiet").await.len(), whole);
    let (copy, _dir) = world.after_a_crash().await;
    let counted = copy.counted().await.unwrap();
    assert_eq!(counted, world.store.counted().await.unwrap());
    assert_eq!(counted[0].1.counted.count, MANY - u64::from(result_count::WHOLE_MAX));
    copy.close().await;
    // Nothing more comes, and the journal has the count all the same.
    hands.pass(result_count::COUNT_PERIOD);
    world.engine.tick_anchor().await.unwrap();
    let lines = world.lines("source:quiet").await;
    assert_eq!((lines.len(), world.store.counted().await.unwrap().len()), (whole + 1, 0));
    let last: JournalRecord<SourceEvent> = serde_json::from_str(&lines[whole].body).unwrap();
    let SourceEvent::Counted(told) = last.event else { panic!("{last:?}") };
    assert_eq!((told.name.result.as_str(), told.name.kind.as_deref()), ("unmatched", Some("strange")));
    assert_eq!(told.count, MANY - u64::from(result_count::WHOLE_MAX));
    assert!(stentor::journal::verify(lines, stentor::journal::KeptAnchors::default()).is_sound());
}

#[tokio::test]
async fn a_source_with_ever_new_kinds_is_counted_in_a_bounded_table() {
    let (world, _) = World::on_disk().await;
    world.admit_many(MANY, |n| Alert::new("quiet", format!("kind {n}"))).await;
    let counted = world.store.counted().await.unwrap();
    assert_eq!(counted.len(), 1 + result_count::NAMES_MAX, "and all others together");
    let others = counted.iter().find(|(_, count)| count.counted.name.kind.is_none()).unwrap();
    let whole = u64::from(result_count::WHOLE_MAX);
    assert_eq!(others.1.counted.count, MANY - result_count::NAMES_MAX as u64 - whole);
    assert_eq!(world.lines("source:quiet").await.len() as u64, result_count::NAMES_MAX as u64 + whole);
}

#[tokio::test]
async fn a_monitor_that_goes_on_and_off_fills_no_disk_and_what_is_counted_can_be_verified() {
    let (world, hands) = World::on_disk().await;
    world.admit(vec![crash("monitor", "ACME")]).await;
    let id = world.newest().await;
    let before = world.lines(&id.to_string()).await;
    let status = |n: u64| if n.is_multiple_of(2) { AlertStatus::Resolved } else { AlertStatus::Firing };
    world.admit_many(MANY, |n| Alert { status: status(n), ..crash("monitor", "ACME") }).await;
    let lines = world.lines(&id.to_string()).await;
    let grown = bytes(&lines) - bytes(&before);
    assert!(grown < 15_000, "{grown} bytes in {} lines", lines.len() - before.len());
    let (copy, _dir) = world.after_a_crash().await;
    let kept = copy.view(id).await.unwrap().unwrap();
    assert_eq!(*kept, *world.store.view(id).await.unwrap().unwrap());
    assert_eq!((kept.alerts, kept.all_clears(), kept.all_clear_at), (1 + MANY / 2, MANY / 2, None));
    copy.close().await;
    assert_eq!(faults(&*world.store).await, Vec::<String>::new(), "what no line tells of yet can be so");
    // The last word is an all-clear; it counts at once, and one more line tells of it.
    world.admit(vec![Alert { status: AlertStatus::Resolved, ..crash("monitor", "ACME") }]).await;
    let cleared_at = world.store.view(id).await.unwrap().unwrap().all_clear_at;
    assert!(cleared_at.is_some());
    hands.pass(Duration::from_secs(61));
    world.engine.tick_timers().await.unwrap();
    let lines = world.lines(&id.to_string()).await;
    let folded = stentor::journal::fold_check(id, &lines).unwrap();
    assert_eq!((folded.all_clear_at, folded.all_clears()), (cleared_at, 1 + MANY / 2));
    assert_eq!(faults(&*world.store).await, Vec::<String>::new());
    assert!(stentor::journal::verify(lines, stentor::journal::KeptAnchors::default()).is_sound());
}

/// What a check of the whole record finds.
async fn faults(store: &dyn Store) -> Vec<String> {
    let (mut next, mut faults) = (Some(stentor::core::record::RecordCursor::default()), Vec::new());
    while let Some(from) = next {
        let portion = store.audit(from).await.unwrap();
        next = portion.next;
        faults.extend(portion.faults.iter().map(ToString::to_string));
    }
    faults
}
