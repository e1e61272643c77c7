//! `/monitors/cloudevents/SOURCE`: the three forms of CloudEvents, repeats, and the handshake.

use super::{
    common::Daemon,
    house::{DESK, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

const MORE: &str = r#"
[trigger.event]
on       = ["com.example.halt"]
key      = 'alert.labels.subject'
roles    = ["trader"]
resolved = "resolve"
sources  = ["monitor"]
"#;

fn daemon() -> Daemon {
    sandboxed_on(&format!("{DESK}{MORE}"))
}

fn call() -> Call {
    Call::post("/monitors/cloudevents/monitor").bearer(secret("MONITOR_TOKEN"))
}

fn structured(daemon: &Daemon, event: &Value) -> Reply {
    call()
        .header("Content-Type", "application/cloudevents+json; charset=utf-8")
        .body(event.to_string())
        .send(daemon.address)
}

fn batch(daemon: &Daemon, body: &str) -> Reply {
    call().header("Content-Type", "application/cloudevents-batch+json").body(body).send(daemon.address)
}

fn event(id: &str, subject: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/feeds/3", "type": "com.example.halt", "subject": subject,
        "time": "2026-11-23T09:00:00Z", "venue": "CME", "data": data,
    })
}

#[test]
fn each_form_of_an_event_says_the_same() {
    let daemon = daemon();
    let data = json!({ "summary": "ES is halted", "depth": 3, "more": [1] });
    assert_eq!(structured(&daemon, &event("1", "ES", &data)).json(), json!({ "taken": 1 }));
    let of_batch = json!([event("2", "NQ", &data), event("3", "YM", &data)]).to_string();
    assert_eq!(batch(&daemon, &of_batch).json(), json!({ "taken": 2 }));
    let mut base64 = event("4", "RTY", &Value::Null);
    base64.as_object_mut().unwrap().remove("data");
    base64["data_base64"] = json!("eyJzdW1tYXJ5IjoiRVMgaXMgaGFsdGVkIiwiZGVwdGgiOjMsIm1vcmUiOlsxXX0=");
    assert_eq!(structured(&daemon, &base64).status, 200);
    let binary = call()
        .header("ce-specversion", "1.0")
        .header("ce-id", "5")
        .header("ce-source", "/feeds/3")
        .header("ce-type", "com.example.halt")
        .header("ce-subject", "\"caf%C3%A9 1\"")
        .header("ce-time", "2026-11-23T09:00:00Z")
        .header("ce-venue", "CME")
        .header("ce-data", "no attribute")
        .header("Content-Type", "application/json");
    assert_eq!(binary.body(data.to_string()).send(daemon.address).status, 200);
    for (n, subject) in ["ES", "NQ", "YM", "RTY", "caf\u{e9} 1"].iter().enumerate() {
        let id = format!("INC-{}", n + 1);
        assert_eq!(daemon.incident(&id)["summary"], "ES is halted");
        let journal = daemon.control(&Call::get(&format!("/v1/journal?chain={id}"))).json();
        let opened = journal[0]["body"].as_str().unwrap().to_owned();
        let opened: Value = serde_json::from_str(&opened).unwrap();
        let alert = find(&opened, "alert").unwrap();
        let labels = json!({ "source": "/feeds/3", "subject": subject, "venue": "CME" });
        assert_eq!((&alert["labels"], &alert["values"]), (&labels, &json!({ "depth": 3.0 })), "{alert}");
        assert_eq!(alert["evidence"]["data"], data, "{alert}");
        assert_eq!(alert["starts_at"], "2026-11-23T09:00:00.000000Z");
    }
}

fn find(value: &Value, name: &str) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    fields.get(name).cloned().or_else(|| fields.values().find_map(|value| find(value, name)))
}

#[test]
fn an_event_that_comes_again_does_nothing_even_after_the_end_of_its_incident() {
    let mut daemon = daemon();
    let halt = event("1", "ES", &json!({ "summary": "ES is halted" }));
    assert_eq!(structured(&daemon, &halt).status, 200);
    let clear = event("2", "ES", &json!({ "status": "resolved" }));
    assert_eq!(structured(&daemon, &clear).status, 200);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    daemon.kill();
    daemon.restart();
    assert_eq!(structured(&daemon, &halt).status, 200);
    assert_eq!(batch(&daemon, &json!([halt, clear, halt]).to_string()).status, 200);
    assert_eq!(daemon.incidents().len(), 1, "its source and id are known");
    let again = "stentor_monitor_events_total{api=\"cloudevents\",event=\"repeated\"} 4";
    let metrics = daemon.control(&Call::get("/metrics")).body;
    assert!(metrics.contains(again), "{metrics}");
    assert_eq!(structured(&daemon, &event("3", "ES", &Value::Null)).status, 200);
    assert_eq!(daemon.incidents().len(), 2, "another id is another event");
}

#[test]
fn one_bad_event_of_a_batch_costs_no_other() {
    let daemon = daemon();
    let good = |id: &str| event(id, id, &json!({})).to_string();
    let bad = [
        "7",
        "nonsense",
        "{\"id\" 1}",
        "{}",
        "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"a\",\"type\":\"b\"}",
        "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"a\",\"type\":\"b\"}",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a\",\"type\":\"b\",\"data\":1,\"data_base64\":\"AA==\"}",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a\",\"type\":\"b\",\"data_base64\":\"?\"}",
    ];
    for (n, bad) in bad.iter().enumerate() {
        let body = format!("[{},{bad},{}]", good(&format!("a{n}")), good(&format!("b{n}")));
        let reply = batch(&daemon, &body);
        assert_eq!(reply.status, 207, "{bad}: {reply:?}");
        assert_eq!((&reply.json()["taken"], &reply.json()["errors"][0]["index"]), (&json!(2), &json!(1)), "{bad}");
        assert_eq!(daemon.incidents().len(), 2 * (n + 1), "{bad}");
    }
    assert_eq!(batch(&daemon, "[]").json(), json!({ "taken": 0 }));
}

#[test]
fn what_is_no_event_is_told_apart() {
    let daemon = daemon();
    let with = |media: &str, body: &str| call().header("Content-Type", media).body(body).send(daemon.address).status;
    for (media, body, status) in [
        ("application/json", "{}", 415),
        ("application/cloudevents+avro", "", 415),
        ("application/cloudevents+json", "[]", 400),
        ("application/cloudevents+json", "{\"id\":", 400),
        ("application/cloudevents+json", "{}", 400),
        ("application/cloudevents-batch+json", "{}", 400),
        ("application/cloudevents-batch+json", "", 400),
    ] {
        assert_eq!(with(media, body), status, "{media} {body}");
    }
    assert_eq!(daemon.incidents(), Vec::<Value>::new());
}

#[test]
fn a_sender_that_asks_whether_it_may_send_is_told_so() {
    let daemon = daemon();
    let ask =
        Call::new("OPTIONS", "/monitors/cloudevents/monitor").header("WebHook-Request-Origin", "events.example.com");
    let reply = ask.clone().header("WebHook-Request-Rate", "120").send(daemon.address);
    assert_eq!((reply.status, reply.header("allow")), (200, Some("POST")), "{reply:?}");
    assert_eq!(reply.header("webhook-allowed-origin"), Some("events.example.com"), "{reply:?}");
    assert_eq!(reply.header("webhook-allowed-rate"), Some("120"), "{reply:?}");
    assert_eq!(ask.send(daemon.address).header("webhook-allowed-rate"), Some("*"));
    let other =
        Call::new("OPTIONS", "/monitors/grafana/monitor").header("WebHook-Request-Origin", "events.example.com");
    assert!(other.send(daemon.address).header("webhook-allowed-origin").is_none(), "it is no other format's");
}
