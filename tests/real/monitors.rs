//! Monitors that know Alertmanager and not Stentor.

use crate::{
    common::{Daemon, Setup},
    incident::{Shown, assert_journal},
    net::Net,
    parts::{self, Part, until},
    prometheus::{self, Prometheus, basic, bearer},
};
use std::collections::BTreeSet;

const MATRIX: &str = r#"
[source.one]
token  = { env = "TOKEN_ONE" }
scopes = ["alerts", "metrics"]

[source.two]
token  = { env = "TOKEN_TWO" }
scopes = ["alerts", "silences"]

[channel.desk]
kind = "screen"

[person.eve]
name = "Eve Okafor"

[role.it]
step = [{ page = ["eve"], by = ["desk"], wait = "5m" }]

[trigger.trading-host-down]
on       = ["TradingHostDown"]
when     = 'alert.values.error_rate_pct < 1.0'
key      = 'alert.labels.instance'
summary  = "{alert.labels.instance} does not answer"
roles    = ["it"]
resolved = "resolve"
"#;

fn watching() -> Daemon {
    Setup::new(MATRIX).env("TOKEN_ONE", "secret-one").env("TOKEN_TWO", "secret-two").start()
}

#[test]
fn prometheus_opens_one_incident_with_either_credential_and_its_all_clear_closes_it() {
    if parts::missing(&prometheus::PARTS) {
        return;
    }
    let (net, daemon) = (Net::new(), watching());
    let host = net.host();
    let prometheus = Prometheus::start(&net, &host, &daemon, &[bearer("secret-one"), basic("secret-two")]);
    let both: BTreeSet<&str> = ["one", "two"].into();
    Shown::once(&daemon, "both sources to have sent it again", |shown| {
        let joined = shown.events("joined").into_iter().filter_map(|event| event["alert"]["source"].as_str());
        joined.collect::<BTreeSet<_>>() == both
    });
    let up = || prometheus.value(&net, "up{job=\"stentor\"}");
    assert_eq!(until("Prometheus to look at Stentor's own metrics", up), "1");
    host.recover();
    let shown = Shown::once(&daemon, "the all-clear", |shown| shown.incident["status"] == "resolved");
    let by = shown.incident["resolved_by"].as_str().unwrap_or_default().to_owned();
    assert!(by.contains("one") || by.contains("two"), "{by}");
    let refused = prometheus.counts(&net, "prometheus_notifications_errors_total");
    assert!(!refused.is_empty() && refused.iter().sum::<f64>() == 0.0, "{refused:?}");
    assert!(Shown::is_only(&daemon));
    assert_journal(&daemon);
}

#[test]
fn an_incident_whose_prometheus_was_killed_is_marked_silent_and_stays_open() {
    if parts::missing(&prometheus::PARTS) {
        return;
    }
    let (net, daemon) = (Net::new(), watching());
    let host = net.host();
    let mut prometheus = Prometheus::start(&net, &host, &daemon, &[bearer("secret-one")]);
    let silent = |shown: &Shown| !shown.incident["silent_since"].is_null();
    Shown::once(&daemon, "the incident, sent again", |shown| !shown.events("joined").is_empty() && !silent(shown));
    prometheus.kill();
    let shown = Shown::once(&daemon, "its lease to lapse", silent);
    assert_eq!((&shown.incident["status"], shown.state("it")), (&"open".into(), "paging"));
    assert!(!shown.events("source-silent").is_empty());
    assert_journal(&daemon);
}

#[test]
fn amtool_reports_an_alert_and_is_refused_without_a_credential() {
    if parts::missing(&[Part("amtool", "prometheus-alertmanager")]) {
        return;
    }
    let daemon = watching();
    let add = |account: &str| {
        let url = format!("--alertmanager.url=http://{account}{}", daemon.address);
        let mut command = parts::command("amtool");
        command.args([&url, "alert", "add", "alertname=TradingHostDown", "instance=matching-1"]);
        command.args(["--annotation=error_rate_pct=0", "--annotation=summary=it does not answer"]);
        command.env("HOME", daemon.dir.path()).output().unwrap()
    };
    let refused = add("");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("401"), "{said}");
    assert!(Shown::look(&daemon).is_none());
    let taken = add("amtool:secret-two@");
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let shown = Shown::look(&daemon).expect("what was taken is there");
    assert_eq!(shown.incident["summary"], "matching-1 does not answer");
}

#[test]
fn amtool_reads_alerts_and_the_configuration() {
    if parts::missing(&[Part("amtool", "prometheus-alertmanager")]) {
        return;
    }
    let daemon = watching();
    let amtool = |arguments: &[&str]| {
        let mut command = parts::command("amtool");
        command.arg(format!("--alertmanager.url=http://amtool:secret-two@{}", daemon.address)).args(arguments);
        let output = command.env("HOME", daemon.dir.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    for instance in ["a", "b"] {
        let label = format!("instance=matching-{instance}");
        let silence =
            ["silence", "add", "instance=matching-b", "--duration=1h", "--author=eve", "--comment=it is moved"];
        if instance == "b" {
            amtool(&silence);
        }
        amtool(&[
            "alert",
            "add",
            "alertname=TradingHostDown",
            &label,
            "--annotation=error_rate_pct=0",
            "--annotation=summary=down",
        ]);
    }
    let listed = amtool(&["alert", "query"]);
    assert!(listed.contains("TradingHostDown") && listed.contains("down") && listed.contains("active"), "{listed}");
    let names = |arguments: &[&str]| {
        let listed = amtool(&[&["-o", "json", "alert", "query"], arguments].concat());
        let alerts: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let all = alerts.as_array().unwrap().iter();
        all.map(|alert| alert["labels"]["instance"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["matching-a"]);
    assert_eq!(names(&["--silenced"]), ["matching-b"]);
    assert_eq!(names(&["alertname=TradingHostDown", "instance=~matching-[ac]"]), ["matching-a"]);
    assert_eq!(names(&["instance=matching-c"]), [""; 0]);
    assert_eq!(names(&["--receiver=it"]), ["matching-a"]);
    assert_eq!(names(&["--receiver=nobody"]), [""; 0]);
    assert!(amtool(&["-o", "extended", "alert", "query"]).contains("instance=\"matching-a\""));
    assert!(amtool(&["config", "show"]).contains("receiver: stentor"));
    assert!(amtool(&["config", "routes", "show"]).contains("stentor"));
    assert_eq!(amtool(&["config", "routes", "test", "alertname=x"]), "stentor");
    assert!(amtool(&["cluster", "show"]).contains("disabled"));
    assert!(amtool(&["silence", "query"]).contains("it is moved"));
    let exported = amtool(&["-o", "json", "silence", "query"]);
    let file = daemon.dir.path().join("silences.json");
    std::fs::write(&file, exported).unwrap();
    assert!(!amtool(&["silence", "import", file.to_str().unwrap()]).is_empty());
    amtool(&["silence", "import", "--force", file.to_str().unwrap()]);
}

#[test]
fn amtool_makes_extends_and_ends_a_silence() {
    if parts::missing(&[Part("amtool", "prometheus-alertmanager")]) {
        return;
    }
    let daemon = watching();
    let amtool = |arguments: &[&str]| {
        let mut command = parts::command("amtool");
        command.arg(format!("--alertmanager.url=http://amtool:secret-two@{}", daemon.address)).args(arguments);
        let output = command.env("HOME", daemon.dir.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let fire = || {
        amtool(&["alert", "add", "alertname=TradingHostDown", "instance=matching-1", "--annotation=error_rate_pct=0"])
    };
    let id =
        amtool(&["silence", "add", "instance=~matching-.", "--duration=1h", "--author=eve", "--comment=it is moved"]);
    fire();
    assert!(Shown::look(&daemon).is_none(), "it is held");
    let listed = amtool(&["silence", "query", "instance=matching-1"]);
    assert!(amtool(&["silence", "query"]).contains(&id) && !listed.contains("it is gone"), "{listed}");
    // What it prints of that is the address of a pointer.
    amtool(&["silence", "update", "--duration=2h", &id]);
    assert_eq!(amtool(&["silence", "query", "-q"]), id);
    amtool(&["silence", "expire", &id]);
    assert_eq!(amtool(&["silence", "query", "-q"]), "");
    assert_eq!(amtool(&["silence", "query", "--expired", "-q"]), id);
    // What it held is judged when it ends.
    let shown = Shown::once(&daemon, "what the silence held", |shown| shown.incident["status"] == "open");
    assert_eq!(shown.incident["summary"], "matching-1 does not answer");
    assert_journal(&daemon);
}
