//! Silences, from the command line and as clients of Alertmanager make them; and the loop that opens what has waited.

use super::{
    common::Daemon,
    house::{DESK, eventually, sandboxed_on, secret},
    wire::{Call, Reply},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

const MORE: &str = r#"
[source.operator]
token  = { env = "MONITOR_TOKEN_NEXT" }
scopes = ["alerts", "silences"]

[trigger.slow]
on    = ["slow"]
key   = 'alert.labels.host'
for   = "1s"
roles = ["trader"]

[trigger.dark]
on     = ["beat"]
key    = 'alert.labels.host'
absent = { every = "500ms" }
roles  = ["trader"]
"#;

fn matrix() -> String {
    let both = "[{ env = \"MONITOR_TOKEN\" }, { env = \"MONITOR_TOKEN_NEXT\" }]";
    assert!(DESK.contains(both));
    format!("{}{MORE}", DESK.replace(both, "{ env = \"MONITOR_TOKEN\" }"))
}

fn ahead(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn operator(call: Call) -> Call {
    call.bearer(secret("MONITOR_TOKEN_NEXT"))
}

fn report(daemon: &Daemon, kind: &str, host: &str) -> Value {
    let alert = json!({ "kind": kind, "labels": { "host": host } });
    let reply = operator(Call::post("/v1/alerts")).json(&alert).send(daemon.address);
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["alerts"][0]["results"][0].clone()
}

fn silence(daemon: &Daemon, body: &Value) -> Reply {
    operator(Call::post("/api/v2/silences")).json(body).send(daemon.address)
}

fn wanted(matchers: &Value) -> Value {
    json!({ "matchers": matchers, "startsAt": ahead(-5), "endsAt": ahead(3600), "createdBy": "ana", "comment": "it is moved" })
}

fn incidents(daemon: &Daemon) -> usize {
    daemon.json(&["incidents"]).as_array().map_or(0, Vec::len)
}

#[test]
fn what_waits_for_a_layer_is_opened_by_the_daemon_by_time_alone() {
    let daemon = sandboxed_on(&matrix());
    let held = report(&daemon, "slow", "db1");
    assert_eq!((&held["result"], &held["layer"], &held["count"]), (&json!("held"), &json!("for"), &json!(1)), "{held}");
    assert!(DateTime::parse_from_rfc3339(held["until"].as_str().unwrap()).is_ok(), "{held}");
    assert_eq!(report(&daemon, "beat", "feed")["layer"], "absent");
    eventually("both incidents", || (incidents(&daemon) == 2).then_some(()));
    let shown = daemon.cli(&["incidents"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("feed has not been heard of for 500ms"), "{shown}");
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn a_silence_of_the_command_line_holds_alerts_until_it_is_ended() {
    let daemon = sandboxed_on(&matrix());
    let add = ["silence", "add", "host=~\"db.*\"", "kind!=beat", "--for", "2h", "--reason", "they are moved"];
    let made = daemon.json(&add);
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["state"], &made["reason"]), (&json!("active"), &json!("they are moved")));
    report(&daemon, "slow", "db1");
    let held = eventually("the silence to hold it", || {
        Some(report(&daemon, "slow", "db1")).filter(|held| held["layer"] == "silence")
    });
    assert_eq!((&held["silence"], held["until"].as_str()), (&json!(id), made["ends_at"].as_str()));
    let listed = daemon.cli(&["silence", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("in force") && listed.contains("they are moved"), "{listed}");
    let extended = daemon.json(&["silence", "extend", &id[..6], "--for", "3h"]);
    assert!(made["ends_at"].as_str() < extended["ends_at"].as_str(), "{extended}");
    assert_eq!(incidents(&daemon), 0);
    assert!(daemon.cli(&["silence", "end", &id]).status.success());
    eventually("what it held", || (incidents(&daemon) == 1).then_some(()));
    assert!(daemon.json(&["silence", "list"]).as_array().unwrap().is_empty());
    assert_eq!(daemon.json(&["silence", "list", "--all"])[0]["state"], "expired");
    for (wrong, why) in [
        (vec!["silence", "end", &id], "no silence with this id is in force"),
        (vec!["silence", "end", "zz"], "no silence in force has an id that begins with \"zz\""),
        (vec!["silence", "add", "host", "--for", "1h", "--reason", "x"], "a matcher looks like"),
        (vec!["silence", "add", "host=~.*", "--for", "1h", "--reason", "x"], "silence everything"),
        (vec!["silence", "add", "host=x", "--for", "40d", "--reason", "x"], "at most 31 days"),
    ] {
        let refused = daemon.cli(&wrong);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(why), "{wrong:?}: {said}");
    }
    let journal = daemon.cli(&["journal", "export"]);
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    let counted = |event: &str| journal.lines().filter(|line| line.contains(event)).count();
    assert_eq!((counted("silence-kept"), counted("silence-ended")), (2, 1));
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn clients_of_alertmanager_make_change_and_end_silences() {
    let daemon = sandboxed_on(&matrix());
    let matchers = json!([{ "name": "host", "value": "db1", "isRegex": false, "isEqual": true }]);
    let made = silence(&daemon, &wanted(&matchers));
    assert_eq!(made.status, 200, "{made:?}");
    let id = made.json()["silenceID"].as_str().unwrap().to_owned();
    let get = |path: &str| operator(Call::get(path)).send(daemon.address);
    let shown = get(&format!("/api/v2/silence/{id}")).json();
    assert_eq!((&shown["status"]["state"], &shown["matchers"]), (&json!("active"), &matchers), "{shown}");
    assert_eq!((&shown["comment"], &shown["createdBy"]), (&json!("it is moved"), &json!("ana")));
    let names: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["comment", "createdBy", "endsAt", "id", "matchers", "startsAt", "status", "updatedAt"],
        "as Alertmanager's clients read it"
    );
    assert_eq!(get("/api/v2/silences?filter=host%3D%22db1%22").json().as_array().unwrap().len(), 1);
    assert_eq!(get("/api/v2/silences?filter=host%3D%22db2%22").json(), json!([]));
    assert_eq!(get("/api/v2/silences?filter=host").status, 400);
    // The same matchers: the same silence, longer. Others: another one, and the first is over.
    let mut longer = wanted(&matchers);
    (longer["id"], longer["endsAt"]) = (json!(id), json!(ahead(7200)));
    assert_eq!(silence(&daemon, &longer).json()["silenceID"], json!(id));
    longer["matchers"][0]["value"] = json!("db2");
    let other = silence(&daemon, &longer).json()["silenceID"].as_str().unwrap().to_owned();
    assert_ne!(other, id);
    assert_eq!(get(&format!("/api/v2/silence/{id}")).json()["status"]["state"], "expired");
    let end = |id: &str| operator(Call::new("DELETE", &format!("/api/v2/silence/{id}"))).send(daemon.address);
    assert_eq!([end(&other).status, end(&other).status, end(&id).status], [200; 3], "one that is over stays so");
    let unknown = "5b1e7a66-0d4c-4c43-9d51-7f7f6d1c2a10";
    assert_eq!(
        (end(unknown).status, end("x").status, get(&format!("/api/v2/silence/{unknown}")).status),
        (404, 422, 404)
    );
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut body = wanted(&matchers);
        change(&mut body);
        silence(&daemon, &body).status
    };
    assert_eq!(refused(&|body| body["matchers"] = json!([])), 422);
    assert_eq!(refused(&|body| body["comment"] = json!("")), 400);
    assert_eq!(refused(&|body| body["endsAt"] = json!(ahead(-1))), 400);
    assert_eq!(refused(&|body| body["endsAt"] = json!("tomorrow")), 400);
    assert_eq!(refused(&|body| body["endsAt"] = json!(ahead(32 * 24 * 3600))), 400);
    assert_eq!(refused(&|body| body["id"] = json!(unknown)), 404);
    assert_eq!(refused(&|body| body["matchers"] = json!([{ "name": "a", "value": "(", "isRegex": true }])), 400);
    assert_eq!(silence(&daemon, &json!([])).status, 400);
}
