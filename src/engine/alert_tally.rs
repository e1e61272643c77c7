//! What became of alerts, by source. What led nowhere is said once in the log, and shown by the doctor.

use crate::{
    core::{Alert, AlertStatus, SourceName, Timestamp},
    engine::sender_clock::SenderClocks,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The most kinds of one source that are counted by name.
const KINDS_MAX: usize = 50;

/// The most sources that are counted: those of the matrix, and people at the control socket.
const SOURCES_MAX: usize = 500;

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
    pub firing: u64,
    /// All-clears of what began since the start and was never reported as firing.
    pub never_fired: u64,
    /// Firing alerts that no trigger took, by kind.
    pub unmatched: BTreeMap<String, u64>,
    /// The same, of all kinds for which there was no room by name.
    pub more_unmatched: u64,
}

impl AlertTally {
    /// An empty tally of a node that starts at `began`.
    pub fn new(began: Timestamp) -> Self {
        Self { clocks: SenderClocks::default(), began, sources: Mutex::default() }
    }

    /// Counts an alert; `led_nowhere` if no trigger took it. Returns what to warn of, if it is new.
    pub fn count(&self, alert: &Alert, led_nowhere: bool) -> Option<String> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.contains_key(&alert.source) && SOURCES_MAX <= sources.len() {
            return None;
        }
        let own = sources.entry(alert.source.clone()).or_default();
        match alert.status {
            AlertStatus::Firing => {
                own.firing += 1;
                let is_new = led_nowhere && own.unmatched(&alert.kind);
                is_new.then(|| unmatched_news(&alert.source))
            }
            AlertStatus::Resolved => {
                let began_here = alert.starts_at.is_some_and(|at| self.began < at);
                if led_nowhere && began_here && own.firing == 0 {
                    own.never_fired += 1;
                    return (own.never_fired == 1).then(|| own.never_fired_text(&alert.source)).flatten();
                }
                None
            }
        }
    }

    /// What led nowhere since the start, in sentences; empty if nothing did.
    pub fn led_nowhere(&self) -> Vec<String> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let told = sources.iter().flat_map(|(source, own)| {
            let kinds = own.unmatched.keys().map(|kind| own.unmatched_text(source, kind));
            let more = (0 < own.more_unmatched)
                .then(|| format!("{} more alerts of source {source}, of other kinds, led nowhere", own.more_unmatched));
            kinds.chain(more).chain(own.never_fired_text(source)).collect::<Vec<_>>()
        });
        told.chain(self.clocks.signs()).collect()
    }
}

/// For the log, which has no words of others: a kind can be any text.
fn unmatched_news(source: &SourceName) -> String {
    format!("no trigger took an alert of source {source}: it pages nobody; `stentor doctor` shows its kind")
}

impl SourceTally {
    /// Whether it is the first of its kind.
    fn unmatched(&mut self, kind: &str) -> bool {
        if let Some(count) = self.unmatched.get_mut(kind) {
            *count += 1;
            return false;
        }
        if KINDS_MAX <= self.unmatched.len() {
            self.more_unmatched += 1;
            return self.more_unmatched == 1;
        }
        self.unmatched.insert(kind.to_owned(), 1);
        true
    }

    fn unmatched_text(&self, source: &SourceName, kind: &str) -> String {
        let count = self.unmatched.get(kind).copied().unwrap_or(1);
        format!("no trigger took {count} alert(s) of kind {kind:?} of source {source}: they page nobody")
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
