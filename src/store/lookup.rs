//! What is found by an index, however many incidents are open or over: everything on the way of an answer, a delivery
//! report, a desk. Nothing here goes through the incidents of others.
//!
//! A store on PostgreSQL keeps the same rows (who was asked in which incident, whom a page asks, under which id its
//! provider took it) in the commit of the event, and answers from the same indexes; several nodes then see the same.

use super::{IncidentFilter, StoreError};
use crate::core::{
    ChannelName, DrillRun, Incident, IncidentId, IncidentIdentity, PageId, PageIdentity, PersonName, RunId, Timestamp,
};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// Questions that an index answers. What was set aside because it can not be read is in none of the answers, unless they
/// say so; what turns out to be unreadable is set aside, and sinks no other.
pub trait Lookup: Send + Sync + 'static {
    /// What an incident is called by outside; none where there is none of that number. Cheap: asked of everybody who
    /// names an incident, before they have shown that they may. One that was set aside has one still.
    fn identity(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentIdentity>, StoreError>>;

    /// What a page is called by outside; none where there is no such page. As cheap.
    fn page_identity(&self, page: PageId) -> BoxFuture<'_, Result<Option<PageIdentity>, StoreError>>;

    /// The newest incident's number, whether or not it can be read; none before the first.
    fn newest(&self) -> BoxFuture<'_, Result<Option<IncidentId>, StoreError>>;

    /// How many incidents are open.
    fn open_count(&self) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// The open incidents whose key begins so, by their keys.
    fn open_under(&self, prefix: String) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>>;

    /// One portion of a list, newest first, of incidents with smaller numbers than `before`.
    fn portion(
        &self,
        filter: IncidentFilter,
        before: Option<IncidentId>,
    ) -> BoxFuture<'_, Result<IncidentPortion, StoreError>>;

    /// In which incidents a person was asked.
    fn asked(&self, person: PersonName, query: AskedQuery) -> BoxFuture<'_, Result<AskedIncidents, StoreError>>;

    /// Every brief that asks this person: of all open incidents, and of those that ended at `ended_since` or later.
    /// Unbounded on purpose: it is one person's, and one that is left out could not be answered.
    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> BoxFuture<'_, Result<Vec<BriefOf>, StoreError>>;

    /// The newest page that this channel's provider took under this id.
    fn page_by_receipt(
        &self,
        channel: ChannelName,
        receipt: String,
    ) -> BoxFuture<'_, Result<Option<PageId>, StoreError>>;

    /// One run of a drill; none where there is none of that number, or its row can not be read.
    fn drill_run(&self, id: RunId) -> BoxFuture<'_, Result<Option<DrillRun>, StoreError>>;

    /// One portion of all runs, newest first, of those with smaller numbers than `before`.
    fn run_portion(&self, limit: usize, before: Option<RunId>) -> BoxFuture<'_, Result<RunPortion, StoreError>>;
}

/// One portion of the runs of drills.
#[derive(Debug, Clone, Default)]
pub struct RunPortion {
    /// The runs; one whose row can not be read is set aside and left out.
    pub runs: Vec<DrillRun>,
    /// Where the next portion begins; none after the last.
    pub before: Option<RunId>,
}

/// One portion of a long list.
#[derive(Debug, Clone, Default)]
pub struct IncidentPortion {
    /// Incidents with their pages; one that can not be read is set aside and left out.
    pub incidents: Vec<Arc<Incident>>,
    /// Where the next portion begins; none after the last.
    pub before: Option<IncidentId>,
}

impl IncidentPortion {
    /// Whether there is nothing in it and nothing after it.
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.before.is_none()
    }
}

/// Which incidents of a person are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedQuery {
    /// How they stand.
    pub standing: AskedStanding,
    /// The oldest ones instead of the newest.
    pub oldest: bool,
    /// At most so many.
    pub limit: usize,
}

/// How an incident stands to somebody who was asked in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedStanding {
    /// It waits for this person: [`Incident::waits_for`].
    Waits,
    /// It is open, and does not wait for this person.
    Open,
    /// It ended then or later.
    EndedSince(Timestamp),
}

/// Incidents that a person was asked in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedIncidents {
    /// Those that were wanted, in their order.
    pub incidents: Vec<IncidentId>,
    /// How many there are without the limit.
    pub total: usize,
}

/// A brief, as far as it must be known to compare a code with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BriefOf {
    /// Whether its incident waits for its reader.
    pub waits: bool,
    /// Whether its incident is open.
    pub open: bool,
    /// Which.
    pub brief: PageIdentity,
}

/// The time so long before `now`.
pub fn earlier(now: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}
