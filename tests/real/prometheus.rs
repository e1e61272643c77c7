//! A real Prometheus that scrapes a trading host and Stentor itself, and tells Stentor when the host does not answer.

use crate::{
    common::Daemon,
    net::{Host, Net},
    parts::{self, Part, Process},
};
use serde_json::Value;
use tempfile::TempDir;

pub const PARTS: [Part; 1] = [Part("prometheus", "prometheus")];

/// Both ways in which Prometheus can show who it is, as lines of its configuration.
pub fn bearer(token: &str) -> String {
    format!("authorization: {{type: Bearer, credentials: {token}}}")
}

pub fn basic(password: &str) -> String {
    format!("basic_auth: {{username: prometheus, password: {password}}}")
}

pub struct Prometheus {
    process: Process,
    url: String,
    #[expect(dead_code, reason = "held for its drop")]
    dir: TempDir,
}

impl Prometheus {
    /// Starts it; it posts to the daemon once for each credential.
    pub fn start(net: &Net, host: &Host, daemon: &Daemon, credentials: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("rules.yml"), RULES).unwrap();
        let config = dir.path().join("prometheus.yml");
        std::fs::write(&config, configuration(host, daemon, credentials)).unwrap();
        let address = format!("127.0.0.1:{}", parts::free_port());
        let mut command = parts::command("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--rules.alert.resend-delay=1s");
        let mut process = Process::start("prometheus", &mut command, &dir.path().join("log"));
        let url = format!("http://{address}");
        process.ready(|| net.get(&format!("{url}/-/ready")));
        Self { process, url, dir }
    }

    /// The value of an expression that has one.
    pub fn value(&self, net: &Net, expression: &str) -> Option<String> {
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/query", self.url)).unwrap();
        url.query_pairs_mut().append_pair("query", expression);
        let answer: Value = serde_json::from_str(&net.get(url.as_str())?).unwrap();
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    }

    /// What it counts about itself: `name{labels} value` lines that begin with `name`.
    pub fn counts(&self, net: &Net, name: &str) -> Vec<f64> {
        let text = net.get(&format!("{}/metrics", self.url)).unwrap_or_default();
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect()
    }

    /// SIGKILL: it has no time for a last word.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

fn configuration(host: &Host, daemon: &Daemon, credentials: &[String]) -> String {
    let mut text = String::from(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms, external_labels: {cluster: lab}}\n\
         rule_files: [rules.yml]\n\
         alerting:\n  alertmanagers:\n",
    );
    for credential in credentials {
        let targets = daemon.address;
        text += &format!("  - {credential}\n    static_configs: [{{targets: ['{targets}']}}]\n");
    }
    text += "scrape_configs:\n";
    for (job, target) in [("trading", host.address()), ("stentor", daemon.address.to_string())] {
        let credential = &credentials[0];
        text += &format!("- {{job_name: {job}, {credential}, static_configs: [{{targets: ['{target}']}}]}}\n");
    }
    text
}

const RULES: &str = r#"
groups:
- name: trading
  interval: 500ms
  rules:
  - alert: TradingHostDown
    expr: up{job="trading"} == 0
    labels: {severity: critical}
    annotations:
      summary: 'trading host {{ $labels.instance }} does not answer'
      error_rate_pct: '{{ $value }}'
"#;
