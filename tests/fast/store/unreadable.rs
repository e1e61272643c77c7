//! Rows that can not be read: each costs itself and nothing else, while the store is open and after a restart.

use super::*;
use stentor::store::{
    AskedQuery, AskedStanding, QuarantineStatus, QuarantinedRow, RowKind, RowName, clear_quarantined,
};

/// The rows that nobody has looked at yet, as the command line names them.
fn waiting(store: &dyn Store) -> Vec<String> {
    let waiting = store.quarantined().into_iter().filter(QuarantinedRow::is_waiting);
    waiting.map(|entry| entry.row.to_string()).collect()
}

async fn open_ids(store: &dyn Store) -> Vec<i64> {
    let listed = store.list(IncidentFilter { open_only: true, limit: 100 }).await.expect("readable");
    listed.iter().map(|incident| incident.id.0).collect()
}

fn is_corrupt<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt { .. }))
}

/// Lines that a rebuild of INC-1 needs, and that are gone then.
const JOURNAL_TOO: &str = "; UPDATE journal SET body = 'gone' WHERE chain = 'INC-1' AND seq = 2";

/// A second line where the chain of INC-1 should end, as a tool that repeats a line leaves it.
const LINE_TWICE: &str = "INSERT INTO journal (chain, seq, at, hash, body)
    SELECT chain, seq + 1, at, hash, body FROM journal WHERE chain = 'INC-1' ORDER BY seq DESC LIMIT 1";

/// What may be done to the first of three incidents, and whether it can not be read then.
fn damages() -> Vec<(String, bool)> {
    let with_journal = [
        "UPDATE body SET body = 'gone' WHERE incident = 1",
        "UPDATE body SET body = replace(body, 'Z\"', '?\"') WHERE incident = 1",
        "UPDATE body SET body = x'00ff' WHERE incident = 1",
        "DELETE FROM body WHERE incident = 1",
        "UPDATE body SET plan = 'another' WHERE incident = 1",
        "UPDATE page SET body = 'gone' WHERE incident = 1 AND n = 2",
        "UPDATE page SET body = json_set(body, '$.born_at', 'soon') WHERE incident = 1 AND n = 2",
        "UPDATE incident SET hash = x'00' WHERE id = 1",
        "UPDATE incident SET seq = 'many' WHERE id = 1",
        "UPDATE incident SET at = 'soon' WHERE id = 1",
        "UPDATE incident SET key = x'00ff', hash = x'00' WHERE id = 1",
        "UPDATE incident SET deadline = 'soon', hash = x'00' WHERE id = 1",
        "UPDATE incident SET open = 'perhaps', hash = x'00' WHERE id = 1",
    ];
    let both = with_journal.iter().flat_map(|sql| [((*sql).to_owned(), false), (format!("{sql}{JOURNAL_TOO}"), true)]);
    let alone = [
        (LINE_TWICE, true),
        ("UPDATE incident SET seq = seq - 1 WHERE id = 1", true),
        ("UPDATE incident SET key = x'00ff' WHERE id = 1", false),
        ("UPDATE incident SET deadline = 'soon' WHERE id = 1", false),
        ("UPDATE incident SET alerts = 'many' WHERE id = 1", false),
        ("UPDATE incident SET joined = 3 WHERE id = 1", false),
        ("UPDATE page SET owed = 'perhaps', epoch = 'mine' WHERE incident = 1", false),
        ("UPDATE journal SET at = 9223372036854775807 WHERE chain = 'INC-1'", false),
        ("UPDATE journal SET at = 'soon', chain = x'00ff' WHERE chain = 'INC-1' AND seq = 1", false),
    ];
    // The head of the chain is wrong in the second of these only where a rebuild can not mend it.
    let mended = "UPDATE incident SET seq = seq - 1 WHERE id = 1";
    both.chain(alone.map(|(sql, lost)| (sql.to_owned(), lost && sql != mended))).collect()
}

#[tokio::test]
async fn whatever_is_done_to_one_incident_its_siblings_go_on_and_its_key_is_free() {
    for (sql, is_lost) in damages() {
        let mut world = World::sqlite();
        let store = world.reopen().await;
        for key in ["LOST", "KEPT", "TOO"] {
            open_incident(&*store, key).await;
        }
        record(&*store, &"risk-monitor".into()).await;
        store.close().await;
        super::sql(world.dir.path(), Box::leak(sql.clone().into_boxed_str())).await;
        for again in [false, true] {
            let store = world.reopen().await;
            world.hands.pass(Duration::from_secs(600));
            assert!(store.now() < fixture::START + Duration::from_secs(3600), "time goes on as it was: {sql}");
            for id in store.due(store.now(), 10).await.expect("readable") {
                let ticked = step(&*store, id, IncidentInput::Tick).await;
                assert!(ticked.is_ok() || id == IncidentId(1), "{sql}: {id} {ticked:?}");
            }
            let orphans = store.orphans(1000).await.expect("readable");
            let expected = if is_lost { vec![2, 3] } else { vec![1, 2, 3] };
            if !again {
                for (id, pages) in &orphans {
                    take_over(&*store, *id, pages).await;
                }
                assert_eq!(open_ids(&*store).await.into_iter().rev().collect::<Vec<_>>(), expected, "{sql}");
            }
            let viewed = store.view(IncidentId(1)).await;
            assert_eq!(is_corrupt(&viewed), is_lost, "{sql}: {viewed:?}");
            assert_eq!(waiting(&*store), if is_lost { vec!["INC-1"] } else { vec![] }, "{sql}");
            let due = store.due(store.now() + Duration::from_secs(86_400), 10).await.expect("readable");
            assert_eq!(due.contains(&IncidentId(1)), !is_lost, "{sql}: nothing asks for it for ever");
            assert!(!is_lost || is_corrupt(&step(&*store, IncidentId(1), resolve()).await), "{sql}");
            let (joined, _) = open_incident(&*store, "LOST").await;
            assert_eq!(joined.0, if is_lost { 4 } else { 1 }, "{sql}: the next alert is heard");
            record(&*store, &"risk-monitor".into()).await;
            assert_eq!(open_incident(&*store, "KEPT").await.0, IncidentId(2));
        }
    }
}

#[tokio::test]
async fn a_line_twice_in_one_open_incident_stops_no_other_ladder() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    for n in 0..20 {
        open_incident(&*store, &format!("key {n}")).await;
    }
    super::sql(world.dir.path(), LINE_TWICE).await;
    world.hands.pass(Duration::from_secs(600));
    let due = store.due(store.now(), 100).await.expect("readable");
    assert_eq!(due.len(), 20);
    // All at once: they share a commit.
    let steps = join_all(due.iter().map(|id| step(&*store, *id, IncidentInput::Tick))).await;
    for (id, stepped) in due.iter().zip(&steps) {
        match id.0 {
            1 => assert!(is_corrupt(stepped), "{stepped:?}"),
            _ => assert!(stepped.as_ref().is_ok_and(|committed| !committed.events.is_empty()), "{id}: {stepped:?}"),
        }
    }
    assert!(store.health().is_ok());
    assert_eq!(waiting(&*store), ["INC-1"]);
    assert!(!store.due(store.now(), 100).await.expect("readable").contains(&IncidentId(1)));
    assert_eq!(open_incident(&*store, "key 0").await.0, IncidentId(21));
    let store = world.reopen().await;
    assert_eq!((open_ids(&*store).await.len(), waiting(&*store)), (20, vec!["INC-1".to_owned()]));
    for id in 2..=21 {
        assert_eq!(folded(&*store, IncidentId(id)).await, *view(&*store, IncidentId(id)).await);
    }
}

#[tokio::test]
async fn an_alert_whose_key_an_unreadable_incident_has_opens_a_new_one_in_the_same_commit() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    open_incident(&*store, "LOST").await;
    open_incident(&*store, "KEPT").await;
    super::sql(world.dir.path(), LINE_TWICE).await;
    let opened = join_all(["LOST", "KEPT", "NEW"].map(|key| try_open(&*store, key))).await;
    let ids: Vec<i64> = opened.into_iter().map(|id| id.expect("kept").0).collect();
    assert_eq!((ids[0].min(ids[2]), ids[0].max(ids[2]), ids[1]), (3, 4, 2));
    assert_eq!(waiting(&*store), ["INC-1"]);
}

#[tokio::test]
async fn a_line_twice_in_the_chain_of_a_source_costs_that_line_alone() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let sources = ["prom", "risk-monitor"].map(SourceName::from);
    for source in &sources {
        record(&*store, source).await;
    }
    store.anchor().await.expect("anchored");
    let twice = "INSERT INTO journal (chain, seq, at, hash, body)
        SELECT chain, seq + 1, at, hash, body FROM journal WHERE chain IN ('source:prom', 'anchors')";
    super::sql(world.dir.path(), twice).await;
    join_all([record(&*store, &sources[0]), record(&*store, &sources[1])]).await;
    assert!(store.anchor().await.expect("anchored").is_some());
    let found = waiting(&*store);
    assert!(found.contains(&"head/source:prom".to_owned()) && found.contains(&"head/anchors".to_owned()), "{found:?}");
    let store = world.reopen().await;
    for source in &sources {
        record(&*store, source).await;
    }
    assert!(store.anchor().await.expect("anchored").is_some());
    let report = journal::verify(all_lines(&*store).await, journal::KeptAnchors::default());
    assert!(report.faults.iter().all(|fault| ["source:prom", "anchors"].contains(&&*fault.chain)), "{report:?}");
    assert_eq!(
        report.faults.iter().filter(|fault| fault.seq > 2 && fault.what == JournalFaultKind::Altered).count(),
        0
    );
}

#[tokio::test]
async fn a_work_that_the_database_refuses_fails_alone() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let no = "CREATE TRIGGER no BEFORE INSERT ON text WHEN NEW.hash = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END";
    super::sql(world.dir.path(), no).await;
    let works = (0..64).map(|n| {
        let store = store.clone();
        async move {
            let needs = LockSet { incidents: vec![id], ..LockSet::default() };
            let work = move |unit: &mut Transaction<'_>| {
                unit.step(id, IncidentInput::Alert(Arc::new(alert())), &roster());
                unit.keep_text(&if n == 17 { "bad".to_owned() } else { format!("good {n}") }, "text");
            };
            transact(&*store, RequestClass::Ladder, needs, work).await
        }
    });
    let (kept, anchor) = tokio::join!(join_all(works), store.anchor());
    let refused: Vec<usize> = (0..64).filter(|n| kept[*n].is_err()).collect();
    assert_eq!((refused, anchor.is_ok()), (vec![17], true));
    assert!(matches!(&kept[17], Err(StoreError::Failed(why)) if why.contains("no")), "{:?}", kept[17]);
    assert_eq!(view(&*store, id).await.alerts, 64, "the first one, and 63");
    let seqs: Vec<u64> = kept.iter().flatten().filter_map(|kept| Some(kept.1.events.first()?.seq)).collect();
    assert!(seqs.is_sorted(), "in their order: {seqs:?}");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert_sound(all_lines(&*store).await);
    open_incident(&*store, "ABC").await;
    assert!(store.health().is_ok() && waiting(&*store).is_empty());
}

#[tokio::test]
async fn a_ladder_whose_step_is_refused_for_unknown_reasons_is_tried_again_and_holds_up_no_other() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    open_incident(&*store, "BAD").await;
    open_incident(&*store, "GOOD").await;
    let no = "CREATE TRIGGER no BEFORE UPDATE ON incident WHEN NEW.id = 1 BEGIN SELECT RAISE(ABORT, 'no'); END";
    super::sql(world.dir.path(), no).await;
    world.hands.pass(Duration::from_secs(600));
    for _ in 0..3 {
        let due = store.due(store.now(), 1).await.expect("readable");
        join_all(due.iter().map(|id| step(&*store, *id, IncidentInput::Tick))).await;
    }
    let deadline = view(&*store, IncidentId(2)).await.deadline().expect("one");
    assert!(store.now() < deadline, "with room for one at a time the other has had its turn");
    super::sql(world.dir.path(), "DROP TRIGGER no").await;
    world.hands.pass(Duration::from_secs(10));
    assert!(store.due(store.now(), 1).await.expect("readable").contains(&IncidentId(1)));
    step(&*store, IncidentId(1), IncidentInput::Tick).await.expect("kept");
}

#[tokio::test]
async fn rows_of_every_other_table_are_left_out_and_seen() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let incident = view(&*store, id).await;
    for (channel, stage) in [("sms", PageStage::Delivered), ("desk", PageStage::Seen)] {
        let page = page_of(&incident, "ana", channel);
        step(&*store, id, IncidentInput::Reported { page, stage }).await.expect("kept");
    }
    let turn = |scenario: &str| stentor::core::ScheduledRun {
        scenario: scenario.into(),
        rule: "daily".into(),
        next: store.now(),
        last: String::new(),
    };
    for scenario in ["crash", "halt"] {
        store.keep_turn(turn(scenario)).await.expect("kept");
    }
    let hold = TriggerThreshold { count: 3, within: Duration::from_secs(60), consecutive: false };
    for window in ["a\u{1f}b", "c"] {
        let needs = LockSet { observed: vec![window.into()], ..LockSet::default() };
        let count = move |unit: &mut Transaction<'_>| unit.observe(window, hold);
        transact(&*store, RequestClass::Admission, needs, count).await.expect("kept");
    }
    record(&*store, &"prom".into()).await;
    record(&*store, &"risk-monitor".into()).await;
    let key = store.server_key();
    store.close().await;
    super::sql(
        world.dir.path(),
        "UPDATE drill_turn SET body = 'gone' WHERE scenario = 'crash';
         UPDATE contact_proof SET how = 'magic' WHERE channel = 'sms';
         UPDATE observed SET body = 'gone' WHERE name <> 'c';
         UPDATE chain SET hash = x'00' WHERE name = 'source:prom';
         UPDATE meta SET value = 'gone' WHERE name = 'clock'; UPDATE meta SET value = 'many' WHERE name = 'epoch';
         UPDATE meta SET value = x'00ff' WHERE name = 'server_key'",
    )
    .await;
    let store = world.reopen().await;
    let named = ["turn/crash", "proof/ana/sms", "window/a%1Fb", "head/source:prom", "meta/epoch", "meta/server_key"];
    let found = waiting(&*store);
    for name in named {
        assert!(found.contains(&name.to_owned()), "{name} is not in {found:?}");
        let row: RowName = name.parse().expect("a name");
        assert_eq!(store.remains(row).await.expect("readable").len(), 1, "{name}");
    }
    assert!(!store.quarantined().iter().any(QuarantinedRow::is_problem), "nobody waits for any of these");
    assert_eq!(store.turns().await.expect("readable").len(), 1);
    assert_eq!(proven(&*store).await.iter().map(|row| &*row.1).collect::<Vec<_>>(), ["desk"]);
    assert_ne!(store.server_key(), key, "without a key nobody could be paged");
    let orphans = store.orphans(100).await.expect("readable");
    assert_eq!(orphans.len(), 1, "what another epoch had claimed is found whatever the epoch is now");
    for source in ["prom", "risk-monitor"] {
        record(&*store, &source.into()).await;
    }
    assert_sound(all_lines(&*store).await);
    let needs = LockSet { observed: vec!["a\u{1f}b".into(), "c".into()], ..LockSet::default() };
    let count = move |unit: &mut Transaction<'_>| (unit.observe("a\u{1f}b", hold).1, unit.observe("c", hold).1);
    let (counted, _) = transact(&*store, RequestClass::Admission, needs, count).await.expect("kept");
    assert_eq!(counted, (1, 2), "afresh, and on");
    let rest = world.reopen().await;
    assert_eq!(rest.server_key(), store.server_key(), "made once");
}

#[tokio::test]
async fn what_is_cleared_is_not_shown_again_and_its_journal_stays_as_it_was() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    open_incident(&*store, "LOST").await;
    let before = store.lines(Some("INC-1".into()), 0, 100).await.expect("lines");
    super::sql(world.dir.path(), LINE_TWICE).await;
    assert!(is_corrupt(&step(&*store, IncidentId(1), resolve()).await));
    let lost = &store.quarantined()[0];
    assert!(lost.is_problem());
    let known = lost.incident.as_ref().expect("what it was about");
    assert_eq!((known.key.as_str(), known.summary.as_deref()), ("LOST", Some("XYZ fell 7.3% in 4 s")));
    let about: RowName = "INC-1".parse().expect("a row");
    let by = Actor::Person("ana".into());
    assert!(clear_quarantined(&*store, &about, &by, Arc::default()).await.expect("kept"));
    assert!(!clear_quarantined(&*store, &about, &by, Arc::default()).await.expect("kept"), "once");
    assert!(!clear_quarantined(&*store, &"INC-9".parse().expect("a row"), &by, Arc::default()).await.expect("kept"));
    for again in [false, true] {
        let store = if again { world.reopen().await } else { store.clone() };
        assert_eq!(waiting(&*store), Vec::<String>::new());
        let standing = &store.quarantined()[0].standing;
        assert!(
            matches!(standing, QuarantineStatus::Cleared { cleared_by, .. } if cleared_by == "ana"),
            "{standing:?}"
        );
        assert!(is_corrupt(&store.view(IncidentId(1)).await) && open_ids(&*store).await.is_empty());
        let lines = store.lines(Some("INC-1".into()), 0, 100).await.expect("lines");
        assert_eq!(lines[..before.len()], before[..]);
        assert!(!store.remains(about.clone()).await.expect("readable").is_empty());
        let said = store.lines(Some("source:stentor".into()), 0, 100).await.expect("lines");
        assert!(said[0].body.contains("quarantine-cleared") && said[0].body.contains("INC-1"), "{said:?}");
    }
    // A row of another table, too: it is said once, over restarts.
    let store = world.reopen().await;
    let turn =
        stentor::core::ScheduledRun { scenario: "crash".into(), rule: "".into(), next: store.now(), last: "".into() };
    store.keep_turn(turn).await.expect("kept");
    super::sql(world.dir.path(), "UPDATE drill_turn SET body = 'gone'").await;
    assert_eq!((store.turns().await.expect("readable"), waiting(&*store)), (vec![], vec!["turn/crash".to_owned()]));
    let row = RowName::Other(RowKind::Turn, "crash".into());
    assert!(clear_quarantined(&*store, &row, &by, Arc::default()).await.expect("kept"));
    let store = world.reopen().await;
    assert_eq!((store.turns().await.expect("readable"), waiting(&*store)), (vec![], vec![]));
}

#[tokio::test]
async fn what_can_be_read_again_goes_on() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    open_incident(&*store, "LOST").await;
    let before = view(&*store, IncidentId(1)).await;
    store.close().await;
    super::sql(
        world.dir.path(),
        "CREATE TABLE spare AS SELECT * FROM body; UPDATE body SET body = 'gone'; UPDATE journal SET body = '?' || body",
    )
    .await;
    let store = world.reopen().await;
    assert!(is_corrupt(&store.view(IncidentId(1)).await));
    // As the engine does once it has told.
    let told = QuarantinedRow { standing: QuarantineStatus::Told, ..store.quarantined()[0].clone() };
    let source = SourceName::from(stentor::core::names::SELF);
    let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
    let tell = move |unit: &mut Transaction<'_>| {
        unit.quarantine(told.clone());
        let (row, why) = (told.row.to_string(), told.why.clone());
        unit.record_source(&source, SourceEvent::Quarantined { row, why });
    };
    transact(&*store, RequestClass::Ladder, needs, tell).await.expect("kept");
    store.close().await;
    super::sql(
        world.dir.path(),
        "UPDATE body SET body = (SELECT spare.body FROM spare WHERE spare.incident = body.incident); DROP TABLE spare;
         UPDATE journal SET body = substr(body, 2) WHERE body LIKE '?%'",
    )
    .await;
    let store = world.reopen().await;
    assert_eq!(store.quarantined()[0].standing, QuarantineStatus::Restored);
    assert_eq!(view(&*store, IncidentId(1)).await, before);
    assert_eq!(open_incident(&*store, "LOST").await.0, IncidentId(1));
    let row = store.quarantined()[0].row.clone();
    let release = move |unit: &mut Transaction<'_>| unit.release(&row);
    transact(&*store, RequestClass::Ladder, LockSet::default(), release).await.expect("kept");
    assert_eq!(world.reopen().await.quarantined(), []);
}

#[tokio::test]
async fn a_list_has_as_many_as_are_wanted_though_the_newest_can_not_be_read() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    for n in 0..6 {
        open_incident(&*store, &format!("key {n}")).await;
    }
    store.close().await;
    let damage =
        "UPDATE body SET body = 'gone' WHERE incident > 3; UPDATE journal SET body = 'gone' WHERE chain > 'INC-3'";
    super::sql(world.dir.path(), damage).await;
    let store = world.reopen().await;
    for open_only in [true, false] {
        for (most, expected) in [(1, vec![3]), (2, vec![3, 2]), (9, vec![3, 2, 1])] {
            let listed = store.list(IncidentFilter { open_only, limit: most }).await.expect("readable");
            assert_eq!(listed.iter().map(|incident| incident.id.0).collect::<Vec<_>>(), expected);
        }
    }
    assert_eq!(waiting(&*store), ["INC-4", "INC-5", "INC-6"]);
    assert_eq!(open_incident(&*store, "another").await.0, IncidentId(7), "no number is given twice");
}

#[tokio::test]
async fn a_journal_whose_incident_is_gone_keeps_its_number_and_stops_nobody() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    open_incident(&*store, "KEPT").await;
    open_incident(&*store, "LOST").await;
    store.close().await;
    super::sql(world.dir.path(), "DELETE FROM incident WHERE id = 2").await;
    for expected in [3, 4] {
        let store = world.reopen().await;
        let key = format!("new {expected}");
        let (opened, again) = tokio::join!(try_open(&*store, &key), try_open(&*store, "KEPT"));
        assert_eq!((opened.expect("kept"), again.expect("kept")), (IncidentId(expected), IncidentId(1)));
        assert!(store.orphans(100).await.expect("readable").iter().all(|(id, _)| id.0 != 2));
    }
}

#[tokio::test]
async fn an_open_incident_under_a_key_of_before_is_found_by_the_key_of_today() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let sms = IncidentKey::of_channel(&"sms".into());
    for (key, trigger) in [("channel/sms", "stentor"), ("channel/tape", "channel"), ("condition/c/p", "c")] {
        let plan = stentor::core::EscalationPlan { trigger: trigger.into(), ..fixture::plan() };
        let mut opening = opening_of("any", plan);
        opening.key = IncidentKey::stored(key);
        let needs = LockSet { keys: vec![opening.key.clone()], ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
        transact(&*store, RequestClass::Admission, needs, work).await.expect("opened");
    }
    store.close().await;
    // As version 4 wrote it.
    let back = "DROP TABLE quarantine; DROP TABLE asked; DROP INDEX incident_open_id; DROP INDEX page_asks;
        DROP INDEX page_receipt; ALTER TABLE page DROP COLUMN asks; ALTER TABLE page DROP COLUMN channel;
        ALTER TABLE page DROP COLUMN receipt; ALTER TABLE incident DROP COLUMN nonce;
        ALTER TABLE incident DROP COLUMN repeats; DROP TABLE tally; DROP TABLE response;
        DROP TABLE request_key; DROP TABLE judgement; PRAGMA user_version = 4;
        UPDATE journal SET body = json_remove(body, '$.nonce') WHERE chain GLOB 'INC-*';
        UPDATE incident SET key = replace(key, 'stentor:', ''); UPDATE body SET body = replace(body, 'stentor:', '')";
    super::sql(world.dir.path(), back).await;
    let store = world.reopen().await;
    let by_key = |key: IncidentKey| {
        let (store, needs) = (store.clone(), LockSet { keys: vec![key.clone()], ..LockSet::default() });
        async move {
            let look = move |unit: &mut Transaction<'_>| unit.open_with_key(&key).map(|id| id.0);
            transact(&*store, RequestClass::Ladder, needs, look).await.expect("run").0
        }
    };
    assert_eq!(by_key(sms.clone()).await, Some(1));
    assert_eq!(by_key(IncidentKey::of_condition(&"c".into(), &"p".into(), false)).await, Some(3));
    assert_eq!(by_key(IncidentKey::of_trigger(&"channel".into(), "tape", false)).await, Some(2));
    assert_eq!(by_key(IncidentKey::of_channel(&"tape".into())).await, None);
    assert_eq!(view(&*store, IncidentId(1)).await.key, sms);
    for id in 1..=3 {
        assert_eq!(folded(&*store, IncidentId(id)).await, *view(&*store, IncidentId(id)).await);
    }
    step(&*store, IncidentId(1), resolve()).await.expect("kept");
    assert_eq!(by_key(sms).await, None);
}

#[tokio::test]
async fn rows_of_before_with_times_beyond_all_that_can_be_kept_are_read() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    store.close().await;
    let far = "UPDATE body SET body = replace(replace(body, '\"starts_at\":\"2026-11-23T09:00:00.000000Z\"',
            '\"starts_at\":\"9999-12-31T23:59:59.999999Z\"'), '\"detected_at\":\"2026-11-23T09:00:00.000000Z\"',
            '\"detected_at\":\"9999-12-31T23:59:59.999999Z\"');
        UPDATE journal SET body = replace(body, '\"starts_at\":\"2026-11-23T09:00:00.000000Z\"',
            '\"starts_at\":\"9999-12-31T23:59:59.999999Z\"')";
    super::sql(world.dir.path(), far).await;
    let store = world.reopen().await;
    assert_eq!((view(&*store, id).await.detected_at, waiting(&*store)), (None, vec![]));
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert_eq!(open_incident(&*store, "XYZ").await.0, id);
}

/// What can not be read is in no lookup, and hides nothing that can be read.
#[tokio::test]
async fn lookups_pass_over_what_can_not_be_read() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    for key in ["A", "B", "C", "D"] {
        let (id, _) = open_incident(&*store, key).await;
        let receipt = stentor::core::SendReceipt { id: format!("m-{key}"), ..Default::default() };
        let taken = stentor::core::SendOutcome::Accepted { receipt };
        step(&*store, id, settled(page_of(&*view(&*store, id).await, "ana", "sms"), taken)).await.expect("settled");
    }
    let nonce = store.identity(IncidentId(3)).await.expect("readable");
    store.close().await;
    // The second is lost; of the third only the index is damaged, and its journal tells what that said.
    super::sql(
        world.dir.path(),
        "UPDATE body SET body = 'gone' WHERE incident = 2; UPDATE journal SET body = 'gone' WHERE chain = 'INC-2';
        UPDATE incident SET nonce = x'00' WHERE id = 3; UPDATE asked SET waits = 'maybe' WHERE incident = 3",
    )
    .await;
    let store = world.reopen().await;
    let ids = |ids: &[i64]| ids.iter().copied().map(IncidentId).collect::<Vec<_>>();
    let filter = IncidentFilter { open_only: true, limit: 2 };
    // A portion is full all the same, and the next one begins after it.
    let portion = store.portion(filter, None).await.expect("readable");
    assert_eq!(portion.incidents.iter().map(|incident| incident.id).collect::<Vec<_>>(), ids(&[4, 3]));
    let portion = store.portion(filter, portion.before).await.expect("readable");
    assert_eq!(portion.incidents.iter().map(|incident| incident.id).collect::<Vec<_>>(), ids(&[1]));
    assert_eq!(waiting(&*store), ["INC-2"]);
    assert_eq!(store.identity(IncidentId(3)).await.expect("readable"), nonce);
    let newest = store.newest().await.expect("readable");
    assert_eq!((newest, store.open_count().await.expect("readable")), (Some(IncidentId(4)), 3));
    assert_eq!(store.open_under(String::new()).await.expect("readable"), ids(&[1, 3, 4]));
    let briefs = store.briefs_of("ana".into(), fixture::START).await.expect("readable");
    let mut of: Vec<IncidentId> = briefs.iter().map(|of| of.brief.page.incident).collect();
    of.sort_unstable();
    of.dedup();
    assert_eq!(of, ids(&[1, 3, 4]));
    assert!(briefs.iter().all(|of| of.waits && of.open), "{briefs:?}");
    let query = AskedQuery { standing: AskedStanding::Waits, oldest: false, limit: 2 };
    let asked = store.asked("ana".into(), query).await.expect("readable");
    assert_eq!((asked.incidents, asked.total), (ids(&[4, 3]), 3), "what can not be read of the index is taken to wait");
    for (receipt, found) in [("m-A", true), ("m-B", false), ("m-C", true)] {
        let page = store.page_by_receipt("sms".into(), receipt.into()).await.expect("readable");
        assert_eq!(page.is_some(), found, "{receipt}");
    }
}
