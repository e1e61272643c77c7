//! `stentor erase`: the socket tells who does it.

use crate::{
    engine::Erasure,
    http::{
        api::incidents::{absent, parse_id},
        caller::UnixCaller,
        problem::ProblemDetails,
        state::AppState,
    },
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /v1/incidents/{id}/erase`: destroys the key of its conversation.
pub async fn erase(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ProblemDetails> {
    let id = parse_id(&id)?;
    app.engine.reads().view(id).await?.ok_or_else(|| absent(id))?;
    let refused = |detail: String| ProblemDetails::new(StatusCode::CONFLICT, detail);
    match app.engine.inbound().erase(id, caller.actor()).await? {
        Erasure::NoHandoff => Err(refused(format!("{id} has no conversation to erase"))),
        Erasure::Open => Err(refused(format!("{id} is open and people need its conversation: end it first"))),
        done => Ok(Json(json!({ "incident": id, "erased": done == Erasure::Done }))),
    }
}
