//! The measurements. Each is run for one daemon after the other.

use super::{
    Outcome,
    alert::{self, Kind},
    client::{self, Connection},
    report::{Report, percentile},
    sink::Sink,
    subject::Subject,
    waits,
};
use futures_util::future::try_join_all;
use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

/// How long to wait for the last page of a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// The measurements by name.
const MEASURES: [&str; 7] = ["paced", "asked", "waits", "burst", "repeats", "new", "storm"];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Alerts of the paced measure, and the time between two.
    paced: (u32, Duration),
    /// Alerts of the burst.
    burst: u32,
    /// Requests whose outcome is waited for at once.
    waits: u32,
    /// Incidents of the storm, three pages each.
    storm: u32,
    /// Open incidents that repeats are about.
    known: u32,
    /// How long repeats are posted.
    span: Duration,
    /// New incidents that are posted as fast as they are accepted: by one connection, by 64.
    fresh: [u32; 2],
}

impl Scale {
    pub const FULL: Self = Self {
        paced: (500, Duration::from_millis(20)),
        burst: 1000,
        waits: 10_000,
        storm: 10_000,
        known: 1000,
        span: Duration::from_millis(1500),
        fresh: [1000, 4000],
    };
    pub const QUICK: Self = Self {
        paced: (25, Duration::from_millis(20)),
        burst: 100,
        waits: 300,
        storm: 200,
        known: 50,
        span: Duration::from_millis(200),
        fresh: [20, 100],
    };
}

/// Measures by turns.
pub struct Bench {
    pub sink: Sink,
    scale: Scale,
    only: String,
    next_id: u32,
    starts_at: String,
}

/// Median, 99th percentile and the longest.
pub type Span = [f64; 3];

/// When each alert was posted.
type Posted = BTreeMap<u32, Instant>;

impl Bench {
    pub fn new(sink: Sink, scale: Scale, only: String) -> Self {
        Self { sink, scale, only, next_id: 1, starts_at: chrono::Utc::now().to_rfc3339() }
    }

    /// Every measure once, each for every daemon in turn.
    pub async fn round(&mut self, subjects: &[Subject], report: &mut Report) -> Outcome<()> {
        for subject in subjects {
            report.add(subject, "memory, idle, MiB", subject.rss_mib());
        }
        for measure in MEASURES {
            if !measure.contains(&self.only) {
                continue;
            }
            for subject in subjects {
                match measure {
                    "paced" => self.paced(subject, report).await?,
                    // Alertmanager can not be asked anything.
                    "asked" | "waits" if subject.token.is_none() => {}
                    "asked" => self.asked(subject, report).await?,
                    "waits" => self.waits(subject, report).await?,
                    "burst" => self.burst(subject, report).await?,
                    "repeats" => self.repeats(subject, report).await?,
                    "new" => self.fresh(subject, report).await?,
                    _ => self.storm(subject, report).await?,
                }
            }
        }
        for subject in subjects {
            report.add(subject, "memory, at the end, MiB", subject.rss_mib());
        }
        Ok(())
    }

    async fn paced(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        self.at_pace(subject, Kind::One, report).await
    }

    async fn asked(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        self.at_pace(subject, Kind::Ask, report).await
    }

    async fn waits(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        let count = self.scale.waits;
        let ids = self.ids(Kind::Ask, count);
        let waited = waits::measure(subject, &self.sink, ids).await?;
        report.add(subject, &format!("{count} wait: memory more, MiB"), waited.more_mib);
        for (word, figure) in ["p50", "p99", "max"].into_iter().zip(waited.told) {
            report.add(subject, &format!("{count} wait: outcome durable to told, {word}, ms"), figure);
        }
        Ok(())
    }

    async fn at_pace(&mut self, subject: &Subject, kind: Kind, report: &mut Report) -> Outcome<()> {
        let (count, every) = self.scale.paced;
        let requests = self.requests(subject, kind, count);
        let mut connection = Connection::open(subject.address).await?;
        let (mut posted, begin) = (Posted::new(), tokio::time::Instant::now());
        for (n, (id, request)) in requests.iter().enumerate() {
            tokio::time::sleep_until(begin + every * u32::try_from(n)?).await;
            posted.insert(*id, Instant::now());
            connection.send(request).await?;
        }
        let what = if kind == Kind::Ask { "request" } else { "alert" };
        let name = format!("paced {}/s: {what}", 1000 / every.as_millis());
        self.latency(subject, report, &name, &posted).await
    }

    async fn burst(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        let requests = self.requests(subject, Kind::One, self.scale.burst);
        let posted = post(subject, &requests, 8).await?;
        let name = format!("burst of {}: alert", self.scale.burst);
        self.latency(subject, report, &name, &posted).await
    }

    /// From the moment an alert is written to its connection to the first byte of its page.
    async fn latency(&self, subject: &Subject, report: &mut Report, name: &str, posted: &Posted) -> Outcome<()> {
        let arrived = self.sink.all(PATIENCE).await?;
        let mut spans = Vec::with_capacity(posted.len());
        for (id, posted) in posted {
            let arrived = arrived.get(id).ok_or("an alert was never paged")?;
            spans.push(arrived.duration_since(*posted).as_secs_f64() * 1e3);
        }
        for (part, word) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
            report.add(subject, &format!("{name} to page, {word}, ms"), percentile(&mut spans, part));
        }
        Ok(())
    }

    async fn repeats(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        let requests = self.requests(subject, Kind::One, self.scale.known);
        post(subject, &requests, 8).await?;
        self.sink.all(PATIENCE).await?;
        for connections in [1, 64] {
            let (cpu, until) = (subject.cpu_seconds(), Instant::now() + self.scale.span);
            let repeat = |first: usize| hammer(subject, &requests, first, connections, until);
            let answered: usize = try_join_all((0..connections).map(repeat)).await?.into_iter().sum();
            let rate = answered as f64 / self.scale.span.as_secs_f64();
            let each = (subject.cpu_seconds() - cpu) * 1e6 / answered as f64;
            report.add(subject, &format!("repeats on {}: alerts/s", counted(connections)), rate);
            report.add(subject, &format!("repeats on {}: CPU an alert, us", counted(connections)), each);
        }
        Ok(())
    }

    async fn fresh(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        for (connections, count) in [1, 64].into_iter().zip(self.scale.fresh) {
            let requests = self.requests(subject, Kind::One, count);
            let began = Instant::now();
            post(subject, &requests, connections).await?;
            let rate = f64::from(count) / began.elapsed().as_secs_f64();
            report.add(subject, &format!("new on {}: alerts/s", counted(connections)), rate);
            self.sink.all(PATIENCE).await?;
        }
        Ok(())
    }

    async fn storm(&mut self, subject: &Subject, report: &mut Report) -> Outcome<()> {
        let requests = self.requests(subject, Kind::Three, self.scale.storm);
        let (cpu, began) = (subject.cpu_seconds(), Instant::now());
        post(subject, &requests, 64).await?;
        let accepted = began.elapsed().as_secs_f64();
        let arrived = self.sink.all(PATIENCE).await?;
        let last = arrived.values().max().ok_or("nothing arrived")?;
        let seconds = last.duration_since(began).as_secs_f64();
        let pages = f64::from(self.scale.storm) * Kind::Three.pages() as f64;
        let name = format!("storm of {}, three pages each", self.scale.storm);
        report.add(subject, &format!("{name}: last alert taken, s"), accepted);
        report.add(subject, &format!("{name}: last page out, s"), seconds);
        report.add(subject, &format!("{name}: pages/s"), pages / seconds);
        let cpu = subject.cpu_seconds() - cpu;
        report.add(subject, &format!("{name}: CPU a page, us"), cpu * 1e6 / pages);
        Ok(())
    }

    /// Ids of new incidents; the sink waits for their pages.
    fn ids(&mut self, kind: Kind, count: u32) -> Range<u32> {
        let ids: Range<u32> = self.next_id..self.next_id + count;
        self.next_id = ids.end;
        self.sink.expect(ids.clone(), kind.pages());
        ids
    }

    /// Requests about new incidents.
    fn requests(&mut self, subject: &Subject, kind: Kind, count: u32) -> Vec<(u32, Vec<u8>)> {
        let ids = self.ids(kind, count);
        let request = |id| match kind {
            Kind::Ask => client::request(subject.address, subject.token, "/v1/requests", &alert::ask(id)),
            _ => {
                let body = alert::body(kind, id, &self.starts_at);
                client::request(subject.address, subject.token, "/api/v2/alerts", &body)
            }
        };
        ids.map(|id| (id, request(id))).collect()
    }
}

/// Posts all requests over this many connections. Each connection waits for one answer before the next request.
async fn post(subject: &Subject, requests: &[(u32, Vec<u8>)], connections: usize) -> Outcome<Posted> {
    let share = |first: usize| async move {
        let mut connection = Connection::open(subject.address).await?;
        let mut posted = Posted::new();
        for (id, request) in requests.iter().skip(first).step_by(connections) {
            posted.insert(*id, Instant::now());
            connection.send(request).await?;
        }
        Outcome::Ok(posted)
    };
    Ok(try_join_all((0..connections).map(share)).await?.into_iter().flatten().collect())
}

/// Posts the same requests again and again, and counts the answers that came in time.
async fn hammer(
    subject: &Subject,
    requests: &[(u32, Vec<u8>)],
    first: usize,
    step: usize,
    until: Instant,
) -> Outcome<usize> {
    let mut connection = Connection::open(subject.address).await?;
    let (mut answered, mut at) = (0, first);
    while Instant::now() < until {
        connection.send(&requests[at % requests.len()].1).await?;
        at += step;
        answered += 1;
    }
    Ok(answered)
}

fn counted(connections: usize) -> String {
    if connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") }
}
