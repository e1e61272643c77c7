//! Reads: from memory if possible, else from the file. Unreadable incidents are handed to the writer, which sets them
//! aside; the others are returned all the same.

use super::{
    column::column, connection::limit, failure::failure, handle::SqliteStore, lost, read, request::WriterRequest,
};
use crate::{
    core::{Incident, IncidentId, PageId},
    store::{OrphanPages, QuarantinedRow, RowName, StoreError},
};
use std::sync::Arc;

impl SqliteStore {
    /// Incidents as of their last commit. One that can not be read is an error of its own.
    pub(super) async fn read(&self, ids: &[IncidentId]) -> Result<Vec<read::ReadIncident>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.shared.published.get(*id) {
                Some(kept) => found.push((*id, Ok(kept))),
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            let mut tx = self.readers.begin().await.map_err(failure)?;
            found.extend(read::incidents(&mut tx, &missing, &self.shared.plans).await?);
        }
        Ok(found)
    }

    pub(super) async fn read_one(&self, id: IncidentId) -> Result<Option<Arc<Incident>>, StoreError> {
        if let Some(error) = self.shared.quarantine().holds(id) {
            return Err(error);
        }
        match self.read(&[id]).await?.pop() {
            None => Ok(None),
            Some((_, Ok(kept))) => Ok(Some(kept.incident)),
            Some((_, Err(error))) => {
                self.suspect(vec![id]).await;
                Err(error)
            }
        }
    }

    /// The incidents that were set aside, as a JSON list.
    pub(super) fn held(&self) -> String {
        let held: Vec<i64> = self.shared.quarantine().incidents().into_iter().map(|id| id.0).collect();
        serde_json::to_string(&held).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Waits until the writer has checked what could not be read. A store that is only read has no writer: it sets
    /// them aside in memory.
    pub(super) async fn suspect(&self, ids: Vec<IncidentId>) {
        if self.is_read_only {
            return self.set_aside_here(&ids).await;
        }
        // A closing store sets nothing aside any more.
        let _ = self.ask(|reply| WriterRequest::Suspect(ids, reply)).await;
    }

    async fn set_aside_here(&self, ids: &[IncidentId]) {
        let Ok(mut conn) = self.readers.acquire().await else { return };
        for (id, found) in read::incidents(&mut conn, ids, &self.shared.plans).await.unwrap_or_default() {
            let Err(error) = found else { continue };
            let incident = lost::lost(&mut conn, id).await;
            let entry = QuarantinedRow::new(RowName::Incident(id), self.shared.clock.now(), error.reason(&id));
            self.shared.set_aside(QuarantinedRow { incident, ..entry });
        }
    }

    /// Pages that another epoch claims, or none. The directory is locked, so those nodes are gone.
    pub(super) async fn read_orphans(&self, most: usize) -> Result<OrphanPages, StoreError> {
        const LOST: &str = "SELECT incident, n FROM page
            WHERE owed = 1 AND (epoch < ?1 OR epoch > ?1 OR epoch IS NULL)
                AND incident NOT IN (SELECT value FROM json_each(?3))
                AND EXISTS (SELECT 1 FROM incident WHERE id = page.incident)
            ORDER BY incident, n LIMIT ?2";
        let epoch = i64::try_from(self.shared.epoch).unwrap_or(i64::MAX);
        let lost = sqlx::query(LOST).bind(epoch).bind(limit(most)).bind(self.held());
        let mut orphans: OrphanPages = Vec::new();
        for row in &lost.fetch_all(&self.readers).await.map_err(failure)? {
            let (Ok(id), Ok(n)) = (column(row, 0).map(IncidentId), column(row, 1)) else { continue };
            match orphans.last_mut().filter(|(last, _)| *last == id) {
                Some((_, pages)) => pages.push(n),
                None => orphans.push((id, vec![n])),
            }
        }
        Ok(orphans)
    }

    pub(super) async fn read_wanted(&self, page: PageId) -> Result<bool, StoreError> {
        const WANTED: &str = "SELECT EXISTS
            (SELECT 1 FROM page WHERE incident = ? AND n = ? AND state = 'queued' AND owed = 1 AND epoch = ?)";
        let epoch = i64::try_from(self.shared.epoch).unwrap_or(i64::MAX);
        let wanted = sqlx::query_scalar(WANTED).bind(page.incident.0).bind(page.n).bind(epoch);
        wanted.fetch_one(&self.readers).await.map_err(failure)
    }

    /// Returns what could be read and sets the rest aside.
    pub(super) fn readable<T>(&self, (rows, unreadable): read::SortedRows<T>) -> Vec<T> {
        for (row, why) in unreadable {
            self.shared.set_aside(QuarantinedRow::new(row, self.shared.clock.now(), why));
        }
        rows
    }
}
