//! `POST /v1/reload`: the matrix is read again, and the caller is told the result.

use crate::http::{caller::UnixCaller, problem::ProblemDetails, reloader::ReloadOutcome, state::AppState};
use axum::{Extension, Json, extract::State, http::StatusCode};
use std::sync::Arc;

/// The answer is 200 whether it was loaded or not: the request was carried out, and the body says how.
pub async fn reload(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
) -> Result<Json<ReloadOutcome>, ProblemDetails> {
    caller.may_reload()?;
    let own = app.clone();
    let reloaded = tokio::task::spawn_blocking(move || own.reloader.get().map(|reload| reload())).await;
    let gone = || ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "this daemon can not reload");
    reloaded.ok().flatten().map(Json).ok_or_else(gone)
}
