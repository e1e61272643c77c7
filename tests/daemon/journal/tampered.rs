//! Somebody changes one thing in the stored state, and `stentor journal verify` finds it: a kind of tampering a row.

use super::common::binary;
use crate::past::{Past, measured_plan};
use sha2::{Digest, Sha256};
use std::path::Path;
use stentor::core::event::hex;
use stentor::core::{
    Answer, DrillRun, DrillTerms, IncidentInput, IncidentKey, RunId, RunState, SendOutcome, SendReceipt, SourceEvent,
    SourceName, names::SELF,
};
use stentor::store::{
    LockSet, LostIncident, QuarantineStatus, QuarantinedRow, RequestClass, RowKind, RowName, SqliteStore, Store,
    Transaction, transact,
};

/// What is done, and words of the one thing that must be found.
const TAMPERINGS: &[(&str, &[&str])] = &[
    ("UPDATE text SET body = replace(body, 'Jane', 'John')", &["text ", "edited"]),
    ("UPDATE text SET hash = substr(hash, 2) || '0'", &["text ", "stored under another name", "is missing"]),
    ("DELETE FROM text", &["text ", "INC-1 line ", "is missing"]),
    (
        "UPDATE body SET body = json_set(body, '$.summary', 'Jane Doe') WHERE incident = 1",
        &["state of INC-1", "summary"],
    ),
    ("UPDATE body SET body = json_set(body, '$.alert.labels.x', 'y') WHERE incident = 2", &["state of INC-2", "alert"]),
    ("UPDATE body SET body = 'gone' WHERE incident = 1", &["state of INC-1", "can not be read"]),
    ("DELETE FROM body WHERE incident = 1", &["state of INC-1", "can not be read"]),
    ("UPDATE plan SET body = json_set(body, '$.trigger', 'another')", &["plan ", "edited"]),
    ("DELETE FROM plan", &["state of INC-1", "can not be read"]),
    (
        "UPDATE page SET body = json_set(body, '$.person', 'gus') WHERE incident = 1 AND n = 1",
        &["page INC-1.1", "person"],
    ),
    ("DELETE FROM page WHERE incident = 1 AND n = 2", &["page INC-1.2: it was deleted"]),
    (
        "INSERT INTO page (incident, n, owed, state, body) SELECT incident, 99, 0, state, json_set(body, '$.n', 99)
         FROM page WHERE incident = 1 AND n = 1",
        &["page INC-1.99", "no line of its journal made it"],
    ),
    ("UPDATE page SET owed = 1 - owed WHERE incident = 1 AND n = 1", &["page INC-1.1", "owed"]),
    ("UPDATE page SET state = 'withdrawn' WHERE incident = 1 AND n = 1", &["page INC-1.1", "state"]),
    ("UPDATE page SET asks = 'gus' WHERE incident = 1 AND n = 1", &["page INC-1.1", "who is asked"]),
    ("UPDATE page SET channel = 'chat2' WHERE incident = 1 AND n = 1", &["page INC-1.1", "channel"]),
    ("UPDATE page SET receipt = 'm-77' WHERE incident = 1 AND n = 1", &["page INC-1.1", "provider's id"]),
    ("UPDATE incident SET key = 'x/y' WHERE id = 1", &["state of INC-1", "key"]),
    ("UPDATE incident SET open = 1 WHERE id = 1", &["state of INC-1", "open"]),
    ("UPDATE incident SET deadline = NULL WHERE id = 2", &["state of INC-2", "deadline"]),
    ("UPDATE incident SET at = at + 1 WHERE id = 1", &["state of INC-1", "last time"]),
    ("UPDATE incident SET alerts = 7 WHERE id = 1", &["state of INC-1", "number of alerts"]),
    (
        "UPDATE incident SET repeats = json_set(repeats, '$.repeats.count', 99) WHERE id = 4",
        &["state of INC-4", "number of alerts"],
    ),
    ("UPDATE incident SET repeats = NULL WHERE id = 4", &["state of INC-4", "number of alerts"]),
    ("UPDATE incident SET repeats = 'gone' WHERE id = 4", &["state of INC-4", "the number of repeats"]),
    ("UPDATE incident SET nonce = zeroblob(16) WHERE id = 1", &["state of INC-1", "nonce"]),
    ("UPDATE incident SET hash = zeroblob(32) WHERE id = 1", &["head of INC-1", "not the last line"]),
    ("DELETE FROM incident WHERE id = 1", &["state of INC-1", "deleted"]),
    ("DELETE FROM asked WHERE person = 'ana'", &["who was asked: ana in INC-", "deleted"]),
    (
        "INSERT INTO asked VALUES ('mallory', 2, 1, NULL)",
        &["who was asked: mallory in INC-2", "asks this person for nothing"],
    ),
    ("UPDATE asked SET waits = 1 - waits WHERE incident = 2", &["who was asked: ", "waits"]),
    ("UPDATE asked SET ended = NULL WHERE incident = 1", &["who was asked: ", "end"]),
    ("UPDATE chain SET hash = zeroblob(32) WHERE name = 'anchors'", &["head of anchors", "not the last line"]),
    ("DELETE FROM chain", &["head of anchors", "deleted"]),
    ("UPDATE journal SET at = at + 1 WHERE chain = 'INC-1' AND seq = 1", &["line INC-1 line 1", "time"]),
    ("DELETE FROM contact_proof", &["proof of contact of ana by sms", "deleted"]),
    ("UPDATE contact_proof SET at = at + 1000000", &["proof of contact of ana by sms", "no event"]),
    ("UPDATE contact_proof SET at = at - 1000000", &["proof of contact of ana by sms", "set back"]),
    ("UPDATE contact_proof SET how = 'delivered'", &["proof of contact of ana by sms", "no event"]),
    (
        "INSERT INTO contact_proof SELECT 'gus', channel, at, how, drill, incident FROM contact_proof LIMIT 1",
        &["proof of contact of gus by sms", "no event"],
    ),
    ("UPDATE drill_run SET body = json_set(body, '$.score', 'all held')", &["drill run DR-1", "edited"]),
    ("UPDATE drill_run SET state = 'held'", &["drill run DR-1", "columns"]),
    ("UPDATE drill_run SET body = json_set(body, '$.text', 'easier')", &["drill run DR-1", "not the text"]),
    ("DELETE FROM drill_run", &["drill run DR-1", "missing"]),
    (
        "INSERT INTO quarantine SELECT 'INC-2', json_set(body, '$.row', 'INC-2') FROM quarantine WHERE row = 'INC-77'",
        &["row that was set aside: INC-2", "no line of the journal set it aside"],
    ),
    ("DELETE FROM quarantine WHERE row = 'INC-77'", &["row that was set aside: INC-77", "it was deleted"]),
    ("DELETE FROM quarantine WHERE row = 'turn/crash'", &["row that was set aside: turn/crash", "it was deleted"]),
    ("UPDATE meta SET value = x'07' WHERE name = 'server_key'", &["setting server_key", "1 bytes"]),
    ("DELETE FROM meta WHERE name = 'server_key'", &["setting server_key", "missing"]),
    ("UPDATE meta SET value = 'x' WHERE name = 'epoch'", &["setting epoch"]),
    ("UPDATE meta SET value = 'x' WHERE name = 'clock'", &["setting clock"]),
    ("INSERT INTO meta (name, value) VALUES ('more', 1)", &["setting more", "no version of this program"]),
    ("INSERT OR REPLACE INTO meta (name, value) VALUES ('left', 99)", &["setting left", "no number of a daemon"]),
    (
        "UPDATE meta SET value = json_set(value, '$.time', '2999-01-01T00:00:00Z') WHERE name = 'clock'",
        &["setting clock", "it was set on"],
    ),
    // What is counted beside the journal.
    (
        "UPDATE incident SET repeats = json_set(json_set(repeats, '$.repeats.first_at', '2001-01-01T00:00:00Z'),
         '$.repeats.last_at', '2001-01-01T00:00:00Z') WHERE id = 4",
        &["state of INC-4", "no room for the repeats"],
    ),
    (
        "UPDATE incident SET repeats = json_set(repeats, '$.repeats.changes',
         json('{\"all_clears\":0,\"total\":0,\"all_clear_at\":\"2001-01-01T00:00:00Z\"}')) WHERE id = 4",
        &["state of INC-4", "no room for the repeats"],
    ),
    (
        "UPDATE incident SET alerts = alerts + 11, repeats = (SELECT repeats FROM incident WHERE id = 4) WHERE id = 1",
        &["state of INC-1", "no room for the repeats"],
    ),
    (
        "UPDATE tally SET body = json_set(body, '$.counted.count', -1)",
        &["count of alerts of monitor: ", "can not be read"],
    ),
    ("UPDATE tally SET body = 'gone'", &["count of alerts of monitor: ", "can not be read"]),
    (
        "UPDATE tally SET body = json_set(body, '$.whole', 2)",
        &["count of alerts of monitor: ", "no count can be so: number"],
    ),
    (
        "UPDATE tally SET body = json_set(body, '$.whole', 4000000000)",
        &["count of alerts of monitor: ", "no count can be so"],
    ),
    (
        "UPDATE tally SET body = json_set(body, '$.counted.last_at', '2999-01-01T00:00:00Z')",
        &["count of alerts of monitor: ", "no count can be so: times"],
    ),
    ("UPDATE tally SET source = 'mallory'", &["count of alerts of mallory: unmatched", "has no such alert of"]),
    ("UPDATE tally SET name = json_set(name, '$.kind', 'quake')", &["count of alerts of monitor: ", "another name"]),
    (
        "INSERT INTO tally SELECT source, json_set(name, '$.kind', 'quake'), json_set(body, '$.counted.kind', 'quake') FROM tally",
        &["count of alerts of monitor: unmatched quake", "has no such alert of"],
    ),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
         INSERT INTO tally SELECT source, json_set(name, '$.kind', 'k' || i), json_set(body, '$.counted.kind', 'k' || i)
         FROM tally, n",
        &["count of alerts of monitor: 91 at a time"],
    ),
    // The structure of the database.
    (
        "CREATE TRIGGER spy AFTER INSERT ON journal BEGIN DELETE FROM asked; END",
        &["database trigger spy: no stentor made it", "DELETE FROM asked"],
    ),
    ("CREATE VIEW \"two\nlines\" AS SELECT 1", &["database view two\\nlines: no stentor made it"]),
    ("CREATE TABLE hidden (x)", &["database table hidden", "no stentor made it"]),
    ("CREATE INDEX narrow ON page (state)", &["database index narrow", "no stentor made it"]),
    ("DROP INDEX page_owed", &["database index page_owed", "missing"]),
    ("ALTER TABLE text ADD COLUMN more TEXT", &["database table text", "changed"]),
    // The chains themselves.
    (
        "UPDATE journal SET body = replace(body, 'event', 'evenT') WHERE chain = 'INC-1' AND seq = 2",
        &["INC-1 line 2", "altered"],
    ),
    ("DELETE FROM journal WHERE chain = 'INC-1' AND seq = 2", &["INC-1 line 3", "missing"]),
    ("DELETE FROM journal WHERE chain = 'INC-1'", &["state of INC-1", "can not be folded"]),
];

/// A resolved incident with a text that was shown, an open one, a drill with its run, and one whose alert repeats.
pub async fn store(dir: &Path) {
    let past = Past::at(dir).await;
    let first = past.open(measured_plan(), false).await;
    shown(&*past.store, first).await;
    past.accept(first, None).await;
    past.answer(first, "trader", Answer::Wilco).await;
    past.resolve(first, None).await;
    let second = past.open(measured_plan(), false).await;
    past.accept(second, None).await;
    past.pass(second, 30.0).await;
    kept(&*past.store, RunState::Running).await;
    let until = past.now() + std::time::Duration::from_secs(60);
    let terms = DrillTerms { run: Some(RunId(1)), ..DrillTerms::until(until) };
    past.open_on(measured_plan(), true, Some(terms)).await;
    kept(&*past.store, RunState::NotHeld).await;
    // Its key is of its time.
    past.hands.pass(std::time::Duration::from_secs(1));
    let repeating = past.open(measured_plan(), false).await;
    repeated(&*past.store, repeating).await;
    past.store.renew_lease().await.unwrap();
    set_aside(&*past.store).await;
    counted(&*past.store).await;
    past.store.leave().await.unwrap();
    past.store.anchor().await.unwrap();
    past.disk.as_ref().unwrap().close().await;
}

/// More alerts than are journaled one by one.
async fn repeated(store: &dyn Store, id: stentor::core::IncidentId) {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let run = move |tx: &mut Transaction<'_>| {
        for _ in 0..20 {
            let alert = std::sync::Arc::new(crate::fixture::alert());
            tx.step(id, IncidentInput::Alert(alert), &crate::fixture::roster());
        }
    };
    transact(store, RequestClass::Ladder, needs, run).await.unwrap();
}

/// More alerts that opened nothing than are journaled one by one, and the line of a stop in order.
async fn counted(store: &dyn Store) {
    let (monitor, own) = (SourceName::from("monitor"), SourceName::from(SELF));
    let needs = LockSet { sources: vec![monitor.clone(), own.clone()], ..LockSet::default() };
    let run = move |tx: &mut Transaction<'_>| {
        for _ in 0..10 {
            let alert = std::sync::Arc::new(crate::fixture::alert());
            tx.record_alert(&monitor, SourceEvent::Unmatched { alert });
        }
        tx.record_source(&own, SourceEvent::Stopped {});
    };
    transact(store, RequestClass::Ladder, needs, run).await.unwrap();
}

/// Two rows that were set aside: one that people wait for, and one that somebody has looked at.
async fn set_aside(store: &dyn Store) {
    let source = SourceName::from(SELF);
    let lost = LostIncident { key: IncidentKey::stored("LOST"), summary: None, open: true };
    let incident = RowName::Incident(stentor::core::IncidentId(77));
    let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
    let run = move |tx: &mut Transaction<'_>| {
        let found = QuarantinedRow::new(incident.clone(), tx.now(), "gone".into());
        let entry = QuarantinedRow { incident: Some(lost.clone()), standing: QuarantineStatus::Told, ..found };
        tx.quarantine(entry);
        tx.record_source(&source, SourceEvent::Quarantined { row: incident.to_string(), why: "gone".into() });
    };
    transact(store, RequestClass::Ladder, needs, run).await.unwrap();
    let turn = RowName::Other(RowKind::Turn, "crash".into());
    store.found_unreadable(turn.clone(), "gone".into());
    let by = stentor::core::Actor::Operator("root".into());
    let roster = std::sync::Arc::new(crate::fixture::roster());
    assert!(stentor::store::clear_quarantined(store, &turn, &by, roster).await.unwrap());
}

/// The first page is sent with a text.
pub async fn shown(store: &dyn Store, id: stentor::core::IncidentId) {
    let needs = LockSet { incidents: vec![id], ..LockSet::default() };
    let run = move |tx: &mut Transaction<'_>| {
        let text = "LIVE: call Jane";
        let hash = hex(&Sha256::digest(text.as_bytes())[..16]);
        tx.keep_text(&hash, text);
        let settlement = SendOutcome::Accepted { receipt: SendReceipt { id: "m-1".into(), ..SendReceipt::default() } };
        let sent_at = Some(tx.now());
        tx.step(
            id,
            IncidentInput::Settled { page: 1, settlement, sent_at, text: Some(hash) },
            &crate::fixture::roster(),
        );
    };
    transact(store, RequestClass::Ladder, needs, run).await.unwrap();
}

/// Keeps a run as the engine does.
async fn kept(store: &dyn Store, state: RunState) {
    let text = "[scenario]\nname = \"crash\"\n".to_owned();
    let run = DrillRun {
        id: RunId(1),
        scenario: "crash".into(),
        revision: hex(&Sha256::digest(text.as_bytes())),
        text,
        by: "root".into(),
        started_at: store.now(),
        ended_at: None,
        state,
        why: String::new(),
        compress: 1,
        matrix: "m".into(),
        incidents: Vec::new(),
        score: serde_json::json!({ "held": 0.25 }),
    };
    stentor::store::keep_run(store, run).await.unwrap();
}

pub async fn tamper(dir: &Path, words: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(words.to_owned())).execute(&mut conn).await.unwrap();
    let is_structure = ["CREATE", "DROP", "ALTER"].iter().any(|word| words.starts_with(word));
    assert!(is_structure || 0 < done.rows_affected(), "{words}: nothing was changed");
    sqlx::Connection::close(conn).await.unwrap();
}

pub fn verify(dir: &Path) -> (Option<i32>, String) {
    let output = binary(dir).arg("--state").arg(dir).args(["journal", "verify"]).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_in_the_stored_state_is_found_and_what_was_not_is_clean() {
    let whole = tempfile::tempdir().unwrap();
    store(whole.path()).await;
    let (status, said) = verify(whole.path());
    assert!(status == Some(0) && said.contains("0 fault(s): as the journal says"), "{said}");
    let mut unseen = Vec::new();
    for (words, expected) in TAMPERINGS {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(whole.path().join("stentor.db"), copy.path().join("stentor.db")).unwrap();
        tamper(copy.path(), words).await;
        let (status, said) = verify(copy.path());
        if status != Some(1) || !expected.iter().all(|part| said.contains(part)) {
            unseen.push(format!("{words}\n  wanted {expected:?}, exit {status:?}\n{said}"));
        }
    }
    assert!(unseen.is_empty(), "{} of {}:\n{}", unseen.len(), TAMPERINGS.len(), unseen.join("\n"));
}

/// The daemon's own answer about itself is the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_in_use_is_compared_too() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path()).await;
    tamper(dir.path(), "UPDATE text SET body = 'John'").await;
    let store = SqliteStore::open(dir.path(), std::sync::Arc::new(stentor::store::clock::SystemClock)).await.unwrap();
    let (mut next, mut faults) = (Some(stentor::core::record::RecordCursor::default()), Vec::new());
    while let Some(from) = next {
        let portion = store.audit(from).await.unwrap();
        next = portion.next;
        faults.extend(portion.faults.iter().map(ToString::to_string));
    }
    assert!(faults.len() == 1 && faults[0].contains("edited"), "{faults:?}");
    store.close().await;
}
