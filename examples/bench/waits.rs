//! Many that wait for the outcome of their requests: what they cost, and how fast they are told what a person answered.

use super::{
    Outcome,
    alert::{self, Kind},
    measure::{Bench, PATIENCE},
    report::{Report, percentile},
    subject::{Subject, TOKEN},
};
use futures_util::future::try_join_all;
use reqwest::{Client, Url};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::sleep};

/// One HTTP/2 connection of the daemon carries 256 requests at once.
const OF_CONNECTION: usize = 250;

/// How long each waits: longer than the measure, and than the API allows.
const WAIT: &str = "50s";

/// A request that was accepted, and how to answer it as the person who was asked.
struct Asked {
    id: String,
    answer: Url,
}

impl Bench {
    /// From the moment when the answer of the SMS gateway's call says that a person's word is on disk, to the moment when
    /// the one that waits for it has it.
    pub async fn waits(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        let (waits, answers) = self.scale.waits;
        let asked = self.ask(subject, waits).await?;
        let before = subject.rss_mib();
        let clients = (0..waits.div_ceil(OF_CONNECTION)).map(|_| connection()).collect::<Outcome<Vec<_>>>()?;
        let wait = |(n, asked): (usize, &Asked)| {
            tokio::spawn(told(
                clients[n / OF_CONNECTION].clone(),
                subject.url(&format!("/v1/requests/{}?wait={WAIT}", asked.id)),
            ))
        };
        let mut waiting: Vec<JoinHandle<Outcome<Instant>>> = asked.iter().enumerate().map(wait).collect();
        let client = connection()?;
        waited_for(subject, &client, waits).await?;
        let name = format!("{waits} wait");
        report.add(subject, &format!("{name}: more memory, MiB"), subject.rss_mib() - before);
        let mut spans = Vec::with_capacity(answers);
        for (asked, waiting) in asked.iter().zip(waiting.drain(..answers)) {
            sleep(Duration::from_millis(10)).await;
            let answer = client.get(asked.answer.clone()).send().await?.error_for_status()?;
            let durable = Instant::now();
            let text = answer.text().await?;
            let told = tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| format!("not told: {text}"))??;
            // The one that waits may have it before the gateway has its own answer.
            spans.push(told?.saturating_duration_since(durable).as_secs_f64() * 1e3);
        }
        waiting.iter().for_each(JoinHandle::abort);
        for (part, word) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
            report.add(
                subject,
                &format!("{name}: answer on disk to its asker, {word}, ms"),
                percentile(&mut spans, part),
            );
        }
        Ok(())
    }

    /// Asks, and reads from the pages how each is answered.
    async fn ask(&mut self, subject: &Subject, count: usize) -> Outcome<Vec<Asked>> {
        let ids = self.next_id..self.next_id + u32::try_from(count)?;
        self.next_id = ids.end;
        self.sink.expect(ids.clone(), Kind::Ask.pages());
        self.sink.keep_heads();
        let client = connection()?;
        let mut accepted = BTreeMap::new();
        for part in ids.clone().collect::<Vec<_>>().chunks(64) {
            let one = |id: &u32| {
                let (client, url, id) = (client.clone(), subject.url("/v1/requests"), *id);
                async move {
                    let sent = client.post(url).bearer_auth(TOKEN).body(alert::ask(id));
                    let sent = sent.header("Content-Type", "application/json").send().await?.error_for_status()?;
                    let view: Value = serde_json::from_str(&sent.text().await?)?;
                    Outcome::Ok((id, view["id"].as_str().ok_or("a request has no id")?.to_owned()))
                }
            };
            accepted.extend(try_join_all(part.iter().map(one)).await?);
        }
        self.sink.all(PATIENCE).await?;
        let heads = self.sink.heads();
        let asked = |(n, id): (u32, String)| {
            let head = heads.get(&n).ok_or("a page is missing")?;
            let code = code(head).ok_or_else(|| format!("no code in {}", String::from_utf8_lossy(head)))?;
            let (from, text) = (alert::phone(n % alert::VARIANTS, 0), format!("{code} A"));
            let query = [("token", TOKEN), ("from", &from), ("text", &text)];
            let answer = Url::parse_with_params(&subject.url("/hooks/kannel/sms-a"), query)?;
            Outcome::Ok(Asked { id, answer })
        };
        accepted.into_iter().map(asked).collect()
    }
}

/// A connection of its own: only one that is known to speak HTTP/2 carries many requests.
fn connection() -> Outcome<Client> {
    Ok(Client::builder().http2_prior_knowledge().no_proxy().build()?)
}

/// When the wait for a request ended. It must have its outcome then.
async fn told(client: Client, url: String) -> Outcome<Instant> {
    let answer = client.get(url).bearer_auth(TOKEN).send().await?.error_for_status()?;
    let text = answer.text().await?;
    let at = Instant::now();
    if text.contains(r#""state":"decided""#) { Ok(at) } else { Err(format!("not decided: {text}").into()) }
}

/// Returns once the daemon has counted so many that wait.
async fn waited_for(subject: &Subject, client: &Client, count: usize) -> Outcome<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let metrics = client.get(subject.url("/metrics")).bearer_auth(TOKEN).send().await?.text().await?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("stentor_requests_waited_for "));
        if line.and_then(|line| line.parse::<f64>().ok()).is_some_and(|waits| count as f64 <= waits) {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("not all came to wait in time".into())
}

/// The code in the text of a page: the digits before the letter of its first option.
fn code(head: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?.split_whitespace().nth(1)?.to_owned();
    let url = Url::parse(&format!("http://sink{line}")).ok()?;
    let (_, text) = url.query_pairs().find(|(name, _)| name == "text")?;
    let words: Vec<&str> = text.split(|sign: char| !sign.is_ascii_alphanumeric()).collect();
    let is_code = |word: &str| 4 <= word.len() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.windows(2).find(|pair| is_code(pair[0]) && pair[1] == "A").map(|pair| pair[0].to_owned())
}
