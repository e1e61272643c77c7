//! Clients of other products send to Stentor as they would to their own: PagerDuty's and Opsgenie's, that of CloudEvents,
//! Apprise, and Debian's Alertmanager by its webhook.

use crate::{
    common::{Daemon, Setup, root},
    incident::assert_journal,
    parts::{self, Part, Process, until},
};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Some clients look at its length.
const TOKEN: &str = "sender-token-0123456789abcdef012";

const MATRIX: &str = r#"
[source.sender]
token = { env = "SENDER_TOKEN" }
map   = { kind = '"apprise-" + body.type', summary = 'body.title', labels = { subject = 'body.title' } }

[source.events]
token = { env = "EVENTS_TOKEN" }

[channel.desk]
kind = "screen"

[person.eve]
name = "Eve Okafor"

[role.it]
step = [{ page = ["eve"], by = ["desk"], wait = "5m" }]

[trigger.pagerduty]
on       = ["pagerduty"]
when     = 'alert.labels.severity == "critical"'
key      = 'alert.labels.dedup_key'
roles    = ["it"]
sources  = ["sender"]
resolved = "resolve"

[trigger.opsgenie]
on       = ["opsgenie"]
when     = 'alert.labels.priority == "P1"'
key      = 'alert.labels.alias'
roles    = ["it"]
sources  = ["sender"]
resolved = "resolve"

[trigger.apprise]
on    = ["apprise-failure"]
key   = 'alert.labels.subject'
roles = ["it"]

[trigger.halt]
on    = ["com.example.halt"]
key   = 'alert.labels.subject'
roles = ["it"]

[trigger.host-down]
on       = ["HostDown"]
key      = 'alert.labels.instance'
roles    = ["it"]
sources  = ["sender"]
resolved = "resolve"
"#;

fn daemon(matrix: &str) -> Daemon {
    Setup::new(matrix).env("SENDER_TOKEN", TOKEN).env("EVENTS_TOKEN", "events-token").start()
}

/// What a client was told; none where it is not here.
fn told(daemon: &Daemon, client: &str, module: &str, package: &str) -> Option<Value> {
    let python = std::env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let knows = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if !knows.is_ok_and(|status| status.success()) {
        parts::skipped(package, &format!("pip install {package}, and name that python in STENTOR_PYTHON"));
        return None;
    }
    let script = root().join("tests/real/senders/senders.py");
    let output = Command::new(python).arg(script).args([client, &daemon.url(""), TOKEN]).output().unwrap();
    assert!(output.status.success(), "{client}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    Some(serde_json::from_str(said.lines().next_back().unwrap()).unwrap())
}

/// The incidents, oldest first: status and summary.
fn incidents(daemon: &Daemon) -> Vec<(String, String)> {
    let listed = daemon.json(&["incidents", "--all"]);
    let text = |incident: &Value, name: &str| incident[name].as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = listed.as_array().unwrap().clone();
    found.reverse();
    found.iter().map(|incident| (text(incident, "status"), text(incident, "summary"))).collect()
}

fn pair(status: &str, summary: &str) -> (String, String) {
    (status.to_owned(), summary.to_owned())
}

#[test]
fn pagerdutys_client_opens_and_resolves_and_its_acknowledgement_engages_nobody() {
    let daemon = daemon(MATRIX);
    let Some(told) = told(&daemon, "pagerduty", "pagerduty", "pagerduty") else { return };
    assert_eq!((&told["acknowledged"], &told["second"]), (&told["key"], &json!("db-8")), "{told}");
    assert_eq!(told["stranger"], 400, "{told}");
    assert_eq!(incidents(&daemon), [pair("open", "db-7 is down"), pair("resolved", "db-8 is down")]);
    assert_journal(&daemon);
}

#[test]
fn opsgenies_client_creates_closes_and_reads_its_requests() {
    let daemon = daemon(MATRIX);
    let Some(told) = told(&daemon, "opsgenie", "opsgenie_sdk", "opsgenie-sdk") else { return };
    let wanted = json!({
        "result": "Created alert: INC-1 was opened", "alias": "db-7", "acknowledged": false, "closed": "Close",
        "pinged": "PONG - Heartbeat received", "refused": 422,
    });
    assert_eq!(told, wanted);
    assert_eq!(incidents(&daemon), [pair("open", "db-7 is down"), pair("resolved", "db-8 is down")]);
    assert_journal(&daemon);
}

#[test]
fn the_events_of_the_cloudevents_library_count_once_each() {
    // Here without a mapping.
    let plain = MATRIX.replace("map   =", "# map =");
    let daemon = daemon(&plain);
    let Some(told) = told(&daemon, "cloudevents", "cloudevents.core, requests", "cloudevents requests") else { return };
    assert_eq!(told, json!([200, 200, 200, 200]));
    assert_eq!(incidents(&daemon), [pair("open", "0 \u{fc}nd is halted"), pair("open", "1 \u{fc}nd is halted")]);
    assert_journal(&daemon);
}

#[test]
fn what_apprise_sends_becomes_an_alert_by_a_mapping() {
    let daemon = daemon(MATRIX);
    let Some(told) = told(&daemon, "apprise", "apprise", "apprise") else { return };
    assert_eq!(told, true);
    assert_eq!(incidents(&daemon), [pair("open", "db-7 is down")]);
    assert_journal(&daemon);
}

#[test]
fn alertmanagers_webhook_opens_an_incident_and_its_all_clear_ends_it() {
    let needed =
        [Part("prometheus-alertmanager", "prometheus-alertmanager"), Part("amtool", "prometheus-alertmanager")];
    if parts::missing(&needed) {
        return;
    }
    let daemon = daemon(MATRIX);
    let dir = daemon.dir.path();
    let config = format!(
        "route: {{ receiver: stentor, group_wait: 0s, group_interval: 1s, group_by: [alertname] }}\n\
         receivers:\n  - name: stentor\n    webhook_configs:\n      - url: {}\n        \
         http_config: {{ authorization: {{ credentials: {TOKEN} }} }}\n",
        daemon.url("/monitors/alertmanager-webhook/sender")
    );
    std::fs::write(dir.join("alertmanager.yml"), config).unwrap();
    let port = parts::free_port();
    let mut command = parts::command("prometheus-alertmanager");
    command.arg(format!("--config.file={}", dir.join("alertmanager.yml").display()));
    command.arg(format!("--storage.path={}", dir.join("am").display()));
    command.args([&format!("--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address="]);
    let mut alertmanager = Process::start("prometheus-alertmanager", &mut command, &dir.join("am.log"));
    let url = format!("--alertmanager.url=http://127.0.0.1:{port}");
    let amtool = |arguments: &[&str]| {
        let mut command = parts::command("amtool");
        let output = command.arg(&url).args(arguments).env("HOME", dir).output().unwrap();
        output.status.success().then_some(())
    };
    let add = ["alert", "add", "alertname=HostDown", "instance=a", "--annotation=summary=a is down"];
    alertmanager.ready(|| amtool(&add));
    let is = |wanted: (String, String)| (incidents(&daemon) == [wanted]).then_some(());
    until("the incident", || is(pair("open", "a is down")));
    let over = [&add[..], &["--start=2026-01-01T00:00:00Z", "--end=2026-01-01T00:00:01Z"]].concat();
    amtool(&over).unwrap();
    until("its all-clear", || is(pair("resolved", "a is down")));
    assert_journal(&daemon);
}
