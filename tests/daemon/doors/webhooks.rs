//! `/monitors/alertmanager-webhook/SOURCE` and `/monitors/grafana/SOURCE`: what comes to an address of the source's own,
//! with its token or signed.

use super::{
    common::{Daemon, root},
    house::{DESK, secret, setup},
    wire::{Call, Reply},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const MORE: &str = r#"
[source.grafana]
signature = { keys = [{ env = "GRAFANA_KEY" }, { env = "GRAFANA_KEY_NEXT" }], header = "X-Grafana-Alerting-Signature", timestamp = "X-Time" }

[source.gitlab]
token        = { env = "GITLAB_TOKEN" }
token_header = "X-Gitlab-Token"

[trigger.feed]
on       = ["DatasourceNoData", "webhook"]
roles    = ["trader"]
resolved = "resolve"
sources  = ["monitor", "grafana"]
"#;

const KEYS: [(&str, &str); 3] =
    [("GRAFANA_KEY", "key-one-55a1"), ("GRAFANA_KEY_NEXT", "key-two-81bc"), ("GITLAB_TOKEN", "gitlab-token-77ce")];

fn daemon() -> Daemon {
    let setup = setup(&format!("{DESK}{MORE}"));
    KEYS.iter().fold(setup, |setup, (name, value)| setup.env(name, value)).arg("--sandbox").start()
}

fn call(source: &str) -> Call {
    Call::post(&format!("/monitors/alertmanager-webhook/{source}")).header("Content-Type", "application/json")
}

fn send(daemon: &Daemon, body: &Value) -> Reply {
    call("monitor").bearer(secret("MONITOR_TOKEN")).body(body.to_string()).send(daemon.address)
}

fn alert(status: &str, host: &str) -> Value {
    json!({
        "status": status, "labels": { "alertname": "HostDown", "instance": host },
        "annotations": { "summary": format!("{host} is down"), "load": "7.5" },
        "startsAt": "2026-11-23T03:42:36.866150633Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/g", "fingerprint": "e94c744ae3d44df8",
    })
}

fn hook(status: &str, alerts: &[Value]) -> Value {
    json!({
        "receiver": "hook", "status": status, "alerts": alerts, "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://am.example", "version": "4", "groupKey": "{}:{}",
        "truncatedAlerts": 0,
    })
}

#[test]
fn what_alertmanager_was_recorded_sending_opens_an_incident_and_its_all_clear_ends_it() {
    let daemon = daemon();
    let recorded = std::fs::read_to_string(root().join("tests/samples/alertmanager-webhook.jsonl")).unwrap();
    let mut body = serde_json::from_str::<Value>(recorded.lines().next().unwrap()).unwrap()["body"].clone();
    let reply = send(&daemon, &body);
    assert_eq!((reply.status, reply.json()), (200, json!({ "taken": 1 })), "{reply:?}");
    assert_eq!(daemon.incident("INC-1")["summary"], "disk 97%");
    assert_eq!(send(&daemon, &body).status, 200, "again is the same");
    body["status"] = json!("resolved");
    body["alerts"][0]["status"] = json!("resolved");
    assert_eq!(send(&daemon, &body).status, 200);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    assert_eq!(daemon.incidents().len(), 1);
}

#[test]
fn an_alert_says_the_same_as_through_alertmanagers_api_and_meets_its_incident() {
    let daemon = daemon();
    assert_eq!(send(&daemon, &hook("firing", &[alert("firing", "a")])).status, 200);
    let mut same = alert("firing", "a");
    same.as_object_mut().unwrap().remove("status");
    same.as_object_mut().unwrap().remove("fingerprint");
    let api = Call::post("/api/v2/alerts").bearer(secret("PLAIN_TOKEN")).json(&json!([same]));
    assert_eq!(api.send(daemon.address).status, 200);
    assert_eq!(daemon.incidents().len(), 1);
    // A group with a mixed state: each alert has its own.
    let mixed = hook("firing", &[alert("resolved", "a"), alert("firing", "b")]);
    assert_eq!(send(&daemon, &mixed).status, 200);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    assert_eq!(daemon.incident("INC-2")["summary"], "b is down");
}

#[test]
fn whatever_one_alert_is_its_siblings_are_kept() {
    let daemon = daemon();
    let bad = ["7", "nonsense", "{\"labels\":{\"alertname\" \"x\"}}", "[]"];
    for (n, bad) in bad.iter().enumerate() {
        let good = |side: &str| alert("firing", &format!("{side} {n}")).to_string();
        let body = format!("{{\"status\":\"firing\",\"alerts\":[{},{bad},{}]}}", good("before"), good("behind"));
        let reply = call("monitor").bearer(secret("MONITOR_TOKEN")).body(body).send(daemon.address);
        assert_eq!(reply.status, 207, "{bad}: {reply:?}");
        let told = reply.json();
        assert_eq!((&told["taken"], &told["errors"][0]["index"]), (&json!(2), &json!(1)), "{told}");
        assert_eq!(daemon.incidents().len(), 2 * (n + 1), "{bad}");
    }
    let text = |body: &str| call("monitor").bearer(secret("MONITOR_TOKEN")).body(body).send(daemon.address);
    assert_eq!(text("").status, 400);
    assert_eq!(text("FIRING db is down").json(), json!({ "taken": 1 }));
    assert!(daemon.incidents().iter().any(|incident| incident["summary"] == "FIRING db is down"));
    assert_eq!(send(&daemon, &hook("resolved", &[])).status, 200, "nothing in it is no fault");
}

#[test]
fn grafana_has_more_fields_and_its_users_other_forms() {
    let daemon = daemon();
    let mut body = hook("firing", &[alert("firing", "a")]);
    body["orgId"] = json!(1);
    body["version"] = json!("1");
    body["alerts"][0]["labels"]["alertname"] = json!("DatasourceNoData");
    body["alerts"][0]["values"] = json!({ "A": 7.25, "B": null });
    body["alerts"][0]["dashboardURL"] = json!("https://grafana.example.com/d/1");
    body["alerts"][0]["embeddedImage"] = json!("x".repeat(1000));
    let put = |body: &Value| {
        let call = Call::new("PUT", "/monitors/grafana/monitor").bearer(secret("MONITOR_TOKEN"));
        call.json(body).send(daemon.address)
    };
    assert_eq!(put(&body).status, 200);
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
    for kept in ["7.25", "https://grafana.example.com/d/1"] {
        assert!(journal.contains(kept), "{kept}: {journal}");
    }
    assert!(!journal.contains("xxxx"), "no picture is kept");
    // Its trigger has no key: this joins the same incident, and its all-clear ends it.
    let own = json!({ "title": "disk is full", "state": "alerting", "depth": 3, "more": { "a": [1] } });
    assert_eq!(put(&own).status, 200);
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
    assert!(journal.contains("disk is full"), "{journal}");
    assert_eq!(put(&json!({ "title": "disk is full", "state": "ok" })).status, 200);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
}

/// Of an alert that is too large, what people read is cut; it pages all the same.
#[test]
fn a_body_that_is_too_large_for_one_alert_is_cut_and_kept() {
    let daemon = daemon();
    let body = json!({ "title": "disk is full", "state": "alerting", "more": ["x".repeat(3 << 20)] });
    assert_eq!(send(&daemon, &body).json(), json!({ "taken": 1 }));
    assert_eq!(daemon.incident("INC-1")["summary"], "disk is full");
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
    assert!(journal.contains("(cut: it has ") && journal.len() < 1 << 20, "{}", journal.len());
    let metrics = daemon.control(&Call::get("/metrics")).body;
    assert!(metrics.contains("stentor_monitor_events_total{api=\"alertmanager-webhook\",event=\"cut\"} 1"));
}

#[test]
fn a_source_that_signs_is_believed_by_its_signature_alone() {
    let daemon = daemon();
    let body = hook("firing", &[alert("firing", "a")]).to_string();
    // The wall clock, as the monitor's own.
    let now = chrono::Utc::now().timestamp();
    let sign = |key: &str, stamp: i64, body: &str| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(format!("{stamp}:{body}").as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let send = |signature: &str, stamp: i64| {
        let call = Call::post("/monitors/grafana/grafana").header("X-Time", &stamp.to_string());
        call.header("X-Grafana-Alerting-Signature", signature).body(body.as_str()).send(daemon.address)
    };
    for key in ["key-one-55a1", "key-two-81bc"] {
        assert_eq!(send(&sign(key, now, &body), now).status, 200, "{key}");
    }
    for (signature, stamp, wanted) in [
        (sign("key-old", now, &body), now, "signature"),
        (sign("key-one-55a1", now, "{}"), now, "signature"),
        (sign("key-one-55a1", now, &body), now + 1, "signature"),
        (sign("key-one-55a1", now - 400, &body), now - 400, "both clocks"),
        (String::new(), now, "signature"),
    ] {
        let reply = send(&signature, stamp);
        assert_eq!(reply.status, 401, "{reply:?}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(wanted), "{wanted}: {reply:?}");
    }
    let unsigned = Call::post("/monitors/grafana/grafana").bearer(secret("MONITOR_TOKEN")).body(body.as_str());
    assert_eq!(unsigned.send(daemon.address).status, 401, "nobody else's token does");
    assert_eq!(daemon.incidents().len(), 1);
    assert!(!daemon.log().contains("key-one"), "no secret is logged");
}

#[test]
fn an_address_is_its_sources_own() {
    let daemon = daemon();
    let body = hook("firing", &[alert("firing", "a")]).to_string();
    let send = |source: &str, header: &str, value: &str| {
        call(source).header(header, value).body(body.as_str()).send(daemon.address).status
    };
    let (monitor, plain) = (format!("Bearer {}", secret("MONITOR_TOKEN")), format!("Bearer {}", secret("PLAIN_TOKEN")));
    assert_eq!(send("plain", "Authorization", &plain), 200);
    assert_eq!(send("monitor", "Authorization", &plain), 401);
    assert_eq!(send("nobody", "Authorization", &monitor), 401);
    assert_eq!(send("gitlab", "X-Gitlab-Token", "gitlab-token-77ce"), 200);
    assert_eq!(send("gitlab", "X-Gitlab-Token", "gitlab-token-77c"), 401);
    assert_eq!(send("plain", "X-Gitlab-Token", secret("PLAIN_TOKEN")), 401, "only where the source says so");
    let nowhere =
        Call::post("/monitors/nagios/monitor").bearer(secret("MONITOR_TOKEN")).body("{}").send(daemon.address);
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.json()["detail"].as_str().unwrap().contains("grafana"), "{nowhere:?}");
}

/// Alertmanager takes every `4xx` for its last word.
#[test]
fn what_can_not_be_kept_now_is_a_503_whatever_the_reason() {
    let few = format!("{DESK}{MORE}").replace("drills = true", "drills = true\nopenings_per_minute = 1");
    let setup = KEYS.iter().fold(setup(&few), |setup, (name, value)| setup.env(name, value));
    let daemon = setup.arg("--sandbox").start();
    let both = hook("firing", &[alert("firing", "a"), alert("firing", "b")]);
    let reply = send(&daemon, &both);
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.header("retry-after").is_some_and(|seconds| seconds != "0"), "{reply:?}");
    assert_eq!(daemon.incidents().len(), 1, "the first one is kept");
}

/// A body that comes again as it is goes on with what had to come again: what was taken is not taken anew.
#[test]
fn a_body_over_the_quota_ends_however_often_it_must_come() {
    let slow = "[trigger.slow]\non = [\"Slow\"]\nroles = [\"trader\"]\nthreshold = { count = 9, within = \"1h\" }\n";
    let few = format!("{DESK}{MORE}{slow}").replace("drills = true", "drills = true\nopenings_per_minute = 1");
    let setup = KEYS.iter().fold(setup(&few), |setup, (name, value)| setup.env(name, value));
    let daemon = setup.arg("--sandbox").start();
    let mut counted = alert("firing", "qc");
    counted["labels"]["alertname"] = json!("Slow");
    let body = hook("firing", &[alert("firing", "qa"), alert("resolved", "qa"), counted, alert("firing", "qb")]);
    for _ in 0..3 {
        assert_eq!(send(&daemon, &body).status, 503);
    }
    let metrics = daemon.control(&Call::get("/metrics")).body;
    for (kind, result, layer, count) in [
        ("HostDown", "opened", "", 1),
        ("HostDown", "cleared", "", 1),
        ("HostDown", "over-quota", "", 3),
        ("Slow", "held", "threshold", 1),
    ] {
        let line = format!(
            "{{source=\"monitor\",kind=\"{kind}\",result=\"{result}\",layer=\"{layer}\",drill=\"false\"}} {count}"
        );
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
}

#[test]
fn alerts_that_alertmanager_has_cut_off_are_told_of() {
    let daemon = daemon();
    let mut body = hook("firing", &[alert("firing", "a")]);
    body["truncatedAlerts"] = json!(3);
    assert_eq!(send(&daemon, &body).status, 200);
    let metrics = daemon.control(&Call::get("/metrics")).body;
    let line = "stentor_monitor_events_total{api=\"alertmanager-webhook\",event=\"truncated\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}
