//! Lookups by index, as fast with many incidents as with few: all that an answer, a delivery report or a desk needs.
//! None of them scans the incidents of others.
//!
//! A shared store keeps the same rows (who was asked in which incident, whom a page asks, the provider's id of a page)
//! in the commit of the event and answers from the same indexes, so all nodes see the same.

use super::{IncidentFilter, StoreError};
use crate::core::{
    ChannelName, DrillRun, Incident, IncidentId, IncidentIdentity, PageId, PageIdentity, PersonName, RunId, Timestamp,
};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// Lookups that an index answers. Unreadable rows that were set aside are left out unless a method says otherwise; a
/// row that turns out to be unreadable is set aside and does not affect the others.
pub trait Lookup: Send + Sync + 'static {
    /// What identifies an incident to outsiders; `None` if there is no incident with that number. Cheap: asked for
    /// everybody who names an incident, before they have shown that they may. Unreadable incidents have one too.
    fn identity(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentIdentity>, StoreError>>;

    /// What identifies a page to outsiders; `None` if there is no such page. As cheap.
    fn page_identity(&self, page: PageId) -> BoxFuture<'_, Result<Option<PageIdentity>, StoreError>>;

    /// The number of the newest incident, readable or not; `None` before the first.
    fn newest(&self) -> BoxFuture<'_, Result<Option<IncidentId>, StoreError>>;

    /// How many incidents are open.
    fn open_count(&self) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// The open incidents whose key begins with `prefix`, by key.
    fn open_under(&self, prefix: String) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>>;

    /// One portion of the incidents with smaller numbers than `before`, newest first.
    fn portion(
        &self,
        filter: IncidentFilter,
        before: Option<IncidentId>,
    ) -> BoxFuture<'_, Result<IncidentPortion, StoreError>>;

    /// The incidents in which a person was asked.
    fn asked(&self, person: PersonName, query: AskedQuery) -> BoxFuture<'_, Result<AskedIncidents, StoreError>>;

    /// All briefs that ask this person: of open incidents, and of those that ended at `ended_since` or later. There is
    /// no limit: a brief that was left out could not be answered.
    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> BoxFuture<'_, Result<Vec<BriefOf>, StoreError>>;

    /// The position after which the last `count` lines of a chain are: [`super::Store::lines`] begins there. 0 if it has
    /// no more.
    fn tail(&self, chain: String, count: usize) -> BoxFuture<'_, Result<i64, StoreError>>;

    /// The newest page to which this channel's provider gave this id.
    fn page_by_receipt(
        &self,
        channel: ChannelName,
        receipt: String,
    ) -> BoxFuture<'_, Result<Option<PageId>, StoreError>>;

    /// One run of a drill; `None` if there is none with that number, or if it can not be read.
    fn drill_run(&self, id: RunId) -> BoxFuture<'_, Result<Option<DrillRun>, StoreError>>;

    /// One portion of the runs with smaller numbers than `before`, newest first.
    fn run_portion(&self, limit: usize, before: Option<RunId>) -> BoxFuture<'_, Result<RunPortion, StoreError>>;
}

/// One portion of the runs of drills.
#[derive(Debug, Clone, Default)]
pub struct RunPortion {
    /// The runs. An unreadable one is set aside and left out.
    pub runs: Vec<DrillRun>,
    /// Where the next portion begins; `None` after the last.
    pub before: Option<RunId>,
}

/// One portion of a long list.
#[derive(Debug, Clone, Default)]
pub struct IncidentPortion {
    /// Incidents with their pages. An unreadable one is set aside and left out.
    pub incidents: Vec<Arc<Incident>>,
    /// Where the next portion begins; `None` after the last.
    pub before: Option<IncidentId>,
}

impl IncidentPortion {
    /// Whether it is empty and the last one.
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.before.is_none()
    }
}

/// Which incidents of a person to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedQuery {
    /// Their state.
    pub standing: AskedStanding,
    /// The oldest instead of the newest.
    pub oldest: bool,
    /// The most incidents to return.
    pub limit: usize,
}

/// The state of an incident for a person who was asked in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedStanding {
    /// It waits for this person: [`Incident::waits_for`].
    Waits,
    /// It is open, and does not wait for this person.
    Open,
    /// It ended at this time or later.
    EndedSince(Timestamp),
}

/// The incidents in which a person was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedIncidents {
    /// The incidents that were asked for, in order.
    pub incidents: Vec<IncidentId>,
    /// How many there are without the limit.
    pub total: usize,
}

/// A brief, with what is needed to compare a code with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BriefOf {
    /// Whether its incident waits for its reader.
    pub waits: bool,
    /// Whether its incident is open.
    pub open: bool,
    /// The page.
    pub brief: PageIdentity,
}

/// The time `span` before `now`.
pub fn earlier(now: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}
