//! What the writer keeps in memory besides incidents, read when the store is opened and after a failure. An unreadable
//! row is set aside or repaired from the journal; it never keeps the store from opening.

use super::{
    column::{NUMBER_MAX, column, head, rows, scalar},
    failure::failure,
    lost::lost,
    read::{self, incidents},
    responses,
};
use crate::{
    core::{IncidentId, IncidentKey, SourceName, Timestamp, event::ANCHORS, trigger::ThresholdWindow},
    store::{
        ChainHead, QuarantinedRow, RowKind, RowName, StoreError, WorkingSet, body::SharedPlans, quarantine::Quarantine,
    },
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::{collections::BTreeMap, time::Duration};

/// How long a window is kept after nothing was counted in it.
const WINDOW_KEPT: Duration = Duration::from_secs(31 * 24 * 3600);

/// What the writer keeps in memory besides incidents.
#[derive(Default)]
pub struct StartState {
    /// Keys of open incidents, sources, windows; no incidents.
    pub loaded: WorkingSet,
    /// The number of the last incident that was opened.
    pub last_id: i64,
    /// Deadlines of open incidents, and of those whose rooms are not archived yet.
    pub deadlines: Vec<(IncidentId, Option<Timestamp>)>,
    /// The head of the chain of anchors.
    pub anchors: Option<ChainHead>,
    /// Chains that grew since the last anchor.
    pub unanchored: BTreeMap<String, ChainHead>,
    /// Rows that can not be read.
    pub unreadable: Vec<QuarantinedRow>,
    now: Timestamp,
}

/// Reads what the writer keeps in memory, except what `quarantine` holds. Unreadable rows are found at `now`.
pub async fn state(
    conn: &mut SqliteConnection,
    plans: &SharedPlans,
    quarantine: &Quarantine,
    now: Timestamp,
) -> Result<StartState, StoreError> {
    let mut state = StartState { now, ..StartState::default() };
    state.timed(conn, plans, quarantine).await?;
    state.heads(conn).await?;
    state.windows(conn).await?;
    state.judgements(conn).await?;
    for (source, count) in read::counts(conn).await? {
        state.loaded.counts.entry(source).or_default().insert(count.counted.name.clone(), count);
    }
    state.loaded.responses = responses::responses(conn).await?;
    state.unanchored = unanchored(conn).await?;
    let bound = format!("SELECT coalesce(max(id), 0) FROM incident WHERE id BETWEEN 1 AND {NUMBER_MAX}");
    state.last_id = sqlx::query_scalar(sqlx::AssertSqlSafe(bound)).fetch_one(&mut *conn).await.map_err(failure)?;
    Ok(state)
}

impl StartState {
    /// Keys and deadlines of incidents. If a head can not be read, the incident itself is.
    async fn timed(
        &mut self,
        conn: &mut SqliteConnection,
        plans: &SharedPlans,
        quarantine: &Quarantine,
    ) -> Result<(), StoreError> {
        const TIMED: &str =
            "SELECT id, key, deadline, open FROM incident WHERE open <> 0 OR deadline IS NOT NULL ORDER BY id";
        let mut damaged = Vec::new();
        for row in &rows(conn, TIMED).await? {
            let id = IncidentId(column(row, 0)?);
            if quarantine.holds(id).is_some() {
                continue;
            }
            match timed(row) {
                Ok((key, deadline, open)) => self.add(id, key, deadline, open),
                Err(_) => damaged.push(id),
            }
        }
        for (id, found) in incidents(conn, &damaged, plans).await? {
            match found {
                Ok(kept) => {
                    self.add(id, kept.incident.key.clone(), kept.incident.deadline(), kept.incident.is_open());
                }
                Err(error) => {
                    let incident = lost(conn, id).await;
                    let entry = QuarantinedRow::new(RowName::Incident(id), self.now, error.to_string());
                    self.unreadable.push(QuarantinedRow { incident, ..entry });
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, id: IncidentId, key: IncidentKey, deadline: Option<Timestamp>, open: bool) {
        if open {
            self.loaded.keys.insert(key, id);
        }
        self.deadlines.push((id, deadline));
    }

    /// The heads of the chains of sources and anchors. The journal gives those that can not be read.
    async fn heads(&mut self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        const HEADS: &str =
            "SELECT name, seq, hash, (SELECT max(j.seq) FROM journal j WHERE j.chain = chain.name) FROM chain";
        for row in &rows(conn, HEADS).await? {
            let Ok(name) = column::<String>(row, 0) else {
                self.found(RowKind::Head, "?", "its name is not text".into());
                continue;
            };
            let last = column::<Option<i64>>(row, 3).ok().flatten().and_then(|seq| u64::try_from(seq).ok());
            let found = match head(row, 1) {
                Ok(head) if last.is_none_or(|last| last <= head.seq) => Some(head),
                found => {
                    let why = found.map_or_else(|error| error.to_string(), |_| "its journal goes on after it".into());
                    self.found(RowKind::Head, &name, why);
                    last_head(conn, &name).await?
                }
            };
            match (name.strip_prefix("source:"), found) {
                (Some(source), Some(head)) => drop(self.loaded.sources.insert(SourceName::from(source), head)),
                (None, head) if name == ANCHORS => self.anchors = head,
                _ => {}
            }
        }
        Ok(())
    }

    fn found(&mut self, kind: RowKind, name: &str, why: String) {
        self.unreadable.push(QuarantinedRow::new(RowName::Other(kind, name.to_owned()), self.now, why));
    }

    async fn windows(&mut self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        for row in &rows(conn, "SELECT name, body FROM observed").await? {
            let name = column::<String>(row, 0).unwrap_or_else(|_| "?".into());
            let read = column::<&str>(row, 1).map_err(|error| error.to_string());
            match read.and_then(|body| serde_json::from_str::<ThresholdWindow>(body).map_err(|error| error.to_string()))
            {
                Ok(window) => self.loaded.observed.insert(name, window),
                Err(why) => self.found(RowKind::Window, &name, why),
            }
        }
        Ok(())
    }

    async fn judgements(&mut self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        for row in &rows(conn, "SELECT name, body FROM judgement").await? {
            let name = column::<String>(row, 0).unwrap_or_else(|_| "?".into());
            let read = column::<&str>(row, 1).map_err(|error| error.to_string());
            match read.and_then(|body| serde_json::from_str(body).map_err(|error| error.to_string())) {
                Ok(state) => self.loaded.judged.insert(name, state),
                Err(why) => self.found(RowKind::Judgement, &name, why),
            }
        }
        Ok(())
    }
}

fn timed(row: &SqliteRow) -> Result<(IncidentKey, Option<Timestamp>, bool), StoreError> {
    let (key, deadline, open): (&str, Option<i64>, i64) = (column(row, 1)?, column(row, 2)?, column(row, 3)?);
    Ok((IncidentKey::stored(key), deadline.map(Timestamp::from_micros), open != 0))
}

/// The head of a chain from its journal; `None` without a line.
pub async fn last_head(conn: &mut SqliteConnection, chain: &str) -> Result<Option<ChainHead>, StoreError> {
    const LAST: &str =
        "SELECT seq, hash FROM journal WHERE chain = ? AND typeof(seq) = 'integer' ORDER BY seq DESC LIMIT 1";
    let row = sqlx::query(LAST).bind(chain.to_owned()).fetch_optional(conn).await.map_err(failure)?;
    // A hash of the wrong length was altered; the chain goes on from what a check takes in its place.
    let hash = |row: &SqliteRow| column::<&[u8]>(row, 1).ok().and_then(|hash| hash.try_into().ok()).unwrap_or_default();
    let head =
        |row: &SqliteRow| Some(ChainHead { seq: u64::try_from(column::<i64>(row, 0).ok()?).ok()?, hash: hash(row) });
    Ok(row.as_ref().and_then(head))
}

/// Deletes windows that can not matter any more: empty ones, and those in which nothing was counted for a month.
/// Unreadable ones stay.
pub async fn forget_windows(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let kept = i64::try_from(WINDOW_KEPT.as_micros()).unwrap_or(i64::MAX);
    let oldest = now.as_micros().saturating_sub(kept);
    let delete = "DELETE FROM observed WHERE at < ?
        OR CASE WHEN json_valid(body) THEN json_array_length(body, '$.times') = 0 ELSE 0 END";
    sqlx::query(delete).bind(oldest).execute(conn).await.map(drop).map_err(failure)
}

/// The time of the newest line that has one.
pub async fn newest(conn: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    const NEWEST: &str = "SELECT (SELECT at FROM journal WHERE typeof(at) = 'integer' ORDER BY pos DESC LIMIT 1)";
    Ok(scalar::<Option<i64>>(conn, NEWEST).await?.map(Timestamp::from_micros))
}

async fn unanchored(conn: &mut SqliteConnection) -> Result<BTreeMap<String, ChainHead>, StoreError> {
    const SINCE: &str = "SELECT chain, max(seq), hash FROM journal WHERE chain <> 'anchors' AND pos >
        coalesce((SELECT pos FROM journal WHERE chain = 'anchors' ORDER BY seq DESC LIMIT 1), 0) GROUP BY chain";
    // Unreadable chains are not anchored: a check reports them.
    let read = |row: &SqliteRow| Some((column::<String>(row, 0).ok()?, head(row, 1).ok()?));
    Ok(rows(conn, SINCE).await?.iter().filter_map(read).collect())
}

/// Reads the quarantine. If an entry itself can not be read, it holds its row all the same.
pub async fn quarantine(conn: &mut SqliteConnection, now: Timestamp) -> Result<Quarantine, StoreError> {
    let mut quarantine = Quarantine::default();
    for row in &rows(conn, "SELECT row, body FROM quarantine").await? {
        let Some(name) = column::<&str>(row, 0).ok().and_then(|name| name.parse::<RowName>().ok()) else { continue };
        let entry = column::<&str>(row, 1).ok().and_then(|body| serde_json::from_str::<QuarantinedRow>(body).ok());
        let entry = entry.filter(|entry| entry.row == name);
        let entry =
            entry.unwrap_or_else(|| QuarantinedRow::new(name.clone(), now, "what was known about it is lost".into()));
        quarantine.keep([(name, Some(entry))].into());
    }
    Ok(quarantine)
}
