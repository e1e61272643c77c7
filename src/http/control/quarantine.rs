//! What can not be read and was set aside: listed, shown and cleared over the daemon's own socket.

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

/// Which rows.
#[derive(Deserialize)]
pub struct QuarantineList {
    /// Those that somebody has looked at, too.
    #[serde(default)]
    all: bool,
    /// Every open incident is looked at first.
    #[serde(default)]
    look: bool,
}

/// `GET /v1/quarantine`: incidents first.
pub async fn list(
    State(app): State<Arc<AppState>>,
    Query(listing): Query<QuarantineList>,
) -> Json<Vec<QuarantinedRow>> {
    if listing.look {
        app.engine.examine().await;
    }
    let entries = app.engine.store.quarantined().into_iter();
    Json(entries.filter(|entry| listing.all || entry.is_waiting()).collect())
}

/// One row.
#[derive(Deserialize)]
pub struct RowQuery {
    row: RowName,
}

/// A row, and what is left of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct QuarantinedView {
    /// What is known of it.
    #[serde(flatten)]
    pub entry: QuarantinedRow,
    /// What lies where it should be.
    pub remains: Vec<RowRemains>,
}

/// `GET /v1/quarantine/row`: what is left of it.
pub async fn show(
    State(app): State<Arc<AppState>>,
    Query(RowQuery { row }): Query<RowQuery>,
) -> Result<Json<QuarantinedView>, ProblemDetails> {
    let entry = app.engine.store.quarantined().into_iter().find(|entry| entry.row == row);
    let entry = entry.ok_or_else(|| ProblemDetails::not_found(format!("{row} was not set aside")))?;
    let remains = app.engine.store.remains(row).await?;
    Ok(Json(QuarantinedView { entry, remains }))
}

/// Which rows to clear.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearRequest {
    /// Their names; none means every one that waits.
    pub rows: Vec<RowName>,
}

/// What became of that.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearedRows {
    /// Those that waited and are shown no more.
    pub cleared: Vec<RowName>,
    /// Those that nobody waits for: not set aside, or cleared before.
    pub not_waiting: Vec<RowName>,
}

/// `POST /v1/quarantine/clear`: somebody has looked at them.
pub async fn clear(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(ClearRequest { rows }): Json<ClearRequest>,
) -> Result<Json<ClearedRows>, ProblemDetails> {
    let waiting =
        || app.engine.store.quarantined().into_iter().filter(QuarantinedRow::is_waiting).map(|entry| entry.row);
    let rows = if rows.is_empty() { waiting().collect() } else { rows };
    let mut done = ClearedRows { cleared: Vec::new(), not_waiting: Vec::new() };
    for row in rows {
        match app.engine.clear_quarantined(&row, &caller.actor()).await? {
            true => done.cleared.push(row),
            false => done.not_waiting.push(row),
        }
    }
    Ok(Json(done))
}
