//! What became of alerts, by source and kind. What led nowhere is said once in the log, and shown by the doctor.

use crate::{
    core::{Alert, AlertStatus, SourceName, Timestamp, result_count::KIND_MAX},
    engine::sender_clock::SenderClocks,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The most kinds of one source that are counted by name.
const KINDS_MAX: usize = 100;

/// The most sources that are counted: those of the matrix, and people at the control socket.
const SOURCES_MAX: usize = 500;

/// The result of a firing alert that no trigger took.
const UNMATCHED: &str = "unmatched";

/// Counts since this node started.
pub struct AlertTally {
    /// The clocks of those who send them.
    pub clocks: SenderClocks,
    began: Timestamp,
    sources: Mutex<BTreeMap<SourceName, SourceTally>>,
}

/// The alerts of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTally {
    /// Firing alerts, whatever became of them.
    firing: u64,
    /// All-clears of what began since the start and was never reported as firing.
    never_fired: u64,
    /// The last request that had its token and brought alerts, or was to bring some.
    pub last_request: Option<SourceRequest>,
    /// When its last alert was kept.
    pub last_alert_at: Option<Timestamp>,
    /// What became of its alerts, by kind; `None` for all kinds for which there was no room by name.
    pub kinds: BTreeMap<Option<String>, KindTally>,
}

/// A request of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRequest {
    /// When it was answered.
    pub at: Timestamp,
    /// The status of the answer.
    pub status: u16,
}

/// The alerts of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindTally {
    /// When the last of them was counted.
    pub last_at: Timestamp,
    /// How many had which result; one alert has a result for each trigger that took it.
    pub results: BTreeMap<CountedResult, u64>,
}

/// What became of an alert for one trigger, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountedResult {
    /// The result.
    pub result: &'static str,
    /// The layer that held it.
    pub layer: Option<&'static str>,
    /// Whether it was a drill's.
    pub drill: bool,
}

impl AlertTally {
    /// An empty tally of a node that starts at `began`.
    pub fn new(began: Timestamp) -> Self {
        Self { clocks: SenderClocks::default(), began, sources: Mutex::default() }
    }

    /// Since when it counts.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// What is counted, by source.
    pub fn sources(&self) -> BTreeMap<SourceName, SourceTally> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a request of this source was answered, whether it brought an alert or not.
    pub fn heard(&self, source: &SourceName, request: SourceRequest) {
        self.with(source, |own| own.last_request = Some(request));
    }

    /// Counts an alert that has just come; `led_nowhere` if no trigger took it. Returns what to warn of, if it is new.
    pub fn came(&self, alert: &Alert, led_nowhere: bool, now: Timestamp) -> Option<String> {
        self.with(&alert.source, |own| {
            own.last_alert_at = Some(now);
            if alert.status == AlertStatus::Firing {
                own.firing += 1;
                return None;
            }
            let began_here = alert.starts_at.is_some_and(|at| self.began < at);
            if led_nowhere && began_here && own.firing == 0 {
                own.never_fired += 1;
                return (own.never_fired == 1).then(|| own.never_fired_text(&alert.source)).flatten();
            }
            None
        })
        .flatten()
    }

    /// Counts one result of an alert. Returns whether its kind is counted by name, and what to warn of, if it is new.
    pub fn count(&self, alert: &Alert, result: CountedResult, now: Timestamp) -> (bool, Option<String>) {
        let counted = self.with(&alert.source, |own| {
            let kind = own.room_for(&alert.kind);
            let is_named = kind.is_some();
            let tally = own.kinds.entry(kind).or_default();
            tally.last_at = now;
            *tally.results.entry(result).or_default() += 1;
            let is_new = result.result == UNMATCHED && tally.unmatched() == 1;
            (is_named, is_new.then(|| unmatched_news(&alert.source)))
        });
        counted.unwrap_or_default()
    }

    /// What led nowhere since the start, in sentences; empty if nothing did.
    pub fn led_nowhere(&self) -> Vec<String> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let told = sources.iter().flat_map(|(source, own)| {
            let kinds = own.kinds.iter().filter_map(|(kind, tally)| tally.unmatched_text(source, kind.as_deref()));
            kinds.chain(own.never_fired_text(source)).collect::<Vec<_>>()
        });
        told.chain(self.clocks.signs()).collect()
    }

    /// Does something with what is counted of a source; nothing where there is no room for it.
    fn with<R>(&self, source: &SourceName, work: impl FnOnce(&mut SourceTally) -> R) -> Option<R> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.contains_key(source) && SOURCES_MAX <= sources.len() {
            return None;
        }
        Some(work(sources.entry(source.clone()).or_default()))
    }
}

/// For the log, which has no words of others: a kind can be any text.
fn unmatched_news(source: &SourceName) -> String {
    format!("no trigger took an alert of source {source}: it pages nobody; `stentor sources` shows its kind")
}

impl KindTally {
    fn unmatched(&self) -> u64 {
        self.results.iter().filter(|(own, _)| own.result == UNMATCHED).map(|(_, count)| count).sum()
    }

    fn unmatched_text(&self, source: &SourceName, kind: Option<&str>) -> Option<String> {
        let count = self.unmatched();
        (0 < count).then(|| match kind {
            Some(kind) => {
                format!("no trigger took {count} alert(s) of kind {kind:?} of source {source}: they page nobody")
            }
            None => format!("{count} more alerts of source {source}, of other kinds, led nowhere"),
        })
    }
}

impl SourceTally {
    /// The name under which a kind is counted.
    fn room_for(&self, kind: &str) -> Option<String> {
        let name = Some(kind.to_owned()).filter(|kind| kind.len() <= KIND_MAX);
        name.filter(|_| self.kinds.len() < KINDS_MAX || self.kinds.keys().flatten().any(|known| known == kind))
    }

    fn never_fired_text(&self, source: &SourceName) -> Option<String> {
        (0 < self.never_fired && self.firing == 0).then(|| {
            format!(
                "source {source} sent {} all-clear(s) for what it had never reported, and no alert: its clock may be slow, \
                 so that its alerts look over when they come",
                self.never_fired
            )
        })
    }
}
