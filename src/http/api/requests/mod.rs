//! Requests of other systems: they ask, people answer, and the answer comes back here.

mod ask_body;
mod packet_body;
mod view;

pub use ask_body::{RequestBody, read};
pub use view::RequestView;

use super::{
    asker::{asker, refused},
    handoffs,
};
use crate::{
    core::{Actor, Incident, RequestId, SourceName},
    engine::RequestAdmission,
    http::{
        body, idempotency,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
    store::RequestKey,
};
use axum::{
    Json,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The largest request that is read, in bytes: it is in its incident, which is read and written whole.
pub const REQUEST_MAX: usize = 256 * 1024;

/// The longest that one look at a request waits for a change.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// What keys of this API are for.
const OPERATION: &str = "requests";

/// The longest reason of a withdrawal, in characters.
const WHY_MAX: usize = 200;

/// `POST /v1/requests` in the API's document.
pub fn ask_operation() -> Operation {
    let details = "The trigger of the matrix that takes it says who decides. The answer comes after the request is durable. With \
                   an `Idempotency-Key` it is safe to send again.";
    Operation::post("ask", accept)
        .about("Ask people", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .body::<RequestBody>(REQUEST_MAX, "An alert with a question.")
        .answer::<RequestView>(StatusCode::ACCEPTED, "The request is durable, and people are being asked.")
        .problem(StatusCode::BAD_REQUEST, "The body is not JSON that every reader reads alike. Nothing was kept.")
        .problem(StatusCode::CONFLICT, "It is a drill, and a live incident is open.")
        .problem(StatusCode::UNPROCESSABLE_ENTITY, "This can not be asked. Nothing was kept.")
        .busy::<ProblemDetails>("The source has opened as many incidents as it may in a minute.")
}

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
}

/// `POST /v1/requests/{id}/cancel` in the API's document.
pub fn cancel_operation() -> Operation {
    Operation::post("cancelRequest", cancel)
        .about("Withdraw a request", "Everybody who was asked hears it. What was decided stays decided.")
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .path::<String>("id")
        .body::<Cancellation>(body::PRESS_MAX, "Why.")
        .answer::<RequestView>(StatusCode::OK, "The request, as it is now.")
        .problem(StatusCode::BAD_REQUEST, "The body is not JSON.")
        .problem(StatusCode::NOT_FOUND, "This source has no request with this id.")
        .problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not said to be JSON.")
        .problem(StatusCode::UNPROCESSABLE_ENTITY, "The body is other JSON than expected, or the reason is too long.")
}

/// `POST /v1/requests`. The response is `202` only after the durable commit.
async fn accept(State(app): State<Arc<AppState>>, request: Request) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let source = asker(&app, &parts.headers)?;
    let key = idempotency::key(&parts.headers)?;
    let bytes = body::of_source(body, REQUEST_MAX, &source).await?;
    let keyed = key.map(|key| {
        (RequestKey { source: source.clone(), operation: OPERATION.to_owned(), key }, idempotency::digest(&bytes))
    });
    let received_at = app.engine.now();
    let (mut alert, wish) = ask_body::read(&bytes)?;
    let config = app.engine.config();
    let settings = config.matrix.sources.get(&source);
    if let Some(packet) = &wish.packet {
        packet_body::allowed_link(packet, settings.and_then(|settings| settings.reply_url.as_deref()))?;
    }
    let drills = settings.is_some_and(|known| known.drills);
    if alert.drill && !drills {
        let detail = format!("source {source} may not send drills: set drills = true in its [source.{source}]");
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail));
    }
    alert.source = source.clone();
    alert.id = format!("ALT-{:016x}", rand::random::<u64>());
    let admitted = app.engine.admission().admit_request(alert, wish, received_at, keyed).await;
    let RequestAdmission { id, again } = admitted.map_err(|fault| refused(&app, &source, fault))?;
    let incident = theirs(&app, &source, id).await?;
    let location = [(header::LOCATION, format!("/v1/requests/{id}"))];
    // The same request as it is now: whoever asks again after a crash learns its outcome.
    let replayed = again.then_some([(idempotency::REPLAYED, "true")]);
    Ok((StatusCode::ACCEPTED, location, replayed, Json(view(&app, &incident).await?)).into_response())
}

/// How long a look waits for a change.
#[derive(Deserialize, JsonSchema)]
struct LookQuery {
    /// How long to wait for a change: `30s`, or a number of seconds; at most a minute.
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
    let id = id.parse().map_err(|_| unknown())?;
    let wait = query.wait.as_deref().map(wait).transpose()?.unwrap_or_default();
    let deadline = Instant::now() + wait;
    let mut changes = app.engine.changes();
    let first = theirs(&app, &source, id).await?;
    let mut now = first.clone();
    while now.request == first.request && first.request.as_ref().is_some_and(|request| request.outcome().is_none()) {
        match timeout_at(deadline, changes.recv()).await {
            Ok(Ok(changed)) if changed != id.incident => {}
            Ok(Ok(_)) => now = theirs(&app, &source, id).await?,
            // Changes were missed.
            Ok(Err(_)) => now = theirs(&app, &source, id).await?,
            Err(_) => break,
        }
    }
    Ok(Json(view(&app, &now).await?))
}

/// The reason of a withdrawal.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// For everybody who was asked, at most 200 characters.
    reason: Option<String>,
}

/// `POST /v1/requests/{id}/cancel`: everybody who was asked hears it. What was decided stays decided.
async fn cancel(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RequestView>, ProblemDetails> {
    let source = asker(&app, request.headers())?;
    let id = id.parse().map_err(|_| unknown())?;
    theirs(&app, &source, id).await?;
    let Cancellation { reason } = body::json(request, body::PRESS_MAX).await?;
    let why = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if why.as_ref().is_some_and(|why| WHY_MAX < why.chars().count()) {
        return Err(ProblemDetails::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the reason is longer than {WHY_MAX} characters"),
        ));
    }
    app.engine.inbound().cancel(id.incident, Actor::Source(source.clone()), why).await?;
    let now = theirs(&app, &source, id).await?;
    Ok(Json(view(&app, &now).await?))
}

/// A request as it is now, with what the user of a handoff may be told.
async fn view(app: &AppState, incident: &Incident) -> Result<RequestView, ProblemDetails> {
    let mut view = RequestView::of(incident)?;
    view.handoff = handoffs::view(app, incident).await?;
    Ok(view)
}

/// A request of this source: another one's is like one that does not exist.
async fn theirs(app: &AppState, source: &SourceName, id: RequestId) -> Result<Arc<Incident>, ProblemDetails> {
    let incident = app.engine.reads().view(id.incident).await?;
    let theirs = |incident: &Arc<Incident>| incident.request_id() == Some(id) && incident.alert.source == *source;
    incident.filter(theirs).ok_or_else(unknown)
}

fn unknown() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "this source has no request with this id")
}

/// `30s`, `1m 30s`, or a number of seconds.
fn wait(text: &str) -> Result<Duration, ProblemDetails> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| humantime::parse_duration(text).ok());
    wait.map(|wait| wait.min(WAIT_MAX)).ok_or_else(|| {
        ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, "`wait` is a time like 30s, at most a minute")
    })
}
