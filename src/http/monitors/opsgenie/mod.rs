//! Opsgenie's Alert API, so that a monitor only needs a new address and key. As there, a request is taken first and
//! says later what became of it; here it is durable when it is taken.

mod alert;
mod outcome;
mod request_id;

pub use alert::{API, FieldFault, HEARTBEAT, closed, created, heartbeat};

use super::{
    admission,
    item::{KeptAnswer, MonitorItem},
};
use crate::{
    core::{Alert, AlertStatus, SourceName},
    http::{body, credential, problem::ProblemDetails, state::AppState},
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::time::Instant;

/// The largest request, in bytes.
pub const REQUEST_MAX: usize = 1024 * 1024;

/// Actions that are counted and change nothing: a machine's word is no answer, and an alert is what its monitor last said.
const NOTED: [(&str, &str); 6] = [
    ("acknowledge", "acknowledge"),
    ("unacknowledge", "unacknowledge"),
    ("notes", "note"),
    ("snooze", "snooze"),
    ("tags", "tags"),
    ("details", "details"),
];

/// Fields that may be replaced there. They are counted.
const REPLACED: [&str; 3] = ["message", "description", "priority"];

/// What was said of a request that was taken, in the form of Opsgenie.
type Taken = Result<String, OpsgenieRefusal>;

/// Why a request is refused.
enum OpsgenieRefusal {
    /// Fields of it.
    Invalid(Vec<FieldFault>),
    /// Anything else.
    Problem(ProblemDetails),
}

impl From<ProblemDetails> for OpsgenieRefusal {
    fn from(problem: ProblemDetails) -> Self {
        Self::Problem(problem)
    }
}

/// What `identifierType` says that the id in an address is.
#[derive(Deserialize)]
pub(super) struct AlertIdentifier {
    #[serde(rename = "identifierType")]
    kind: Option<String>,
}

/// `POST /v2/alerts`.
pub(super) async fn create(State(app): State<Arc<AppState>>, request: Request) -> Response {
    let (began, mut believed) = (Instant::now(), None);
    let taken = async {
        let (source, body) = authenticated(&app, request, &mut believed).await?;
        let alert = created(&body).map_err(OpsgenieRefusal::Invalid)?;
        admit(&app, &source, alert, "Create").await
    };
    let taken = taken.await;
    answer(&app, began, believed, taken)
}

/// `POST /v2/alerts/{id}/{action}`.
pub(super) async fn act(
    State(app): State<Arc<AppState>>,
    Path((id, action)): Path<(String, String)>,
    Query(identifier): Query<AlertIdentifier>,
    request: Request,
) -> Response {
    let (began, mut believed) = (Instant::now(), None);
    let taken = async {
        let (source, body) = authenticated(&app, request, &mut believed).await?;
        if identifier.kind.as_deref() == Some("tiny") {
            let why = "Alerts have no tiny id here: use the alias.".to_owned();
            return Err(OpsgenieRefusal::Invalid(vec![("identifierType", why)]));
        }
        match (action.as_str(), NOTED.iter().find(|(name, _)| *name == action)) {
            ("close", _) => admit(&app, &source, closed(&id, &body), "Close").await,
            (_, Some((_, event))) => note(&app, &source, event).await,
            _ => Err(ProblemDetails::not_found(format!("there is no action {action:?} of alerts")).into()),
        }
    };
    let taken = taken.await;
    answer(&app, began, believed, taken)
}

/// `PUT /v2/alerts/{id}/{field}`.
pub(super) async fn replace(
    State(app): State<Arc<AppState>>,
    Path((_, field)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (began, mut believed) = (Instant::now(), None);
    let taken = async {
        let (source, _) = authenticated(&app, request, &mut believed).await?;
        match REPLACED.contains(&field.as_str()) {
            true => note(&app, &source, "update").await,
            false => Err(ProblemDetails::not_found(format!("there is no field {field:?} of alerts")).into()),
        }
    };
    let taken = taken.await;
    answer(&app, began, believed, taken)
}

/// `GET /v2/alerts/requests/{id}`: what became of a request, for a day.
pub(super) async fn request(State(app): State<Arc<AppState>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let began = Instant::now();
    let data = match sender(&app, &headers, &mut None) {
        Err(problem) => return refused(&problem, began),
        Ok(_) if request_id::is_noted(&id) => {
            let status = "It was counted and changed nothing: only a person's answer, or what the monitor says of the alert, \
                          does";
            json!({ "success": false, "isSuccess": false, "action": "Note", "status": status })
        }
        Ok(source) => match admission::kept(&app, &source, &id).await {
            Err(problem) => return refused(&problem, began),
            Ok(None) => {
                return refused(&ProblemDetails::not_found("Request not found. It is known for a day."), began);
            }
            Ok(Some(data)) => serde_json::from_str(&data).unwrap_or_default(),
        },
    };
    let took = began.elapsed().as_secs_f64();
    Json(json!({ "data": data, "took": took, "requestId": id })).into_response()
}

/// `GET`, `POST`, `PUT` or `PATCH /v2/heartbeats/{name}/ping`.
pub(super) async fn ping(State(app): State<Arc<AppState>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let (began, mut believed) = (Instant::now(), None);
    let taken = async {
        let source = sender(&app, &headers, &mut believed)?;
        beaten(&app, &source, &name).await
    };
    let taken = taken.await;
    answer_as("PONG - Heartbeat received", &app, began, believed, taken)
}

/// `HEAD` of a heartbeat, which the router would take for a `GET`: who only looks whether the address is there is no job that
/// has run.
pub(super) async fn no_ping() -> impl IntoResponse {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST, PUT, PATCH")])
}

/// A heartbeat was heard: an alert, where a trigger looks at such alerts, whose `absent` then counts anew. Else it is counted.
async fn beaten(app: &AppState, source: &SourceName, name: &str) -> Taken {
    app.engine.metrics().monitor_event(API, "heartbeat");
    if app.engine.config().matrix.unknown_kind(HEARTBEAT).is_some() {
        return Ok(request_id::noted());
    }
    let alert = Box::new(heartbeat(name).map_err(OpsgenieRefusal::Invalid)?);
    match admission::admit(app, API, source, vec![Ok(MonitorItem::Alert(alert))], None).await?.faults.into_iter().next()
    {
        Some(fault) => Err(OpsgenieRefusal::Invalid(vec![("name", fault.detail)])),
        None => Ok(request_id::noted()),
    }
}

/// The source whose key a request has: as `GenieKey`, or as any token. It is in `believed` also where it lacks the scope.
fn sender(
    app: &AppState,
    headers: &HeaderMap,
    believed: &mut Option<SourceName>,
) -> Result<SourceName, ProblemDetails> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let genie = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("GenieKey"));
    let source = match genie {
        Some((_, key)) => credential::sender_of(app, key.trim()),
        None => credential::sender(app, headers),
    };
    let source =
        source.ok_or_else(|| ProblemDetails::unauthorized("Could not authenticate: no [source] has this key"))?;
    *believed = Some(source.clone());
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))?;
    Ok(source)
}

async fn authenticated(
    app: &AppState,
    request: Request,
    believed: &mut Option<SourceName>,
) -> Result<(SourceName, axum::body::Bytes), ProblemDetails> {
    let source = sender(app, request.headers(), believed)?;
    let body = body::of_source(request.into_body(), REQUEST_MAX, &source).await?;
    Ok((source, body))
}

/// Admits an alert under a new id of a request, under which is kept what became of it.
async fn admit(app: &AppState, source: &SourceName, alert: Alert, action: &'static str) -> Taken {
    let id = request_id::new();
    let alias = alert.labels.get("alias").cloned().unwrap_or_default();
    let (at, of, is_over) = (app.wall().to_string(), source.clone(), alert.status == AlertStatus::Resolved);
    // An alert is known by its alias alone.
    let answer = KeptAnswer::new(move |admitted| {
        let (success, status) = outcome::of(admitted, is_over);
        json!({
            "success": success, "isSuccess": success, "action": action, "status": status, "alertId": alias,
            "alias": alias, "processedAt": at, "integrationId": of.as_str(),
        })
        .to_string()
    });
    let item = MonitorItem::Once { id: id.clone(), alert: Box::new(alert), answer };
    match admission::admit(app, API, source, vec![Ok(item)], None).await?.faults.into_iter().next() {
        Some(fault) => Err(OpsgenieRefusal::Invalid(vec![("body", fault.detail)])),
        None => Ok(id),
    }
}

async fn note(app: &AppState, source: &SourceName, event: &'static str) -> Taken {
    admission::admit(app, API, source, vec![Ok(MonitorItem::Noted(event))], None).await?;
    Ok(request_id::noted())
}

fn answer(app: &AppState, began: Instant, believed: Option<SourceName>, taken: Taken) -> Response {
    answer_as("Request will be processed", app, began, believed, taken)
}

/// The answer, which is counted: `result` is what is said where it was taken, `believed` whose key it had.
fn answer_as(result: &str, app: &AppState, began: Instant, believed: Option<SourceName>, taken: Taken) -> Response {
    app.engine.metrics().alert_request(API, if taken.is_ok() { "accepted" } else { "refused" });
    let response = worded(result, began, taken);
    app.engine.admission().heard(believed, response.status().as_u16());
    response
}

fn worded(result: &str, began: Instant, taken: Taken) -> Response {
    let took = began.elapsed().as_secs_f64();
    match taken {
        Ok(id) => {
            let body = json!({ "result": result, "took": took, "requestId": id });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(OpsgenieRefusal::Invalid(faults)) => {
            let errors: Map<String, Value> =
                faults.into_iter().map(|(name, why)| (name.to_owned(), why.into())).collect();
            let body = json!({
                "message": "Request body is not processable. Please check the errors.", "errors": errors, "took": took,
                "requestId": request_id::noted(),
            });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
        Err(OpsgenieRefusal::Problem(problem)) => refused(&problem.later(&[StatusCode::REQUEST_TIMEOUT]), began),
    }
}

/// A refusal in the form of Opsgenie.
fn refused(problem: &ProblemDetails, began: Instant) -> Response {
    let took = began.elapsed().as_secs_f64();
    let body = json!({ "message": problem.detail(), "took": took, "requestId": request_id::noted() });
    let mut response = (problem.status(), Json(body)).into_response();
    if let Some(seconds) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
