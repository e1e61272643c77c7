//! `Idempotency-Key` on `POST /v1/alerts`.

use super::{
    common::Daemon,
    house::{DESK, sandboxed, secret, setup},
    wire::{Call, Reply},
};
use serde_json::json;

fn keyed(daemon: &Daemon, key: &str, body: impl Into<Vec<u8>>) -> Reply {
    let call = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).header("idempotency-key", key);
    call.body(body).send(daemon.address)
}

fn alert(symbol: &str) -> String {
    json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 6.2 } }).to_string()
}

fn incidents(daemon: &Daemon) -> Vec<(String, u64)> {
    let all = daemon.control(&Call::get("/v1/incidents?all=true")).json();
    let all = all.as_array().unwrap().iter();
    all.map(|one| (one["id"].as_str().unwrap().to_owned(), one["alerts"].as_u64().unwrap())).collect()
}

#[test]
fn a_lost_response_can_be_asked_for_again_also_after_a_kill() {
    let mut daemon = sandboxed();
    let first = keyed(&daemon, "\"k-1\"", alert("ES"));
    assert_eq!((first.status, first.header("idempotent-replayed")), (202, None), "{first:?}");
    for restarts in 0..2 {
        // Without quotes it is the same key; written with other spaces it is the same body.
        let spaced = alert("ES").replace(':', " : ");
        let again = keyed(&daemon, "k-1", spaced);
        assert_eq!((again.status, &again.body), (202, &first.body), "after {restarts} kills");
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again:?}");
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(incidents(&daemon), [("INC-1".to_owned(), 1)]);
        daemon.kill();
        daemon.restart();
    }
    let other = keyed(&daemon, "k-1", alert("NQ"));
    assert_eq!((other.status, other.header("content-type")), (422, Some("application/problem+json")), "{other:?}");
    assert!(other.json()["detail"].as_str().unwrap().contains("another body"), "{other:?}");
    assert_eq!(keyed(&daemon, "k-2", alert("ES")).json()["alerts"][0]["results"][0]["result"], "joined");
    assert_eq!(incidents(&daemon), [("INC-1".to_owned(), 2)]);
}

#[test]
fn what_is_refused_leaves_its_key_free() {
    let daemon = sandboxed();
    let long = "k".repeat(256);
    for key in ["", "a b", "\"open", &long] {
        let refused = keyed(&daemon, key, alert("ES"));
        assert_eq!(refused.status, 400, "{key:?}: {refused:?}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("255 visible ASCII"), "{refused:?}");
    }
    for body in ["nonsense", "{\"kind\":\"\"}"] {
        assert_eq!(keyed(&daemon, "k-1", body).status, 400, "{body}");
    }
    // Its token has a source that may not send drills.
    let drill = Call::post("/v1/alerts").bearer(secret("PLAIN_TOKEN")).header("idempotency-key", "k-1");
    assert_eq!(drill.body(r#"{"kind":"x","drill":true}"#).send(daemon.address).status, 403);
    let stranger = Call::post("/v1/alerts").bearer("wrong").header("idempotency-key", "k-1").body(alert("ES"));
    assert_eq!(stranger.send(daemon.address).status, 401);
    let many = format!("[{}]", vec![alert("ES"); 1001].join(","));
    assert_eq!(keyed(&daemon, "k-1", many).status, 413);
    assert_eq!(incidents(&daemon), []);
    let taken = keyed(&daemon, "k-1", alert("ES"));
    assert_eq!((taken.status, taken.header("idempotent-replayed")), (202, None), "{taken:?}");
}

#[test]
fn items_that_are_no_alerts_are_told_again_as_well() {
    let daemon = sandboxed();
    let body = format!("[{},{{\"kind\":\"\"}},{}]", alert("ES"), alert("NQ"));
    let first = keyed(&daemon, "k-1", body.clone());
    assert_eq!(first.status, 207, "{first:?}");
    let again = keyed(&daemon, "k-1", body);
    assert_eq!((again.status, &again.body, again.header("idempotent-replayed")), (207, &first.body, Some("true")));
    assert_eq!(incidents(&daemon).len(), 2);
}

/// The same key of another source is another request, and the answer of one is never told to the other.
#[test]
fn each_source_has_keys_of_its_own() {
    let other = "[source.other]\ntoken = { env = \"OTHER_TOKEN\" }\n";
    let daemon = setup(&format!("{DESK}\n{other}")).env("OTHER_TOKEN", "other-token").arg("--sandbox").start();
    let first = keyed(&daemon, "k-1", alert("ES"));
    let call = Call::post("/v1/alerts").bearer("other-token").header("idempotency-key", "k-1");
    let theirs = call.body(alert("ES")).send(daemon.address);
    assert_eq!((theirs.status, theirs.header("idempotent-replayed")), (202, None), "{theirs:?}");
    assert_ne!(theirs.body, first.body);
}
