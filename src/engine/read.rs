//! The read facade: what HTTP, the command line and drills read of the store. It changes nothing.

use super::{
    alert_trace::{self, AlertTrace},
    history::{self, ChainPortion, HistoryControl},
};
use crate::{
    core::{
        ContactProof, DrillRun, Event, Incident, IncidentId, IncidentIdentity, IncidentKey, JournalRecord, PageId,
        PageIdentity, PersonName, RunId, ScheduledRun, ShownText, SourceName, StoredLine, Timestamp, TriggerName,
        judgement::{JudgementLayer, PendingAlert, of_row},
        record::{RecordCursor, RecordPortion},
    },
    store::{
        AskedIncidents, AskedQuery, IncidentFilter, IncidentPortion, OpenNow, QuarantinedRow, RowName, RowRemains,
        RunPortion, Store, StoreError,
    },
};
use std::sync::Arc;
use tokio::sync::watch;

/// Reads of the store. Each says what is true as of the last commit.
pub struct EngineReader {
    store: Arc<dyn Store>,
}

impl EngineReader {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// One incident with its pages. An error for one that can not be read.
    pub async fn view(&self, id: IncidentId) -> Result<Option<Arc<Incident>>, StoreError> {
        self.store.view(id).await
    }

    /// Incidents, newest first; one that can not be read is left out.
    pub async fn list(&self, filter: IncidentFilter) -> Result<Vec<Arc<Incident>>, StoreError> {
        self.store.list(filter).await
    }

    /// The open requests, at most `limit`, by their triggers; one that can not be read is left out.
    pub async fn open_requests(&self, drill: bool, limit: usize) -> Result<Vec<Arc<Incident>>, StoreError> {
        let ids = self.store.open_under(IncidentKey::requests(drill)).await?;
        let mut open = Vec::new();
        for id in ids.into_iter().take(limit) {
            match self.store.view(id).await {
                Ok(incident) => open.extend(incident),
                Err(StoreError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }

    /// The alerts that wait for a layer with their triggers, those that wait shortest first, at most `limit`; and whether
    /// there are more. A monitor that must go on speaking waits for nothing.
    pub async fn waiting(&self, limit: usize) -> Result<(Vec<(TriggerName, PendingAlert)>, bool), StoreError> {
        let mut names = self.store.due_judgements(Timestamp::MAX, limit + 1).await?;
        let are_more = limit < names.len();
        names.truncate(limit);
        let waits = |(name, pending): (String, PendingAlert)| {
            let (trigger, _) = of_row(&name)?;
            (pending.layer != JudgementLayer::Absent).then_some((trigger, pending))
        };
        let waiting = self.store.pending(names).await?.into_iter().filter_map(waits).collect();
        Ok((waiting, are_more))
    }

    /// A portion of the incidents that are older than `before`, newest first.
    pub async fn portion(
        &self,
        filter: IncidentFilter,
        before: Option<IncidentId>,
    ) -> Result<IncidentPortion, StoreError> {
        self.store.portion(filter, before).await
    }

    /// The incident with the greatest number.
    pub async fn newest(&self) -> Result<Option<IncidentId>, StoreError> {
        self.store.newest().await
    }

    /// What the journal has of one alert.
    pub async fn alert(&self, id: &str) -> Result<AlertTrace, StoreError> {
        alert_trace::trace(&*self.store, id).await
    }

    /// The source whose alert opened an incident, as its journal says; `None` if there is no such incident.
    pub async fn opened_by(&self, id: IncidentId) -> Result<Option<SourceName>, StoreError> {
        let lines = self.store.lines(Some(id.to_string()), 0, 1).await?;
        let first = lines.first().and_then(|line| serde_json::from_str::<JournalRecord>(&line.body).ok());
        Ok(first.and_then(|record| match record.event {
            Event::Opened(opening) => Some(opening.alert.source.clone()),
            _ => None,
        }))
    }

    /// What tells an incident from every other one with its number.
    pub async fn identity(&self, id: IncidentId) -> Result<Option<IncidentIdentity>, StoreError> {
        self.store.identity(id).await
    }

    /// What tells a page from every other one with its number.
    pub async fn page_identity(&self, page: PageId) -> Result<Option<PageIdentity>, StoreError> {
        self.store.page_identity(page).await
    }

    /// How many incidents are open.
    pub async fn open_count(&self) -> Result<usize, StoreError> {
        self.store.open_count().await
    }

    /// What is open, as far as drills must know it.
    pub async fn open_now(&self) -> Result<OpenNow, StoreError> {
        self.store.open_now().await
    }

    /// Incidents in which a person was asked.
    pub async fn asked(&self, person: PersonName, query: AskedQuery) -> Result<AskedIncidents, StoreError> {
        self.store.asked(person, query).await
    }

    /// Journal lines after position `after`, of one chain or of all, at most `limit`.
    pub async fn lines(&self, chain: Option<String>, after: i64, limit: usize) -> Result<Vec<StoredLine>, StoreError> {
        self.store.lines(chain, after, limit).await
    }

    /// The position after which the last `count` lines of a chain are.
    pub async fn tail(&self, chain: String, count: usize) -> Result<i64, StoreError> {
        self.store.tail(chain, count).await
    }

    /// Compares one portion of the stored state with the journal.
    pub async fn audit(&self, from: RecordCursor) -> Result<RecordPortion, StoreError> {
        self.store.audit(from).await
    }

    /// A text that was shown, by its content hash.
    pub async fn text(&self, hash: String) -> Result<Option<String>, StoreError> {
        self.store.text(hash).await
    }

    /// The key with which the packet of a request is encrypted; `None` if it has none, or if it was destroyed.
    pub(super) async fn request_key(&self, id: IncidentId) -> Result<Option<[u8; 32]>, StoreError> {
        self.store.request_key(id).await
    }

    /// Texts that were shown, after this position, each with its position.
    pub async fn texts(&self, after: i64, limit: usize) -> Result<Vec<(i64, ShownText)>, StoreError> {
        self.store.texts(after, limit).await
    }

    /// When each person was last proven to be reached by each channel.
    pub async fn proofs(&self) -> Result<Vec<ContactProof>, StoreError> {
        self.store.proofs().await
    }

    /// Runs of drills, newest first, at most `limit`.
    pub async fn runs(&self, limit: usize) -> Result<Vec<DrillRun>, StoreError> {
        self.store.runs(limit).await
    }

    /// A portion of the runs of drills that are older than `before`, newest first.
    pub async fn run_portion(&self, limit: usize, before: Option<RunId>) -> Result<RunPortion, StoreError> {
        self.store.run_portion(limit, before).await
    }

    /// One run of a drill.
    pub async fn drill_run(&self, id: RunId) -> Result<Option<DrillRun>, StoreError> {
        self.store.drill_run(id).await
    }

    /// When scheduled scenarios run next.
    pub async fn turns(&self) -> Result<Vec<ScheduledRun>, StoreError> {
        self.store.turns().await
    }

    /// What is left of a row that can not be read.
    pub async fn remains(&self, row: RowName) -> Result<Vec<RowRemains>, StoreError> {
        self.store.remains(row).await
    }

    /// Whether commits are kept now.
    pub fn health(&self) -> Result<(), StoreError> {
        self.store.health()
    }

    /// Rows that can not be read and were set aside, also those that somebody has looked at.
    pub fn quarantined(&self) -> Vec<QuarantinedRow> {
        self.store.quarantined()
    }

    /// Wakes everybody who waits, after each commit.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.store.changed()
    }

    /// Returns when the store has ended and will keep nothing any more.
    pub async fn ended(&self) {
        self.store.ended().await;
    }

    /// Shows `look` the journal of every incident, newest first, a portion at a time.
    pub async fn each_incident(
        &self,
        look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send,
    ) -> Result<(), StoreError> {
        history::each_incident(&*self.store, look).await
    }
}
