//! `POST /v2/enqueue` and `/v2/change/enqueue`, as PagerDuty's clients send to them and read the answers.

use super::{
    common::{Daemon, root},
    house::{DESK, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

const MORE: &str = r#"
[trigger.pagerduty]
on       = ["pagerduty"]
when     = 'alert.labels.severity in ["critical", "error"]'
key      = 'alert.labels.dedup_key'
roles    = ["trader"]
resolved = "resolve"
sources  = ["monitor"]
"#;

fn daemon() -> Daemon {
    sandboxed_on(&format!("{DESK}{MORE}"))
}

fn send(daemon: &Daemon, event: &Value) -> Reply {
    Call::post("/v2/enqueue").json(event).send(daemon.address)
}

/// An event by the monitor's routing key.
fn event(action: &str, key: &str) -> Value {
    json!({
        "routing_key": secret("MONITOR_TOKEN"),
        "event_action": action,
        "dedup_key": key,
        "payload": { "summary": "db down", "source": "host1", "severity": "critical" },
    })
}

fn taken(reply: &Reply) -> String {
    let said = reply.json();
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!((&said["status"], &said["message"]), (&json!("success"), &json!("Event processed")), "{said}");
    said["dedup_key"].as_str().unwrap().to_owned()
}

fn refused(reply: &Reply, status: u16, wanted: &str) {
    let said = reply.json();
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(said["message"].is_string() && said["errors"][0].as_str().unwrap().contains(wanted), "{wanted}: {said}");
}

fn metrics(daemon: &Daemon) -> String {
    daemon.control(&Call::get("/metrics")).body
}

#[test]
fn what_its_python_client_was_recorded_sending_opens_and_closes_one_incident() {
    let daemon = daemon();
    let recorded = std::fs::read_to_string(root().join("tests/samples/pagerduty-events.jsonl")).unwrap();
    let events: Vec<Value> = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replay = |event: &Value| {
        let mut body = event["body"].clone();
        body["routing_key"] = json!(secret("MONITOR_TOKEN"));
        Call::post(event["path"].as_str().unwrap()).json(&body).send(daemon.address)
    };
    let [trigger, acknowledge, resolve] = &events[..] else { panic!("{}", events.len()) };
    assert_eq!(taken(&replay(trigger)), "k1");
    let opened = daemon.incident("INC-1");
    assert_eq!((&opened["status"], &opened["summary"]), (&json!("open"), &json!("db down")), "{opened}");
    // A machine's word engages nobody.
    assert_eq!(taken(&replay(acknowledge)), "k1");
    assert_eq!(daemon.role("INC-1", "trader")["state"], "paging");
    assert!(metrics(&daemon).contains("stentor_monitor_events_total{api=\"pagerduty\",event=\"acknowledge\"} 1"));
    // Again is the same incident, and nobody else's key.
    assert_eq!(taken(&replay(trigger)), "k1");
    assert_eq!(taken(&replay(resolve)), "k1");
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    assert_eq!(daemon.incidents().len(), 1);
    // After its end a trigger is a new incident.
    taken(&replay(trigger));
    assert_eq!(daemon.incidents().len(), 2);
}

#[test]
fn an_event_without_a_key_gets_one_and_a_key_is_the_sources_own() {
    let daemon = daemon();
    let mut without = event("trigger", "");
    let key = taken(&send(&daemon, &without));
    assert!(key.len() == 32, "{key}");
    without.as_object_mut().unwrap().remove("dedup_key");
    assert_ne!(taken(&send(&daemon, &without)), key);
    assert_eq!(daemon.incidents().len(), 2);
    // The trigger listens to one source: another's all-clear of that key is taken, and does nothing.
    let mut others = event("resolve", &key);
    others["routing_key"] = json!(secret("PLAIN_TOKEN"));
    taken(&send(&daemon, &others));
    assert_eq!(daemon.incident("INC-1")["status"], "open");
    // The new token is live beside the old one, and an all-clear needs no payload.
    let resolve = json!({ "routing_key": secret("MONITOR_TOKEN_NEXT"), "event_action": "resolve", "dedup_key": key });
    taken(&send(&daemon, &resolve));
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    // One that finds nothing open is taken, too, and whatever its payload says.
    let mut odd = event("resolve", "nobody knows");
    odd["payload"] = json!({ "severity": "fatal", "summary": 7 });
    taken(&send(&daemon, &odd));
}

#[test]
fn conditions_and_texts_can_use_all_that_an_event_says() {
    let daemon = daemon();
    let mut full = event("trigger", "k");
    full["payload"] = json!({
        "summary": "ES is halted", "source": "feed-3", "severity": "Error", "timestamp": "2026-11-23T09:00:00.000+0000",
        "component": "md", "group": "prod", "class": "halt",
        "custom_details": { "drop_pct": "6.1%", "depth": 12, "runbook_url": "https://wiki.example.com/halt", "more": { "a": [1] } },
    });
    full["links"] = json!([{ "href": "https://grafana.example.com/d/1" }]);
    full["client"] = json!("risk");
    taken(&send(&daemon, &full));
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).json();
    let body = journal.as_array().unwrap().iter().find_map(|line| {
        let body: Value = serde_json::from_str(line["body"].as_str()?).ok()?;
        body.to_string().contains("feed-3").then_some(body)
    });
    let opened = body.unwrap();
    let alert = find(&opened, "alert").unwrap();
    assert_eq!(alert["kind"], "pagerduty");
    let labels = json!({
        "severity": "error", "source": "feed-3", "component": "md", "group": "prod", "class": "halt", "dedup_key": "k",
    });
    assert_eq!(alert["labels"], labels);
    assert_eq!(alert["values"], json!({ "drop_pct": 6.1, "depth": 12.0 }));
    let annotations = json!({ "drop_pct": "6.1%", "depth": "12", "runbook_url": "https://wiki.example.com/halt" });
    assert_eq!(alert["annotations"], annotations);
    assert_eq!(alert["evidence"]["custom_details"]["more"], json!({ "a": [1] }));
    assert_eq!(alert["evidence"]["links"], full["links"]);
    assert_eq!(alert["starts_at"], "2026-11-23T09:00:00.000000Z");
}

fn find(value: &Value, name: &str) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    fields.get(name).cloned().or_else(|| fields.values().find_map(|value| find(value, name)))
}

#[test]
fn what_is_wrong_with_an_event_is_said_as_pagerduty_says_it() {
    let daemon = daemon();
    let with = |field: &str, value: Value| {
        let mut event = event("trigger", "k");
        event[field] = value;
        send(&daemon, &event)
    };
    for (field, value, wanted) in [
        ("routing_key", json!("nobody's"), "routing_key"),
        ("routing_key", json!(null), "'routing_key' is missing"),
        ("event_action", json!("page"), "'event_action' must be"),
        ("dedup_key", json!("k".repeat(256)), "'dedup_key' is longer"),
        ("payload", json!(null), "'payload.summary' is missing"),
        ("payload", json!({ "summary": "x", "source": "y", "severity": "fatal" }), "'payload.severity' must be"),
        ("payload", json!({ "summary": "x", "severity": "info" }), "'payload.source' is missing"),
    ] {
        let reply = with(field, value);
        refused(&reply, 400, wanted);
        assert_eq!(reply.json()["status"], "invalid event", "{reply:?}");
    }
    let resolve = json!({ "routing_key": secret("MONITOR_TOKEN"), "event_action": "resolve" });
    refused(&send(&daemon, &resolve), 400, "'dedup_key' is missing");
    for body in ["", "[]", "nonsense", "{\"routing_key\":\"x\"", "7"] {
        refused(&Call::post("/v2/enqueue").body(body).send(daemon.address), 400, "");
    }
    let large = with("client", json!("x".repeat(512 * 1024)));
    assert_eq!(large.status, 413, "{large:?}");
    refused(&large, 413, "larger than");
    assert_eq!(daemon.incidents(), Vec::<Value>::new());
    assert_eq!(Call::get("/v2/enqueue").send(daemon.address).status, 405);
}

#[test]
fn no_detail_of_an_event_costs_its_page() {
    let daemon = daemon();
    let token = secret("MONITOR_TOKEN");
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let details =
        [deep.as_str(), "\"only text\"", "[1,2]", "null", "{\"a\":1e999}", "{\"a\":NaN,\"a\":{\"b\":null}}", "1e999"];
    for (n, details) in details.iter().enumerate() {
        let body = format!(
            r#"{{"routing_key":"{token}","event_action":"trigger","payload":{{"summary":"x","source":"y","severity":"critical","timestamp":"soon","custom_details":{details}}}}}"#
        );
        taken(&Call::post("/v2/enqueue").body(body).send(daemon.address));
        assert_eq!(daemon.incidents().len(), n + 1, "{details}");
    }
}

#[test]
fn change_events_are_counted_and_page_nobody() {
    let daemon = daemon();
    let change = |body: &Value| Call::post("/v2/change/enqueue").json(body).send(daemon.address);
    let deploy = json!({ "routing_key": secret("MONITOR_TOKEN"), "payload": { "summary": "deployed 1.2" } });
    let reply = change(&deploy);
    assert_eq!((reply.status, &reply.json()["status"]), (202, &json!("success")), "{reply:?}");
    assert!(metrics(&daemon).contains("stentor_monitor_events_total{api=\"pagerduty\",event=\"change\"} 1"));
    assert_eq!(daemon.incidents(), Vec::<Value>::new());
    refused(&change(&json!({ "routing_key": secret("MONITOR_TOKEN") })), 400, "'payload.summary' is missing");
    refused(&change(&json!({ "payload": { "summary": "x" } })), 400, "'routing_key' is missing");
}

#[test]
fn a_source_over_its_quota_is_told_when_to_come_again_and_what_is_open_still_ends() {
    let few = DESK.replace("drills = true", "drills = true\nopenings_per_minute = 1");
    let daemon = sandboxed_on(&format!("{few}{MORE}"));
    taken(&send(&daemon, &event("trigger", "one")));
    let late = send(&daemon, &event("trigger", "two"));
    refused(&late, 429, "openings_per_minute");
    assert!(late.header("retry-after").is_some(), "{late:?}");
    taken(&send(&daemon, &event("trigger", "one")));
    taken(&send(&daemon, &event("resolve", "one")));
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
}
