//! After a commit was refused: what stands in its way is found, so that the rest of it can be kept.

use super::{ANCHORS, IncidentId, SqliteWriter, StoreError, WriteBatch, state};
use crate::{
    core::SourceName,
    store::{QuarantinedRow, RowKind, RowName, StoreRequest},
};
use std::{collections::BTreeMap, time::Duration};

/// How long a ladder rests whose step was refused, panicked or could not be written.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);

impl SqliteWriter {
    /// Looks for journal lines that lie where this commit's would have to go. The incidents whose they are are set aside;
    /// chains of sources and anchors go on after them. Whether there were any.
    pub(super) async fn mend(
        &mut self,
        batch: &mut WriteBatch,
        begins: &BTreeMap<String, u64>,
    ) -> Result<bool, StoreError> {
        self.catch_up().await?;
        let mut mended = false;
        for (chain, seq) in begins {
            let Some(last) = state::last_head(&mut self.conn, chain).await?.filter(|last| *seq <= last.seq) else {
                continue;
            };
            mended = true;
            let why = format!("its journal goes on after line {}, where it should end", seq.saturating_sub(1));
            if let Some(source) = chain.strip_prefix("source:") {
                self.loaded.sources.insert(SourceName::from(source), last);
            } else if chain == ANCHORS {
                self.anchors = Some(last);
            } else if let Ok(id) = chain.parse::<IncidentId>() {
                self.give_up(batch, vec![(id, StoreError::Corrupt { what: chain.clone(), why })]).await;
                continue;
            }
            self.shared.set_aside(QuarantinedRow::new(
                RowName::Other(RowKind::Head, chain.clone()),
                self.shared.clock.now(),
                why,
            ));
        }
        Ok(mended)
    }

    /// A lone work is refused, and nobody knows why: it alone fails.
    pub(super) fn refused(&self, batch: WriteBatch, error: &StoreError) -> Vec<WriteBatch> {
        batch.jobs.iter().for_each(|job| self.put_off(&job.work));
        self.failed(batch, error)
    }

    /// What is due of a work that failed for its own sake is tried again, but not at once: the others go first.
    pub(super) fn put_off(&self, work: &StoreRequest) {
        let now = self.shared.clock.now();
        let due = self.shared.published.due(now, usize::MAX);
        let touched = work.needs.incidents.iter().filter(|id| due.contains(id)).copied();
        self.shared.published.rest(touched, now + AFTER_REFUSAL);
    }
}
