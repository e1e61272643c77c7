//! Incidents that can not be read any more. Their ladders stand still, so the catch-all is paged once about each and
//! takes over by hand.

use crate::{
    channel::ProbeCheck,
    core::{
        Actor, Alert, EscalationPlan, IncidentInput, IncidentKey, IncidentOpening, SourceEvent, SourceName, Timestamp,
        names::SELF,
    },
    engine::health::Health,
    store::{
        LockSet, QuarantineStatus, QuarantinedRow, RequestClass, RowName, StoreError, Transaction, clear_quarantined,
        quarantine::about, transact,
    },
};
use std::sync::Arc;

/// The most unreadable incidents that get an incident of their own. If a whole file is damaged, one page reports all
/// further ones.
pub const ALONE_MAX: usize = 10;

/// The most rows that are named in one message.
const NAMED_MAX: usize = 3;

/// The kind of the alert about unreadable incidents.
const UNREADABLE: &str = "incident_unreadable";

/// Rows that are reported in one incident.
struct ToldRows {
    key: IncidentKey,
    summary: String,
    entries: Vec<QuarantinedRow>,
}

impl Health {
    /// Tells the catch-all about incidents that were set aside since the last time, and ends the reports on those that
    /// can be read again. Returns the number of both.
    pub async fn tick_quarantine(&self) -> Result<usize, StoreError> {
        let (mut told, mut news, mut restored) = (0, Vec::new(), Vec::new());
        for entry in self.context.store.quarantined() {
            match entry.standing {
                QuarantineStatus::Found if entry.is_problem() => news.push(entry),
                QuarantineStatus::Told if entry.is_problem() => told += 1,
                QuarantineStatus::Restored => restored.push(entry),
                QuarantineStatus::Found | QuarantineStatus::Told | QuarantineStatus::Cleared { .. } => {}
            }
        }
        let count = news.len() + restored.len();
        for group in grouped(news, told) {
            self.tell_unreadable(group).await?;
        }
        for entry in restored {
            self.take_back(entry).await?;
        }
        Ok(count)
    }

    /// Marks a row as looked at: it is not shown any more, and the incident about it ends. Returns whether it had to be
    /// looked at.
    pub async fn clear_quarantined(&self, row: &RowName, by: &Actor) -> Result<bool, StoreError> {
        let config = self.context.config.load_full();
        clear_quarantined(&*self.context.store, row, by, Arc::new(config.matrix.roster.clone())).await
    }

    /// The unreadable incidents that people wait for, in words.
    pub(super) fn quarantine_problems(&self) -> Vec<String> {
        let lost: Vec<RowName> = self
            .context
            .store
            .quarantined()
            .into_iter()
            .filter(QuarantinedRow::is_problem)
            .map(|entry| entry.row)
            .collect();
        let said = |row: &RowName| {
            format!("{row} can not be read and nobody is paged about it: see `stentor store quarantine show {row}`")
        };
        let mut problems: Vec<String> = lost.iter().take(NAMED_MAX).map(said).collect();
        if NAMED_MAX < lost.len() {
            let more = lost.len() - NAMED_MAX;
            problems.push(format!("{more} more incidents can not be read: see `stentor store quarantine list`"));
        }
        problems
    }

    /// The unreadable rows of other tables, for `stentor doctor`.
    pub(super) fn quarantine_checks(&self) -> Vec<ProbeCheck> {
        let waits = |entry: &QuarantinedRow| entry.is_waiting() && !entry.is_problem();
        let rows: Vec<String> =
            self.context.store.quarantined().into_iter().filter(waits).map(|e| e.row.to_string()).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let (named, more) = (rows.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", "), rows.len());
        let detail = format!("{more} row(s) can not be read ({named}): see `stentor store quarantine list`");
        vec![ProbeCheck::doubtful("quarantine", detail)]
    }

    /// In one transaction: marks the rows as told, journals it, and opens the incident about them.
    async fn tell_unreadable(&self, told: ToldRows) -> Result<(), StoreError> {
        let config = self.context.config.load_full();
        let plan = config.matrix.operators_plan();
        let opening = plan.map(|plan| opening(&told, plan, self.context.store.now()));
        let source = SourceName::from(SELF);
        let needs = LockSet { keys: vec![told.key.clone()], sources: vec![source.clone()], ..LockSet::default() };
        let entries = told.entries;
        let run = move |tx: &mut Transaction<'_>| {
            for entry in &entries {
                tx.quarantine(QuarantinedRow { standing: QuarantineStatus::Told, ..entry.clone() });
                let (row, why) = (entry.row.to_string(), entry.why.clone());
                tx.record_source(&source, SourceEvent::Quarantined { row, why });
            }
            if let Some(opening) = opening.clone() {
                tx.open(opening, &config.matrix.roster);
            }
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, run).await.map(drop)
    }

    /// A row can be read again, and its ladder goes on.
    async fn take_back(&self, entry: QuarantinedRow) -> Result<(), StoreError> {
        let config = self.context.config.load_full();
        let (source, key) = (SourceName::from(SELF), about(&entry));
        let needs =
            LockSet { keys: key.iter().cloned().collect(), sources: vec![source.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            tx.release(&entry.row);
            tx.record_source(&source, SourceEvent::QuarantineRestored { row: entry.row.to_string() });
            if let Some(id) = key.as_ref().and_then(|key| tx.open_with_key(key)) {
                let ended = IncidentInput::Resolve { by: Actor::Source(source.clone()), why: None };
                tx.step(id, ended, &config.matrix.roster);
            }
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, run).await.map(drop)
    }
}

/// Which rows are reported alone (`told` were before), and which together.
fn grouped(news: Vec<QuarantinedRow>, told: usize) -> Vec<ToldRows> {
    let mut news = news.into_iter();
    let alone = news
        .by_ref()
        .take(ALONE_MAX.saturating_sub(told))
        .filter_map(|entry| Some(ToldRows { key: about(&entry)?, summary: sentence(&entry), entries: vec![entry] }));
    let mut groups: Vec<ToldRows> = alone.collect();
    let rest: Vec<QuarantinedRow> = news.collect();
    if !rest.is_empty() {
        let key = IncidentKey::of_more_unreadable();
        let summary = format!(
            "{} more incidents can not be read: nobody is paged about them any more. Handle them manually: \
             `stentor store quarantine list` names them, `stentor store quarantine clear` ends this",
            rest.len()
        );
        groups.push(ToldRows { key, summary, entries: rest });
    }
    groups
}

fn sentence(entry: &QuarantinedRow) -> String {
    let row = &entry.row;
    let about = entry.incident.as_ref().and_then(|lost| lost.summary.as_deref());
    let about = about.map_or_else(String::new, |about| format!(" ({about})"));
    format!(
        "{row}{about} can not be read: nobody is paged about it any more. Handle it manually: \
         `stentor store quarantine show {row}` shows what is left of it, `stentor store quarantine clear {row}` ends this"
    )
}

fn opening(told: &ToldRows, plan: Arc<EscalationPlan>, now: Timestamp) -> IncidentOpening {
    let mut alert = Alert::new(SELF, UNREADABLE);
    alert.summary.clone_from(&told.summary);
    let rows: Vec<String> = told.entries.iter().take(ALONE_MAX).map(|entry| entry.row.to_string()).collect();
    alert.labels.insert("incident".into(), rows.join(", "));
    if let [only] = &told.entries[..] {
        alert.annotations.insert("why".into(), only.why.clone());
    }
    let (key, summary) = (told.key.clone(), told.summary.clone());
    IncidentOpening {
        key,
        summary,
        plan,
        alert: Arc::new(alert),
        received_at: now,
        terms: None,
        ask: None,
        nonce: None,
    }
}
