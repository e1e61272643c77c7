//! Outcomes, reports and post-mortems through the real binary: with its daemon, without it, over HTTP.

use super::common::{Daemon, Setup};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana <b>Ruiz</b>"
unix = "UNIX"

[role.trader]
target = { within = "60s", percent = 90 }
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.flash-crash]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
key   = 'alert.labels.symbol'
roles = ["trader"]

[source.monitor]
token  = { env = "MONITOR_TOKEN" }
scopes = ["alerts", "read"]
"#;

fn daemon() -> Daemon {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    Setup::new(&MATRIX.replace("UNIX", &me)).env("MONITOR_TOKEN", "secret-of-the-monitor").start()
}

fn crash(daemon: &Daemon, symbol: &str) -> String {
    let label = format!("symbol={symbol}");
    let fired = daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", &label]);
    fired["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
}

fn said(daemon: &Daemon, arguments: &[&str]) -> (bool, String) {
    let output = daemon.cli(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn get(daemon: &Daemon, path: &str, token: Option<&str>) -> (u16, Value) {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let token = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n{token}Connection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn outcomes_are_said_shown_mended_and_counted() {
    let mut daemon = daemon();
    for symbol in ["A", "B", "C"] {
        crash(&daemon, symbol);
    }
    daemon.json(&["answer", "INC-1", "wilco"]);
    let (good, words) = said(&daemon, &["resolve", "INC-1", "--outcome", "true", "--note", "a real one"]);
    assert!(good && words.contains("its outcome: true"), "{words}");
    assert!(said(&daemon, &["resolve", "INC-2", "--outcome", "false"]).0);
    assert!(said(&daemon, &["resolve", "INC-3"]).0);
    for (arguments, why) in [
        (vec!["resolve", "INC-3", "--outcome", "perhaps"], "true, false, benign or duplicate"),
        (vec!["resolve", "INC-3", "--note", "x"], "--outcome"),
    ] {
        let (good, words) = said(&daemon, &arguments);
        assert!(!good && words.contains(why), "{arguments:?}: {words}");
    }
    let shown = said(&daemon, &["show", "INC-1"]).1;
    assert!(shown.contains("outcome true") && shown.contains("a real one"), "{shown}");
    assert!(said(&daemon, &["incidents", "--all"]).1.contains("resolved (false)"));
    let report = daemon.json(&["report", "triggers"]);
    assert_eq!(report["triggers"][0]["precision"], 0.5);
    assert_eq!(report["triggers"][0]["unsaid"], 1);
    // After the end it can still be mended.
    assert!(said(&daemon, &["resolve", "INC-2", "--outcome", "duplicate"]).0);
    let with_daemon = daemon.json(&["report", "tte"]);
    assert_eq!((&with_daemon["incidents"], &with_daemon["duplicates_left_out"]), (&2.into(), &1.into()));
    assert!(daemon.stop());
    let without = daemon.json(&["report", "tte"]);
    assert_eq!(without["groups"], with_daemon["groups"], "the state folder says the same");
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn reports_go_to_those_who_may_read_incidents_and_to_nobody_else() {
    let daemon = daemon();
    crash(&daemon, "A");
    let token = Some("secret-of-the-monitor");
    for path in ["/v1/report/tte", "/v1/report/triggers"] {
        assert_eq!(get(&daemon, path, None).0, 401, "{path}");
        assert_eq!(get(&daemon, path, Some("wrong")).0, 401, "{path}");
        assert_eq!(get(&daemon, path, token).0, 200, "{path}");
    }
    let (_, report) = get(&daemon, "/v1/report/tte?since=30d&role=trader&by=channel&zone=Europe/Madrid", token);
    assert_eq!(report["groups"][0]["name"], "desk");
    assert_eq!(report["zone"], "Europe/Madrid");
    for (query, word) in [
        ("since=yesterday", "30d"),
        ("by=weather", "role, step, channel or hour"),
        ("zone=Mars/Base", "Europe/London"),
        ("drills=perhaps", ""),
    ] {
        let (status, problem) = get(&daemon, &format!("/v1/report/tte?{query}"), token);
        let detail = problem["detail"].as_str().unwrap_or_default().to_owned();
        assert!(status == 400 && detail.contains(word), "{query}: {status} {detail}");
    }
}

#[test]
fn a_table_fits_a_terminal_and_says_what_is_too_few() {
    let daemon = daemon();
    crash(&daemon, "A");
    crash(&daemon, "B");
    daemon.json(&["answer", "INC-1", "wilco"]);
    for by in ["role", "step", "channel", "hour"] {
        let (good, table) = said(&daemon, &["report", "tte", "--by", by]);
        assert!(good && table.contains("not reached") && table.contains("LIVE"), "{table}");
        let wide = table.lines().find(|line| 80 < line.chars().count());
        assert_eq!(wide, None, "{by}");
        assert!(table.contains("KAPLAN-MEIER P50") && table.contains("1 open"), "{table}");
    }
    assert!(said(&daemon, &["report", "tte"]).1.contains("too few to say"));
    let (good, words) = said(&daemon, &["report", "tte", "--drills"]);
    assert!(good && words.contains("DRILLS") && words.contains("no incident to measure"), "{words}");
    let picture = daemon.dir.path().join("tte.svg");
    let draw = |more: &[&str]| said(&daemon, &[&["report", "tte", "--picture"], more].concat());
    let file = picture.to_str().unwrap();
    assert!(draw(&[file]).0);
    // What is there is kept, unless it may be overwritten.
    assert!(!draw(&[file]).0 && draw(&[file, "--force"]).0);
    assert!(draw(&["-"]).1.starts_with("<svg ") && !daemon.dir.path().join("-").exists());
    let svg = std::fs::read_to_string(picture).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && svg.contains("prefers-color-scheme"));
}

#[test]
fn a_post_mortem_is_written_with_the_daemon_and_without() {
    let mut daemon = daemon();
    let id = crash(&daemon, "<script>alert(1)</script>|*_");
    daemon.json(&["answer", &id, "wilco"]);
    daemon.json(&["resolve", &id, "--outcome", "true", "--note", "not | a ` table"]);
    let (_, with_daemon) = said(&daemon, &["postmortem", &id]);
    for word in
        ["# Post-mortem of INC-1", "**true**", "Ana &lt;b&gt;Ruiz", "## Actions", "| What | Owner | By | Done |"]
    {
        assert!(with_daemon.contains(word), "{word} is missing:\n{with_daemon}");
    }
    assert!(!with_daemon.contains("%CODE%\" "), "placeholders alone");
    let html = daemon.dir.path().join("pm.html");
    assert!(said(&daemon, &["postmortem", &id, "--html", "-o", html.to_str().unwrap()]).0);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("<svg ") && !page.contains("<script") && !page.contains("<b>Ruiz"));
    let (good, words) = said(&daemon, &["postmortem", "INC-9"]);
    assert!(!good && words.contains("no incident INC-9"), "{words}");
    // A house has its own form.
    let own = daemon.dir.path().join("templates");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("postmortem.md"), "# Ours: {{ incident.id }}\n").unwrap();
    assert_eq!(said(&daemon, &["postmortem", &id]).1, "# Ours: INC-1\n");
    std::fs::write(own.join("postmortem.md"), "{{ incident.colour }}").unwrap();
    let (good, words) = said(&daemon, &["postmortem", &id]);
    assert!(!good && words.contains("postmortem.md:1"), "{words}");
    std::fs::remove_file(own.join("postmortem.md")).unwrap();
    assert!(daemon.stop());
    let (good, without) = said(&daemon, &["postmortem", &id]);
    assert!(good && without.contains("# Post-mortem of INC-1"), "{without}");
    assert_eq!(without.lines().count(), with_daemon.lines().count(), "{without}\n---\n{with_daemon}");
}
