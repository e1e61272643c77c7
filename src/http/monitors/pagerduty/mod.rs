//! PagerDuty's Events API v2, so that a monitor only needs a new address and routing key. The responses are those that
//! PagerDuty's clients expect.

mod event;

pub use event::{API, PagerDutyEvent, read, read_change};

use super::admission;
use crate::{
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
    answer(&app, take(&app, request, read).await)
}

/// `POST /v2/change/enqueue`: a change event. It is counted, and pages nobody.
pub(super) async fn change(State(app): State<Arc<AppState>>, request: Request) -> Response {
    answer(&app, take(&app, request, read_change).await)
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
async fn take(app: &AppState, request: Request, read: Reader) -> Result<Option<String>, EventRefusal> {
    // The credential is in the body.
    let bytes = body::whole(request.into_body(), EVENT_MAX).await?;
    let event = read(&bytes).map_err(EventRefusal::Invalid)?;
    let source = credential::sender_of(app, event.routing_key.expose_secret()).ok_or_else(|| {
        let detail = "routing_key is not the token of a [source] of the matrix";
        EventRefusal::Invalid(vec![detail.to_owned()])
    })?;
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))?;
    let faults = admission::admit(app, API, &source, vec![Ok(event.item)]).await?;
    match faults.into_iter().next() {
        Some(fault) => Err(EventRefusal::Invalid(vec![fault.detail])),
        None => Ok(event.dedup_key),
    }
}

fn answer(app: &AppState, taken: Result<Option<String>, EventRefusal>) -> Response {
    let outcome = if taken.is_ok() { "accepted" } else { "refused" };
    app.engine.metrics().alert_request(API, outcome);
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
        Err(EventRefusal::Problem(problem)) => refused(&problem),
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
