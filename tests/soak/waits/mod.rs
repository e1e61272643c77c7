//! Many that wait for the outcome of their requests at once: what they cost, and how fast they are told.
//!
//! `STENTOR_WAITS=10000 cargo test --test soak -- --nocapture waits` measures ten thousand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use crate::common::{Daemon, Setup};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOKEN: &str = "waits-token-77ab01";

/// How many wait, if the environment does not say.
const WAITS: usize = 300;

/// One HTTP/2 connection of the daemon carries 256 requests at once.
const OF_CONNECTION: usize = 250;

/// How many of them are answered one by one.
const ANSWERED: usize = 100;

const MATRIX: &str = r#"
[source.bot]
token = { env = "BOT_TOKEN" }
scopes = ["alerts", "metrics"]
openings_per_minute = 100000

[channel.sms]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }
pace     = "1000/s burst 1000"

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "1h" }]

[catch-all]
page  = ["ana"]
by    = ["sms"]
every = "1h"

[trigger.kill-switch]
on    = ["order_kill"]
roles = ["trader"]
ask   = { after = "1h" }
"#;

fn rss_mib(daemon: &Daemon) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// A connection of its own: only one that is known to speak HTTP/2 carries many requests.
fn connection() -> reqwest::Client {
    reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap()
}

async fn ask(client: &reqwest::Client, daemon: &Daemon, n: usize) -> String {
    let ask = json!({ "type": "approval", "question": format!("Cancel {n}?") });
    let body = json!({ "kind": "order_kill", "ask": ask });
    let sent = client.post(daemon.url("/v1/requests")).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    assert_eq!(sent.status(), 202);
    sent.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn those_who_wait_cost_little_and_each_is_told_by_its_own_answer() {
    crate::double::install_tls();
    let waits = std::env::var("STENTOR_WAITS").ok().and_then(|text| text.parse().ok()).unwrap_or(WAITS);
    let daemon = Setup::new(MATRIX).env("BOT_TOKEN", TOKEN).arg("--sandbox").start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure(&daemon, waits));
}

async fn measure(daemon: &Daemon, waits: usize) {
    let asker = connection();
    let mut ids = Vec::with_capacity(waits);
    while ids.len() < waits {
        let part = (ids.len()..waits.min(ids.len() + 100)).map(|n| ask(&asker, daemon, n));
        ids.extend(futures_util::future::join_all(part).await);
    }
    // What their pages cost is measured by the storm.
    let asked = Instant::now();
    while gauge(daemon, &asker, "stentor_oldest_unsent_page_age_seconds").await > 0.0 {
        assert!(asked.elapsed() < Duration::from_secs(120), "their pages do not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let before = rss_mib(daemon);
    let clients: Vec<reqwest::Client> = (0..waits.div_ceil(OF_CONNECTION)).map(|_| connection()).collect();
    let (answered, rest) = ids.split_at(ANSWERED.min(waits));
    let wait = |n: usize, id: &String| {
        let path = daemon.url(&format!("/v1/requests/{id}?wait=50s"));
        let sent = clients[n / OF_CONNECTION].get(path).bearer_auth(TOKEN).send();
        tokio::spawn(async move {
            let told = sent.await.unwrap();
            let at = Instant::now();
            assert_eq!(told.status(), 200);
            (told.json::<Value>().await.unwrap()["state"].clone(), at)
        })
    };
    let began = Instant::now();
    let first: Vec<_> = answered.iter().enumerate().map(|(n, id)| wait(n, id)).collect();
    let others: Vec<_> = rest.iter().enumerate().map(|(n, id)| wait(answered.len() + n, id)).collect();
    // All wait once the daemon has counted them.
    while gauge(daemon, &asker, "stentor_requests_waited_for").await < waits as f64 {
        assert!(began.elapsed() < Duration::from_secs(45), "not all came to wait in time");
    }
    let all_wait = began.elapsed();
    let more = rss_mib(daemon) - before;
    let mut later: Vec<Duration> = Vec::new();
    for (id, wait) in answered.iter().zip(first) {
        let path = daemon.url(&format!("/v1/requests/{id}/cancel"));
        let sent = asker.post(path).bearer_auth(TOKEN).json(&json!({})).send().await.unwrap();
        let acknowledged = Instant::now();
        assert_eq!(sent.status(), 200);
        let (state, at) = wait.await.unwrap();
        assert_eq!(state, "cancelled");
        later.push(at.saturating_duration_since(acknowledged));
    }
    later.sort();
    let quantile = |share: f64| later[((later.len() - 1) as f64 * share) as usize];
    println!(
        "{waits} wait after {:.1} s with {more:.0} MiB more; told after the answer's own acknowledgement: median {:?}, \
         p99 {:?}, longest {:?}",
        all_wait.as_secs_f64(),
        quantile(0.5),
        quantile(0.99),
        quantile(1.0)
    );
    assert!(others.iter().all(|wait| !wait.is_finished()) || 40.0 < began.elapsed().as_secs_f64(), "woken by others");
    assert!(more < 300.0, "{more:.0} MiB for {waits} that wait");
    // On a busy machine; the figures above are the measurement.
    assert!(quantile(0.5) < Duration::from_millis(100), "{later:?}");
    others.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A gauge of the metrics.
async fn gauge(daemon: &Daemon, client: &reqwest::Client, name: &str) -> f64 {
    let metrics = client.get(daemon.url("/metrics")).bearer_auth(TOKEN).send().await.unwrap();
    let text = metrics.text().await.unwrap();
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value).expect("the gauge")
}
