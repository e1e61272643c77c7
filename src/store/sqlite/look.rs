//! What readers are shown: from memory where it is there, from the file where not. What can not be read is handed to the
//! writer, which sets it aside; the others are shown all the same.

use super::{
    Arc, Filter, Incident, IncidentId, Orphans, PageId, Quarantined, SqliteStore, StoreError, Want, failure, limit,
    read,
};

impl SqliteStore {
    /// Incidents as of their last commit, from memory where they are there. One that can not be read is an error of
    /// its own.
    async fn read(&self, ids: &[IncidentId]) -> Result<Vec<read::Found>, StoreError> {
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

    /// As many as are wanted, where there are so many that can be read.
    pub(super) async fn read_list(&self, filter: Filter) -> Result<Vec<Arc<Incident>>, StoreError> {
        const ALL: &str = "SELECT id FROM incident WHERE id < ? ORDER BY id DESC LIMIT ?";
        const OPEN: &str = "SELECT id FROM incident WHERE open = 1 AND id < ? ORDER BY id DESC LIMIT ?";
        let (mut incidents, mut suspects, mut below) = (Vec::new(), Vec::new(), i64::MAX);
        while incidents.len() < filter.limit {
            let wanted = limit(filter.limit - incidents.len());
            let ids = sqlx::query_scalar(if filter.open_only { OPEN } else { ALL }).bind(below).bind(wanted);
            let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
            let Some(last) = ids.last() else { break };
            below = *last;
            let is_last = limit(ids.len()) < wanted;
            for (id, kept) in self.read(&self.not_held(ids)).await? {
                match kept {
                    Ok(kept) => incidents.push(kept.incident),
                    Err(_) => suspects.push(id),
                }
            }
            if is_last {
                break;
            }
        }
        if !suspects.is_empty() {
            self.suspect(suspects).await;
        }
        incidents.sort_unstable_by_key(|incident| std::cmp::Reverse(incident.id));
        Ok(incidents)
    }

    fn not_held(&self, ids: Vec<i64>) -> Vec<IncidentId> {
        let quarantine = self.shared.quarantine();
        ids.into_iter().map(IncidentId).filter(|id| quarantine.holds(*id).is_none()).collect()
    }

    /// Waits until the writer has looked at what could not be read here.
    async fn suspect(&self, ids: Vec<IncidentId>) {
        // A store that is closing sets nothing aside any more.
        let _ = self.ask(|reply| Want::Suspect(ids, reply)).await;
    }

    /// Pages that another epoch has claimed, or that none has. The directory is locked: whoever that was is gone.
    pub(super) async fn read_orphans(&self, most: usize) -> Result<Orphans, StoreError> {
        const LOST: &str = "SELECT incident, n FROM page
            WHERE owed = 1 AND (epoch < ?1 OR epoch > ?1 OR epoch IS NULL)
                AND incident NOT IN (SELECT value FROM json_each(?3))
                AND EXISTS (SELECT 1 FROM incident WHERE id = page.incident)
            ORDER BY incident, n LIMIT ?2";
        let epoch = i64::try_from(self.shared.epoch).unwrap_or(i64::MAX);
        let held: Vec<i64> = self.shared.quarantine().incidents().into_iter().map(|id| id.0).collect();
        let held = serde_json::to_string(&held).unwrap_or_else(|_| "[]".to_owned());
        let lost = sqlx::query(LOST).bind(epoch).bind(limit(most)).bind(held);
        let mut orphans: Orphans = Vec::new();
        for row in &lost.fetch_all(&self.readers).await.map_err(failure)? {
            let (Ok(id), Ok(n)) = (read::column(row, 0).map(IncidentId), read::column(row, 1)) else { continue };
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

    /// What could be read; the rest is set aside.
    pub(super) fn readable<T>(&self, (rows, unreadable): read::Sorted<T>) -> Vec<T> {
        for (row, why) in unreadable {
            self.shared.set_aside(Quarantined::new(row, self.shared.clock.now(), why));
        }
        rows
    }
}
