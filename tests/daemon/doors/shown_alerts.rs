//! Alerts as Alertmanager's clients read them.

use super::{
    common::Daemon,
    house::{DESK, secret, setup},
    wire::{Call, Reply},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

const MORE: &str = r#"
[source.dashboard]
token  = { env = "DASHBOARD_TOKEN" }
scopes = ["read", "silences"]

[trigger.slow]
on    = ["Slow"]
key   = 'alert.labels.host'
for   = "1h"
roles = ["compliance"]

[trigger.heartbeat]
on     = ["Beat"]
key    = 'alert.labels.host'
absent = { every = "1h" }
roles  = ["compliance"]
"#;

const DASHBOARD: &str = "dashboard-token-5a0e";

fn daemon() -> Daemon {
    setup(&format!("{DESK}{MORE}")).env("DASHBOARD_TOKEN", DASHBOARD).arg("--sandbox").start()
}

fn look(daemon: &Daemon, path: &str) -> Reply {
    Call::get(path).bearer(DASHBOARD).send(daemon.address)
}

fn shown(daemon: &Daemon, query: &str) -> Value {
    let reply = look(daemon, &format!("/api/v2/alerts{query}"));
    assert_eq!(reply.status, 200, "{query}: {reply:?}");
    reply.json()
}

/// The `alertname` and state of each.
fn states(alerts: &Value) -> Vec<String> {
    let state = |alert: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", text(&alert["labels"]["alertname"]), text(&alert["status"]["state"]))
    };
    let mut states: Vec<String> = alerts.as_array().unwrap().iter().map(state).collect();
    states.sort();
    states
}

fn post(daemon: &Daemon, token: &str, alerts: &Value) {
    let reply = Call::post("/api/v2/alerts").bearer(token).json(alerts).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// One alert in an open incident, one that a silence holds, and one that waits.
fn three(daemon: &Daemon) -> String {
    let until = (Utc::now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let silence = json!({
        "matchers": [{ "name": "instance", "value": "b", "isRegex": false }], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": until, "createdBy": "ana", "comment": "it is moved",
    });
    let made = Call::post("/api/v2/silences").bearer(DASHBOARD).json(&silence).send(daemon.address);
    let host = |instance: &str| {
        json!({ "labels": { "alertname": "HostDown", "instance": instance }, "generatorURL": "http://prom.example/g",
            "annotations": { "summary": format!("{instance} is down") }, "startsAt": "2026-11-23T03:41:17.151Z", "endsAt": until })
    };
    post(daemon, secret("MONITOR_TOKEN"), &json!([host("a"), host("b")]));
    let slow = json!({ "labels": { "alertname": "Slow", "host": "c" } });
    let beat = json!({ "labels": { "alertname": "Beat", "host": "c" } });
    post(daemon, secret("PLAIN_TOKEN"), &json!([slow, beat]));
    made.json()["silenceID"].as_str().unwrap().to_owned()
}

#[test]
fn alerts_of_open_incidents_and_those_that_wait_are_shown() {
    let daemon = daemon();
    let silence = three(&daemon);
    let all = shown(&daemon, "");
    assert_eq!(states(&all), ["HostDown active", "HostDown suppressed", "Slow unprocessed"]);
    let active = shown(&daemon, "?silenced=false&inhibited=false&unprocessed=false")[0].clone();
    let names: Vec<&str> = active.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "annotations",
        "endsAt",
        "fingerprint",
        "generatorURL",
        "labels",
        "receivers",
        "startsAt",
        "status",
        "updatedAt",
    ];
    assert_eq!(names, expected, "as Alertmanager's clients read it");
    assert_eq!(active["labels"], json!({ "alertname": "HostDown", "instance": "a" }));
    assert_eq!(active["receivers"], json!([{ "name": "trader" }]));
    assert_eq!(active["startsAt"], "2026-11-23T03:41:17.151Z");
    let status = json!({ "state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": [] });
    assert_eq!(active["status"], status);
    let held = shown(&daemon, "?active=false&unprocessed=false");
    assert_eq!((states(&held).len(), &held[0]["status"]["silencedBy"]), (1, &json!([silence])), "{held}");
    let groups = look(&daemon, "/api/v2/alerts/groups").json();
    let group = |n: usize| {
        (&groups[n]["receiver"]["name"], &groups[n]["labels"], groups[n]["alerts"].as_array().unwrap().len())
    };
    assert_eq!(group(0), (&json!("compliance"), &json!({ "alertname": "Slow" }), 1), "{groups}");
    assert_eq!(group(1), (&json!("trader"), &json!({ "alertname": "HostDown" }), 2), "{groups}");
    let receivers = look(&daemon, "/api/v2/receivers").json();
    assert_eq!(receivers, json!([{ "name": "catch-all" }, { "name": "compliance" }, { "name": "trader" }]));
    // What is over is not shown.
    let over = json!([{ "labels": { "alertname": "HostDown", "instance": "a" }, "endsAt": "2026-11-24T00:00:00Z" }]);
    post(&daemon, secret("MONITOR_TOKEN"), &over);
    assert_eq!(states(&shown(&daemon, "")), ["HostDown suppressed", "Slow unprocessed"]);
}

#[test]
fn alerts_are_filtered_as_alertmanager_does() {
    let daemon = daemon();
    three(&daemon);
    for (query, count) in [
        ("?filter=instance%3D%22a%22", 1),
        ("?filter=instance%3D~%22a%7Cb%22", 2),
        ("?filter=instance!%3D%22a%22", 2),
        ("?filter=instance%3D~%22.%2B%22&filter=alertname%3D%22HostDown%22", 2),
        ("?filter=%7Bhost%3D%22c%22%2Calertname%3D~%22S.*%22%7D", 1),
        ("?filter=host%3D%22a%2Cb%22", 0),
        ("?filter=trigger%3D%22slow%22", 1),
        ("?receiver=trader", 2),
        ("?receiver=trad", 0),
        ("?receiver=.*&active=false", 2),
    ] {
        assert_eq!(states(&shown(&daemon, query)).len(), count, "{query}");
    }
    for (query, status) in
        [("?filter=x", 400), ("?filter=a%3D~%22(%22", 400), ("?receiver=(", 400), ("?active=maybe", 422)]
    {
        let reply = look(&daemon, &format!("/api/v2/alerts{query}"));
        assert_eq!(reply.status, status, "{query}: {reply:?}");
    }
    assert_eq!(look(&daemon, "/api/v2/silences?expired=false&pending=false").json().as_array().unwrap().len(), 1);
    assert_eq!(look(&daemon, "/api/v2/silences?active=false").json(), json!([]));
}

#[test]
fn a_source_without_the_scope_read_sees_its_own_alerts_and_no_drill_is_shown() {
    let first = daemon();
    three(&first);
    let of = |token: &str| states(&Call::get("/api/v2/alerts").bearer(secret(token)).send(first.address).json());
    assert_eq!(of("MONITOR_TOKEN"), ["HostDown active", "HostDown suppressed"]);
    assert_eq!(of("PLAIN_TOKEN"), ["Slow unprocessed"]);
    let drill =
        json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": 7 }, "drill": true });
    let other = daemon();
    let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&drill).send(other.address);
    assert_eq!(reply.json()["alerts"][0]["results"][0]["result"], "opened", "{reply:?}");
    assert_eq!(shown(&other, ""), json!([]));
}

#[test]
fn what_vmalert_and_grafana_send_opens_and_is_shown() {
    let daemon = daemon();
    for line in include_str!("../../samples/vmalert-and-grafana.jsonl").lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let mut body = sample["body"].clone();
        body[0]["endsAt"] = json!((Utc::now() + TimeDelta::minutes(4)).to_rfc3339_opts(SecondsFormat::Nanos, false));
        let basic = format!("Basic {}", STANDARD.encode(format!("any:{}", secret("MONITOR_TOKEN"))));
        let bearer = format!("Bearer {}", secret("MONITOR_TOKEN"));
        let credential = if sample["authorization"] == "Basic" { basic } else { bearer };
        let call = Call::post("/api/v2/alerts").header("Authorization", &credential).json(&body);
        assert_eq!(call.send(daemon.address).status, 200, "{sample}");
        let instance = body[0]["labels"]["instance"].as_str().unwrap().to_owned();
        let found = shown(&daemon, &format!("?filter=instance%3D%22{instance}%22"))[0].clone();
        assert_eq!((&found["labels"], &found["generatorURL"]), (&body[0]["labels"], &body[0]["generatorURL"]));
        assert_eq!(found["startsAt"].as_str().unwrap().len(), "2026-11-23T03:41:17.151Z".len(), "{found}");
    }
}
