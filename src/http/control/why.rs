//! `stentor why`: what the journal has of one alert.

use crate::{
    engine::alert_today::AlertWhy,
    http::{problem::ProblemDetails, state::AppState},
};
use axum::{
    Json,
    extract::{Path, State},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// One search at a time: it reads many lines, and pages must not wait for it.
static UNDER_WAY: Semaphore = Semaphore::const_new(1);

/// `GET /v1/alerts/{id}/why`: what became of an alert, and what the matrix of today says to it.
pub async fn why(State(app): State<Arc<AppState>>, Path(id): Path<String>) -> Result<Json<AlertWhy>, ProblemDetails> {
    let _turn = UNDER_WAY.acquire().await;
    let trace = app.engine.reads().alert(&id).await?;
    Ok(Json(AlertWhy::new(trace, Some(&app.engine.config().matrix))))
}
