//! What goes wrong, in each store's own way, and what every version before has left behind.

use super::*;

#[tokio::test]
async fn a_failed_commit_in_memory_keeps_nothing() {
    let mut world = World::memory();
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let (before, lines) = (view(&*store, id).await, all_lines(&*store).await);
    let memory = world.memory.as_ref().expect("a memory store");
    memory.fail_next_commits(1);
    assert!(matches!(step(&*store, id, resolve()).await, Err(StoreError::Failed(_))));
    assert_eq!((view(&*store, id).await, all_lines(&*store).await), (before, lines));
    memory.set_full(true);
    let needs = LockSet { keys: vec![IncidentKey::stored("ABC")], ..LockSet::default() };
    let work = |unit: &mut Transaction<'_>| unit.open(opening("ABC"), &roster());
    assert!(matches!(transact(&*store, RequestClass::Admission, needs, work).await, Err(StoreError::Full)));
    step(&*store, id, resolve()).await.expect("ladders go on");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
}

/// A node that opens one incident.
struct LoneNode;

impl TransactionHost for LoneNode {
    fn epoch(&self) -> u64 {
        1
    }

    fn is_live(&self, _: u64) -> bool {
        true
    }

    fn has_left(&self, _: u64) -> bool {
        false
    }

    fn next_id(&self) -> IncidentId {
        IncidentId(1)
    }

    fn draw(&self) -> IncidentNonce {
        IncidentNonce::new([7; 16])
    }

    fn live_open(&self, loaded: &WorkingSet) -> Option<IncidentId> {
        loaded.live_open()
    }
}

#[test]
fn the_lines_of_an_incident_never_go_back_in_time() {
    let (mut loaded, mut changes) = (WorkingSet::default(), ChangeSet::default());
    let node = LoneNode;
    let needs = LockSet { keys: vec![IncidentKey::stored("XYZ")], ..LockSet::default() };
    let late = fixture::START + Duration::from_secs(60);
    let id = Transaction::new(late, &node, &needs, &mut loaded, &mut changes).open(opening("XYZ"), &roster());
    let mut unit = Transaction::new(fixture::START, &node, &needs, &mut loaded, &mut changes);
    assert_eq!(unit.step(id, settled(1, accepted()), &roster())[0].at, late);
    assert!(changes.lines.iter().all(|line| line.at == late));
}

#[tokio::test]
async fn futures_of_the_memory_store_are_ready_at_once() {
    use futures_util::FutureExt;
    let mut world = World::memory();
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").now_or_never().expect("ready");
    view(&*store, id).now_or_never().expect("ready");
    store.orphans(1).now_or_never().expect("ready").expect("readable");
}

#[tokio::test]
async fn a_failed_commit_on_disk_keeps_nothing_and_the_next_one_is_kept() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let (before, lines) = (view(&*store, id).await, all_lines(&*store).await);
    sql(world.dir.path(), "CREATE TRIGGER no BEFORE INSERT ON page BEGIN SELECT RAISE(ABORT, 'not now'); END").await;
    let tried = step(&*store, id, says("cy", Answer::Wilco)).await;
    assert!(matches!(&tried, Err(StoreError::Failed(why)) if why.contains("not now")), "{tried:?}");
    let needs = LockSet { keys: vec![IncidentKey::stored("ABC")], ..LockSet::default() };
    let work = |unit: &mut Transaction<'_>| unit.open(opening("ABC"), &roster());
    assert!(transact(&*store, RequestClass::Admission, needs, work).await.is_err());
    assert_eq!((view(&*store, id).await, all_lines(&*store).await), (before, lines));
    sql(world.dir.path(), "DROP TRIGGER no").await;
    step(&*store, id, says("cy", Answer::Wilco)).await.expect("kept");
    assert_eq!(open_incident(&*store, "ABC").await.0, IncidentId(2), "the number that was not kept is given now");
    for id in [id, IncidentId(2)] {
        assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    }
    assert_sound(all_lines(&*store).await);
}

#[tokio::test]
async fn a_work_that_panics_harms_nobody_else() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let before = view(&*store, id).await;
    let bad = async {
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| -> () {
            unit.step(id, resolve(), &roster());
            panic!("a bug in a closure");
        };
        transact(&*store, RequestClass::Ladder, needs, work).await
    };
    let good = (0..8).map(|_| step(&*store, id, IncidentInput::Alert(Arc::new(alert()))));
    let (bad, good) = tokio::join!(bad, join_all(good));
    assert!(matches!(bad, Err(StoreError::Failed(_))), "{bad:?}");
    assert!(good.iter().all(Result::is_ok));
    let after = view(&*store, id).await;
    assert_eq!((after.is_open(), after.alerts), (true, before.alerts + 8));
    assert_eq!(folded(&*store, id).await, *after);
}

/// The next commit reads the deadlines again from the disk: the rest must outlive that, or such a ladder is tried again
/// and again before its siblings.
#[tokio::test]
async fn a_ladder_whose_work_panics_rests_and_is_tried_again() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (bad, _) = open_incident(&*store, "XYZ").await;
    let (good, _) = open_incident(&*store, "ABC").await;
    world.hands.pass(Duration::from_secs(3600));
    assert_eq!(store.due(store.now(), 9).await.expect("due"), [bad, good]);
    let needs = LockSet { incidents: vec![bad], ..LockSet::default() };
    let work = |_: &mut Transaction<'_>| -> () { panic!("a bug in a closure") };
    assert!(transact(&*store, RequestClass::Ladder, needs, work).await.is_err());
    assert_eq!(store.due(store.now(), 9).await.expect("due"), [good]);
    let (other, _) = open_incident(&*store, "DEF").await;
    assert_eq!(store.due(store.now(), 9).await.expect("due"), [good], "after a commit, too");
    world.hands.pass(Duration::from_secs(6));
    let due = store.due(store.now(), 9).await.expect("due");
    assert!(due.contains(&bad) && !due.contains(&other), "{due:?}");
    step(&*store, bad, IncidentInput::Tick).await.expect("it moves");
    assert!(!store.due(store.now(), 9).await.expect("due").contains(&bad));
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    for n in 1..=3 {
        step(&*store, id, settled(n, accepted())).await.expect("settled");
    }
    // What a kill leaves behind: the files as they are, while the store is still open.
    let image = fixture::state_folder();
    for name in ["stentor.db", "stentor.db-wal"] {
        std::fs::copy(world.dir.path().join(name), image.path().join(name)).expect("a copy");
    }
    let revived = open(image.path(), &world.hands).await.expect("a store");
    assert_eq!(view(&*revived, id).await, view(&*store, id).await);
    assert_eq!(all_lines(&*revived).await, all_lines(&*store).await);
    revived.close().await;
}

#[tokio::test]
async fn time_goes_on_over_a_restart_whatever_the_wall_clock_does() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    store.renew_lease().await.expect("a lease");
    let before = store.now();
    world.hands.pass(Duration::from_secs(10));
    world.hands.step_wall(3_600_000_000);
    let store = world.reopen().await;
    assert_eq!(store.now(), before + Duration::from_secs(10));
    assert_eq!(store.drift_us(), 3_600_000_000);
}

#[tokio::test]
async fn a_settlement_writes_as_little_for_a_crowd_as_for_one() {
    let mut grown = Vec::new();
    for people in [1, 400] {
        let mut world = World::sqlite();
        let store = world.reopen().await;
        let (plan, roster) = crowd(people);
        let (opening, needs) =
            (opening_of("XYZ", plan), LockSet { keys: vec![IncidentKey::stored("XYZ")], ..LockSet::default() });
        let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster);
        let (id, _) = transact(&*store, RequestClass::Admission, needs, work).await.expect("opened");
        // The log begins afresh, so that its length is what was written since.
        let store = world.reopen().await;
        assert_eq!(view(&*store, id).await.pages.len(), 3 * people);
        let log = world.dir.path().join("stentor.db-wal");
        let length = || std::fs::metadata(&log).map_or(0, |meta| meta.len());
        let before = length();
        // Nothing but its own page's row, the incident's head and a line may be written.
        sql(
            world.dir.path(),
            "CREATE TRIGGER no_body BEFORE UPDATE ON body BEGIN SELECT RAISE(ABORT, 'the body'); END;
             CREATE TRIGGER no_page BEFORE UPDATE ON page WHEN new.n <> 2 BEGIN SELECT RAISE(ABORT, 'a page'); END;",
        )
        .await;
        for n in 1..=3 {
            world.hands.pass(Duration::from_secs(1));
            let why = format!("attempt {n}");
            let refused = SendOutcome::Retry { at: store.now() + Duration::from_secs(1), why, unknown: false };
            step(&*store, id, settled(2, refused)).await.expect("settled");
        }
        step(&*store, id, settled(2, accepted())).await.expect("settled");
        grown.push(length() - before);
        store.close().await;
    }
    // A taller tree may cost a page of 4 KiB more here and there.
    assert!(grown[1] <= grown[0] + 4 * 4120, "{grown:?}");
}

#[tokio::test]
async fn equal_plans_are_stored_once() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    for n in 0..20 {
        open_incident(&*store, &format!("key {n}")).await;
    }
    let store2 = world.reopen().await;
    drop(store);
    for n in 20..30 {
        open_incident(&*store2, &format!("key {n}")).await;
    }
    store2.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.expect("a connection");
    let plans: i64 = sqlx::query_scalar("SELECT count(*) FROM plan").fetch_one(&mut conn).await.expect("a count");
    assert_eq!(plans, 1);
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_a_closed_store_says_so() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let second = open(world.dir.path(), &world.hands).await.err();
    let pid = std::process::id().to_string();
    assert!(matches!(&second, Some(StoreError::Locked(what)) if what.contains(&pid)), "{second:?}");
    let (id, _) = open_incident(&*store, "XYZ").await;
    store.close().await;
    assert!(matches!(step(&*store, id, IncidentInput::Tick).await, Err(StoreError::Closed)));
    assert!(matches!(store.lines(None, 0, 1).await, Err(StoreError::Closed)));
    assert!(!world.dir.path().join("stentor.db-wal").exists(), "everything is in the one file");
}

/// A report that is being written must not keep a daemon from starting.
#[tokio::test]
async fn a_daemon_that_starts_waits_for_a_reader_and_not_for_another_daemon() {
    let mut world = World::sqlite();
    world.reopen().await.close().await;
    let (dir, clock) = (world.dir.path().to_owned(), Arc::new(world.hands.clone()));
    let reader = SqliteStore::open_read_only(&dir, clock).await.expect("only read");
    let mut starting = std::pin::pin!(open(&dir, &world.hands));
    assert!(futures_util::poll!(&mut starting).is_pending(), "it waits");
    reader.close().await;
    drop(reader);
    starting.await.expect("it goes on").close().await;
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_alone() {
    let mut world = World::sqlite();
    world.reopen().await.close().await;
    sql(world.dir.path(), "PRAGMA user_version = 99").await;
    let newer = open(world.dir.path(), &world.hands).await.err();
    assert!(matches!(newer, Some(StoreError::Newer { found: 99, known: 10 })), "{newer:?}");
}

#[tokio::test]
async fn alerts_that_joined_and_all_clears_are_there_after_a_restart_in_any_order() {
    for damage in ["SELECT 1", "UPDATE page SET body = x'00ff' WHERE n = 2", "UPDATE body SET body = 'gone'"] {
        for order in ["j", "jj", "jc", "cj", "cjc", "jcj"] {
            let mut world = World::sqlite();
            let store = world.reopen().await;
            let (id, _) = open_incident(&*store, "XYZ").await;
            for (n, letter) in order.chars().enumerate() {
                let mut alert = alert();
                alert.summary = format!("alert {n}");
                alert.status = if letter == 'j' { AlertStatus::Firing } else { AlertStatus::Resolved };
                step(&*store, id, IncidentInput::Alert(Arc::new(alert))).await.expect("kept");
            }
            store.close().await;
            sql(world.dir.path(), damage).await;
            for round in ["once", "twice"] {
                let store = world.reopen().await;
                assert_eq!(folded(&*store, id).await, *view(&*store, id).await, "{order} {round} after {damage}");
                // Only the head and a page are written: what joined must not be forgotten over that.
                step(&*store, id, settled(if round == "once" { 1 } else { 3 }, accepted())).await.expect("kept");
                store.close().await;
            }
        }
    }
}

#[tokio::test]
async fn every_schema_of_before_can_still_be_opened_and_worked_with() {
    for version in [1, 2, 3, 4, 5, 6, 7] {
        of_before(version, "SELECT 1").await;
    }
    // A row that can not be read stops no upgrade.
    for version in [4, 5] {
        let damage = "UPDATE body SET body = 'gone' WHERE incident = 2; UPDATE page SET body = x'00ff' WHERE n = 2";
        of_before(version, damage).await;
    }
}

/// What a check of the whole record finds.
async fn faults(store: &dyn Store) -> Vec<String> {
    let (mut next, mut faults) = (Some(stentor::core::record::RecordCursor::default()), Vec::new());
    while let Some(from) = next {
        let portion = store.audit(from).await.expect("checked");
        next = portion.next;
        faults.extend(portion.faults.iter().map(ToString::to_string));
    }
    faults
}

/// Opens a state of this schema, after this damage to it, and works with it.
async fn of_before(version: u32, damage: &'static str) {
    let mut world = World::sqlite();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options.create_if_missing(true)).await.expect("a connection");
    sqlx::raw_sql(include_str!("../../fixture/state-v1.sql")).execute(&mut conn).await.expect("the dump");
    let steps = [
        include_str!("../../../src/store/sqlite/schema_2.sql"),
        include_str!("../../../src/store/sqlite/schema_3.sql"),
        include_str!("../../../src/store/sqlite/schema_4.sql"),
        include_str!("../../../src/store/sqlite/schema_5.sql"),
        include_str!("../../../src/store/sqlite/schema_6.sql"),
        include_str!("../../../src/store/sqlite/schema_7.sql"),
    ];
    for (step, to) in steps.into_iter().zip(2..=version) {
        sqlx::raw_sql(step).execute(&mut conn).await.expect("the step");
        let stamp = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {to}"));
        sqlx::raw_sql(stamp).execute(&mut conn).await.expect("the version");
    }
    sqlx::raw_sql(damage).execute(&mut conn).await.expect("the damage");
    sqlx::Connection::close(conn).await.expect("closed");

    let store = world.reopen().await;
    let (over, open) = (IncidentId(1), IncidentId(2));
    assert!(!view(&*store, over).await.is_open());
    for id in [over, open] {
        assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
        // Codes and links that are out there stay as they were.
        assert_eq!(store.identity(id).await.expect("readable").map(|incident| incident.nonce), Some(None));
    }
    let older = format!("stentor.db.v{version}");
    let entries = std::fs::read_dir(world.dir.path()).expect("a directory").map(|entry| entry.expect("an entry"));
    let copies: Vec<_> = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&older)).collect();
    assert_eq!(copies.len(), 1, "the earlier file is kept next to it");
    let kept = sqlx::sqlite::SqliteConnectOptions::new().filename(copies[0].path()).read_only(true).immutable(true);
    let mut kept = sqlx::ConnectOptions::connect(&kept).await.expect("the copy");
    let stamp: u32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut kept).await.expect("a version");
    assert_eq!(stamp, version);
    if damage == "SELECT 1" {
        // The dump's one text has a short name that a test gave it.
        let found = faults(&*store).await;
        assert!(found.len() == 1 && found[0].starts_with("text 5d41: "), "schema {version}: {found:?}");
        lookup::agrees(&*store, &format!("upgraded from schema {version}")).await;
    }
    // The people who were asked are found, even if rows can not be read: no valid code becomes a wrong one.
    for person in PEOPLE.map(PersonName::from) {
        let briefs = store.briefs_of(person.clone(), fixture::START).await.expect("readable");
        let mut found: Vec<PageId> = briefs.iter().map(|of| of.brief.page).collect();
        found.sort_unstable();
        let mut expected = Vec::new();
        for id in [over, open] {
            let incident = view(&*store, id).await;
            let theirs = incident.pages.values().filter(|page| page.asks() == Some(&person));
            expected.extend(theirs.map(|page| PageId { incident: id, n: page.n }));
            let waits = briefs.iter().any(|of| of.waits && of.brief.page.incident == id);
            assert!(waits || !incident.waits_for(&person), "{person} {id}");
        }
        assert_eq!(found, expected, "{person}, schema {version}, {damage}");
    }
    let orphans = store.orphans(1000).await.expect("readable");
    assert_eq!(orphans.iter().map(|(id, pages)| (id.0, pages.len())).collect::<Vec<_>>(), [(1, 8), (2, 26)]);
    for (id, pages) in orphans {
        assert_eq!(take_over(&*store, id, &pages).await, pages);
    }
    assert_eq!(store.next_deadline().await.expect("readable"), view(&*store, open).await.deadline());
    let text = store.text("5d41".into()).await.expect("readable");
    assert_eq!(text.as_deref(), Some("LIVE: XYZ fell 7.3% in 4 s. Answer WILCO {code}"));
    record(&*store, &"risk-monitor".into()).await;
    assert_eq!(proven(&*store).await, [], "nobody knows what an older program was told");
    let page = view(&*store, open).await.pages.values().find(|page| page.channel.as_str() == "desk").map(|page| page.n);
    step(&*store, open, IncidentInput::Reported { page: page.expect("a page"), stage: PageStage::Seen })
        .await
        .expect("kept");
    assert_eq!(proven(&*store).await.len(), 1);
    assert_eq!(open_incident(&*store, "flash-crash/ABC").await.0, open);
    assert_eq!(open_incident(&*store, "flash-crash/XYZ").await.0, IncidentId(3));
    assert_eq!(store.anchor().await.expect("anchored").map(|line| line.seq), Some(2));
    assert_sound(all_lines(&*store).await);
}

#[tokio::test]
async fn runs_of_drills_and_their_turns_survive() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let run = |n: i64, state| stentor::core::DrillRun {
        id: stentor::core::RunId(n),
        scenario: "crash".into(),
        revision: "r1".into(),
        text: "name = \"crash\"".into(),
        by: "operator root".into(),
        started_at: store.now(),
        ended_at: None,
        state,
        why: String::new(),
        compress: 1,
        matrix: "m1".into(),
        incidents: vec![IncidentId(n)],
        score: serde_json::Value::Null,
    };
    let turn = |next| stentor::core::ScheduledRun {
        scenario: "crash".into(),
        rule: "daily".into(),
        next,
        last: String::new(),
    };
    stentor::store::keep_run(&*store, run(1, stentor::core::RunState::Running)).await.expect("kept");
    stentor::store::keep_run(&*store, run(2, stentor::core::RunState::Running)).await.expect("kept");
    let over = run(1, stentor::core::RunState::Held);
    stentor::store::keep_run(&*store, over.clone()).await.expect("kept");
    store.keep_turn(turn(store.now())).await.expect("kept");
    let later = turn(store.now() + Duration::from_secs(60));
    store.keep_turn(later.clone()).await.expect("kept");
    store.close().await;
    let store = world.reopen().await;
    let runs = store.runs(10).await.expect("readable");
    assert_eq!((runs.len(), runs[0].id.0, &runs[1]), (2, 2, &over), "newest first, each as it stands now");
    assert_eq!(store.runs(1).await.expect("readable").len(), 1);
    // One that a later version wrote, say, must hide no other, and its number is not given again.
    store.close().await;
    sql(world.dir.path(), "UPDATE drill_run SET body = 'gone' WHERE id = 2").await;
    let store = world.reopen().await;
    assert_eq!(store.runs(10).await.expect("readable"), [over]);
    assert_eq!(store.next_run().await.expect("readable"), stentor::core::RunId(3));
    assert_eq!(store.turns().await.expect("readable"), [later]);
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_folded_from_the_journal() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    step(&*store, id, settled(1, accepted())).await.expect("settled");
    let before = view(&*store, id).await;
    store.close().await;
    sql(world.dir.path(), "UPDATE body SET body = 'gone'; UPDATE page SET body = x'00ff' WHERE n = 2").await;
    let store = world.reopen().await;
    assert_eq!(view(&*store, id).await, before);
    assert_eq!(store.orphans(100).await.expect("readable").len(), 1, "claims are columns of their own");
    step(&*store, id, says("cy", Answer::Roger)).await.expect("the ladder goes on");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
}

#[tokio::test]
async fn an_incident_that_is_lost_altogether_is_reported_and_the_others_live() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (lost, _) = open_incident(&*store, "LOST").await;
    let (kept, _) = open_incident(&*store, "KEPT").await;
    store.close().await;
    sql(
        world.dir.path(),
        "UPDATE body SET body = 'gone' WHERE incident = 1; UPDATE journal SET body = 'gone' WHERE chain = 'INC-1' AND seq = 2;
         UPDATE journal SET hash = x'00' WHERE chain = 'INC-1' AND seq = 3",
    )
    .await;
    let store = world.reopen().await;
    world.hands.pass(Duration::from_secs(600));
    assert!(matches!(store.view(lost).await, Err(StoreError::Corrupt { .. })));
    assert!(matches!(step(&*store, lost, IncidentInput::Tick).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.due(store.now(), 10).await.expect("readable"), [kept], "no timer spins on it");
    step(&*store, kept, IncidentInput::Tick).await.expect("kept");
    assert_eq!(store.list(IncidentFilter { open_only: true, limit: 10 }).await.expect("readable").len(), 1);
    let report = journal::verify(all_lines(&*store).await, KeptAnchors::default());
    let seqs: Vec<u64> = report.faults.iter().map(|fault| fault.seq).collect();
    assert!(report.faults.iter().all(|fault| fault.chain == "INC-1") && seqs.contains(&2) && seqs.contains(&3));
}

#[tokio::test]
async fn a_run_of_a_drill_is_kept_with_its_line_or_not_at_all() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let run = stentor::core::DrillRun {
        id: stentor::core::RunId(1),
        scenario: "crash".into(),
        revision: "r1".into(),
        text: "name = \"crash\"".into(),
        by: "operator root".into(),
        started_at: store.now(),
        ended_at: None,
        state: stentor::core::RunState::Running,
        why: String::new(),
        compress: 1,
        matrix: "m1".into(),
        incidents: Vec::new(),
        score: serde_json::Value::Null,
    };
    let no = "CREATE TRIGGER no BEFORE INSERT ON drill_run BEGIN SELECT RAISE(ABORT, 'no'); END";
    sql(world.dir.path(), no).await;
    assert!(stentor::store::keep_run(&*store, run.clone()).await.is_err());
    assert_eq!((all_lines(&*store).await, store.runs(1).await.expect("readable")), (vec![], vec![]));
    sql(world.dir.path(), "DROP TRIGGER no").await;
    stentor::store::keep_run(&*store, run.clone()).await.expect("kept");
    let lines = all_lines(&*store).await;
    assert!(lines.len() == 1 && lines[0].body.contains(&run.digest()), "{lines:?}");
    assert_eq!(store.runs(1).await.expect("readable"), [run]);
    assert_sound(lines);
}

#[tokio::test]
async fn windows_that_have_ended_leave_the_disk_without_a_restart() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let hold = TriggerThreshold { count: 3, within: Duration::from_secs(60), consecutive: false };
    let count = async |names: Vec<String>| {
        let needs = LockSet { observed: names.clone(), ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| {
            names.iter().for_each(|name| {
                let _ = unit.observe(name, hold);
            })
        };
        transact(&*store, RequestClass::Admission, needs, work).await.expect("kept");
    };
    count((0..1000).map(|n| format!("window {n}")).collect()).await;
    let rows = async || {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.dir.path().join("stentor.db"));
        let mut conn = options.connect().await.expect("a connection");
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM observed").fetch_one(&mut conn).await.expect("a count")
    };
    assert_eq!(rows().await, 1000);
    world.hands.pass(Duration::from_secs(61));
    // Each commit takes some, so that none takes long; the lease is one that comes by itself.
    for _ in 0..3 {
        store.renew_lease().await.expect("renewed");
    }
    assert!(rows().await < 300, "{} are left", rows().await);
    count(vec!["new".into()]).await;
    assert_eq!(rows().await, 1, "the new one alone is left");
}
