//! Lookups by SQLite's indexes.

use super::{
    column::{NUMBER_MAX, column, nonce, page_nonce},
    connection::limit,
    failure::failure,
    handle::SqliteStore,
    runs,
};
use crate::{
    core::{
        ChannelName, DrillRun, Incident, IncidentId, IncidentIdentity, PageId, PageIdentity, PersonName, RunId,
        Timestamp,
    },
    store::{
        AskedIncidents, AskedQuery, AskedStanding, BriefOf, IncidentFilter, IncidentPortion, Lookup, RunPortion,
        StoreError,
    },
};
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeSet;

const IDENTITY: &str = "SELECT nonce FROM incident WHERE id = ?";
const PAGE_IDENTITY: &str = "SELECT i.nonce, CASE WHEN json_valid(p.body) THEN p.body->>'$.nonce' END
    FROM page p JOIN incident i ON i.id = p.incident WHERE p.incident = ? AND p.n = ?";
const NEWEST: &str = "SELECT max(id) FROM incident WHERE id <= ?";
const OPEN_COUNT: &str = "SELECT count(*) FROM incident WHERE open = 1 AND id NOT IN (SELECT value FROM json_each(?))";
/// `?2` is the first text after all that begin with `?1`.
const OPEN_UNDER: &str = "SELECT id FROM incident WHERE open = 1 AND ?1 <= key AND key < ?2
    AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY key";
const ALL_BEFORE: &str = "SELECT id FROM incident WHERE id < ?1 AND id NOT IN (SELECT value FROM json_each(?3))
    ORDER BY id DESC LIMIT ?2";
const OPEN_BEFORE: &str = "SELECT id FROM incident WHERE open = 1 AND id < ?1
    AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY id DESC LIMIT ?2";
const STANDING_NEWEST: &str = "SELECT incident FROM asked WHERE person = ?1 AND ended IS NULL AND waits = ?2
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))
    ORDER BY incident DESC LIMIT ?4";
const STANDING_OLDEST: &str = "SELECT incident FROM asked WHERE person = ?1 AND ended IS NULL AND waits = ?2
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))
    ORDER BY incident LIMIT ?4";
const STANDING_COUNT: &str = "SELECT count(*) FROM asked WHERE person = ?1 AND ended IS NULL AND waits = ?2
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))";
const ENDED_NEWEST: &str = "SELECT incident FROM asked WHERE person = ?1 AND ?2 <= ended
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))
    ORDER BY ended DESC, incident DESC LIMIT ?4";
const ENDED_OLDEST: &str = "SELECT incident FROM asked WHERE person = ?1 AND ?2 <= ended
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))
    ORDER BY ended, incident LIMIT ?4";
const ENDED_COUNT: &str = "SELECT count(*) FROM asked WHERE person = ?1 AND ?2 <= ended
    AND typeof(incident) = 'integer' AND incident NOT IN (SELECT value FROM json_each(?3))";
const BRIEFS_OPEN: &str =
    "SELECT i.id, p.n, a.waits, 1, i.nonce, CASE WHEN json_valid(p.body) THEN p.body->>'$.nonce' END
    FROM asked a JOIN incident i ON i.id = a.incident JOIN page p ON p.asks = a.person AND p.incident = a.incident
    WHERE a.person = ?1 AND a.ended IS NULL AND a.incident NOT IN (SELECT value FROM json_each(?2))";
const BRIEFS_ENDED: &str = "SELECT i.id, p.n, 0, 0, i.nonce, CASE WHEN json_valid(p.body) THEN p.body->>'$.nonce' END
    FROM asked a JOIN incident i ON i.id = a.incident JOIN page p ON p.asks = a.person AND p.incident = a.incident
    WHERE a.person = ?1 AND ?3 <= a.ended AND a.incident NOT IN (SELECT value FROM json_each(?2))";
const TAIL: &str = "SELECT pos FROM journal WHERE chain = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
const BY_RECEIPT: &str = "SELECT incident, n FROM page WHERE channel = ?1 AND receipt = ?2
    AND typeof(incident) = 'integer' AND typeof(n) = 'integer'
    AND incident NOT IN (SELECT value FROM json_each(?3)) ORDER BY incident DESC, n DESC LIMIT 1";

impl SqliteStore {
    async fn find_identity(&self, id: IncidentId) -> Result<Option<IncidentIdentity>, StoreError> {
        if let Some(kept) = self.shared.published.get(id) {
            return Ok(Some(kept.incident.identity()));
        }
        let row = sqlx::query(IDENTITY).bind(id.0).fetch_optional(&self.readers).await.map_err(failure)?;
        match row.map(|row| nonce(&row, 0)) {
            None => Ok(None),
            Some(Ok(nonce)) => Ok(Some(IncidentIdentity { id, nonce })),
            // The journal has the nonce too.
            Some(Err(_)) => Ok(self.read_one(id).await?.map(|incident| incident.identity())),
        }
    }

    async fn find_page_identity(&self, page: PageId) -> Result<Option<PageIdentity>, StoreError> {
        let of = |incident: &Incident| incident.pages.contains_key(&page.n).then(|| incident.page_identity(page.n));
        if let Some(kept) = self.shared.published.get(page.incident) {
            return Ok(of(&kept.incident));
        }
        let row = sqlx::query(PAGE_IDENTITY).bind(page.incident.0).bind(page.n);
        let row = row.fetch_optional(&self.readers).await.map_err(failure)?;
        let read = |row| Ok(PageIdentity { page, nonce: nonce(&row, 0)?, own: page_nonce(&row, 1)? });
        match row.map(read) {
            None => Ok(None),
            Some(Ok(identity)) => Ok(Some(identity)),
            // The journal has it too.
            Some(Err::<_, StoreError>(_)) => Ok(self.read_one(page.incident).await?.and_then(|incident| of(&incident))),
        }
    }

    async fn find_newest(&self) -> Result<Option<IncidentId>, StoreError> {
        let newest = sqlx::query_scalar(NEWEST).bind(NUMBER_MAX);
        let newest: Option<i64> = newest.fetch_one(&self.readers).await.map_err(failure)?;
        // A journal without an incident still uses its number.
        let held = self.shared.quarantine().incidents().into_iter().filter(|id| id.0 <= NUMBER_MAX);
        Ok(newest.map(IncidentId).into_iter().chain(held).max())
    }

    async fn count_open(&self) -> Result<usize, StoreError> {
        let count = sqlx::query_scalar(OPEN_COUNT).bind(self.held());
        let count: i64 = count.fetch_one(&self.readers).await.map_err(failure)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    async fn find_open_under(&self, prefix: String) -> Result<Vec<IncidentId>, StoreError> {
        let after = first_after(&prefix);
        let ids = sqlx::query_scalar(OPEN_UNDER).bind(prefix).bind(after).bind(self.held());
        let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
        Ok(ids.into_iter().map(IncidentId).collect())
    }

    /// Reads until `limit` readable ones were found, or no more are left.
    pub(super) async fn read_portion(
        &self,
        filter: IncidentFilter,
        mut before: Option<IncidentId>,
    ) -> Result<IncidentPortion, StoreError> {
        let (mut incidents, mut suspects) = (Vec::new(), Vec::new());
        while incidents.len() < filter.limit {
            let wanted = filter.limit - incidents.len();
            let ids = sqlx::query_scalar(if filter.open_only { OPEN_BEFORE } else { ALL_BEFORE });
            let ids = ids.bind(before.map_or(i64::MAX, |id| id.0)).bind(limit(wanted)).bind(self.held());
            let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
            let ids: Vec<IncidentId> = ids.into_iter().map(IncidentId).collect();
            for (id, kept) in self.read(&ids).await? {
                match kept {
                    Ok(kept) => incidents.push(kept.incident),
                    Err(_) => suspects.push(id),
                }
            }
            before = ids.last().copied().filter(|_| wanted <= ids.len());
            if before.is_none() {
                break;
            }
        }
        if !suspects.is_empty() {
            self.suspect(suspects).await;
        }
        incidents.sort_unstable_by_key(|incident| std::cmp::Reverse(incident.id));
        Ok(IncidentPortion { incidents, before })
    }

    async fn find_asked(&self, person: PersonName, query: AskedQuery) -> Result<AskedIncidents, StoreError> {
        let (some, count, standing) = match (query.standing, query.oldest) {
            (AskedStanding::Waits, false) => (STANDING_NEWEST, STANDING_COUNT, 1),
            (AskedStanding::Waits, true) => (STANDING_OLDEST, STANDING_COUNT, 1),
            (AskedStanding::Open, false) => (STANDING_NEWEST, STANDING_COUNT, 0),
            (AskedStanding::Open, true) => (STANDING_OLDEST, STANDING_COUNT, 0),
            (AskedStanding::EndedSince(since), false) => (ENDED_NEWEST, ENDED_COUNT, since.as_micros()),
            (AskedStanding::EndedSince(since), true) => (ENDED_OLDEST, ENDED_COUNT, since.as_micros()),
        };
        let (person, held) = (person.as_str(), self.held());
        let ids = sqlx::query_scalar(some).bind(person).bind(standing).bind(&held).bind(limit(query.limit));
        let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
        // If all fit, no count is needed.
        let total = match ids.len() < query.limit {
            true => ids.len(),
            false => {
                let count = sqlx::query_scalar(count).bind(person).bind(standing).bind(&held);
                let count: i64 = count.fetch_one(&self.readers).await.map_err(failure)?;
                usize::try_from(count).unwrap_or(0)
            }
        };
        Ok(AskedIncidents { incidents: ids.into_iter().map(IncidentId).collect(), total })
    }

    async fn find_briefs(&self, person: PersonName, ended_since: Timestamp) -> Result<Vec<BriefOf>, StoreError> {
        let held = self.held();
        // One snapshot for both, so that an incident that ends in between is not missed.
        let mut tx = self.readers.begin().await.map_err(failure)?;
        let open = sqlx::query(BRIEFS_OPEN).bind(person.as_str()).bind(&held);
        let open = open.fetch_all(&mut *tx).await.map_err(failure)?;
        let ended = sqlx::query(BRIEFS_ENDED).bind(person.as_str()).bind(&held).bind(ended_since.as_micros());
        let ended = ended.fetch_all(&mut *tx).await.map_err(failure)?;
        drop(tx);
        let (mut briefs, mut damaged) = (Vec::with_capacity(open.len() + ended.len()), BTreeSet::new());
        for row in open.iter().chain(&ended) {
            let id = IncidentId(column(row, 0)?);
            match brief(id, row) {
                Ok(brief) => briefs.push(brief),
                Err(_) => drop(damaged.insert(id)),
            }
        }
        if !damaged.is_empty() {
            briefs.retain(|of| !damaged.contains(&of.brief.page.incident));
            briefs.extend(self.briefs_of_whole(&person, damaged.into_iter().collect()).await?);
        }
        Ok(briefs)
    }

    /// The same from the incidents themselves, if a row of the index can not be read.
    async fn briefs_of_whole(&self, person: &PersonName, ids: Vec<IncidentId>) -> Result<Vec<BriefOf>, StoreError> {
        let (mut briefs, mut suspects) = (Vec::new(), Vec::new());
        for (id, found) in self.read(&ids).await? {
            let Ok(kept) = found else {
                suspects.push(id);
                continue;
            };
            let (incident, waits) = (&kept.incident, kept.incident.waits_for(person));
            let theirs = incident.pages.values().filter(|page| page.asks() == Some(person));
            let of = |n| BriefOf { waits, open: incident.is_open(), brief: incident.page_identity(n) };
            briefs.extend(theirs.map(|page| of(page.n)));
        }
        if !suspects.is_empty() {
            self.suspect(suspects).await;
        }
        Ok(briefs)
    }

    async fn find_by_receipt(&self, channel: ChannelName, receipt: String) -> Result<Option<PageId>, StoreError> {
        let row = sqlx::query(BY_RECEIPT).bind(channel.as_str()).bind(receipt).bind(self.held());
        let row = row.fetch_optional(&self.readers).await.map_err(failure)?;
        row.map(|row| Ok(PageId { incident: IncidentId(column(&row, 0)?), n: column(&row, 1)? })).transpose()
    }

    async fn find_tail(&self, chain: String, count: usize) -> Result<i64, StoreError> {
        let before = sqlx::query_scalar(TAIL).bind(chain).bind(limit(count));
        let before: Option<i64> = before.fetch_optional(&self.readers).await.map_err(failure)?;
        Ok(before.unwrap_or(0))
    }

    pub(super) async fn find_runs(&self, most: usize, before: Option<RunId>) -> Result<RunPortion, StoreError> {
        let mut conn = self.readers.acquire().await.map_err(failure)?;
        let (runs, before) = runs::runs(&mut conn, most, before).await?;
        Ok(RunPortion { runs: self.readable(runs), before })
    }
}

impl Lookup for SqliteStore {
    fn identity(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentIdentity>, StoreError>> {
        Box::pin(self.find_identity(id))
    }

    fn page_identity(&self, page: PageId) -> BoxFuture<'_, Result<Option<PageIdentity>, StoreError>> {
        Box::pin(self.find_page_identity(page))
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<IncidentId>, StoreError>> {
        Box::pin(self.find_newest())
    }

    fn open_count(&self) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(self.count_open())
    }

    fn open_under(&self, prefix: String) -> BoxFuture<'_, Result<Vec<IncidentId>, StoreError>> {
        Box::pin(self.find_open_under(prefix))
    }

    fn portion(
        &self,
        filter: IncidentFilter,
        before: Option<IncidentId>,
    ) -> BoxFuture<'_, Result<IncidentPortion, StoreError>> {
        Box::pin(self.read_portion(filter, before))
    }

    fn asked(&self, person: PersonName, query: AskedQuery) -> BoxFuture<'_, Result<AskedIncidents, StoreError>> {
        Box::pin(self.find_asked(person, query))
    }

    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> BoxFuture<'_, Result<Vec<BriefOf>, StoreError>> {
        Box::pin(self.find_briefs(person, ended_since))
    }

    fn tail(&self, chain: String, count: usize) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(self.find_tail(chain, count))
    }

    fn page_by_receipt(
        &self,
        channel: ChannelName,
        receipt: String,
    ) -> BoxFuture<'_, Result<Option<PageId>, StoreError>> {
        Box::pin(self.find_by_receipt(channel, receipt))
    }

    fn drill_run(&self, id: RunId) -> BoxFuture<'_, Result<Option<DrillRun>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            Ok(self.readable(runs::run(&mut conn, id).await?).pop())
        })
    }

    fn run_portion(&self, limit: usize, before: Option<RunId>) -> BoxFuture<'_, Result<RunPortion, StoreError>> {
        Box::pin(self.find_runs(limit, before))
    }
}

fn brief(id: IncidentId, row: &SqliteRow) -> Result<BriefOf, StoreError> {
    let brief = IncidentIdentity { id, nonce: nonce(row, 4)? }.page(column(row, 1)?, page_nonce(row, 5)?);
    Ok(BriefOf { waits: column(row, 2)?, open: column(row, 3)?, brief })
}

/// The first text, in byte order, after all that begin with `prefix`.
fn first_after(prefix: &str) -> String {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return letters.into_iter().collect();
        }
    }
    // Only the last character of all, or empty: there is no such text.
    char::MAX.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Store,
        clock::SystemClock,
        sqlite::connection::{FILE, options},
    };
    use sqlx::{ConnectOptions, Row};
    use std::sync::Arc;

    #[tokio::test]
    async fn every_question_is_answered_by_an_index_and_none_goes_through_a_table() {
        let dir = tempfile::tempdir().expect("a directory");
        SqliteStore::open(dir.path(), Arc::new(SystemClock)).await.expect("a store").close().await;
        let mut conn = options(&dir.path().join(FILE)).connect().await.expect("a connection");
        let questions = [
            IDENTITY,
            NEWEST,
            OPEN_COUNT,
            OPEN_UNDER,
            ALL_BEFORE,
            OPEN_BEFORE,
            STANDING_NEWEST,
            STANDING_OLDEST,
            STANDING_COUNT,
            ENDED_NEWEST,
            ENDED_OLDEST,
            ENDED_COUNT,
            BRIEFS_OPEN,
            BRIEFS_ENDED,
            TAIL,
            BY_RECEIPT,
        ];
        for question in questions {
            let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
            let steps = sqlx::query(plan).fetch_all(&mut conn).await.expect("a plan");
            let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
            // Counting what is open reads the index of what is open, and nothing else.
            // What was set aside is a short list of its own.
            let is_held =
                |step: &String| ["json_each", "LIST SUBQUERY", "BLOOM FILTER"].iter().any(|what| step.contains(what));
            let good =
                |step: &String| step.starts_with("SEARCH") || step.contains("INDEX incident_open") || is_held(step);
            assert!(!steps.is_empty() && steps.iter().all(good), "{question}: {steps:?}");
        }
    }

    #[test]
    fn what_begins_so_ends_before_the_next_text() {
        for (prefix, within, beyond) in [
            ("channel/", "channel/sms", "channel0"),
            ("a\u{d7ff}", "a\u{d7ff}z", "a\u{e000}"),
            ("a\u{10ffff}", "a\u{10ffff}b", "b"),
        ] {
            let after = first_after(prefix);
            assert!(prefix <= within && within < after.as_str() && after.as_str() <= beyond, "{prefix:?}: {after:?}");
        }
    }
}
