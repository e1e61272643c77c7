//! Requests of other systems: they ask, people answer, and the answer comes back here.

pub mod ask_body;
mod facts;
mod form_body;
mod look;
mod packet_body;
mod receipt;
pub mod service;
mod stream;
mod view;

pub use ask_body::{RequestBody, read};
pub use facts::operation as facts_operation;
pub use look::{WAIT_MAX, operation};
pub use receipt::operation as receipt_operation;
pub use stream::operation as events_operation;
pub use view::RequestView;

use crate::{
    http::{
        body, credential, idempotency,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service::{AcceptedRequest, WHY_MAX, asker, read_id};
use std::sync::Arc;

/// The largest request that is read, in bytes: it is in its incident, which is read and written whole.
pub const REQUEST_MAX: usize = 256 * 1024;

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
async fn accept(State(app): State<Arc<AppState>>, request: Request) -> Response {
    let speaker = credential::source(&app, request.headers());
    let response = take(&app, request).await.unwrap_or_else(ProblemDetails::into_response);
    app.engine.admission().heard(speaker, response.status().as_u16());
    response
}

async fn take(app: &AppState, request: Request) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let source = asker(app, &parts.headers)?;
    let key = idempotency::key(&parts.headers)?;
    let bytes = body::of_source(body, REQUEST_MAX, &source).await?;
    let AcceptedRequest { id, incident, again } = service::ask(app, &source, key, &bytes).await?;
    let location = [(header::LOCATION, format!("/v1/requests/{id}"))];
    // The same request as it is now: whoever asks again after a crash learns its outcome.
    let replayed = again.then_some([(idempotency::REPLAYED, "true")]);
    Ok((StatusCode::ACCEPTED, location, replayed, Json(service::view(app, &incident).await?)).into_response())
}

/// The reason of a withdrawal.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// For everybody who was asked, at most 200 characters.
    #[schemars(length(max = WHY_MAX))]
    reason: Option<String>,
}

/// `POST /v1/requests/{id}/cancel`: everybody who was asked hears it. What was decided stays decided.
async fn cancel(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RequestView>, ProblemDetails> {
    let source = asker(&app, request.headers())?;
    let id = read_id(&id)?;
    service::theirs(&app, &source, id).await?;
    let Cancellation { reason } = body::json(request, body::PRESS_MAX).await?;
    let now = service::cancel(&app, &source, id, reason).await?;
    Ok(Json(service::view(&app, &now).await?))
}
