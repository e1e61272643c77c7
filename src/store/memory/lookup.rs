//! What the memory store finds by its indexes.

use super::{MemoryNode, MemoryState, ready};
use crate::{
    core::{ChannelName, DrillRun, IncidentId, IncidentIdentity, PageId, PageIdentity, PersonName, RunId, Timestamp},
    store::{
        AskedIncidents, AskedQuery, AskedStanding, BriefOf, IncidentFilter, IncidentPortion, Lookup, RunPortion,
        StoreError,
    },
};
use futures_util::future::BoxFuture;

impl Lookup for MemoryNode {
    fn identity(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentIdentity>, StoreError>> {
        ready(move || self.shared.lock().loaded.incidents.get(&id).map(|kept| kept.incident.identity()))
    }

    fn page_identity(&self, page: PageId) -> BoxFuture<'_, Result<Option<PageIdentity>, StoreError>> {
        ready(move || {
            let inner = self.shared.lock();
            let incident = &inner.loaded.incidents.get(&page.incident)?.incident;
            incident.pages.contains_key(&page.n).then(|| incident.page_identity(page.n))
        })
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<IncidentId>, StoreError>> {
        ready(move || self.shared.lock().loaded.incidents.keys().next_back().copied())
    }

    fn open_count(&self) -> BoxFuture<'_, Result<usize, StoreError>> {
        ready(|| self.shared.looked_at().open_count())
    }

    fn open_under(&self, prefix: String) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        ready(move || self.shared.looked_at().loaded.open_under(&prefix))
    }

    fn portion(
        &self,
        filter: IncidentFilter,
        before: Option<IncidentId>,
    ) -> BoxFuture<'_, Result<IncidentPortion, StoreError>> {
        ready(move || self.shared.looked_at().portion(filter, before))
    }

    fn asked(&self, person: PersonName, query: AskedQuery) -> BoxFuture<'_, Result<AskedIncidents, StoreError>> {
        ready(move || self.shared.looked_at().asked(&person, query))
    }

    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> BoxFuture<'_, Result<Vec<BriefOf>, StoreError>> {
        ready(move || self.shared.looked_at().briefs_of(&person, ended_since))
    }

    fn tail(&self, chain: String, count: usize) -> BoxFuture<'_, Result<i64, StoreError>> {
        ready(move || {
            let inner = self.shared.lock();
            let mut newest = inner.lines.iter().rev().filter(|line| line.chain == chain);
            newest.nth(count).map_or(0, |line| line.pos)
        })
    }

    fn page_by_receipt(
        &self,
        channel: ChannelName,
        receipt: String,
    ) -> BoxFuture<'_, Result<Option<PageId>, StoreError>> {
        ready(move || self.shared.looked_at().page_by_receipt(channel, receipt))
    }

    fn drill_run(&self, id: RunId) -> BoxFuture<'_, Result<Option<DrillRun>, StoreError>> {
        ready(move || self.shared.lock().runs.get(&id).cloned())
    }

    fn run_portion(&self, limit: usize, before: Option<RunId>) -> BoxFuture<'_, Result<RunPortion, StoreError>> {
        ready(move || self.shared.lock().run_portion(limit, before))
    }
}

impl MemoryState {
    pub(super) fn portion(&self, filter: IncidentFilter, before: Option<IncidentId>) -> IncidentPortion {
        let before = before.unwrap_or(IncidentId(i64::MAX));
        let all = &self.loaded.incidents;
        let is_shown = |id: &IncidentId| self.is_shown(*id);
        let ids: Vec<IncidentId> = match filter.open_only {
            true => self.index.open_before(before).filter(is_shown).take(filter.limit).collect(),
            false => all.range(..before).rev().map(|(id, _)| *id).filter(is_shown).take(filter.limit).collect(),
        };
        let incidents = ids.iter().filter_map(|id| all.get(id)).map(|kept| kept.incident.clone()).collect();
        IncidentPortion { incidents, before: ids.last().copied().filter(|_| filter.limit <= ids.len()) }
    }

    fn open_count(&self) -> usize {
        self.index.open_before(IncidentId(i64::MAX)).filter(|id| self.is_shown(*id)).count()
    }

    fn asked(&self, person: &PersonName, query: AskedQuery) -> AskedIncidents {
        self.index.asked(person, query, |id| self.is_shown(id))
    }

    fn page_by_receipt(&self, channel: ChannelName, receipt: String) -> Option<PageId> {
        self.index.page_by_receipt(channel, receipt).filter(|page| self.is_shown(page.incident))
    }

    pub(super) fn run_portion(&self, limit: usize, before: Option<RunId>) -> RunPortion {
        let before = before.unwrap_or(RunId(i64::MAX));
        let runs: Vec<DrillRun> = self.runs.range(..before).rev().map(|(_, run)| run.clone()).take(limit).collect();
        RunPortion { before: runs.last().map(|run| run.id).filter(|_| limit <= runs.len()), runs }
    }

    fn briefs_of(&self, person: &PersonName, ended_since: Timestamp) -> Vec<BriefOf> {
        let standings = [AskedStanding::Waits, AskedStanding::Open, AskedStanding::EndedSince(ended_since)];
        let all = standings.into_iter().flat_map(|standing| {
            let query = AskedQuery { standing, oldest: false, limit: usize::MAX };
            self.asked(person, query).incidents.into_iter().map(move |id| (standing, id))
        });
        all.flat_map(|(standing, id)| {
            let incident = self.loaded.incidents.get(&id).map(|kept| &kept.incident);
            let waits = standing == AskedStanding::Waits;
            let open = waits || standing == AskedStanding::Open;
            let of = move |n: u32| Some(BriefOf { waits, open, brief: incident?.page_identity(n) });
            let pages = incident.into_iter().flat_map(|incident| incident.pages.values());
            pages.filter(|page| page.asks() == Some(person)).filter_map(move |page| of(page.n))
        })
        .collect()
    }
}
