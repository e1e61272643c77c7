//! What the journal has of one alert, by the id that its sender was told.
//!
//! No index leads from an alert to its lines. They are looked for from the newest line on, a portion at a time, until all
//! are found that can be, or until a bound; what was looked through is said.

use crate::{
    core::{
        Alert, CountedAlerts, Event, IncidentId, IncidentKey, JournalRecord, SourceEvent, SourceName, StoredLine,
        Timestamp, TriggerName, judgement::JudgementLayer, silence::SilenceId,
    },
    store::{Store, StoreError},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How many lines are read at once.
const LINES_AT_ONCE: i64 = 1_000;

/// How many places of lines are looked through, the newest first.
const PLACES_MAX: i64 = 500_000;

/// How much earlier than its alert came a line of it may be: all of its first lines are of one commit.
const BEFORE: Duration = Duration::from_secs(60);

/// The most counts that are told where an alert is not found.
const COUNTS_MAX: usize = 20;

/// What is known of one alert.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlertTrace {
    /// The alert; `None` if no line that was looked through has its id.
    pub alert: Option<Arc<Alert>>,
    /// What became of it, in order.
    pub results: Vec<TracedResult>,
    /// Alerts that were counted and have no lines of their own: it may be among them. Only where no line has it.
    pub counted: Vec<TracedCount>,
    /// How many lines were looked through.
    pub lines: u64,
    /// The time of the oldest of them, if there are older ones.
    pub since: Option<Timestamp>,
}

/// One result of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedResult {
    /// When.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub result: AlertFate,
}

/// What became of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum AlertFate {
    /// It opened an incident.
    Opened {
        /// The incident.
        incident: IncidentId,
        /// By which trigger.
        trigger: TriggerName,
    },
    /// It joined an open incident.
    Joined {
        /// The incident.
        incident: IncidentId,
    },
    /// It is the last of several that said nothing new to an open incident.
    Repeated {
        /// The incident.
        incident: IncidentId,
        /// How many.
        count: u64,
        /// When the first of them came.
        first_at: Timestamp,
        /// When the last of them came.
        last_at: Timestamp,
    },
    /// An overflow incident counts it.
    Overflowed {
        /// The incident.
        incident: IncidentId,
        /// The key of the incident that it would have opened.
        key: IncidentKey,
    },
    /// No trigger took it.
    Unmatched,
    /// An all-clear for which nothing was open.
    NothingOpen,
    /// A layer held it.
    Held {
        /// The trigger.
        trigger: TriggerName,
        /// The key.
        key: IncidentKey,
        /// The layer; a count in lines of earlier versions.
        layer: JudgementLayer,
        /// How many counted; 0 if the count started anew, or a wait ended.
        count: usize,
        /// When an incident was to be opened unless something came in between.
        until: Option<Timestamp>,
        /// The silence that held it.
        silence: Option<SilenceId>,
        /// The first incident of its key that was opened after it.
        opened: Option<LaterOpening>,
    },
    /// It repeated what a person had ended.
    Over {
        /// The trigger.
        trigger: TriggerName,
        /// When its incident was resolved.
        ended_at: Timestamp,
    },
    /// A drill, while something live was open.
    DrillRefused {
        /// The trigger.
        trigger: TriggerName,
        /// The live incident.
        live: IncidentId,
    },
    /// The trigger could not be evaluated for it.
    ConditionFailed {
        /// The trigger.
        trigger: TriggerName,
        /// Why.
        why: String,
    },
}

/// An incident that was opened after an alert of its key was held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaterOpening {
    /// Which.
    pub incident: IncidentId,
    /// When.
    pub at: Timestamp,
}

/// Alerts of a source that were counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedCount {
    /// The source.
    pub source: SourceName,
    /// What they have in common, how many there are and between which times.
    #[serde(flatten)]
    pub counted: CountedAlerts,
}

/// Looks for an alert.
///
/// # Errors
/// Those of the store.
pub async fn trace(store: &dyn Store, id: &str) -> Result<AlertTrace, StoreError> {
    let newest = newest_place(store).await?;
    let oldest = (newest - PLACES_MAX).max(0);
    let quoted = serde_json::json!(id).to_string();
    let mut search = Search { id: id.to_owned(), quoted, ..Search::default() };
    let mut until = newest;
    while oldest < until && !search.is_past() {
        let after = (until - LINES_AT_ONCE).max(oldest);
        let limit = usize::try_from(until - after).unwrap_or_default();
        let lines = store.lines(None, after, limit).await?;
        // Two lines never have one place, so there are no more than fit; what came meanwhile is behind them.
        lines.iter().filter(|line| line.pos <= until).rev().for_each(|line| search.look(line));
        until = after;
    }
    let mut trace = search.trace;
    trace.since = trace.since.filter(|_| 0 < until);
    trace.results.reverse();
    if trace.alert.is_some() {
        trace.counted.clear();
    } else {
        for (source, count) in store.counted().await? {
            if 0 < count.counted.count && trace.counted.len() < COUNTS_MAX {
                trace.counted.push(TracedCount { source, counted: count.counted });
            }
        }
    }
    Ok(trace)
}

/// A search from the newest line to older ones.
#[derive(Default)]
struct Search {
    id: String,
    /// The id as it stands in a line.
    quoted: String,
    trace: AlertTrace,
    /// The first incident of each key that was opened behind the place where the search is.
    openings: BTreeMap<IncidentKey, LaterOpening>,
    /// When the alert came, as far as is known.
    came_at: Option<Timestamp>,
}

impl Search {
    /// Whether no older line can have it.
    fn is_past(&self) -> bool {
        self.came_at.zip(self.trace.since).is_some_and(|(came, since)| since + BEFORE < came)
    }

    fn look(&mut self, line: &StoredLine) {
        self.trace.lines += 1;
        let has_it = line.body.contains(&self.quoted);
        match line.chain.strip_prefix("source:") {
            Some(source) => self.look_at_source(source, line, has_it),
            None => self.look_at_incident(line, has_it),
        }
    }

    fn look_at_incident(&mut self, line: &StoredLine, has_it: bool) {
        let opens = line.body.contains("\"event\":\"opened\"");
        let Ok(incident) = line.chain.parse::<IncidentId>() else { return };
        if !has_it && !opens {
            return self.passed(line);
        }
        let Some(JournalRecord { at, event, .. }) = read::<Event>(line) else { return };
        self.trace.since = Some(at);
        match event {
            Event::Opened(opening) => {
                let trigger = opening.plan.trigger.clone();
                if self.is_it(&opening.alert, opening.received_at) {
                    self.found(at, AlertFate::Opened { incident, trigger });
                }
                self.openings.insert(opening.key, LaterOpening { incident, at });
            }
            Event::Joined { alert } if self.is_it(&alert, at) => self.found(at, AlertFate::Joined { incident }),
            Event::Overflowed { key, alert } if self.is_it(&alert, at) => {
                self.found(at, AlertFate::Overflowed { incident, key });
            }
            Event::Repeated { count, first_at, last_at, alert, .. } if self.is_it(&alert, last_at) => {
                self.found(at, AlertFate::Repeated { incident, count, first_at, last_at });
            }
            _ => {}
        }
    }

    fn look_at_source(&mut self, source: &str, line: &StoredLine, has_it: bool) {
        let counts = line.body.contains("\"event\":\"counted\"");
        if !has_it && !counts {
            return self.passed(line);
        }
        let Some(JournalRecord { at, event, .. }) = read::<SourceEvent>(line) else { return };
        self.trace.since = Some(at);
        if let SourceEvent::Counted(counted) = event {
            if self.trace.counted.len() < COUNTS_MAX {
                self.trace.counted.push(TracedCount { source: SourceName::from(source), counted });
            }
            return;
        }
        let (alert, fate) = match event {
            SourceEvent::Unmatched { alert } => (alert, AlertFate::Unmatched),
            SourceEvent::NothingOpen { alert } => (alert, AlertFate::NothingOpen),
            SourceEvent::Held { trigger, key, count, layer, until, silence, alert } => {
                let opened = self.openings.get(&key).cloned();
                let layer = layer.unwrap_or(JudgementLayer::Threshold);
                (alert, AlertFate::Held { trigger, key, layer, count, until, silence, opened })
            }
            SourceEvent::Over { trigger, ended_at, alert, .. } => (alert, AlertFate::Over { trigger, ended_at }),
            SourceEvent::DrillRefused { trigger, live, alert } => (alert, AlertFate::DrillRefused { trigger, live }),
            SourceEvent::ConditionFailed { trigger, why, alert } => {
                (alert, AlertFate::ConditionFailed { trigger, why })
            }
            _ => return,
        };
        if self.is_it(&alert, at) {
            self.found(at, fate);
        }
    }

    /// Now and then one says how far back the search is: most lines are never read.
    fn passed(&mut self, line: &StoredLine) {
        if self.trace.lines.is_multiple_of(100)
            && let Some(record) = read::<serde_json::Value>(line)
        {
            self.trace.since = Some(record.at);
        }
    }

    fn is_it(&mut self, alert: &Arc<Alert>, came_at: Timestamp) -> bool {
        let is_it = alert.id == self.id;
        if is_it {
            self.trace.alert.get_or_insert_with(|| alert.clone());
            self.came_at = Some(self.came_at.map_or(came_at, |known| known.min(came_at)));
        }
        is_it
    }

    fn found(&mut self, at: Timestamp, result: AlertFate) {
        self.trace.results.push(TracedResult { at, result });
    }
}

fn read<E: DeserializeOwned>(line: &StoredLine) -> Option<JournalRecord<E>> {
    serde_json::from_str(&line.body).ok()
}

/// The place of the newest line. Places only grow, so it is found by halving.
async fn newest_place(store: &dyn Store) -> Result<i64, StoreError> {
    let (mut below, mut from) = (0_i64, 1_i64);
    while has_after(store, from).await? {
        (below, from) = (from, from.saturating_mul(2));
    }
    while below + 1 < from {
        let middle = below + (from - below) / 2;
        if has_after(store, middle).await? {
            below = middle;
        } else {
            from = middle;
        }
    }
    Ok(from)
}

async fn has_after(store: &dyn Store, place: i64) -> Result<bool, StoreError> {
    Ok(!store.lines(None, place, 1).await?.is_empty())
}
