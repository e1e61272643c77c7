//! Requests of other systems: they ask, people answer, and the answer comes back here.

mod ask_body;
mod facts;
mod look;
mod receipt;
mod stream;
mod view;

pub use ask_body::{RequestBody, read};
pub use facts::operation as facts_operation;
pub use look::{WAIT_MAX, operation};
pub use receipt::operation as receipt_operation;
pub use stream::operation as events_operation;
pub use view::RequestView;

use super::quota;
use crate::{
    core::{Actor, Incident, RequestId, SourceName},
    engine::{IncidentWatch, RequestAdmission, RequestFault, WATCHES_MAX, WATCHES_OF_SOURCE_MAX},
    http::{
        body, credential, idempotency,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
    store::RequestKey,
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// The largest request that is read, in bytes: it is in its incident, which is read and written whole.
pub const REQUEST_MAX: usize = 256 * 1024;

/// What keys of this API are for.
const OPERATION: &str = "requests";

/// After what time a source that has too many waits may try again.
const AGAIN: Duration = Duration::from_secs(5);

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
    let drills = app.engine.config().matrix.sources.get(&source).is_some_and(|known| known.drills);
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
    Ok((StatusCode::ACCEPTED, location, replayed, Json(RequestView::of(&incident)?)).into_response())
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
    Ok(Json(RequestView::of(&now)?))
}

/// The source that asks.
fn asker(app: &AppState, headers: &HeaderMap) -> Result<SourceName, ProblemDetails> {
    let source = credential::sender(app, headers).ok_or_else(|| {
        ProblemDetails::unauthorized("send the token of a [source] of the matrix: Authorization: Bearer ..")
    })?;
    let may = credential::in_scope(app, &source, SourceScope::Alerts);
    may.map(|()| source).map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))
}

/// A request of this source: another one's is like one that does not exist.
async fn theirs(app: &AppState, source: &SourceName, id: RequestId) -> Result<Arc<Incident>, ProblemDetails> {
    let incident = app.engine.reads().view(id.incident).await?;
    let theirs = |incident: &Arc<Incident>| incident.request_id() == Some(id) && incident.asker() == source;
    incident.filter(theirs).ok_or_else(unknown)
}

/// Watches a request until what this returns is dropped.
fn watch(app: &AppState, source: &SourceName, id: RequestId) -> Result<IncidentWatch, ProblemDetails> {
    app.engine.watch(id.incident, source).map_err(|_| {
        let detail = format!(
            "too many requests are waited for: at most {WATCHES_OF_SOURCE_MAX} of one source and {WATCHES_MAX} of all; \
             ask without `wait`, or end what waits for nothing"
        );
        ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, detail).after(AGAIN)
    })
}

fn unknown() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "this source has no request with this id")
}

fn refused(app: &AppState, source: &SourceName, fault: RequestFault) -> ProblemDetails {
    match fault {
        RequestFault::Store(error) => error.into(),
        RequestFault::OverQuota => quota::over(app, source, 1, 1),
        RequestFault::OtherBody => idempotency::other_body(),
        RequestFault::Live(_) => ProblemDetails::new(StatusCode::CONFLICT, fault.to_string()),
        RequestFault::NoTrigger { .. } | RequestFault::Unusable(_) | RequestFault::NotAllowed(_) => {
            ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string())
        }
    }
}
