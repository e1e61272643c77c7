//! Runs of drills and their turns: rows of their own, written between the works.

use super::{StoreError, failure, read::column};
use crate::{
    core::{Run, RunId, Turn},
    store::RunPortion,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

/// What is to be kept.
pub enum Note {
    /// A run, new or as it stands now.
    Run(Box<Run>),
    /// When a scenario runs next.
    Turn(Turn),
}

/// Keeps it durably.
pub async fn keep(conn: &mut SqliteConnection, note: &Note) -> Result<(), StoreError> {
    const RUN: &str =
        "INSERT INTO drill_run (id, scenario, hash, started, ended, state, body) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, state = excluded.state, body = excluded.body";
    const TURN: &str = "INSERT INTO drill_turn (scenario, next, body) VALUES (?, ?, ?)
        ON CONFLICT (scenario) DO UPDATE SET next = excluded.next, body = excluded.body";
    let query = match note {
        Note::Run(run) => {
            let body = serde_json::to_string(run).map_err(|error| StoreError::Failed(error.to_string()))?;
            let (name, hash) = (run.scenario.clone(), run.revision.clone());
            let (started, ended) = (run.started_at.as_micros(), run.ended_at.map(|at| at.as_micros()));
            let query = sqlx::query(RUN).bind(run.id.0).bind(name).bind(hash).bind(started).bind(ended);
            query.bind(run.state.as_str()).bind(body)
        }
        Note::Turn(turn) => {
            let body = serde_json::to_string(turn).map_err(|error| StoreError::Failed(error.to_string()))?;
            sqlx::query(TURN).bind(turn.scenario.clone()).bind(turn.next.as_micros()).bind(body)
        }
    };
    query.execute(conn).await.map(drop).map_err(failure)
}

/// The newest run's number.
pub async fn newest(conn: &mut SqliteConnection) -> Result<Option<RunId>, StoreError> {
    let row = sqlx::query("SELECT MAX(id) FROM drill_run").fetch_one(conn).await.map_err(failure)?;
    Ok(column::<Option<i64>>(&row, 0)?.map(RunId))
}

/// One run.
pub async fn run(conn: &mut SqliteConnection, id: RunId) -> Result<Option<Run>, StoreError> {
    let rows = sqlx::query("SELECT body, id FROM drill_run WHERE id = ?").bind(id.0).fetch_all(conn).await;
    Ok(readable(&rows.map_err(failure)?, "a run of a drill").pop())
}

/// Runs with smaller numbers than `before`, newest first, at most `limit`.
pub async fn runs(conn: &mut SqliteConnection, limit: usize, before: Option<RunId>) -> Result<RunPortion, StoreError> {
    const RUNS: &str = "SELECT body, id FROM drill_run WHERE id < ? ORDER BY id DESC LIMIT ?";
    let before = before.map_or(i64::MAX, |id| id.0);
    let rows = sqlx::query(RUNS).bind(before).bind(super::limit(limit)).fetch_all(conn).await.map_err(failure)?;
    let last = rows.last().filter(|_| limit <= rows.len()).map(|row| column(row, 1)).transpose()?;
    Ok(RunPortion { runs: readable(&rows, "a run of a drill"), before: last.map(RunId) })
}

/// All turns, by the scenarios' names.
pub async fn turns(conn: &mut SqliteConnection) -> Result<Vec<Turn>, StoreError> {
    let rows = sqlx::query("SELECT body FROM drill_turn ORDER BY scenario").fetch_all(conn).await;
    Ok(readable(&rows.map_err(failure)?, "the turn of a drill"))
}

/// One that can not be understood is left out: the others must be seen all the same, and the daemon must start.
fn readable<T: serde::de::DeserializeOwned>(rows: &[SqliteRow], what: &str) -> Vec<T> {
    let read = |row| match parse(row, what) {
        Ok(read) => Some(read),
        Err(error) => {
            tracing::error!(%error, "a row about drills is left out");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}

fn parse<T: serde::de::DeserializeOwned>(row: &SqliteRow, what: &str) -> Result<T, StoreError> {
    let body: &str = column(row, 0)?;
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt { what: what.into(), why: error.to_string() })
}
