//! Loads what transactions need, and sets aside what can not be read.

use super::{SqliteWriter, attempt_failure::AttemptFailure};
use crate::{
    core::IncidentId,
    store::{
        QuarantinedRow, RowName, StoreError,
        sqlite::{batch::WriteBatch, column::NUMBER_MAX, lost, read},
    },
};
use std::collections::BTreeSet;

impl SqliteWriter {
    /// Loads what the batch needs and memory does not have. A request that names an unreadable incident by number is
    /// refused; its key is free.
    pub(super) async fn load(&mut self, batch: &mut WriteBatch) -> Result<(), AttemptFailure> {
        let mut missing = BTreeSet::new();
        let mut refused = BTreeSet::new();
        for job in &batch.jobs {
            let needs = &job.request.needs;
            for id in needs.incidents.iter().chain(needs.keys.iter().filter_map(|key| self.loaded.keys.get(key))) {
                if self.shared.quarantine().holds(*id).is_some() {
                    refused.insert(*id);
                } else if !self.loaded.incidents.contains_key(id) {
                    missing.insert(*id);
                }
            }
        }
        for id in refused {
            if let Some(error) = self.shared.quarantine().holds(id) {
                batch.refuse_where(&error, |request| request.needs.incidents.contains(&id));
            }
        }
        let missing: Vec<IncidentId> = missing.into_iter().collect();
        Ok(self.fetch(batch, &missing).await?)
    }

    /// Checks incidents that a reader could not read.
    pub(super) async fn look_at(&mut self, batch: &mut WriteBatch, ids: &[IncidentId]) {
        let known =
            |id: &&IncidentId| self.loaded.incidents.contains_key(id) || self.shared.quarantine().holds(**id).is_some();
        let ids: Vec<IncidentId> = ids.iter().filter(|id| !known(id)).copied().collect();
        if let Err(error) = self.fetch(batch, &ids).await {
            tracing::error!(%error, "incidents that a reader could not read could not be looked at");
        }
    }

    async fn fetch(&mut self, batch: &mut WriteBatch, ids: &[IncidentId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut lost = Vec::new();
        for (id, found) in read::incidents(&mut self.conn, ids, &self.shared.plans).await? {
            match found {
                Ok(kept) => {
                    self.shared.published.show([(id, kept.clone())]);
                    self.cached.used(id, &kept, self.turn);
                    self.loaded.incidents.insert(id, kept);
                }
                Err(error) => lost.push((id, error)),
            }
        }
        self.give_up(batch, lost).await;
        Ok(())
    }

    /// Sets aside incidents that can not be read, or can not go on: their keys are free for the next alert, no timer
    /// asks for them for ever, and asking for them by number gives an error.
    pub(super) async fn give_up(&mut self, batch: &mut WriteBatch, lost: Vec<(IncidentId, StoreError)>) {
        for (id, error) in &lost {
            let why = error.reason(id);
            let incident = lost::lost(&mut self.conn, *id).await;
            let entry = QuarantinedRow::new(RowName::Incident(*id), self.shared.clock.now(), why);
            self.shared.set_aside(QuarantinedRow { incident, ..entry });
            batch.refuse_where(error, |request| request.needs.incidents.contains(id));
        }
        if !lost.is_empty() {
            let ids: Vec<IncidentId> = lost.into_iter().map(|(id, _)| id).collect();
            self.drop_out(&ids);
            self.shared.changed.send_modify(|n| *n += 1);
        }
    }

    /// Removes incidents from everything that is in memory.
    pub(super) fn drop_out(&mut self, ids: &[IncidentId]) {
        let gone: BTreeSet<IncidentId> = ids.iter().copied().collect();
        self.loaded.keys.retain(|_, open| !gone.contains(open));
        // A journal without an incident still uses its number.
        let numbers = gone.iter().map(|id| id.0).filter(|n| *n <= NUMBER_MAX);
        self.last_id = numbers.fold(self.last_id, i64::max);
        self.forget(ids);
        self.shared.published.set_deadlines(ids.iter().map(|id| (*id, None)));
        self.shared.published.set_open(self.loaded.open_now());
    }
}
