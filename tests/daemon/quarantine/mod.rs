//! Rows that can not be read, on the running daemon and in a folder that none runs on: told, seen, shown, cleared.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::common;
use crate::house;
use crate::wire;

use common::Daemon;
use house::{DESK, eventually, secret, sql};
use serde_json::{Value, json};
use wire::Call;

const LINE_TWICE: &str = "INSERT INTO journal (chain, seq, at, hash, body)
    SELECT chain, seq + 1, at, hash, body FROM journal WHERE chain = 'INC-1' ORDER BY seq DESC LIMIT 1";

const LOST: &str = "UPDATE body SET body = 'gone' WHERE incident = 1;
    UPDATE journal SET body = 'gone' WHERE chain = 'INC-1' AND seq = 2";

/// The desk, but everybody waits as long as it takes.
fn matrix() -> String {
    DESK.replace("wait = \"10m\"", "wait = \"20m\"")
}

fn problems(daemon: &Daemon) -> Vec<String> {
    let told = daemon.control(&Call::get("/readyz")).json();
    told["problems"].as_array().unwrap().iter().map(|sign| sign.as_str().unwrap().to_owned()).collect()
}

/// The operators' incidents about unreadable ones.
fn about(daemon: &Daemon) -> Vec<Value> {
    let is_about = |incident: &Value| incident["key"].as_str().is_some_and(|key| key.starts_with("stentor:unreadable"));
    daemon.incidents().into_iter().filter(is_about).collect()
}

fn said(output: &std::process::Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// What has to hold once INC-1 can not be read and everybody has heard of it.
fn check_lost(daemon: &Daemon) {
    let first = eventually("the operators' incident", || about(daemon).first().cloned());
    assert_eq!((about(daemon).len(), &first["status"]), (1, &json!("open")));
    let page = daemon.held(first["id"].as_str().unwrap(), "gita", "sms").page;
    let sent = daemon.outbox().into_iter().find(|entry| entry["page"] == page.as_str()).unwrap();
    assert!(sent.to_string().contains("INC-1 (price_velocity) can not be read"), "{sent}");
    assert!(problems(daemon).iter().any(|sign| sign.contains("INC-1 can not be read")), "{:?}", problems(daemon));
    let doctor = daemon.cli(&["doctor", "--json"]);
    assert!(!doctor.status.success() && said(&doctor).0.contains("INC-1 can not be read"), "{doctor:?}");
    let metrics = daemon.control(&Call::get("/metrics")).body;
    assert!(metrics.contains("stentor_quarantined_rows 1"), "{metrics}");
    let listed = daemon.json(&["store", "quarantine", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["row"]), (1, &json!("INC-1")), "{listed}");
    assert_eq!(
        (&listed[0]["incident"]["key"], &listed[0]["incident"]["open"]),
        (&json!("flash-crash/ES"), &json!(true))
    );
    let shown = daemon.json(&["store", "quarantine", "show", "INC-1"]);
    assert!(shown["remains"].as_array().unwrap().iter().any(|left| left["place"] == "journal line 1"), "{shown}");
    let (board, lost) = said(&daemon.cli(&["incidents"]));
    assert!(board.contains("INC-2") && lost.contains("1 more can not be read"), "{board}{lost}");
    let resolved = daemon.cli(&["resolve", "INC-1"]);
    assert!(!resolved.status.success() && said(&resolved).1.contains("quarantine"), "{resolved:?}");
    assert!(daemon.cli(&["report", "tte"]).status.success());
    assert!(daemon.cli(&["journal", "export", "--out", "copy.jsonl", "--force"]).status.success());
}

#[test]
fn a_damaged_incident_costs_nobody_else_and_is_told_seen_and_cleared_over_restarts() {
    for damage_at_work in [true, false] {
        let mut daemon = house::setup(&matrix()).arg("--sandbox").start();
        assert_eq!((daemon.crash("ES"), daemon.crash("NQ")), ("INC-1".to_owned(), "INC-2".to_owned()));
        for person in ["ana", "bo", "dora"] {
            daemon.held("INC-1", person, "mail");
        }
        if damage_at_work {
            sql(&daemon, LINE_TWICE);
            assert!(!daemon.cli(&["resolve", "INC-1"]).status.success(), "it can not go on");
        } else {
            daemon.kill();
            sql(&daemon, LOST);
            daemon.restart();
        }
        check_lost(&daemon);
        daemon.kill();
        daemon.restart();
        check_lost(&daemon);
        // A batch with its key is taken in whole.
        let crash = |symbol: &str| json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 7 } });
        let batch = json!([crash("YM"), crash("ES"), crash("NQ")]);
        let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&batch).send(daemon.address);
        assert_eq!(reply.status, 202, "{reply:?}");
        let results: Vec<Value> = reply.json()["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|told| told["results"][0]["result"].clone())
            .collect();
        assert_eq!(results, [json!("opened"), json!("opened"), json!("joined")]);

        let lines = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
        let cleared = daemon.json(&["store", "quarantine", "clear", "INC-1"]);
        assert_eq!(cleared, json!({ "cleared": ["INC-1"], "not_waiting": [] }));
        assert_eq!(daemon.control(&Call::get("/v1/journal?chain=INC-1")).body, lines, "its journal stays as it was");
        assert!(!daemon.cli(&["store", "quarantine", "clear", "INC-1"]).status.success(), "it waits no more");
        assert_eq!(said(&daemon.cli(&["store", "quarantine", "list"])).0, "everything can be read\n");
        let all = daemon.json(&["store", "quarantine", "list", "--all"]);
        assert_eq!(all[0]["standing"], "cleared", "{all}");
        assert_eq!((problems(&daemon).len(), &about(&daemon)[0]["status"]), (0, &json!("resolved")));
        daemon.kill();
        daemon.restart();
        assert_eq!((problems(&daemon).len(), about(&daemon).len()), (0, 1), "nobody is told again");
        assert!(said(&daemon.cli(&["store", "quarantine", "list"])).0.contains("everything"));
    }
}

#[test]
fn a_folder_that_no_daemon_runs_on_is_looked_through_and_cleared() {
    let mut daemon = house::setup(&matrix()).arg("--sandbox").start();
    assert_eq!((daemon.crash("ES"), daemon.crash("NQ")), ("INC-1".to_owned(), "INC-2".to_owned()));
    daemon.kill();
    sql(&daemon, LOST);
    sql(&daemon, "INSERT INTO drill_turn VALUES ('a|b %1F', 0, 'gone')");
    let listed = daemon.json(&["store", "quarantine", "list"]);
    assert_eq!((&listed[0]["row"], &listed[1]["row"]), (&json!("INC-1"), &json!("turn/a|b %251F")), "{listed}");
    let (table, _) = said(&daemon.cli(&["store", "quarantine", "list"]));
    assert!(table.contains("nobody is paged about it") && table.contains("left out"), "{table}");
    let (shown, _) = said(&daemon.cli(&["store", "quarantine", "show", "turn/a|b %251F"]));
    assert!(shown.contains("drill_turn") && shown.contains("gone"), "{shown}");
    assert!(!daemon.cli(&["store", "quarantine", "show", "INC-2"]).status.success());
    assert!(!daemon.cli(&["store", "quarantine", "show", "nonsense"]).status.success());
    assert!(!daemon.cli(&["store", "quarantine", "clear"]).status.success(), "which, or all");
    assert!(!daemon.cli(&["store", "quarantine", "clear", "INC-2"]).status.success());
    assert!(daemon.cli(&["report", "tte"]).status.success());
    let (cleared, _) = said(&daemon.cli(&["store", "quarantine", "clear", "--all"]));
    assert!(cleared.contains("INC-1 is cleared") && cleared.contains("turn/a|b %251F is cleared"), "{cleared}");
    daemon.restart();
    assert_eq!((problems(&daemon), about(&daemon)), (vec![], vec![]));
    assert_eq!(daemon.json(&["store", "quarantine", "list", "--all"]).as_array().unwrap().len(), 2);
    assert_eq!(daemon.crash("ES"), "INC-3");
}
