//! Who sends alerts, and what became of them: nothing is accepted and lost in silence.

use super::{
    common::Daemon,
    house::{DESK, sandboxed_on, secret},
    wire::Call,
};
use serde_json::{Value, json};

const MORE: &str = r#"
[trigger.slow]
on    = ["slow"]
key   = 'alert.labels.host'
for   = "1h"
roles = ["trader"]
"#;

fn send(daemon: &Daemon, body: &Value) -> u16 {
    Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(body).send(daemon.address).status
}

fn source(daemon: &Daemon, name: &str) -> Value {
    let told = daemon.json(&["sources"]);
    let sources = told["sources"].as_array().unwrap();
    sources.iter().find(|source| source["source"] == name).cloned().unwrap_or_default()
}

fn listed(daemon: &Daemon) -> String {
    let shown = daemon.command(&["sources"]).env("COLUMNS", "80").output().unwrap();
    String::from_utf8(shown.stdout).unwrap()
}

/// The results of one kind, as `result layer count`.
fn results(source: &Value, kind: &str) -> Vec<String> {
    let kinds = source["kinds"].as_array().unwrap();
    let own = kinds.iter().find(|own| own["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {source:#}"));
    let told = own["results"].as_array().unwrap().iter();
    let text = |field: &Value| field.as_str().unwrap_or("-").to_owned();
    told.map(|one| format!("{} {} {}", text(&one["result"]), text(&one["layer"]), one["count"])).collect()
}

/// Each format, with a request that is taken and one that is refused.
#[test]
fn whoever_sends_in_the_format_of_another_monitor_was_heard() {
    let monitor = secret("MONITOR_TOKEN");
    let genie = |call: Call| call.header("Authorization", &format!("GenieKey {monitor}"));
    let event = |action: &str| json!({ "routing_key": monitor, "event_action": action, "dedup_key": "k" });
    let webhook = Call::post("/monitors/grafana/monitor").bearer(monitor);
    let calls = [
        (webhook.clone().body("{\"alerts\":[]}"), 200),
        (webhook.body(""), 400),
        (Call::post("/v2/enqueue").json(&event("resolve")), 202),
        (Call::post("/v2/enqueue").json(&event("page")), 400),
        (genie(Call::post("/v2/alerts/k/close")), 202),
        (genie(Call::post("/v2/alerts")).body("{}"), 422),
        (genie(Call::post("/v2/alerts/k/acknowledge")), 202),
        (genie(Call::post("/v2/alerts/k/explode")), 404),
        (genie(Call::get("/v2/heartbeats/etl/ping")), 202),
    ];
    let daemon = sandboxed_on(DESK);
    for (call, status) in calls {
        let reply = call.send(daemon.address);
        assert_eq!(reply.status, status, "{reply:?}");
        let heard = source(&daemon, "monitor");
        assert_eq!(heard["last_request"]["status"], json!(status), "{reply:?} {heard:#}");
        assert_eq!(source(&daemon, "plain")["last_request"], Value::Null);
    }
    let metrics = daemon.control(&Call::get("/metrics")).body;
    let pinged = "stentor_alert_requests_total{api=\"opsgenie\",outcome=\"accepted\"} 3";
    assert!(metrics.contains(pinged), "{metrics}");
}

#[test]
fn what_became_of_the_alerts_of_a_source_is_listed_by_kind() {
    let mut daemon = sandboxed_on(&format!("{DESK}{MORE}"));
    let silent = source(&daemon, "monitor");
    assert_eq!((&silent["in_matrix"], &silent["last_request"]), (&json!(true), &Value::Null), "{silent:#}");
    // An empty request, and one that is refused: the source was heard, and sent no alert.
    for (body, status) in [(json!([]), 202), (json!([7]), 400)] {
        assert_eq!(send(&daemon, &body), status);
        let heard = source(&daemon, "monitor");
        assert_eq!(heard["last_request"]["status"], json!(status), "{heard:#}");
        assert!(heard["last_alert_at"].is_null(), "{heard:#}");
    }
    let crash = json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": 7.5 } });
    let slow = json!({ "kind": "slow", "labels": { "host": "db1" } });
    assert_eq!(send(&daemon, &json!([crash, crash, slow, { "kind": "weather" }])), 202);
    for _ in 0..5 {
        assert_eq!(send(&daemon, &json!({ "kind": "weather" })), 202);
    }
    assert!(daemon.cli(&["fire", "weather"]).status.code().is_some());
    let monitor = source(&daemon, "monitor");
    assert_eq!(results(&monitor, "price_velocity"), ["joined - 1", "opened - 1"]);
    assert_eq!(results(&monitor, "slow"), ["held for 1"]);
    assert_eq!(results(&monitor, "weather"), ["unmatched - 6"]);
    let named = |kind: &str| {
        let kinds = monitor["kinds"].as_array().unwrap();
        kinds.iter().find(|own| own["kind"] == kind).unwrap()["triggers"].clone()
    };
    assert_eq!((named("slow"), named("weather")), (json!(["slow"]), json!([])));
    assert!(monitor["last_alert_at"].is_string(), "{monitor:#}");
    // Both whole lines and those that were only counted.
    let of_store = |monitor: &Value| {
        let stored = monitor["stored"].as_array().unwrap().clone();
        stored.into_iter().find(|count| count["kind"] == "weather").unwrap()["count"].clone()
    };
    assert_eq!(of_store(&monitor), json!(6));
    let text = listed(&daemon);
    assert!(text.contains("user:") && text.contains("NO TRIGGER") && text.contains("1 held by for"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let metrics = daemon.control(&Call::get("/metrics")).body;
    for line in [
        "{source=\"monitor\",kind=\"weather\",result=\"unmatched\",layer=\"\",drill=\"false\"} 6",
        "{source=\"monitor\",kind=\"slow\",result=\"held\",layer=\"for\",drill=\"false\"} 1",
        "{source=\"user\",kind=\"\",result=\"unmatched\",layer=\"\",drill=\"false\"} 1",
    ] {
        assert!(metrics.contains(&format!("stentor_alert_kind_results_total{line}")), "{line}\n{metrics}");
    }
    assert_eq!(daemon.log().matches("no trigger took an alert of source monitor").count(), 1, "{}", daemon.log());

    // What the store counts outlives a restart; what this daemon counts does not, and says so.
    daemon.stop();
    daemon.restart();
    let monitor = source(&daemon, "monitor");
    assert_eq!((&monitor["kinds"], &monitor["last_request"]), (&json!([]), &Value::Null), "{monitor:#}");
    assert_eq!(of_store(&monitor), json!(6));
    let text = listed(&daemon);
    assert!(text.contains("began before that start") && text.contains("weather"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
