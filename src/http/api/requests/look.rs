//! One request as it is now, or as soon as it changes.

use super::{
    RequestView,
    service::{self, asker, read_id},
};
use crate::{
    http::{
        connection::limits::ANSWER_MAX,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The longest that one look at a request waits for a change.
pub const WAIT_MAX: Duration = Duration::from_secs(50);

// A connection whose request has no answer for longer is closed.
const _: () = assert!(WAIT_MAX.as_secs() + 5 <= ANSWER_MAX.as_secs());

/// `GET /v1/requests/{id}` in the API's document.
pub fn operation() -> Operation {
    Operation::get("getRequest", look)
        .about("A request", "As it is now or, with `wait`, as soon as it changes. A source sees its own alone.")
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .path::<String>("id")
        .query::<LookQuery>()
        .answer::<RequestView>(StatusCode::OK, "The request.")
        .problem(StatusCode::BAD_REQUEST, "The query can not be read.")
        .problem(StatusCode::NOT_FOUND, "This source has no request with this id.")
        .problem(StatusCode::UNPROCESSABLE_ENTITY, "`wait` is no time.")
        .busy::<ProblemDetails>("Too many requests of the source, or of all, are waited for.")
}

/// How long a look waits for a change.
#[derive(Deserialize, JsonSchema)]
struct LookQuery {
    /// How long to wait for a change: `30s`, or a number of seconds; at most 50 s.
    #[schemars(regex(pattern = r"^[0-9]{1,4}(ms|s|m)?$"))]
    wait: Option<String>,
}

/// `GET /v1/requests/{id}`: as it is now or, with `wait`, as soon as it changes, at the latest then.
async fn look(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<LookQuery>,
) -> Result<Json<RequestView>, ProblemDetails> {
    let source = asker(&app, &headers)?;
    let id = read_id(&id)?;
    let wait = query.wait.as_deref().map(wait).transpose()?.unwrap_or_default();
    let now = service::wait(&app, &source, id, Instant::now() + wait, |first, now| first != now).await?;
    Ok(Json(service::view(&app, &now).await?))
}

/// `30s`, `1m 30s`, or a number of seconds.
fn wait(text: &str) -> Result<Duration, ProblemDetails> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| humantime::parse_duration(text).ok());
    wait.map(|wait| wait.min(WAIT_MAX))
        .ok_or_else(|| ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, "`wait` is a time like 30s, at most 50 s"))
}
