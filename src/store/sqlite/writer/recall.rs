//! Updates memory after a commit, and restores it from the disk after a failure.

use super::{SqliteWriter, grown};
use crate::{
    core::{IncidentId, event::ANCHORS},
    store::{
        ChangeSet, StoreError, WorkingSet,
        sqlite::{
            cached::{CACHE_BYTES_MAX, CachedIncidents},
            connection::connect,
            state,
        },
    },
};
use sqlx::Connection;

impl SqliteWriter {
    /// After a commit: publishes it, and forgets what need not stay in memory.
    pub(super) fn settle(&mut self, changes: ChangeSet) {
        if changes.lines.last().is_some_and(|line| line.chain == ANCHORS) {
            self.unanchored.clear();
        } else {
            grown(&mut self.unanchored, &changes);
        }
        let mut done = Vec::new();
        let mut shown = Vec::with_capacity(changes.heads.len());
        for id in &changes.heads {
            let Some(kept) = self.loaded.incidents.get(id) else { continue };
            if kept.incident.is_open() || !kept.claims.is_empty() {
                shown.push((*id, kept.clone()));
                self.cached.used(*id, kept, self.turn);
            } else {
                done.push(*id);
            }
        }
        self.shared.published.show(shown);
        if !changes.bodies.is_empty() {
            self.shared.published.set_open(self.loaded.open_now());
        }
        self.forget(&done);
        let surplus = self.cached.surplus(CACHE_BYTES_MAX);
        self.forget(&surplus);
        let changed = !changes.is_empty();
        self.shared.quarantine().keep(changes.quarantine);
        if changed {
            self.shared.changed.send_modify(|n| *n += 1);
        }
    }

    pub(super) fn forget(&mut self, ids: &[IncidentId]) {
        for id in ids {
            self.loaded.incidents.remove(id);
            self.cached.forget(*id);
        }
        self.shared.published.forget(ids);
    }

    /// Restores memory from the disk: readers keep what was committed, and the rest is read again. If the connection is
    /// lost, it is unknown what was committed last, so everything is read again.
    pub(super) async fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.conn.ping().await.is_err() {
            self.conn = connect(&self.file).await?;
            self.is_tight = None;
            self.shared.published.clear();
        }
        let quarantine = self.shared.quarantine().clone();
        let now = self.shared.clock.now();
        let state = state::state(&mut self.conn, &self.shared.plans, &quarantine, now).await?;
        self.adopt(state);
        self.is_ahead = false;
        Ok(())
    }

    /// Takes over what was read from the disk. Unreadable rows are set aside.
    pub(super) fn adopt(&mut self, state: state::StartState) {
        self.loaded = WorkingSet { incidents: self.shared.published.all(), ..state.loaded };
        self.cached = CachedIncidents::default();
        self.loaded.incidents.iter().for_each(|(id, kept)| self.cached.used(*id, kept, self.turn));
        self.shared.published.set_open(self.loaded.open_now());
        self.last_id = state.last_id;
        self.anchors = state.anchors;
        self.unanchored = state.unanchored;
        self.shared.published.replace_deadlines(state.deadlines);
        self.shared.published.replace_judged(&self.loaded.judged);
        state.unreadable.into_iter().for_each(|entry| self.shared.set_aside(entry));
        let held = self.shared.quarantine().incidents();
        self.drop_out(&held);
    }
}
