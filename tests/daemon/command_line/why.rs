//! `stentor why`: what became of one alert, and what it lacked.

use super::common::Daemon;
use crate::{
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

[trigger.often]
on        = ["often"]
threshold = { count = 3, within = "1h" }
roles     = ["trader"]

[trigger.quiet]
on    = ["quiet"]
roles = ["trader"]
"#;

/// Sends an alert; returns its id and its first result.
fn send(daemon: &Daemon, alert: &Value) -> (String, Value) {
    let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(alert).send(daemon.address);
    assert_eq!(reply.status, 202, "{reply:?}");
    let told = reply.json();
    let own = if told["alerts"].is_array() { told["alerts"][0].clone() } else { told };
    (own["id"].as_str().unwrap().to_owned(), own["results"][0].clone())
}

/// What `why` prints, with whether it knew the alert.
fn why(daemon: &Daemon, id: &str) -> (bool, String) {
    let told = daemon.command(&["why", id]).env("COLUMNS", "80").output().unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // Lines are broken between words: a text is looked for without its breaks.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (told.status.success(), format!("{text}{}", String::from_utf8_lossy(&told.stderr)))
}

#[test]
fn what_became_of_an_alert_and_what_it_lacked_is_said_by_the_daemon_and_from_its_folder() {
    let mut daemon = sandboxed_on(&format!("{DESK}{MORE}"));
    let crash =
        |drop: f64| json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": drop } });
    let silence = ["silence", "add", "kind=quiet", "--for", "2h", "--reason", "it is moved"];
    let silence = daemon.json(&silence)["id"].as_str().unwrap().to_owned();
    let (mild, _) = send(&daemon, &crash(1.0));
    let (opened, _) = send(&daemon, &crash(7.5));
    let (joined, _) = send(&daemon, &crash(8.5));
    let (slow, _) = send(&daemon, &json!({ "kind": "slow", "labels": { "host": "db1" } }));
    let (often, _) = send(&daemon, &json!({ "kind": "often" }));
    let (quiet, held) = send(&daemon, &json!({ "kind": "quiet" }));
    assert_eq!(held["layer"], "silence", "{held}");
    let (weather, _) = send(&daemon, &json!({ "kind": "price_velocit" }));
    let again: Vec<String> = (0..5).map(|_| send(&daemon, &json!({ "kind": "price_velocit" })).0).collect();
    let counted = again[4].clone();
    let cases: [(&str, bool, &[&str]); 8] = [
        (&mild, true, &["unmatched: no trigger took it", "its condition does not hold: alert.values.drop_pct >="]),
        (&opened, true, &["opened INC-1", "drop_pct=7.5", "By the matrix of today", "its condition holds"]),
        (&joined, true, &["it joined INC-1"]),
        (
            &slow,
            true,
            &["its layer `for` held it until", "no incident of its key was opened since", "must go on for 1h"],
        ),
        (
            &often,
            true,
            &["its layer `threshold` held it (1 count so far)", "trigger often: 2 more of 3 alerts within 1h"],
        ),
        (&quiet, true, &["the silence", &silence, "held it until"]),
        (&weather, true, &["no trigger has the kind `price_velocit`: did you mean `price_velocity`?"]),
        (
            &counted,
            false,
            &["nothing that was looked through has the id", "3 of source monitor, kind price_velocit: unmatched"],
        ),
    ];
    let check = |daemon: &Daemon| {
        for (id, known, parts) in cases {
            let (is_known, text) = why(daemon, id);
            assert_eq!(is_known, known, "{text}");
            parts.iter().for_each(|part| assert!(text.contains(part), "{part}\n{text}"));
        }
    };
    check(&daemon);
    let told = daemon.json(&["why", &often]);
    assert_eq!((&told["results"][0]["result"], &told["results"][0]["layer"]), (&json!("held"), &json!("threshold")));
    assert!(!why(&daemon, "../../journal").0);
    // What opens later is said of what was held before.
    let (third, _) = (send(&daemon, &json!({ "kind": "often" })), send(&daemon, &json!({ "kind": "often" }))).1;
    assert!(why(&daemon, &third).1.contains("trigger often opened INC-2"));
    assert!(why(&daemon, &often).1.contains("INC-2 of its key was opened at"));
    daemon.stop();
    let folder = why(&daemon, &slow).1;
    assert!(folder.contains("its layer `for` held it until") && folder.contains("must go on for 1h"), "{folder}");
    assert!(why(&daemon, &joined).1.contains("it joined INC-1"));
}
