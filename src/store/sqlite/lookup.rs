//! What SQLite finds by its indexes.

use super::{
    SqliteStore, failure, limit,
    read::{self, column},
    runs,
};
use crate::{
    core::{ChannelName, IncidentId, IncidentIdentity, IncidentNonce, PageId, PersonName, Run, RunId, Timestamp},
    store::{Asked, AskedQuery, BriefOf, Filter, IncidentPortion, Lookup, RunPortion, Standing, StoreError},
};
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteRow;

const IDENTITY: &str = "SELECT nonce FROM incident WHERE id = ?";
const NEWEST: &str = "SELECT max(id) FROM incident";
const OPEN_COUNT: &str = "SELECT count(*) FROM incident WHERE open = 1";
/// `?2` is the first text after all that begin with `?1`.
const OPEN_UNDER: &str = "SELECT id FROM incident WHERE open = 1 AND ?1 <= key AND key < ?2 ORDER BY key";
const ALL_BEFORE: &str = "SELECT id FROM incident WHERE id < ? ORDER BY id DESC LIMIT ?";
const OPEN_BEFORE: &str = "SELECT id FROM incident WHERE open = 1 AND id < ? ORDER BY id DESC LIMIT ?";
const STANDING_NEWEST: &str =
    "SELECT incident FROM asked WHERE person = ? AND ended IS NULL AND waits = ? ORDER BY incident DESC LIMIT ?";
const STANDING_OLDEST: &str =
    "SELECT incident FROM asked WHERE person = ? AND ended IS NULL AND waits = ? ORDER BY incident LIMIT ?";
const STANDING_COUNT: &str = "SELECT count(*) FROM asked WHERE person = ? AND ended IS NULL AND waits = ?";
const ENDED_NEWEST: &str =
    "SELECT incident FROM asked WHERE person = ? AND ? <= ended ORDER BY ended DESC, incident DESC LIMIT ?";
const ENDED_OLDEST: &str =
    "SELECT incident FROM asked WHERE person = ? AND ? <= ended ORDER BY ended, incident LIMIT ?";
const ENDED_COUNT: &str = "SELECT count(*) FROM asked WHERE person = ? AND ? <= ended";
const BRIEFS_OPEN: &str = "SELECT a.waits, 1, a.incident, p.n, i.nonce
    FROM asked a JOIN incident i ON i.id = a.incident JOIN page p ON p.asks = a.person AND p.incident = a.incident
    WHERE a.person = ? AND a.ended IS NULL";
const BRIEFS_ENDED: &str = "SELECT 0, 0, a.incident, p.n, i.nonce
    FROM asked a JOIN incident i ON i.id = a.incident JOIN page p ON p.asks = a.person AND p.incident = a.incident
    WHERE a.person = ? AND ? <= a.ended";
const BY_RECEIPT: &str =
    "SELECT incident, n FROM page WHERE channel = ? AND receipt = ? ORDER BY incident DESC, n DESC LIMIT 1";

impl SqliteStore {
    async fn find_identity(&self, id: IncidentId) -> Result<Option<IncidentIdentity>, StoreError> {
        if let Some(kept) = self.shared.published.get(id) {
            return Ok(Some(kept.incident.identity()));
        }
        let row = sqlx::query(IDENTITY).bind(id.0).fetch_optional(&self.readers).await.map_err(failure)?;
        row.map(|row| Ok(IncidentIdentity { id, nonce: nonce(&row, 0)? })).transpose()
    }

    async fn find_newest(&self) -> Result<Option<IncidentId>, StoreError> {
        let newest: Option<i64> = sqlx::query_scalar(NEWEST).fetch_one(&self.readers).await.map_err(failure)?;
        Ok(newest.map(IncidentId))
    }

    async fn count_open(&self) -> Result<usize, StoreError> {
        let count: i64 = sqlx::query_scalar(OPEN_COUNT).fetch_one(&self.readers).await.map_err(failure)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    async fn find_open_under(&self, prefix: String) -> Result<Vec<IncidentId>, StoreError> {
        let after = first_after(&prefix);
        let ids = sqlx::query_scalar(OPEN_UNDER).bind(prefix).bind(after);
        let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
        Ok(ids.into_iter().map(IncidentId).collect())
    }

    pub(super) async fn read_portion(
        &self,
        filter: Filter,
        before: Option<IncidentId>,
    ) -> Result<IncidentPortion, StoreError> {
        let before = before.map_or(i64::MAX, |id| id.0);
        let ids = sqlx::query_scalar(if filter.open_only { OPEN_BEFORE } else { ALL_BEFORE });
        let ids = ids.bind(before).bind(limit(filter.limit));
        let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
        let ids: Vec<IncidentId> = ids.into_iter().map(IncidentId).collect();
        let mut incidents = Vec::with_capacity(ids.len());
        for (id, kept) in self.read(&ids).await? {
            match kept {
                Ok(kept) => incidents.push(kept.incident),
                // The others must be seen all the same.
                Err(error) => tracing::error!(incident.id = %id, %error, "an incident can not be read"),
            }
        }
        incidents.sort_unstable_by_key(|incident| std::cmp::Reverse(incident.id));
        Ok(IncidentPortion { incidents, before: ids.last().copied().filter(|_| filter.limit <= ids.len()) })
    }

    async fn find_asked(&self, person: PersonName, query: AskedQuery) -> Result<Asked, StoreError> {
        let (some, count, standing) = match (query.standing, query.oldest) {
            (Standing::Waits, false) => (STANDING_NEWEST, STANDING_COUNT, 1),
            (Standing::Waits, true) => (STANDING_OLDEST, STANDING_COUNT, 1),
            (Standing::Open, false) => (STANDING_NEWEST, STANDING_COUNT, 0),
            (Standing::Open, true) => (STANDING_OLDEST, STANDING_COUNT, 0),
            (Standing::EndedSince(since), false) => (ENDED_NEWEST, ENDED_COUNT, since.as_micros()),
            (Standing::EndedSince(since), true) => (ENDED_OLDEST, ENDED_COUNT, since.as_micros()),
        };
        let person = person.as_str();
        let ids = sqlx::query_scalar(some).bind(person).bind(standing).bind(limit(query.limit));
        let ids: Vec<i64> = ids.fetch_all(&self.readers).await.map_err(failure)?;
        // What fits needs no second look.
        let total = match ids.len() < query.limit {
            true => ids.len(),
            false => {
                let count = sqlx::query_scalar(count).bind(person).bind(standing);
                let count: i64 = count.fetch_one(&self.readers).await.map_err(failure)?;
                usize::try_from(count).unwrap_or(0)
            }
        };
        Ok(Asked { incidents: ids.into_iter().map(IncidentId).collect(), total })
    }

    async fn find_briefs(&self, person: PersonName, ended_since: Timestamp) -> Result<Vec<BriefOf>, StoreError> {
        // One moment for both: an incident that ends between them must not be in neither.
        let mut tx = self.readers.begin().await.map_err(failure)?;
        let open = sqlx::query(BRIEFS_OPEN).bind(person.as_str()).fetch_all(&mut *tx).await.map_err(failure)?;
        let ended = sqlx::query(BRIEFS_ENDED).bind(person.as_str()).bind(ended_since.as_micros());
        let ended = ended.fetch_all(&mut *tx).await.map_err(failure)?;
        open.iter().chain(&ended).map(brief).collect()
    }

    async fn find_by_receipt(&self, channel: ChannelName, receipt: String) -> Result<Option<PageId>, StoreError> {
        let row = sqlx::query(BY_RECEIPT).bind(channel.as_str()).bind(receipt);
        let row = row.fetch_optional(&self.readers).await.map_err(failure)?;
        row.map(|row| Ok(PageId { incident: IncidentId(column(&row, 0)?), n: column(&row, 1)? })).transpose()
    }
}

impl Lookup for SqliteStore {
    fn identity(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentIdentity>, StoreError>> {
        Box::pin(self.find_identity(id))
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
        filter: Filter,
        before: Option<IncidentId>,
    ) -> BoxFuture<'_, Result<IncidentPortion, StoreError>> {
        Box::pin(self.read_portion(filter, before))
    }

    fn asked(&self, person: PersonName, query: AskedQuery) -> BoxFuture<'_, Result<Asked, StoreError>> {
        Box::pin(self.find_asked(person, query))
    }

    fn briefs_of(&self, person: PersonName, ended_since: Timestamp) -> BoxFuture<'_, Result<Vec<BriefOf>, StoreError>> {
        Box::pin(self.find_briefs(person, ended_since))
    }

    fn page_by_receipt(
        &self,
        channel: ChannelName,
        receipt: String,
    ) -> BoxFuture<'_, Result<Option<PageId>, StoreError>> {
        Box::pin(self.find_by_receipt(channel, receipt))
    }

    fn drill_run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            runs::run(&mut conn, id).await
        })
    }

    fn run_portion(&self, limit: usize, before: Option<RunId>) -> BoxFuture<'_, Result<RunPortion, StoreError>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await.map_err(failure)?;
            runs::runs(&mut conn, limit, before).await
        })
    }
}

fn brief(row: &SqliteRow) -> Result<BriefOf, StoreError> {
    let (id, n) = (IncidentId(column(row, 2)?), column(row, 3)?);
    let brief = IncidentIdentity { id, nonce: nonce(row, 4)? }.page(n);
    Ok(BriefOf { waits: column(row, 0)?, open: column(row, 1)?, brief })
}

/// An incident's nonce, where it has one.
pub fn nonce(row: &SqliteRow, i: usize) -> Result<Option<IncidentNonce>, StoreError> {
    let bytes: Option<&[u8]> = read::column(row, i)?;
    let bad = |bytes: &[u8]| StoreError::Corrupt {
        what: "the nonce of an incident".into(),
        why: format!("it has {} bytes", bytes.len()),
    };
    bytes.map(|bytes| bytes.try_into().map(IncidentNonce::new).map_err(|_| bad(bytes))).transpose()
}

/// The first text, by its bytes, after all those that begin with `prefix`.
fn first_after(prefix: &str) -> String {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return letters.into_iter().collect();
        }
    }
    // Nothing but the last character of all, or nothing: whatever begins so has no end.
    char::MAX.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{clock::System, sqlite::FILE};
    use sqlx::{ConnectOptions, Row};
    use std::sync::Arc;

    #[tokio::test]
    async fn every_question_is_answered_by_an_index_and_none_goes_through_a_table() {
        let dir = tempfile::tempdir().expect("a directory");
        SqliteStore::open(dir.path(), Arc::new(System)).await.expect("a store").close().await;
        let mut conn = super::super::options(&dir.path().join(FILE)).connect().await.expect("a connection");
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
            BY_RECEIPT,
        ];
        for question in questions {
            let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
            let steps = sqlx::query(plan).fetch_all(&mut conn).await.expect("a plan");
            let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
            // Counting what is open reads the index of what is open, and nothing else.
            let good = |step: &String| step.starts_with("SEARCH") || step.contains("INDEX incident_open");
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
