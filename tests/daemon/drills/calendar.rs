//! Scheduled drills: drawn once, kept, held in time or not at all.

use super::{fixture::Hands, house::DESK};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{RunState, Timestamp},
    drill::runner::{calendar, drill_runner::DrillRunner},
    engine::{Engine, RuntimeConfig, SharedChannelParts},
    matrix::{KnownNames, Matrix, SourceText},
    store::{MemoryStore, SteadyClock},
    template::PageTemplates,
};

const SCENARIO: &str = r#"
name      = "quarterly"
summary   = "a crash"
ends      = "5m"
announced = false
SCHEDULE

[[inject]]
at     = "1m"
kind   = "price_velocity"
labels = { symbol = "ES" }
values = { drop_pct = 7.5 }

[hypothesis.trader]
percent = 90
within  = "60s"
"#;

fn drills(dir: &Path) -> (Arc<DrillRunner>, Hands) {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = [SourceText { path: "matrix.toml".into(), text: DESK.into() }];
    let matrix = Matrix::parse(&files, &KnownNames { templates: &revisions }, Timestamp::default()).matrix.unwrap();
    let outbox = SandboxOutbox::open(dir, Timestamp::default).unwrap();
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
    let hands = Hands::new();
    let clock = Mutex::new(SteadyClock::start(Arc::new(hands.clone()), None, None));
    let store = MemoryStore::new(move || clock.lock().unwrap().now());
    let live = RuntimeConfig::wire(matrix, templates, &shared);
    (DrillRunner::new(Engine::new(Arc::new(store.node()), live, "http://127.0.0.1")), hands)
}

fn write(dir: &Path, schedule: &str) {
    std::fs::create_dir_all(dir.join("drills")).unwrap();
    std::fs::write(dir.join("drills/quarterly.toml"), SCENARIO.replace("SCHEDULE", schedule)).unwrap();
}

async fn next(runs: &DrillRunner, dir: &Path) -> Timestamp {
    calendar::scheduled(runs, dir).await.unwrap()[0].next.unwrap()
}

#[tokio::test]
async fn a_cron_line_runs_in_time_and_what_was_slept_through_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, hands) = drills(dir.path());
    // 09:00 UTC on a Monday is 10:00 in Berlin.
    write(dir.path(), "schedule = { cron = \"30 10 * * *\", zone = \"Europe/Berlin\" }");
    assert_eq!(calendar::tick(&runs, dir.path(), 0.3).await.unwrap(), 0);
    assert_eq!(next(&runs, dir.path()).await, Timestamp::parse("2026-11-23T09:30:00Z").unwrap());
    hands.pass(Duration::from_secs(30 * 60 + 5));
    assert_eq!(calendar::tick(&runs, dir.path(), 0.3).await.unwrap(), 1);
    let kept = runs.engine().reads().runs(10).await.unwrap();
    assert_eq!((kept.len(), kept[0].state, kept[0].by.as_str()), (1, RunState::Running, "operator schedule"));
    assert_eq!(next(&runs, dir.path()).await, Timestamp::parse("2026-11-24T09:30:00Z").unwrap());
    assert_eq!(calendar::tick(&runs, dir.path(), 0.3).await.unwrap(), 0, "once");
    // Asleep for two days.
    hands.pass(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(calendar::tick(&runs, dir.path(), 0.3).await.unwrap(), 1);
    assert_eq!(runs.engine().reads().runs(10).await.unwrap().len(), 1);
    let listed = calendar::scheduled(&runs, dir.path()).await.unwrap();
    assert!(listed[0].last.ends_with("skipped, the daemon was not running"), "{listed:?}");
    assert_eq!(listed[0].next, Timestamp::parse("2026-11-26T09:30:00Z"));
}

#[tokio::test]
async fn a_random_moment_is_drawn_once_and_anew_when_the_rule_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, _) = drills(dir.path());
    write(dir.path(), "schedule = { within = \"Mon-Fri 09:00-17:00\", every = \"30d\", zone = \"Europe/Berlin\" }");
    calendar::tick(&runs, dir.path(), 0.5).await.unwrap();
    let drawn = next(&runs, dir.path()).await;
    calendar::tick(&runs, dir.path(), 0.9).await.unwrap();
    assert_eq!(next(&runs, dir.path()).await, drawn);
    write(dir.path(), "schedule = { within = \"Mon-Fri 10:00-16:00\", every = \"30d\", zone = \"Europe/Berlin\" }");
    calendar::tick(&runs, dir.path(), 0.9).await.unwrap();
    assert!(drawn < next(&runs, dir.path()).await);
}

#[tokio::test]
async fn a_schedule_that_is_wrong_is_told_with_its_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, _) = drills(dir.path());
    for (schedule, remedy) in [
        ("schedule = { cron = \"0 10 * * 2\" }", "by name"),
        ("schedule = { cron = \"0 10 * * Tue\", every = \"30d\" }", "either a cron line or a random moment"),
        ("schedule = { within = \"Mon-Fri 9-17\", every = \"30d\" }", "are not hours"),
        ("schedule = { within = \"Mon-Fri 09:00-17:00\", every = \"1h\" }", "shorter than a day"),
        ("schedule = { within = \"Mon-Fri 09:00-17:00\", every = \"30d\", zone = \"Berlin\" }", "zone"),
    ] {
        write(dir.path(), schedule);
        let read = calendar::scenarios(&runs, dir.path());
        let faults = read.into_values().next().unwrap().unwrap_err();
        assert!(faults.contains(remedy), "{schedule}: {faults}");
    }
}
