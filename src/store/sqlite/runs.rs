//! Runs of drills and their schedules; and the rows that are written between transactions.

use super::{
    column::{NUMBER_MAX, column, shown},
    connection::limit,
    failure::failure,
    read::SortedRows,
    setting,
};
use crate::{
    core::{DrillRun, RunId, ScheduledRun},
    store::{RowKind, RowName, StoreError},
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

/// A row to store by itself.
pub enum SingleRow {
    /// When a scenario runs next.
    Turn(ScheduledRun),
    /// The node with this number leaves in order.
    Left(u64),
}

/// Stores a row durably.
pub async fn keep(conn: &mut SqliteConnection, note: &SingleRow) -> Result<(), StoreError> {
    const TURN: &str = "INSERT INTO drill_turn (scenario, next, body) VALUES (?, ?, ?)
        ON CONFLICT (scenario) DO UPDATE SET next = excluded.next, body = excluded.body";
    let query = match note {
        SingleRow::Left(epoch) => return setting::keep_left(conn, *epoch).await,
        SingleRow::Turn(turn) => {
            let body = serde_json::to_string(turn).map_err(|error| StoreError::Failed(error.to_string()))?;
            sqlx::query(TURN).bind(turn.scenario.clone()).bind(turn.next.as_micros()).bind(body)
        }
    };
    query.execute(conn).await.map(drop).map_err(failure)
}

/// The number of the newest run.
pub async fn newest(conn: &mut SqliteConnection) -> Result<Option<RunId>, StoreError> {
    let newest = sqlx::query("SELECT MAX(id) FROM drill_run WHERE id <= ?").bind(NUMBER_MAX);
    let row = newest.fetch_one(conn).await.map_err(failure)?;
    Ok(column::<Option<i64>>(&row, 0)?.map(RunId))
}

/// One run.
pub async fn run(conn: &mut SqliteConnection, id: RunId) -> Result<SortedRows<DrillRun>, StoreError> {
    let rows = sqlx::query("SELECT body, 'DR-' || id FROM drill_run WHERE id = ?").bind(id.0).fetch_all(conn).await;
    Ok(sorted(&rows.map_err(failure)?, RowKind::Run))
}

/// Runs with smaller numbers than `before`, newest first, at most `most`, and where the next portion begins; `None`
/// after the last.
pub async fn runs(
    conn: &mut SqliteConnection,
    most: usize,
    before: Option<RunId>,
) -> Result<(SortedRows<DrillRun>, Option<RunId>), StoreError> {
    const RUNS: &str = "SELECT body, 'DR-' || id, id FROM drill_run WHERE id < ? ORDER BY id DESC LIMIT ?";
    let before = before.map_or(i64::MAX, |id| id.0);
    let rows = sqlx::query(RUNS).bind(before).bind(limit(most)).fetch_all(conn).await.map_err(failure)?;
    let last = rows.last().filter(|_| most <= rows.len()).map(|row| column(row, 2)).transpose()?;
    Ok((sorted(&rows, RowKind::Run), last.map(RunId)))
}

/// When all scheduled scenarios run next, by their names.
pub async fn turns(conn: &mut SqliteConnection) -> Result<SortedRows<ScheduledRun>, StoreError> {
    let rows = sqlx::query("SELECT body, scenario FROM drill_turn ORDER BY scenario").fetch_all(conn).await;
    Ok(sorted(&rows.map_err(failure)?, RowKind::Turn))
}

/// One that can not be read is left out: the others must be seen, and the daemon must start.
fn sorted<T: serde::de::DeserializeOwned>(rows: &[SqliteRow], kind: RowKind) -> SortedRows<T> {
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        let body = column::<&str>(row, 0).map_err(|error| error.to_string());
        match body.and_then(|body| serde_json::from_str(body).map_err(|error| error.to_string())) {
            Ok(one) => read.push(one),
            Err(why) => unreadable.push((RowName::Other(kind, shown(row, 1)), why)),
        }
    }
    (read, unreadable)
}
