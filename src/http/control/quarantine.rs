//! The quarantine over the daemon's own socket: list, show and clear rows that can not be read.

use crate::{
    http::{caller::UnixCaller, problem::ProblemDetails, state::AppState},
    store::{QuarantinedRow, RowName, RowRemains},
};
use axum::{
    Extension, Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The query of the list.
#[derive(Deserialize)]
pub struct QuarantineList {
    /// Whether to include cleared rows.
    #[serde(default)]
    all: bool,
    /// Whether to check every open incident first.
    #[serde(default)]
    look: bool,
}

/// `GET /v1/quarantine`: all rows, incidents first.
pub async fn list(
    State(app): State<Arc<AppState>>,
    Query(listing): Query<QuarantineList>,
) -> Json<Vec<QuarantinedRow>> {
    if listing.look {
        app.engine.health().check().await;
    }
    let entries = app.engine.reads().quarantined().into_iter();
    Json(entries.filter(|entry| listing.all || entry.is_waiting()).collect())
}

/// The query for one row.
#[derive(Deserialize)]
pub struct RowQuery {
    row: RowName,
}

/// A row in quarantine, with its raw content.
#[derive(Debug, Serialize, Deserialize)]
pub struct QuarantinedView {
    /// What is known about it.
    #[serde(flatten)]
    pub entry: QuarantinedRow,
    /// The raw content of the row.
    pub remains: Vec<RowRemains>,
}

/// `GET /v1/quarantine/row`: one row with its raw content.
pub async fn show(
    State(app): State<Arc<AppState>>,
    Query(RowQuery { row }): Query<RowQuery>,
) -> Result<Json<QuarantinedView>, ProblemDetails> {
    let entry = app.engine.reads().quarantined().into_iter().find(|entry| entry.row == row);
    let entry = entry.ok_or_else(|| ProblemDetails::not_found(format!("{row} is not in quarantine")))?;
    let remains = app.engine.reads().remains(row).await?;
    Ok(Json(QuarantinedView { entry, remains }))
}

/// The body of a request to clear rows.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearRequest {
    /// Their names; empty means all rows that are not cleared.
    pub rows: Vec<RowName>,
}

/// The result of clearing rows.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearedRows {
    /// The rows that are now cleared.
    pub cleared: Vec<RowName>,
    /// The rows that were not in quarantine, or were cleared before.
    pub not_waiting: Vec<RowName>,
}

/// `POST /v1/quarantine/clear`: marks rows as reviewed.
pub async fn clear(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(ClearRequest { rows }): Json<ClearRequest>,
) -> Result<Json<ClearedRows>, ProblemDetails> {
    let waiting =
        || app.engine.reads().quarantined().into_iter().filter(QuarantinedRow::is_waiting).map(|entry| entry.row);
    let rows = if rows.is_empty() { waiting().collect() } else { rows };
    let mut done = ClearedRows { cleared: Vec::new(), not_waiting: Vec::new() };
    for row in rows {
        match app.engine.health().clear_quarantined(&row, &caller.actor()).await? {
            true => done.cleared.push(row),
            false => done.not_waiting.push(row),
        }
    }
    Ok(Json(done))
}
