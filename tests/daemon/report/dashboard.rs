//! The dashboard names no metric that the daemon does not have.

use super::common::{Setup, root};
use serde_json::Value;
use std::{collections::BTreeSet, io::Read, io::Write, net::TcpStream, time::Duration};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[channel.mail]
kind = "smtp"
url  = "smtp://127.0.0.1:9"
from = "stentor@example.com"

[person.ana]
name  = "Ana Ruiz"
email = "ana@example.com"
unix  = "UNIX"

[role.trader]
step = [{ page = ["ana"], by = ["desk", "mail"], wait = "45s" }]

[trigger.flash-crash]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
roles = ["trader"]

[source.monitor]
token  = { env = "MONITOR_TOKEN" }
scopes = ["alerts", "metrics"]
"#;

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

fn metrics_in(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("stentor_")).map(str::to_owned).collect()
}

const TOKEN: &str = "Authorization: Bearer secret-of-the-monitor";

fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n{TOKEN}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn every_metric_of_the_dashboard_is_in_a_real_scrape() {
    let text = std::fs::read_to_string(root().join("templates/grafana/stentor.json")).unwrap();
    let mut found = Vec::new();
    expressions(&serde_json::from_str(&text).unwrap(), &mut found);
    let named: BTreeSet<String> = found.iter().flat_map(|expression| metrics_in(expression)).collect();
    assert!(10 < named.len(), "{named:?}");
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let daemon = Setup::new(&MATRIX.replace("UNIX", &me)).env("MONITOR_TOKEN", "secret-of-the-monitor").start();
    assert!(get(daemon.address, "/v1/alerts").contains("405"), "a request at a door");
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    write!(stream, "POST /v1/alerts HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
        .unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2"]);
    daemon.json(&["answer", "INC-1", "wilco"]);
    daemon.json(&["resolve", "INC-1", "--outcome", "true"]);
    daemon.signal("HUP");
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let scraped = get(daemon.address, "/metrics");
        let has = |name: &String| {
            scraped
                .lines()
                .any(|line| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with([' ', '{'])))
        };
        let missing: Vec<&String> = named.iter().filter(|name| !has(name)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "not in /metrics: {missing:?}\n{scraped}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_metric_that_is_not_there_would_be_found() {
    let named = metrics_in("sum(rate(stentor_pages_total{drill=\"$drill\"}[5m])) / stentor_gone_total");
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["stentor_gone_total", "stentor_pages_total"]);
}
