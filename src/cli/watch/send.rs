//! Sends alerts to a daemon that may be away: in batches, each under a key of its own, so that one that is sent again is
//! kept once.

use super::{counts::LineCounts, lines::WaitingLine};
use crate::cli::{error::CliError, table::warn};
use reqwest::{StatusCode, Url, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    sync::{mpsc::Receiver, watch},
    time::{Instant, sleep, timeout},
};

/// The most alerts of one request.
const BATCH_MAX: usize = 500;

/// The largest request, in bytes, beside its last alert.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a batch may wait for more lines.
const LINGER: Duration = Duration::from_millis(100);

/// How long the daemon may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The pauses before a request is sent again: each twice the last one.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Sends alerts to one daemon.
pub struct AlertSender {
    client: reqwest::Client,
    url: Url,
    token: SecretString,
}

/// How often it is said that nothing gets through.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Some alerts, as one body.
struct Batch {
    key: String,
    alerts: Vec<WaitingLine>,
}

impl Batch {
    fn new(alerts: Vec<WaitingLine>) -> Self {
        Self { key: format!("watch-{:032x}", rand::random::<u128>()), alerts }
    }

    fn count(&self) -> u64 {
        self.alerts.len() as u64
    }

    fn body(&self) -> String {
        let alerts: Vec<&str> = self.alerts.iter().map(|line| line.alert.as_str()).collect();
        format!("[{}]", alerts.join(","))
    }
}

/// What the daemon said of a batch.
enum BatchAnswer {
    /// So many were refused; the others are durable.
    Kept { refused: u64 },
    /// Send it again, after this; and what it said.
    Later(Option<Duration>, String),
    /// It is too large: send less at once.
    Divide,
    /// Nothing will be taken.
    Never(String),
}

impl AlertSender {
    pub fn new(url: &Url, token: SecretString) -> Result<Self, CliError> {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let mut url = url.clone();
        url.path_segments_mut().map_err(|()| "this is no address of a daemon")?.pop_if_empty().extend(["v1", "alerts"]);
        Ok(Self { client, url, token })
    }

    /// Sends what comes out of the queue, in its order. Once the input is `over` it tries for `patience`.
    ///
    /// # Errors
    /// Why it gave up.
    pub async fn send_all(
        &self,
        queue: &mut Receiver<WaitingLine>,
        mut over: watch::Receiver<bool>,
        patience: Duration,
        counts: &mut LineCounts,
    ) -> Result<(), String> {
        let mut warned = None;
        while let Some(batch) = next(queue, &mut over).await {
            // The one that is next is the last one.
            let mut divided = vec![batch];
            while let Some(mut batch) = divided.pop() {
                let waiting = || queue.len() as u64 + divided.iter().map(Batch::count).sum::<u64>();
                match self.send(&batch, &mut over, patience, (&waiting, &mut warned)).await {
                    Ok(Some(refused)) => {
                        counts.refused += refused;
                        counts.sent += batch.count() - refused;
                    }
                    Ok(None) if batch.count() <= 1 => {
                        warn("stentor: a line is too large for the daemon, or for what is before it: it is not sent");
                        counts.refused += batch.count();
                    }
                    Ok(None) => {
                        let behind = batch.alerts.split_off(batch.alerts.len() / 2);
                        divided.push(Batch::new(behind));
                        divided.push(Batch::new(batch.alerts));
                    }
                    Err(why) => {
                        // Whoever reads lines need not go on.
                        queue.close();
                        return Err(why);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends one batch until the daemon has said something of it: how many alerts it refused, or nothing where the batch must
    /// be divided. `waiting` says how many others wait, `warned` when it was last told that they do.
    async fn send(
        &self,
        batch: &Batch,
        over: &mut watch::Receiver<bool>,
        patience: Duration,
        (waiting, warned): (&impl Fn() -> u64, &mut Option<Instant>),
    ) -> Result<Option<u64>, String> {
        let (mut pause, mut until) = (PAUSE_MIN, None);
        loop {
            let why = match self.once(batch).await {
                Ok(BatchAnswer::Kept { refused }) => return Ok(Some(refused)),
                Ok(BatchAnswer::Divide) => return Ok(None),
                Ok(BatchAnswer::Never(why)) => return Err(why),
                Ok(BatchAnswer::Later(after, said)) => {
                    pause = pause.max(after.unwrap_or_default()).min(PAUSE_MAX);
                    format!("the daemon can not take them now ({said})")
                }
                Err(error) => format!("the daemon does not answer at {}: {error}", self.url),
            };
            let now = Instant::now();
            if *over.borrow() && *until.get_or_insert(now + patience) <= now {
                return Err(why);
            }
            if warned.is_none_or(|last| last + WARN_EVERY <= now) {
                *warned = Some(now);
                warn(&format!("stentor: {} lines wait: {why}", batch.count() + waiting()));
            }
            // Others that wait for the same daemon do not come at the same moment.
            let jitter = pause.mul_f64(rand::random::<f64>() / 2.0);
            let rest = until.map_or(pause + jitter, |until: Instant| (until - now).min(pause + jitter));
            let was_over = *over.borrow();
            tokio::select! {
                () = sleep(rest) => pause = (pause * 2).min(PAUSE_MAX),
                // What is left of the patience counts from now on.
                _ = over.wait_for(|over| *over), if !was_over => {}
            }
        }
    }

    async fn once(&self, batch: &Batch) -> Result<BatchAnswer, reqwest::Error> {
        let request = self.client.post(self.url.clone()).bearer_auth(self.token.expose_secret());
        let request = request.header("Idempotency-Key", &batch.key).header("Content-Type", "application/json");
        let response = request.body(batch.body()).timeout(ANSWER_TIME_MAX).send().await?;
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let answer: Value = response.json().await.unwrap_or_default();
        let refused = || {
            let alerts = answer["alerts"].as_array().into_iter().flatten();
            alerts.filter(|alert| alert["status"] == 400).count() as u64
        };
        let detail = answer["detail"].as_str().unwrap_or_default();
        Ok(match status {
            StatusCode::ACCEPTED => BatchAnswer::Kept { refused: 0 },
            StatusCode::MULTI_STATUS => BatchAnswer::Kept { refused: refused() },
            StatusCode::BAD_REQUEST => BatchAnswer::Kept { refused: batch.count() },
            StatusCode::PAYLOAD_TOO_LARGE => BatchAnswer::Divide,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                BatchAnswer::Never(format!("the daemon refuses the lines ({status}): {detail}"))
            }
            // What is before the daemon says 404 while the daemon starts.
            _ => BatchAnswer::Later(after.map(Duration::from_secs), status.to_string()),
        })
    }
}

/// The next alerts; `None` once there are no more.
async fn next(queue: &mut Receiver<WaitingLine>, over: &mut watch::Receiver<bool>) -> Option<Batch> {
    let was_over = *over.borrow();
    let first = match queue.try_recv() {
        Ok(first) => first,
        Err(_) if was_over => return None,
        Err(_) => tokio::select! {
            biased;
            first = queue.recv() => first?,
            _ = over.wait_for(|over| *over) => queue.try_recv().ok()?,
        },
    };
    let (mut alerts, mut bytes) = (vec![first], 0);
    let until = Instant::now() + LINGER;
    while alerts.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX {
        let more = match queue.try_recv() {
            Ok(more) => more,
            Err(_) if *over.borrow() => break,
            Err(_) => match timeout(until.saturating_duration_since(Instant::now()), queue.recv()).await {
                Ok(Some(more)) => more,
                Ok(None) | Err(_) => break,
            },
        };
        bytes += more.alert.len();
        alerts.push(more);
    }
    Some(Batch::new(alerts))
}
