//! Whatever a body is, the answer is yes or a reason why not, and the daemon lives.

use super::{
    house::{sandboxed, secret},
    wire::Call,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

/// Any JSON, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-23T03:41:17Z")),
        Just(json!("-262143-01-01T00:00:00Z")),
        Just(json!("9999-12-31T23:59:60+23:59")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![field(), ".{0,6}".prop_map(String::from)];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A name that a door looks for.
fn field() -> impl Strategy<Value = String> {
    const NAMES: [&str; 20] = [
        "kind",
        "status",
        "summary",
        "labels",
        "values",
        "annotations",
        "confidence",
        "evidence",
        "starts_at",
        "drill",
        "source",
        "id",
        "lease_until",
        "startsAt",
        "endsAt",
        "generatorURL",
        "LABELS",
        "alertname",
        "symbol",
        "drop_pct",
    ];
    proptest::sample::select(&NAMES[..]).prop_map(String::from)
}

/// An alert that is right for either door, with one field replaced.
fn mutated() -> impl Strategy<Value = Value> {
    (field(), any_json(), any::<bool>()).prop_map(|(name, value, inside)| {
        let mut alert = json!({
            "kind": "price_velocity", "labels": { "symbol": "ES", "alertname": "HostDown", "instance": "a" },
            "values": { "drop_pct": 6.2 }, "annotations": { "drop_pct": "6.2" }, "confidence": 0.9,
        });
        if inside {
            alert["labels"][name] = value
        } else {
            alert[name] = value
        }
        json!([alert])
    })
}

/// Bytes: random, or JSON with a byte flipped or the end cut off.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![any_json(), mutated()].prop_map(|value| value.to_string().into_bytes());
    let torn =
        (mutated(), any::<proptest::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(|(value, at, byte, cut)| {
            let mut bytes = value.to_string().into_bytes();
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at)
            } else {
                bytes[at] = byte
            }
            bytes
        });
    prop_oneof![1 => vec(any::<u8>(), 0..200), 3 => text, 2 => torn]
}

#[test]
fn any_body_on_any_door_is_answered_and_the_daemon_lives() {
    let daemon = sandboxed();
    let doors = [
        Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")),
        Call::post("/api/v2/alerts").bearer(secret("MONITOR_TOKEN")).header("Content-Type", "application/json"),
        Call::post("/a/INC-1.1.0").header("Content-Type", "application/x-www-form-urlencoded"),
        Call::post("/desk/answer").header("Content-Type", "application/json"),
        Call::post(&format!("/hooks/kannel/sms?from=%2B447700900001&token={}", secret("KANNEL_REPLY_TOKEN"))),
        Call::post("/hooks/slack/room"),
    ];
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let told = TestRunner::new(config).run(&bodies(), |body| {
        for door in &doors {
            let reply = door.clone().body(body.clone()).send(daemon.address);
            proptest::prop_assert!(
                (200..300).contains(&reply.status) || (400..500).contains(&reply.status),
                "{reply:?}"
            );
        }
        Ok(())
    });
    told.unwrap();
    assert_eq!(Call::get("/healthz").send(daemon.address).status, 200);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
