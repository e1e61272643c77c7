//! Answers requests to the store: from memory, from the file, or by asking the writer.

use super::{
    audit, connection::limit, disk, failure::failure, handle::SqliteStore, lost, read, readers, request::WriterRequest,
    responses, runs,
};
use crate::{
    core::{
        ContactProof, DrillRun, Incident, IncidentId, PageId, ResultCount, RunId, ScheduledRun, ShownText, SourceName,
        StoredLine, Timestamp,
        judgement::PendingAlert,
        record::{RecordCursor, RecordPortion},
    },
    store::{
        CommitListener, CommittedEvents, DiskSpace, IncidentFilter, KeptResponse, OpenNow, OrphanPages, QuarantinedRow,
        RequestKey, RowName, RowRemains, Store, StoreError, StoreRequest,
    },
};
use futures_util::future::BoxFuture;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::sync::{oneshot, watch};

/// The lease does not need to be renewed: the lock on the directory is the lease, and ends with the process.
const LEASE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Store for SqliteStore {
    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn civil_now(&self) -> Timestamp {
        self.shared.clock.civil(self.now())
    }

    fn clock_ahead_us(&self) -> i64 {
        self.shared.clock.drift_us()
    }

    fn mended(&self) -> Vec<String> {
        self.mended.clone()
    }

    fn run(&self, request: StoreRequest) -> BoxFuture<'_, Result<CommittedEvents, StoreError>> {
        Box::pin(async move { self.ask(|reply| WriterRequest::Run(request, reply)).await? })
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.wanted.is_closed() {
            return Err(StoreError::Closed);
        }
        self.shared.error.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    fn room(&self) -> Option<DiskSpace> {
        disk::room(&self.dir, self.limits).ok()
    }

    /// Does what waits, writes the log back into the file and unlocks the directory.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            readers::close(&self.readers).await;
            let (reply, closed) = oneshot::channel();
            if self.wanted.send(WriterRequest::Close(reply)).await.is_ok() {
                let _ = closed.await;
            }
        })
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.wanted.closed())
    }

    fn follow(&self, follower: CommitListener) {
        let _ = self.shared.follower.set(follower);
    }

    fn due(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.due(now, limit)) })
    }

    fn next_deadline(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.next_deadline()) })
    }

    fn due_judgements(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.due_judgements(now, limit)) })
    }

    fn next_judgement(&self) -> BoxFuture<'_, Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.next_judgement()) })
    }

    fn pending(&self, names: Vec<String>) -> BoxFuture<'_, Result<Vec<(String, PendingAlert)>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::pending(&mut conn, &names).await
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Stores the clock's anchor, if the disk allows.
    fn renew_lease(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move {
            self.ask(WriterRequest::KeepClock).await?;
            Ok(self.now() + LEASE)
        })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.ask(|reply| WriterRequest::Note(runs::SingleRow::Left(self.shared.epoch), reply)).await?
        })
    }

    fn orphans(&self, limit: usize) -> BoxFuture<'_, Result<OrphanPages, StoreError>> {
        Box::pin(self.read_orphans(limit))
    }

    fn owed(&self, after: Option<PageId>, most: usize) -> BoxFuture<'_, Result<Vec<PageId>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::owed(&mut conn, self.shared.epoch, after, limit(most)).await
        })
    }

    fn is_wanted(&self, page: PageId) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            if self.shared.quarantine().holds(page.incident).is_some() {
                return Ok(false);
            }
            match self.shared.published.wants(page.incident, page.n, self.shared.epoch) {
                Some(wanted) => Ok(wanted),
                None => self.read_wanted(page).await,
            }
        })
    }

    fn open_now(&self) -> BoxFuture<'_, Result<OpenNow, StoreError>> {
        Box::pin(async move { Ok(self.shared.published.open_now()) })
    }

    fn view(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<Arc<Incident>>, StoreError>> {
        Box::pin(self.read_one(id))
    }

    fn quarantined(&self) -> Vec<QuarantinedRow> {
        self.shared.quarantine().all()
    }

    fn is_quarantined(&self, id: IncidentId) -> bool {
        self.shared.quarantine().holds(id).is_some()
    }

    fn found_unreadable(&self, row: RowName, why: String) {
        self.shared.set_aside(QuarantinedRow::new(row, self.now(), why));
    }

    fn remains(&self, row: RowName) -> BoxFuture<'_, Result<Vec<RowRemains>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            lost::remains(&mut conn, &row).await
        })
    }

    fn list(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<Arc<Incident>>, StoreError>> {
        Box::pin(async move { Ok(self.read_portion(filter, None).await?.incidents) })
    }

    fn lines(
        &self,
        chain: Option<String>,
        after: i64,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredLine>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::lines(&mut conn, chain.as_deref(), after, limit(most)).await
        })
    }

    fn audit(&self, from: RecordCursor) -> BoxFuture<'_, Result<RecordPortion, StoreError>> {
        Box::pin(async move {
            let mut snapshot = self.readers.begin().await.map_err(failure)?;
            audit::audit(&mut snapshot, from).await
        })
    }

    fn text(&self, hash: String) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let text = sqlx::query_scalar("SELECT body FROM text WHERE hash = ?").bind(hash);
            text.fetch_optional(&self.readers).await.map_err(failure)
        })
    }

    fn texts(&self, after: i64, most: usize) -> BoxFuture<'_, Result<Vec<(i64, ShownText)>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::texts(&mut conn, after, limit(most)).await
        })
    }

    fn counted(&self) -> BoxFuture<'_, Result<Vec<(SourceName, ResultCount)>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            read::counts(&mut conn).await
        })
    }

    fn response(&self, key: RequestKey) -> BoxFuture<'_, Result<Option<Arc<KeptResponse>>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            let kept = responses::response(&mut conn, &key).await?;
            Ok(kept.filter(|kept| kept.is_kept(self.now())).map(Arc::new))
        })
    }

    fn request_key(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<[u8; 32]>, StoreError>> {
        Box::pin(async move {
            let key = sqlx::query_scalar("SELECT key FROM request_key WHERE incident = ?").bind(id.0);
            let key: Option<Vec<u8>> = key.fetch_optional(&self.readers).await.map_err(failure)?;
            Ok(key.and_then(|key| key.try_into().ok()))
        })
    }

    fn next_run(&self) -> BoxFuture<'_, Result<RunId, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(RunId(1 + runs::newest(&mut conn).await?.map_or(0, |newest| newest.0)))
        })
    }

    fn runs(&self, most: usize) -> BoxFuture<'_, Result<Vec<DrillRun>, StoreError>> {
        Box::pin(async move { Ok(self.find_runs(most, None).await?.runs) })
    }

    fn keep_turn(&self, turn: ScheduledRun) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.ask(|reply| WriterRequest::Note(runs::SingleRow::Turn(turn), reply)).await? })
    }

    fn turns(&self) -> BoxFuture<'_, Result<Vec<ScheduledRun>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(self.readable(runs::turns(&mut conn).await?))
        })
    }

    fn proofs(&self) -> BoxFuture<'_, Result<Vec<ContactProof>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(self.readable(read::proofs(&mut conn).await?))
        })
    }

    fn anchor(&self) -> BoxFuture<'_, Result<Option<StoredLine>, StoreError>> {
        Box::pin(async move { self.ask(WriterRequest::Anchor).await? })
    }

    fn server_key(&self) -> [u8; 32] {
        self.server_key
    }
}
