//! Drills over the daemon's own socket: run, follow, abort, list.

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

/// What is to be run.
#[derive(Debug, Serialize, Deserialize)]
pub struct DrillRequest {
    /// The scenario's file, as it is shown in its faults.
    pub path: String,
    /// Its text.
    pub text: String,
    /// By what waits and offsets are divided; none leaves it to the scenario.
    pub compress: Option<u32>,
}

/// `POST /v1/drills`: starts a run. Whoever may fire may run a drill.
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

/// From which line of the timeline on.
#[derive(Deserialize)]
pub struct TimelineQuery {
    #[serde(default)]
    after: usize,
}

/// `GET /v1/drills/{id}`: how a run stands, and its timeline from `after` on.
pub async fn follow(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    Query(following): Query<TimelineQuery>,
) -> Result<Json<Value>, ProblemDetails> {
    let run = found(&app, &id).await?;
    let timeline = app.drills.timeline(&run, following.after).await?;
    Ok(Json(json!({ "run": shown(&run), "timeline": timeline })))
}

/// Runs that one answer has room for.
const LIST_MAX: usize = 200;

/// Which runs, and whether with the scenarios' texts.
#[derive(Deserialize)]
pub struct DrillQuery {
    #[serde(default)]
    texts: bool,
    /// Only older ones than this.
    before: Option<String>,
}

/// `GET /v1/drills`: runs, newest first. Where there are older ones, `Link: <..>; rel="next"` leads to them.
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

/// `GET /v1/drills/schedule`: what runs by itself, and when next.
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
