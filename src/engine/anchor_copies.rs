//! Hands signed copies of anchors to somebody else: a file and a webhook that the matrix names. A receiver that takes
//! none delays nothing: its copies wait, it is a problem that is shown, and the newest covers what the others cover.

use crate::{
    channel::webhook::send::WebhookChannel, core::Timestamp, engine::runtime_config::RuntimeConfig,
    journal::SignedAnchor, matrix::AnchorSettings,
};
use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// How many copies wait for one receiver. Of more, the oldest are dropped: the newest covers what they cover.
pub const WAITING_MAX: usize = 1_000;

/// How long a receiver may take for what it is given at once.
const TIME_MAX: Duration = Duration::from_secs(10);

/// How soon a receiver that failed is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(15);

/// A receiver's name in what is said of it.
const FILE: &str = "the file";
const WEBHOOK: &str = "the webhook";

/// The copies that wait, and how the receivers do.
#[derive(Default)]
pub(super) struct AnchorCopies {
    waiting: Mutex<[WaitingCopies; 2]>,
    woken: Notify,
    /// One tick at a time: no copy is handed over twice at once.
    turn: tokio::sync::Mutex<FileTurn>,
}

/// The writing to the file that has not come back, and the last anchor in it: the file system does not answer.
#[derive(Default)]
struct FileTurn(Option<(u64, JoinHandle<io::Result<()>>)>);

/// What waits for one receiver.
#[derive(Default)]
struct WaitingCopies {
    copies: VecDeque<SignedAnchor>,
    /// How many were dropped since the last that was taken.
    dropped: u64,
    failed: Option<ReceiverFailure>,
    /// The last that was taken.
    taken: Option<u64>,
}

struct ReceiverFailure {
    since: Timestamp,
    why: String,
}

impl AnchorCopies {
    /// A copy for every receiver that the matrix names.
    pub fn add(&self, config: &RuntimeConfig, copy: &SignedAnchor) {
        let Some(settings) = &config.matrix.daemon.anchors else { return };
        let wanted = [settings.file.is_some(), config.anchor_webhook.is_some()];
        for (waiting, _) in self.waiting().iter_mut().zip(wanted).filter(|(_, wanted)| *wanted) {
            if WAITING_MAX <= waiting.copies.len() {
                waiting.copies.pop_front();
                waiting.dropped += 1;
            }
            waiting.copies.push_back(copy.clone());
        }
        self.woken.notify_one();
    }

    /// Returns when there is something to hand over, or after `most`.
    pub async fn wait(&self, most: Duration) {
        let _ = timeout(most, self.woken.notified()).await;
    }

    /// Hands over what waits. Returns whether all of it was taken.
    pub async fn tick(&self, config: &RuntimeConfig, now: Timestamp) -> bool {
        let mut turn = self.turn.lock().await;
        let Some(settings) = &config.matrix.daemon.anchors else {
            *self.waiting() = Default::default();
            return true;
        };
        let (file, webhook) =
            tokio::join!(self.to_file(settings, &mut turn, now), self.to_webhook(config.anchor_webhook.as_ref(), now));
        file && webhook
    }

    /// What is wrong with the receivers, as sentences.
    pub fn problems(&self) -> Vec<String> {
        let waiting = self.waiting();
        let failed = waiting.iter().zip([FILE, WEBHOOK]).filter_map(|(waiting, name)| {
            let ReceiverFailure { since, why } = waiting.failed.as_ref()?;
            let (wait, dropped) = (waiting.copies.len(), waiting.dropped);
            let lost = if 0 < dropped { format!(", {dropped} older dropped") } else { String::new() };
            Some(format!(
                "copies of the journal's anchors do not reach {name} of [daemon] anchors since {since} ({wait} waiting{lost}): {why}"
            ))
        });
        failed.collect()
    }

    /// The number of the last anchor that each receiver took, with its name; none for one that fails.
    pub fn taken(&self) -> [(&'static str, Option<u64>); 2] {
        let waiting = self.waiting();
        let of = |at: usize| waiting[at].taken.filter(|_| waiting[at].failed.is_none());
        [(FILE, of(0)), (WEBHOOK, of(1))]
    }

    async fn to_file(&self, settings: &AnchorSettings, turn: &mut FileTurn, now: Timestamp) -> bool {
        let copies = self.copies(0);
        let (Some(path), Some(last)) = (settings.file.clone(), copies.last().map(|copy| copy.seq)) else {
            return true;
        };
        let (last, mut begun) = turn.0.take().unwrap_or_else(|| (last, spawn_blocking(move || append(&path, &copies))));
        let result = match timeout(TIME_MAX, &mut begun).await {
            Ok(Ok(written)) => written.map_err(|error| error.to_string()),
            Ok(Err(panic)) => Err(panic.to_string()),
            Err(_) => {
                turn.0 = Some((last, begun));
                Err("it does not answer".to_owned())
            }
        };
        self.settle(0, result.map(|()| last), now)
    }

    async fn to_webhook(&self, webhook: Option<&Result<WebhookChannel, String>>, now: Timestamp) -> bool {
        let Some(webhook) = webhook else { return true };
        let told = async {
            let mut result = Ok(None);
            for copy in self.copies(1) {
                result = match webhook {
                    Ok(webhook) => webhook.event(&id(&copy), event(&copy)).await.map_err(|error| error.to_string()),
                    Err(why) => Err(why.clone()),
                }
                .map(|()| Some(copy.seq));
                match &result {
                    Ok(Some(seq)) => drop(self.settle(1, Ok(*seq), now)),
                    _ => break,
                }
            }
            result
        };
        match timeout(TIME_MAX, told).await.unwrap_or_else(|_| Err("it does not answer in time".to_owned())) {
            Ok(_) => true,
            Err(why) => self.settle(1, Err(why), now),
        }
    }

    fn copies(&self, receiver: usize) -> Vec<SignedAnchor> {
        self.waiting()[receiver].copies.iter().cloned().collect()
    }

    /// Keeps what became of the copies up to `result`.
    fn settle(&self, receiver: usize, result: Result<u64, String>, now: Timestamp) -> bool {
        let name = [FILE, WEBHOOK][receiver];
        let waiting = &mut self.waiting()[receiver];
        match result {
            Ok(last) => {
                waiting.copies.retain(|copy| last < copy.seq);
                if waiting.failed.take().is_some() {
                    tracing::info!("copies of the journal's anchors reach {name} again");
                }
                (waiting.dropped, waiting.taken) = (0, Some(last));
                true
            }
            Err(why) => {
                if waiting.failed.as_ref().is_none_or(|failed| failed.why != why) {
                    tracing::warn!(why, "copies of the journal's anchors do not reach {name}; trying again");
                }
                let since = waiting.failed.as_ref().map_or(now, |failed| failed.since);
                waiting.failed = Some(ReceiverFailure { since, why });
                false
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, [WaitingCopies; 2]> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends the copies, one JSON object on each line, and waits until they are on the disk.
fn append(path: &Path, copies: &[SignedAnchor]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).read(true).open(path)?;
    let mut lines = String::new();
    // What was cut by a full disk stays a line of its own.
    if !ends_a_line(&mut file) {
        lines.push('\n');
    }
    for copy in copies {
        lines += &serde_json::to_string(copy)?;
        lines.push('\n');
    }
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

/// Also if it is empty, or can not be read.
fn ends_a_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    let read = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    read.is_err() || last == *b"\n"
}

/// The same for each attempt, so that a receiver knows a repeat.
fn id(copy: &SignedAnchor) -> String {
    format!("{}-anchor-{}", copy.site, copy.seq)
}

fn event(copy: &SignedAnchor) -> String {
    let (kind, at) = (SignedAnchor::EVENT, copy.at);
    serde_json::json!({ "type": kind, "timestamp": at, "data": copy }).to_string()
}
