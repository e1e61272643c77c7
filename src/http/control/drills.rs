//! Drills over the daemon's own socket: start, follow, abort, list.

use crate::{
    core::{DrillRun, RunId},
    drill::runner::{
        calendar,
        lifecycle::{NotRun, NotStopped, RunRequest},
    },
    http::{caller::UnixCaller, problem::ProblemDetails, state::AppState},
    matrix::SourceText,
    store::RunPortion,
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The body of a request for a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct DrillRequest {
    /// The scenario's path, for error messages.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The divisor of waits and offsets; `None` means the scenario's own.
    pub compress: Option<u32>,
}

/// `POST /v1/drills`: starts a run. Everybody who may fire an alert may run a drill.
pub async fn run(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(wanted): Json<DrillRequest>,
) -> Result<Response, ProblemDetails> {
    let file = SourceText { path: wanted.path.into(), text: wanted.text };
    let order = RunRequest { file, compress: wanted.compress, by: caller.actor() };
    let run = app.drills.start(order).await.map_err(refused)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "run": run }))).into_response())
}

/// The query for following a run.
#[derive(Deserialize)]
pub struct TimelineQuery {
    #[serde(default)]
    after: usize,
}

/// `GET /v1/drills/{id}`: the state of a run, and its timeline after line `after`.
pub async fn follow(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    Query(following): Query<TimelineQuery>,
) -> Result<Json<Value>, ProblemDetails> {
    let run = found(&app, &id).await?;
    let timeline = app.drills.timeline(&run, following.after).await?;
    Ok(Json(json!({ "run": shown(&run), "timeline": timeline })))
}

/// The largest number of runs in one response.
const LIST_MAX: usize = 200;

/// The query of the list of runs.
#[derive(Deserialize)]
pub struct DrillQuery {
    #[serde(default)]
    texts: bool,
    /// Only runs older than this one.
    before: Option<String>,
}

/// `GET /v1/drills`: runs, newest first. If there are older ones, `Link: <..>; rel="next"` points to them.
pub async fn list(
    State(app): State<Arc<AppState>>,
    Query(listing): Query<DrillQuery>,
) -> Result<Response, ProblemDetails> {
    let before = listing.before.as_deref().map(parse).transpose()?;
    let RunPortion { runs, before } = app.engine.reads().run_portion(LIST_MAX, before).await?;
    let shown = |run: &DrillRun| if listing.texts { serde_json::to_value(run).unwrap_or_default() } else { shown(run) };
    let mut response = Json(runs.iter().map(shown).collect::<Vec<_>>()).into_response();
    if let Some(before) = before {
        let link = format!("</v1/drills?texts={}&before={before}>; rel=\"next\"", listing.texts);
        response.headers_mut().extend(HeaderValue::from_str(&link).ok().map(|link| (header::LINK, link)));
    }
    Ok(response)
}

/// `POST /v1/drills/{id}/abort`.
pub async fn abort(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ProblemDetails> {
    let id = parse(&id)?;
    let stopped = app.drills.abort(id, caller.actor()).await;
    stopped.map_err(|error| match error {
        NotStopped::NotRunning(_) => ProblemDetails::new(StatusCode::CONFLICT, error.to_string()),
        NotStopped::NotTheirs(_) => ProblemDetails::new(StatusCode::FORBIDDEN, error.to_string()),
        NotStopped::NotYet(_) => ProblemDetails::new(StatusCode::GATEWAY_TIMEOUT, error.to_string()),
    })?;
    Ok(Json(json!({ "run": id, "aborted": true })))
}

/// `GET /v1/drills/schedule`: the scheduled drills, and when each runs next.
pub async fn schedule(State(app): State<Arc<AppState>>) -> Result<Json<Value>, ProblemDetails> {
    let (drills, folder) = (&app.drills, &app.scenarios);
    let scheduled = calendar::scheduled(drills, folder).await?;
    let faulty = calendar::scenarios(drills, folder);
    let faulty = faulty.into_iter().filter_map(|(path, read)| Some((path.display().to_string(), read.err()?)));
    let faults: Vec<Value> = faulty.map(|(path, faults)| json!({ "path": path, "faults": faults })).collect();
    Ok(Json(json!({ "scheduled": scheduled, "unreadable": faults })))
}

/// A run without its scenario's text.
fn shown(run: &DrillRun) -> Value {
    let mut value = serde_json::to_value(run).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("text");
    }
    value
}

async fn found(app: &AppState, id: &str) -> Result<DrillRun, ProblemDetails> {
    let id = parse(id)?;
    app.drills.run(id).await?.ok_or_else(|| ProblemDetails::not_found(format!("there is no run {id}")))
}

fn parse(id: &str) -> Result<RunId, ProblemDetails> {
    id.parse().map_err(ProblemDetails::bad)
}

fn refused(why: NotRun) -> ProblemDetails {
    let status = match &why {
        NotRun::Scenario(_) | NotRun::Compress(_) => StatusCode::UNPROCESSABLE_ENTITY,
        NotRun::Hours | NotRun::Live(_) | NotRun::Drill(_) | NotRun::UnderWay(_) => StatusCode::CONFLICT,
        NotRun::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    ProblemDetails::new(status, why.to_string())
}
