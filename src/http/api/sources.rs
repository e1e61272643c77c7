//! Who sends alerts, and what became of them: `/v1/sources`.

use crate::{
    engine::SourcesReport,
    http::{
        caller::UnixCaller,
        credential::may_read,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use std::sync::Arc;

/// `GET /v1/sources` in the API's document.
pub fn operation() -> Operation {
    let details = "The sources of the matrix, and others that have sent: when each was last heard, and how many alerts of \
                   which kind had which result. Questions (`/v1/requests`) are no alerts and not in the counts.";
    Operation::get("listSources", sources)
        .about("Who sends alerts", details)
        .access(Access::Reader(SourceScope::Read))
        .stored()
        .answer::<SourcesReport>(StatusCode::OK, "Each source, with its counts and since when they count.")
}

/// `GET /v1/sources`.
async fn sources(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
) -> Result<Json<SourcesReport>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    Ok(Json(app.engine.admission().sources().await?))
}
