//! Opsgenie's Alert API, as its clients send to it and read the answers.

use super::{
    common::Daemon,
    house::{DESK, eventually, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

const MORE: &str = r#"
[trigger.opsgenie]
on       = ["opsgenie"]
when     = 'alert.labels.priority in ["P1", "P2"] || "page" in alert.evidence.tags'
key      = 'alert.labels.alias'
roles    = ["trader"]
resolved = "resolve"
sources  = ["monitor"]
"#;

fn daemon() -> Daemon {
    sandboxed_on(&format!("{DESK}{MORE}"))
}

fn genie(method: &str, path: &str) -> Call {
    Call::new(method, path).header("Authorization", &format!("GenieKey {}", secret("MONITOR_TOKEN")))
}

/// The id of the request that was taken.
fn taken(reply: &Reply) -> String {
    let said = reply.json();
    assert_eq!((reply.status, &said["result"]), (202, &json!("Request will be processed")), "{reply:?}");
    assert!(said["took"].is_number(), "{said}");
    said["requestId"].as_str().unwrap().to_owned()
}

fn create(daemon: &Daemon, alert: &Value) -> Reply {
    genie("POST", "/v2/alerts").json(alert).send(daemon.address)
}

fn request(daemon: &Daemon, id: &str) -> Value {
    let reply = genie("GET", &format!("/v2/alerts/requests/{id}")).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["data"].clone()
}

#[test]
fn an_alert_is_created_found_by_its_request_and_closed_by_its_alias_or_id() {
    let mut daemon = daemon();
    let alert = json!({
        "message": "db-7 is down", "alias": "db/7", "priority": "P1", "entity": "db-7", "source": "risk",
        "details": { "lag_s": "42" }, "tags": ["db"], "responders": [{ "type": "team", "name": "it" }],
    });
    let id = taken(&create(&daemon, &alert));
    assert_eq!(daemon.incident("INC-1")["summary"], "db-7 is down");
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
    for kept in ["lag_s", "responders", "db/7"] {
        assert!(journal.contains(kept), "{kept}: {journal}");
    }
    taken(&create(&daemon, &alert));
    assert_eq!(daemon.incidents().len(), 1, "one open alert of an alias");
    // What became of a request is known after a crash, too.
    daemon.kill();
    daemon.restart();
    let told = request(&daemon, &id);
    assert_eq!(
        (&told["isSuccess"], &told["alertId"], &told["status"]),
        (&json!(true), &json!("db/7"), &json!("Created alert: INC-1 was opened"))
    );
    let close =
        taken(&genie("POST", "/v2/alerts/db%2F7/close?identifierType=alias").json(&json!({})).send(daemon.address));
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    let told = request(&daemon, &close);
    assert_eq!((&told["action"], &told["isSuccess"]), (&json!("Close"), &json!(true)), "{told}");
    assert_eq!(told["status"], "Closed alert: INC-1 has its all-clear");
    // What did not happen is not said.
    let again = taken(&genie("POST", "/v2/alerts/db%2F7/close?identifierType=alias").send(daemon.address));
    let told = request(&daemon, &again);
    assert_eq!((&told["isSuccess"], &told["status"]), (&json!(false), &json!("Nothing was open: no alert was closed")));
    let low = taken(&create(&daemon, &json!({ "message": "x", "alias": "low", "priority": "P5" })));
    let told = request(&daemon, &low);
    assert_eq!((&told["isSuccess"], &told["status"]), (&json!(false), &json!("No trigger took it: nobody is paged")));
    // One without an alias gets one, and is closed by the id that the request has found.
    let id = taken(&create(&daemon, &json!({ "message": "x", "tags": ["page"] })));
    let alert = request(&daemon, &id)["alertId"].as_str().unwrap().to_owned();
    assert_eq!(daemon.incident("INC-2")["status"], "open");
    taken(&genie("POST", &format!("/v2/alerts/{alert}/close")).send(daemon.address));
    daemon.until("INC-2", "resolved", |incident| incident["status"] == "resolved");
}

#[test]
fn a_machines_acknowledgement_and_notes_are_counted_and_engage_nobody() {
    let daemon = daemon();
    taken(&create(&daemon, &json!({ "message": "x", "alias": "a", "priority": "P2" })));
    for (method, path, event) in [
        ("POST", "/v2/alerts/a/acknowledge?identifierType=alias", "acknowledge"),
        ("POST", "/v2/alerts/a/notes?identifierType=alias", "note"),
        ("POST", "/v2/alerts/a/snooze", "snooze"),
        ("PUT", "/v2/alerts/a/message?identifierType=alias", "update"),
    ] {
        let id = taken(&genie(method, path).json(&json!({ "user": "robot" })).send(daemon.address));
        let told = request(&daemon, &id);
        assert_eq!(told["isSuccess"], false, "{told}");
        assert!(told["status"].as_str().unwrap().contains("a person's answer"), "{told}");
        let line = format!("stentor_monitor_events_total{{api=\"opsgenie\",event=\"{event}\"}} 1");
        assert!(daemon.control(&Call::get("/metrics")).body.contains(&line), "{line}");
    }
    assert_eq!(daemon.role("INC-1", "trader")["state"], "paging");
    for method in ["GET", "POST", "PUT", "PATCH"] {
        let reply = genie(method, "/v2/heartbeats/etl/ping").send(daemon.address);
        assert_eq!((reply.status, &reply.json()["result"]), (202, &json!("PONG - Heartbeat received")), "{method}");
    }
    // Who looks whether the address is there has not run the job.
    for method in ["HEAD", "DELETE", "OPTIONS"] {
        let reply = genie(method, "/v2/heartbeats/etl/ping").send(daemon.address);
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.header("allow").is_some_and(|allowed| allowed.contains("PATCH")), "{method}: {reply:?}");
    }
    let beats = "stentor_monitor_events_total{api=\"opsgenie\",event=\"heartbeat\"} 4";
    assert!(daemon.control(&Call::get("/metrics")).body.contains(beats));
}

#[test]
fn a_heartbeat_that_stays_away_opens_an_incident_and_the_next_one_ends_it() {
    let watched = "[trigger.job]\non = [\"opsgenie_heartbeat\"]\nkey = 'alert.labels.heartbeat'\n\
        absent = { every = \"300ms\" }\nresolved = \"resolve\"\nsources = [\"monitor\"]\nroles = [\"trader\"]\n";
    let daemon = sandboxed_on(&format!("{DESK}{MORE}{watched}"));
    let ping = |name: &str| genie("GET", &format!("/v2/heartbeats/{name}/ping")).send(daemon.address).status;
    assert_eq!(ping("etl"), 202);
    let silent = eventually("it to be missed", || {
        daemon.json(&["incidents"]).as_array().filter(|all| !all.is_empty()).map(|all| all[0].clone())
    });
    assert_eq!(silent["summary"], "etl has not been heard of for 300ms");
    assert_eq!((ping("etl"), ping(&"x".repeat(201))), (202, 422));
    let id = silent["id"].as_str().unwrap();
    eventually("its next word", || (daemon.incident(id)["status"] == "resolved").then_some(()));
}

#[test]
fn every_refusal_is_opsgenies() {
    let daemon = daemon();
    for (body, field) in [
        ("{}", "message"),
        ("{\"message\":\" \"}", "message"),
        ("{\"message\":\"x\",\"priority\":\"P9\"}", "priority"),
        ("", "body"),
        ("[]", "body"),
        ("{\"message\":", "body"),
    ] {
        let reply = genie("POST", "/v2/alerts").body(body).send(daemon.address);
        let said = reply.json();
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        assert!(said["errors"][field].is_string() && said["message"].is_string(), "{said}");
    }
    let long = create(&daemon, &json!({ "message": "x", "alias": "a".repeat(513) }));
    assert!(long.json()["errors"]["alias"].is_string(), "{long:?}");
    let tiny = genie("POST", "/v2/alerts/7/close?identifierType=tiny").send(daemon.address);
    assert_eq!(tiny.status, 422, "{tiny:?}");
    assert_eq!(genie("POST", "/v2/alerts/7/explode").send(daemon.address).status, 404);
    assert_eq!(genie("GET", "/v2/alerts/requests/nobodys").send(daemon.address).status, 404);
    let stranger = Call::post("/v2/alerts").header("Authorization", "GenieKey wrong").json(&json!({ "message": "x" }));
    let stranger = stranger.send(daemon.address);
    assert!(stranger.status == 401 && stranger.json()["message"].is_string(), "{stranger:?}");
    // Another source reads nothing of it.
    let id = taken(&create(&daemon, &json!({ "message": "x" })));
    let other = Call::get(&format!("/v2/alerts/requests/{id}")).bearer(secret("PLAIN_TOKEN")).send(daemon.address);
    assert_eq!(other.status, 404);
}

#[test]
fn a_source_over_its_quota_is_told_when_to_come_again() {
    let few = DESK.replace("drills = true", "drills = true\nopenings_per_minute = 1");
    let daemon = sandboxed_on(&format!("{few}{MORE}"));
    let p1 = |alias: &str| json!({ "message": "x", "alias": alias, "priority": "P1" });
    taken(&create(&daemon, &p1("a")));
    let late = create(&daemon, &p1("b"));
    assert!(late.status == 429 && late.header("retry-after").is_some(), "{late:?}");
    taken(&create(&daemon, &p1("a")));
}
