//! `/monitors/json/SOURCE`: any JSON, by the mapping of its source.

use super::{
    common::Daemon,
    house::{DESK, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

const MORE: &str = r#"
[source.shop]
token = { env = "SLACK_BOT_TOKEN" }

[source.shop.map]
each     = 'body.events'
when     = 'item.level != "debug"'
once     = 'item.id'
kind     = '"shop-" + item.what'
resolved = 'has(item.over) && item.over == true'
summary  = 'item.text'
starts_at = 'item.at'
confidence = 'item.sure'
labels   = { shop = 'item.shop.name', region = 'body.region' }
values   = { lost_usd = 'item.lost' }
annotations = { level = 'item.level' }

[source.one]
token = { env = "KANNEL_REPLY_TOKEN" }
map   = { kind = 'body.type', labels = { subject = 'body.subject' }, values = { depth = 'body.data.depth' } }

[trigger.shop]
on       = ["shop-order-failed", "com.example.halt"]
key      = 'has(alert.labels.shop) ? alert.labels.shop : alert.labels.subject'
roles    = ["trader"]
resolved = "resolve"
sources  = ["shop", "one"]
"#;

fn daemon() -> Daemon {
    sandboxed_on(&format!("{DESK}{MORE}"))
}

fn send(daemon: &Daemon, body: &Value) -> Reply {
    let call = Call::post("/monitors/json/shop").bearer(secret("SLACK_BOT_TOKEN"));
    call.json(body).send(daemon.address)
}

fn item(id: &str, shop: &str) -> Value {
    json!({
        "id": id, "level": "error", "what": "order-failed", "text": "orders fail", "at": 1_795_424_400, "sure": 0.5,
        "shop": { "name": shop }, "lost": "12USD", "more": [1],
    })
}

fn opened(daemon: &Daemon, id: &str) -> Value {
    let journal = daemon.control(&Call::get(&format!("/v1/journal?chain={id}"))).json();
    let body: Value = serde_json::from_str(journal[0]["body"].as_str().unwrap()).unwrap();
    find(&body, "alert").unwrap()
}

fn find(value: &Value, name: &str) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    fields.get(name).cloned().or_else(|| fields.values().find_map(|value| find(value, name)))
}

fn metrics(daemon: &Daemon) -> String {
    daemon.control(&Call::get("/metrics")).body
}

#[test]
fn every_item_becomes_the_alert_that_the_mapping_says() {
    let daemon = daemon();
    let mut debug = item("2", "b");
    debug["level"] = json!("debug");
    let body = json!({ "region": "eu", "events": [item("1", "a"), debug, item("3", "c")] });
    let reply = send(&daemon, &body);
    assert_eq!((reply.status, reply.json()), (200, json!({ "taken": 2 })), "{reply:?}");
    assert_eq!(daemon.incidents().len(), 2);
    let alert = opened(&daemon, "INC-1");
    assert_eq!((&alert["kind"], &alert["summary"]), (&json!("shop-order-failed"), &json!("orders fail")), "{alert}");
    assert_eq!(alert["labels"], json!({ "shop": "a", "region": "eu" }));
    assert_eq!((&alert["values"], &alert["annotations"]), (&json!({ "lost_usd": 12.0 }), &json!({ "level": "error" })));
    assert_eq!((&alert["confidence"], &alert["starts_at"]), (&json!(0.5), &json!("2026-11-23T09:00:00.000000Z")));
    assert_eq!(alert["evidence"]["more"], json!([1.0]), "{alert}");
    assert!(metrics(&daemon).contains("stentor_monitor_events_total{api=\"json\",event=\"skipped\"} 1"));
    // The same again is known, and what is over ends its incident.
    assert_eq!(send(&daemon, &body).status, 200);
    let mut over = item("4", "a");
    over["over"] = json!(true);
    assert_eq!(send(&daemon, &json!({ "region": "eu", "events": [over] })).status, 200);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
    assert_eq!(send(&daemon, &body).json(), json!({ "taken": 0, "repeated": 2 }));
    assert_eq!(daemon.incidents().len(), 2);
    assert!(metrics(&daemon).contains("stentor_monitor_events_total{api=\"json\",event=\"repeated\"} 4"));
}

#[test]
fn what_can_not_be_evaluated_costs_its_part_alone_and_an_item_without_a_kind_its_item() {
    let daemon = daemon();
    let mut poor = item("1", "a");
    for part in ["text", "at", "sure", "lost", "level", "id"] {
        poor.as_object_mut().unwrap().remove(part);
    }
    let reply = send(&daemon, &json!({ "events": [poor, { "id": 2 }, 7, item("3", "c")] }));
    assert_eq!(reply.status, 207, "{reply:?}");
    let told = reply.json();
    assert_eq!((&told["taken"], told["errors"].as_array().unwrap().len()), (&json!(2), 2), "{told}");
    assert_eq!((&told["errors"][0]["index"], &told["errors"][1]["index"]), (&json!(1), &json!(2)), "{told}");
    assert!(told["errors"][0]["detail"].as_str().unwrap().contains("the body has no `what`"), "{told}");
    assert_eq!(opened(&daemon, "INC-1")["labels"], json!({ "shop": "a" }));
    assert_eq!(daemon.incidents().len(), 2);
    assert!(metrics(&daemon).contains("event=\"left-out\""));
    let log = daemon.log();
    assert_eq!(log.matches("a mapping could not be evaluated whole").count(), 1, "{log}");
    // Nothing in it, and nothing that could be.
    assert_eq!(send(&daemon, &json!({ "events": [] })).json(), json!({ "taken": 0 }));
    let none = send(&daemon, &json!({ "event": 1 }));
    assert!(none.status == 400 && none.body.contains("no `events`"), "{none:?}");
    for body in ["", "nonsense", "{\"events\":["] {
        let call = Call::post("/monitors/json/shop").bearer(secret("SLACK_BOT_TOKEN")).body(body);
        assert_eq!(call.send(daemon.address).status, 400, "{body}");
    }
    let unmapped = Call::post("/monitors/json/monitor").bearer(secret("MONITOR_TOKEN")).body("{}").send(daemon.address);
    assert!(unmapped.status == 400 && unmapped.body.contains("has no `map`"), "{unmapped:?}");
}

#[test]
fn a_mapping_works_on_cloudevents_too() {
    let daemon = daemon();
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/feeds/3", "type": "com.example.halt", "subject": "ES",
        "data": { "depth": 3 },
    });
    let call = Call::post("/monitors/cloudevents/one").bearer(secret("KANNEL_REPLY_TOKEN"));
    let call = call.header("Content-Type", "application/cloudevents+json").body(event.to_string());
    for told in [json!({ "taken": 1 }), json!({ "taken": 0, "repeated": 1 })] {
        assert_eq!(call.send(daemon.address).json(), told);
    }
    let alert = opened(&daemon, "INC-1");
    assert_eq!(
        (&alert["labels"], &alert["values"]),
        (&json!({ "subject": "ES" }), &json!({ "depth": 3.0 })),
        "{alert}"
    );
    assert_eq!(daemon.incidents().len(), 1);
    assert!(metrics(&daemon).contains("stentor_monitor_events_total{api=\"cloudevents\",event=\"repeated\"} 1"));
}

/// A body that no reader takes: each item is read by itself, and sees what can be read of the rest.
#[test]
fn an_item_that_can_not_be_read_costs_no_other() {
    let daemon = daemon();
    let good = |n: usize| item(&format!("id-{n}"), &format!("shop-{n}")).to_string();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let huge = good(90).replace("\"12USD\"", "1e400");
    for (n, (bad, lost)) in
        [(huge.as_str(), 0), ("{\"id\" 1}", 1), ("{\"id\":nonsense}", 1), (&deep, 1)].iter().enumerate()
    {
        let body = format!("{{\"region\":\"eu\",\"events\":[{},{bad},{}]}}", good(2 * n), good(2 * n + 1));
        let call = Call::post("/monitors/json/shop").bearer(secret("SLACK_BOT_TOKEN")).body(body);
        let reply = call.send(daemon.address);
        let told = reply.json();
        assert_eq!((reply.status, &told["taken"]), (200 + 7 * lost, &json!(3 - lost)), "{bad}: {told}");
        assert_eq!(told["errors"][0]["index"], if *lost == 0 { Value::Null } else { json!(1) }, "{bad}: {told}");
    }
    assert_eq!(daemon.incidents().len(), 9);
    for n in 1..=9 {
        let labels = opened(&daemon, &format!("INC-{n}"))["labels"].clone();
        assert_eq!(labels["region"], "eu", "{labels}");
    }
}

/// What tells nothing from anything is no id.
#[test]
fn an_item_with_a_blank_id_is_admitted_each_time() {
    let daemon = daemon();
    for (n, id) in ["", " ", "", "\n"].iter().enumerate() {
        let reply = send(&daemon, &json!({ "region": "eu", "events": [item(id, &n.to_string())] }));
        assert_eq!((reply.status, reply.json()), (200, json!({ "taken": 1 })), "{id:?}");
    }
    assert_eq!(daemon.incidents().len(), 4);
}

/// Items with an id and items without one are admitted in the order of the body.
#[test]
fn an_all_clear_comes_after_what_it_ends() {
    let daemon = daemon();
    let mut over = item("", "a");
    over["over"] = json!(true);
    assert_eq!(send(&daemon, &json!({ "region": "eu", "events": [item("1", "a"), over] })).json()["taken"], 2);
    daemon.until("INC-1", "resolved", |incident| incident["status"] == "resolved");
}

#[test]
fn more_items_than_a_thousand_are_all_alerts() {
    let daemon = daemon();
    let items: Vec<Value> = (0..1_100).map(|_| item("", "a")).collect();
    let reply = send(&daemon, &json!({ "region": "eu", "events": items }));
    assert_eq!((reply.status, reply.json()), (200, json!({ "taken": 1_100 })));
    assert_eq!(daemon.incidents().len(), 1);
}

/// A token that the body has again is in no alert.
#[test]
fn a_secret_of_the_source_gets_into_no_journal() {
    let daemon = daemon();
    let mut told = item("1", "a");
    told["text"] = json!(format!("by {}", secret("SLACK_BOT_TOKEN")));
    told["token"] = json!(secret("SLACK_BOT_TOKEN"));
    assert_eq!(send(&daemon, &json!({ "region": "eu", "events": [told] })).status, 200);
    let journal = daemon.control(&Call::get("/v1/journal")).body;
    assert!(journal.contains("by [secret]") && !journal.contains(secret("SLACK_BOT_TOKEN")), "{journal}");
    assert!(metrics(&daemon).contains("event=\"secret-left-out\"} 1"));
}

/// What costs too much ends, and costs no other item.
#[test]
fn an_item_that_is_too_large_for_its_mapping_is_refused_alone() {
    let slow = MORE.replace("'item.level != \"debug\"'", "'item.list.all(a, item.list.all(b, a + b > -1.0))'");
    let daemon = sandboxed_on(&format!("{DESK}{slow}"));
    let with = |id: &str, length: usize| {
        let mut item = item(id, id);
        item["list"] = json!(vec![1; length]);
        item
    };
    let mut items = vec![with("large", 2000)];
    items.extend((1..20).map(|n| with(&n.to_string(), 2)));
    let reply = send(&daemon, &json!({ "region": "eu", "events": items }));
    let told = reply.json();
    assert_eq!((reply.status, &told["taken"], &told["errors"][0]["index"]), (207, &json!(19), &json!(0)), "{told}");
    assert_eq!(daemon.incidents().len(), 19);
}
