//! Every column of the store is compared with the journal by `stentor journal verify`, or is excused here with a reason.
//! A new column must be put here: the list is compared with the schema.

use super::tampered::{store, tamper, verify};
use std::collections::BTreeSet;

/// What is put into a column. Each must be found.
enum Check {
    /// New values, and of which rows.
    Compared(&'static [(&'static str, &'static str)]),
    /// Why it can not be compared with the journal.
    Excused(&'static str),
}

use Check::{Compared, Excused};

const FIRST_PAGE: &str = "incident = 1 AND n = 1";
const QUEUED: &str = "incident = 4 AND owed = 1";

const COLUMNS: &[(&str, &str, Check)] = &[
    ("meta", "name", Compared(&[("'clocks'", "name = 'epoch'"), ("'keys'", "name = 'server_key'")])),
    ("meta", "value", Excused("a key is compared with nothing; that settings have the right form is another test")),
    ("incident", "id", Compared(&[("77", "id = 1")])),
    ("incident", "key", Compared(&[("'x'", "id = 1"), ("x'00'", "id = 2")])),
    ("incident", "open", Compared(&[("1", "id = 1"), ("0", "id = 2"), ("2", "id = 2"), ("'x'", "id = 2")])),
    ("incident", "deadline", Compared(&[("NULL", "id = 2"), ("deadline + 1", "id = 2"), ("'soon'", "id = 2")])),
    ("incident", "seq", Compared(&[("seq + 1", "id = 1"), ("seq - 1", "id = 2")])),
    ("incident", "hash", Compared(&[("zeroblob(32)", "id = 2"), ("x''", "id = 1")])),
    ("incident", "at", Compared(&[("at + 1", "id = 1"), ("at - 1", "id = 2")])),
    ("incident", "alerts", Compared(&[("alerts + 1", "id = 1"), ("-1", "id = 2")])),
    ("incident", "joined", Compared(&[("1", "id = 1"), ("7", "id = 2"), ("2", "id = 4"), ("'x'", "id = 1")])),
    ("incident", "nonce", Compared(&[("NULL", "id = 1"), ("zeroblob(16)", "id = 2")])),
    ("incident", "repeats", Compared(&[("NULL", "id = 4"), ("'{}'", "id = 1")])),
    ("body", "incident", Compared(&[("77", "incident = 1")])),
    ("body", "plan", Compared(&[("'x'", "incident = 1")])),
    ("body", "body", Compared(&[("json_set(body, '$.summary', 'x')", "incident = 2")])),
    ("plan", "hash", Compared(&[("'x' || hash", "1")])),
    ("plan", "body", Compared(&[("body || ' '", "1")])),
    ("page", "incident", Compared(&[("77", FIRST_PAGE)])),
    ("page", "n", Compared(&[("77", FIRST_PAGE)])),
    ("page", "owed", Compared(&[("2", FIRST_PAGE), ("2", QUEUED), ("0", QUEUED), ("'x'", QUEUED)])),
    (
        "page",
        "epoch",
        Compared(&[("NULL", QUEUED), ("0", QUEUED), ("epoch + 1", QUEUED), ("'x'", QUEUED), ("99", FIRST_PAGE)]),
    ),
    ("page", "state", Compared(&[("'withdrawn'", QUEUED), ("'queued'", FIRST_PAGE)])),
    ("page", "body", Compared(&[("json_set(body, '$.person', 'gus')", QUEUED)])),
    ("page", "asks", Compared(&[("NULL", FIRST_PAGE), ("'gus'", QUEUED)])),
    ("page", "channel", Compared(&[("NULL", FIRST_PAGE), ("'x'", QUEUED)])),
    ("page", "receipt", Compared(&[("NULL", FIRST_PAGE), ("'m-77'", QUEUED)])),
    ("journal", "pos", Compared(&[("pos + 100000", "chain = 'INC-1' AND seq = 2")])),
    ("journal", "chain", Compared(&[("'INC-77'", "chain = 'INC-1' AND seq = 2")])),
    ("journal", "seq", Compared(&[("seq + 500", "chain = 'INC-1' AND seq = 2")])),
    ("journal", "at", Compared(&[("at - 1", "chain = 'INC-2' AND seq = 1"), ("0", "chain = 'anchors'")])),
    ("journal", "hash", Compared(&[("zeroblob(32)", "chain = 'INC-1' AND seq = 2")])),
    ("journal", "body", Compared(&[("body || ' '", "chain = 'source:monitor' AND seq = 1")])),
    ("chain", "name", Compared(&[("'source:x'", "name = 'source:monitor'")])),
    ("chain", "seq", Compared(&[("seq + 1", "name = 'source:monitor'")])),
    ("chain", "hash", Compared(&[("zeroblob(32)", "name = 'source:monitor'")])),
    ("observed", "name", Excused("what a trigger counts within its window is not in the journal")),
    ("observed", "at", Excused("the same")),
    ("observed", "body", Excused("the same")),
    ("judgement", "name", Excused("what a trigger knows of a key besides is not in the journal, nor what waits there")),
    ("judgement", "body", Excused("the same")),
    ("text", "hash", Compared(&[("'x' || hash", "1")])),
    ("text", "body", Compared(&[("body || ' '", "1")])),
    ("contact_proof", "person", Compared(&[("'gus'", "1")])),
    ("contact_proof", "channel", Compared(&[("'chat'", "1")])),
    ("contact_proof", "at", Compared(&[("at + 1", "1"), ("at - 1", "1")])),
    ("contact_proof", "how", Compared(&[("'delivered'", "1")])),
    ("contact_proof", "drill", Compared(&[("1 - drill", "1")])),
    ("contact_proof", "incident", Compared(&[("77", "1"), ("2", "1")])),
    ("drill_run", "id", Compared(&[("77", "1")])),
    ("drill_run", "scenario", Compared(&[("'x'", "1")])),
    ("drill_run", "hash", Compared(&[("'x'", "1")])),
    ("drill_run", "started", Compared(&[("started + 1", "1")])),
    ("drill_run", "ended", Compared(&[("77", "1")])),
    ("drill_run", "state", Compared(&[("'held'", "1")])),
    ("drill_run", "body", Compared(&[("json_set(body, '$.by', 'x')", "1")])),
    ("drill_turn", "scenario", Excused("when a scheduled drill runs next follows from the scenario and the clock")),
    ("drill_turn", "next", Excused("the same")),
    ("drill_turn", "body", Excused("the same")),
    ("quarantine", "row", Compared(&[("'INC-2'", "row = 'INC-77'"), ("'turn/x'", "row = 'turn/crash'")])),
    (
        "quarantine",
        "body",
        Compared(&[
            ("json_set(body, '$.why', 'x')", "row = 'INC-77'"),
            ("json_set(body, '$.standing', 'found')", "row = 'INC-77'"),
            ("json_set(body, '$.incident.open', json('false'))", "row = 'INC-77'"),
            ("json_set(body, '$.found_at', '2999-01-01T00:00:00Z')", "row = 'INC-77'"),
            ("json_set(body, '$.cleared_by', 'x')", "row = 'turn/crash'"),
            ("'gone'", "row = 'INC-77'"),
        ]),
    ),
    ("asked", "person", Compared(&[("'x'", "incident = 1 AND person = 'ana'")])),
    ("asked", "incident", Compared(&[("77", "incident = 1 AND person = 'ana'")])),
    ("asked", "waits", Compared(&[("1 - waits", "incident = 2"), ("1", "incident = 1"), ("7", "incident = 1")])),
    (
        "asked",
        "ended",
        Compared(&[
            ("1", "incident = 2"),
            ("NULL", "incident = 1"),
            ("ended + 1", "incident = 1"),
            ("1", "incident = 1"),
        ]),
    ),
    ("tally", "source", Compared(&[("'mallory'", "1")])),
    ("tally", "name", Compared(&[("json_set(name, '$.kind', 'quake')", "1")])),
    ("tally", "body", Compared(&[("json_set(body, '$.whole', 2)", "1")])),
    ("response", "source", Excused("what a request with a key was told is kept for a day and is in no line")),
    ("response", "operation", Excused("the same")),
    ("response", "key", Excused("the same")),
    ("response", "at", Excused("the same")),
    ("response", "body", Excused("the same")),
    (
        "request_key",
        "incident",
        Excused("a key is in no line, so that it can be destroyed; whether one should be there is another test"),
    ),
    ("request_key", "key", Excused("the same")),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_compared_with_the_journal_or_excused() {
    let whole = tempfile::tempdir().unwrap();
    store(whole.path()).await;
    let listed: BTreeSet<(String, String)> =
        COLUMNS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned())).collect();
    assert_eq!(listed, schema(whole.path()).await, "each column of the schema belongs into this list, with its checks");
    assert!(COLUMNS.iter().all(|(.., check)| !matches!(check, Excused(why) if why.is_empty())));
    let mut unseen = Vec::new();
    for (table, column, check) in COLUMNS {
        let Compared(edits) = check else { continue };
        for (value, rows) in *edits {
            let copy = tempfile::tempdir().unwrap();
            std::fs::copy(whole.path().join("stentor.db"), copy.path().join("stentor.db")).unwrap();
            let edit = format!("UPDATE {table} SET {column} = {value} WHERE {rows}");
            tamper(copy.path(), &edit).await;
            let (status, said) = verify(copy.path());
            if status != Some(1) {
                unseen.push(format!("{edit}: exit {status:?}\n{said}"));
            }
        }
    }
    assert!(unseen.is_empty(), "{} edits are not seen:\n{}", unseen.len(), unseen.join("\n"));
}

/// The tables and columns of this file.
async fn schema(dir: &std::path::Path) -> BTreeSet<(String, String)> {
    const COLUMNS: &str = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(COLUMNS).fetch_all(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    rows.into_iter().collect()
}

/// What somebody did while the daemon was down is mended by its next start, and stays in the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_mends_what_leads_to_an_open_incident_and_says_so() {
    let mut daemon = crate::house::sandboxed();
    assert_eq!(daemon.crash("ES"), "INC-1");
    daemon.kill();
    tamper(&daemon.state(), "UPDATE incident SET open = 0").await;
    tamper(&daemon.state(), "UPDATE asked SET ended = 1").await;
    daemon.restart();
    assert_eq!(daemon.crash("ES"), "INC-1", "the open one is found by its key");
    let journal = daemon.cli(&["journal", "export"]);
    let journal = String::from_utf8(journal.stdout).unwrap();
    let started: Vec<&str> = journal.lines().filter(|line| line.contains("started")).collect();
    assert!(!started[0].contains("mended") && started[1].contains("state of INC-1: not what its journal says: open"));
    assert!(daemon.log().contains("it was mended"), "{}", daemon.log());
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}
