//! Many that wait for the outcome of their requests at once: what they cost, and how fast one is told.

use super::{Outcome, alert, measure::Span, report::percentile, sink::Sink, subject::Subject};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How many requests one HTTP/2 connection of the daemon carries at once, less a few.
const OF_CONNECTION: usize = 250;

/// How many of them end, one after the other, while the others go on waiting.
const ENDED: usize = 200;

/// How long all may take to come and wait.
const PATIENCE: Duration = Duration::from_secs(45);

/// What was measured.
pub struct Waited {
    /// Memory that those who wait take, in MiB.
    pub more_mib: f64,
    /// From the acknowledgement of what ended a request, which is durable then, to the end of its wait, in milliseconds.
    pub told: Span,
}

/// Asks for all of these and waits for each, then withdraws some.
pub async fn measure(subject: &Subject, sink: &Sink, ids: std::ops::Range<u32>) -> Outcome<Waited> {
    let asker = Caller::new(subject)?;
    let mut asked = Vec::new();
    let ended = ids.start..ids.end.min(ids.start + ENDED as u32);
    for part in ids.collect::<Vec<u32>>().chunks(100) {
        asked.extend(try_join_all(part.iter().map(|id| asker.ask(*id))).await?);
    }
    // What their pages cost is measured elsewhere.
    sink.all(PATIENCE).await?;
    let before = subject.rss_mib();
    let callers: Vec<Caller> =
        (0..asked.len().div_ceil(OF_CONNECTION)).map(|_| Caller::new(subject)).collect::<Outcome<_>>()?;
    let waits: Vec<_> = asked
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let caller = callers[n / OF_CONNECTION].clone();
            let path = format!("/v1/requests/{id}?wait=50s");
            tokio::spawn(async move {
                let state = caller.get(&path).await.map(|told| told["state"].clone()).unwrap_or_default();
                (state, Instant::now())
            })
        })
        .collect();
    let began = Instant::now();
    while asker.waiting().await? < waits.len() {
        if PATIENCE < began.elapsed() {
            return Err("not all came to wait in time".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let more_mib = subject.rss_mib() - before;
    // Who was asked hears of it.
    sink.expect(ended, 1);
    let mut told = Vec::new();
    for (id, wait) in asked.iter().zip(waits).take(ENDED) {
        asker.post(&format!("/v1/requests/{id}/cancel"), &json!({}).to_string()).await?;
        let acknowledged = Instant::now();
        let (state, at) = wait.await?;
        if state != "cancelled" {
            return Err(format!("a wait ended with {state}").into());
        }
        told.push(at.saturating_duration_since(acknowledged).as_secs_f64() * 1e3);
    }
    sink.all(PATIENCE).await?;
    let span = [0.5, 0.99, 1.0].map(|part| percentile(&mut told, part));
    Ok(Waited { more_mib, told: span })
}

/// A connection that carries many requests.
#[derive(Clone)]
struct Caller {
    client: reqwest::Client,
    base: String,
    token: &'static str,
}

impl Caller {
    fn new(subject: &Subject) -> Outcome<Self> {
        // Only one that is known to speak HTTP/2 carries many at once.
        let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build()?;
        let token = subject.token.ok_or("nobody can be asked there")?;
        Ok(Self { client, base: format!("http://{}", subject.address), token })
    }

    async fn ask(&self, id: u32) -> Outcome<String> {
        let told = self.post("/v1/requests", &alert::ask(id)).await?;
        Ok(told["id"].as_str().ok_or("a request without an id")?.to_owned())
    }

    async fn post(&self, path: &str, body: &str) -> Outcome<Value> {
        let call = self.client.post(format!("{}{path}", self.base)).bearer_auth(self.token);
        let call = call.header("Content-Type", "application/json").body(body.to_owned());
        Ok(call.send().await?.error_for_status()?.json().await?)
    }

    async fn get(&self, path: &str) -> Outcome<Value> {
        let call = self.client.get(format!("{}{path}", self.base)).bearer_auth(self.token);
        Ok(call.send().await?.error_for_status()?.json().await?)
    }

    /// How many wait, as the metrics have it.
    async fn waiting(&self) -> Outcome<usize> {
        let call = self.client.get(format!("{}/metrics", self.base)).bearer_auth(self.token);
        let text = call.send().await?.error_for_status()?.text().await?;
        let count =
            text.lines().find_map(|line| line.strip_prefix("stentor_requests_waited_for ")?.parse::<f64>().ok());
        Ok(count.ok_or("no gauge of those who wait")? as usize)
    }
}
