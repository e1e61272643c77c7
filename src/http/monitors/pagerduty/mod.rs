//! PagerDuty's Events API v2, so that a monitor only needs a new address and routing key. The responses are those that
//! PagerDuty's clients expect.

mod event;

pub use event::{API, PagerDutyEvent, read, read_change, routing_key};

use super::admission;
use crate::{
    core::SourceName,
    http::{body, credential, problem::ProblemDetails, state::AppState},
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;

/// The largest event, in bytes: PagerDuty's own limit.
pub const EVENT_MAX: usize = 512 * 1024;

/// `POST /v2/enqueue`: trigger, resolve, acknowledge.
pub(super) async fn enqueue(State(app): State<Arc<AppState>>, request: Request) -> Response {
    answer(&app, request, read).await
}

/// `POST /v2/change/enqueue`: a change event. It is counted, and pages nobody.
pub(super) async fn change(State(app): State<Arc<AppState>>, request: Request) -> Response {
    answer(&app, request, read_change).await
}

/// The reader of one of the two routes.
type Reader = fn(&[u8]) -> Result<PagerDutyEvent, Vec<String>>;

/// Why an event is refused.
enum EventRefusal {
    /// The event itself.
    Invalid(Vec<String>),
    /// Anything else.
    Problem(ProblemDetails),
}

impl From<ProblemDetails> for EventRefusal {
    fn from(problem: ProblemDetails) -> Self {
        Self::Problem(problem)
    }
}

/// The key of the event that was taken; change events have none.
async fn take(
    app: &AppState,
    request: Request,
    read: Reader,
    believed: &mut Option<SourceName>,
) -> Result<Option<String>, EventRefusal> {
    // The credential is in the body.
    let bytes = body::unproven(request.into_body(), EVENT_MAX, API).await?;
    *believed = routing_key(&bytes).and_then(|key| credential::source_of(app, key.expose_secret()));
    let event = read(&bytes).map_err(EventRefusal::Invalid)?;
    let source = credential::sender_of(app, event.routing_key.expose_secret()).ok_or_else(|| {
        let detail = "routing_key is not the token of a [source] of the matrix";
        EventRefusal::Invalid(vec![detail.to_owned()])
    })?;
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))?;
    let admitted = admission::admit(app, API, &source, vec![Ok(event.item)], None).await?;
    match admitted.faults.into_iter().next() {
        Some(fault) => Err(EventRefusal::Invalid(vec![fault.detail])),
        None => Ok(event.dedup_key),
    }
}

async fn answer(app: &AppState, request: Request, read: Reader) -> Response {
    let mut believed = None;
    let taken = take(app, request, read, &mut believed).await;
    let outcome = if taken.is_ok() { "accepted" } else { "refused" };
    app.engine.metrics().alert_request(API, outcome);
    let response = worded(taken);
    app.engine.admission().heard(believed, response.status().as_u16());
    response
}

fn worded(taken: Result<Option<String>, EventRefusal>) -> Response {
    match taken {
        Ok(Some(key)) => {
            let body = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Ok(None) => {
            let body = json!({ "status": "success", "message": "Change event processed" });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(EventRefusal::Invalid(errors)) => {
            let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Err(EventRefusal::Problem(problem)) => refused(&problem.later(&[StatusCode::REQUEST_TIMEOUT])),
    }
}

/// A refusal that is no fault of the event, in the same form.
fn refused(problem: &ProblemDetails) -> Response {
    let body = json!({ "status": "error", "message": problem.detail(), "errors": [problem.detail()] });
    let mut response = (problem.status(), Json(body)).into_response();
    if let Some(seconds) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
