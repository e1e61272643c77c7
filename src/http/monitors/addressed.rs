//! `/monitors/{format}/{source}`: formats that come to an address of the source's own, with its token or signed.

use super::{
    access,
    admission::{self, AdmittedBody},
    cloudevents::{self, CloudEventsFault},
    mapped::{self, MappedItems},
    webhook,
};
use crate::{
    core::{SourceName, Timestamp},
    http::{
        api::parsing::{parsed, parsed_apart},
        problem::ProblemDetails,
        refusal_log,
        state::AppState,
        unfinished,
    },
    matrix::{BodyMap, Matrix},
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

/// A request whose sender is known.
struct MonitorRequest<'r> {
    headers: &'r HeaderMap,
    body: &'r [u8],
    source: &'r SourceName,
    matrix: &'r Matrix,
    /// How the source says that its bodies become alerts.
    map: Option<&'r BodyMap>,
    /// The wall clock.
    now: Timestamp,
}

/// What a reader makes of a request.
type ReadBody = Result<MappedItems, ProblemDetails>;

/// A format with its reader.
struct AddressedFormat {
    /// Its name in the address, and in metrics and logs.
    name: &'static str,
    read: fn(&MonitorRequest<'_>) -> ReadBody,
}

const CLOUDEVENTS: &str = "cloudevents";

/// All of them.
const FORMATS: [AddressedFormat; 4] = [
    AddressedFormat { name: "alertmanager-webhook", read: of_webhook },
    AddressedFormat { name: "grafana", read: of_webhook },
    AddressedFormat { name: CLOUDEVENTS, read: of_events },
    AddressedFormat { name: "json", read: of_json },
];

fn of_webhook(request: &MonitorRequest<'_>) -> ReadBody {
    webhook::read(request.body, request.source, request.now).map(MappedItems::from).map_err(ProblemDetails::bad)
}

fn of_events(request: &MonitorRequest<'_>) -> ReadBody {
    let events = cloudevents::events(request.headers, request.body).map_err(|fault| match fault {
        CloudEventsFault::OtherForm(why) => ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why),
        CloudEventsFault::Malformed(why) => ProblemDetails::bad(why),
    })?;
    Ok(match request.map {
        Some(map) => mapped::of_events(request.matrix, map, events),
        None => cloudevents::items(events).into(),
    })
}

fn of_json(request: &MonitorRequest<'_>) -> ReadBody {
    let map = request.map.ok_or_else(|| {
        let source = request.source;
        ProblemDetails::bad(format!("[source.{source}] has no `map` that says what its JSON means"))
    })?;
    mapped::read(request.matrix, map, request.body).map_err(ProblemDetails::bad)
}

/// Takes what a monitor sends. Its senders repeat after a `5xx` and after no other answer, so all that may be kept later
/// is a `503`.
pub async fn take(
    State(app): State<Arc<AppState>>,
    Path((format, source)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(format) = FORMATS.iter().find(|known| known.name == format) else {
        let names = FORMATS.map(|format| format.name).join(", ");
        return ProblemDetails::not_found(format!("the formats of monitors are {names}")).into_response();
    };
    let mut believed = None;
    let taken = taken(&app, format, &source, request, &mut believed).await;
    app.engine.metrics().alert_request(format.name, if taken.is_ok() { "accepted" } else { "refused" });
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let response = taken.unwrap_or_else(|problem| problem.later(&later).into_response());
    app.engine.admission().heard(believed, response.status().as_u16());
    response
}

/// The handshake of CloudEvents' webhooks: whether a sender may send here. It may; each of its requests needs its
/// credential all the same.
pub async fn handshake(Path((format, _)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let told = response.headers_mut();
    told.insert(header::ALLOW, HeaderValue::from_static("POST"));
    if let Some(origin) = headers.get("webhook-request-origin").filter(|_| format == CLOUDEVENTS) {
        let rate = headers.get("webhook-request-rate").cloned().unwrap_or(HeaderValue::from_static("*"));
        told.insert("webhook-allowed-origin", origin.clone());
        told.insert("webhook-allowed-rate", rate);
    }
    response
}

async fn taken(
    app: &AppState,
    format: &'static AddressedFormat,
    source: &str,
    request: Request,
    believed: &mut Option<SourceName>,
) -> Result<Response, ProblemDetails> {
    let (head, body) = request.into_parts();
    let (source, bytes) = access::body_of(app, source, &head.headers, body, believed).await?;
    let (now, own, headers, config) = (app.wall(), source.clone(), head.headers, app.engine.config());
    let map = config.matrix.sources.get(&source).and_then(|known| known.map.clone());
    let has_map = map.is_some();
    let read = move |body: &[u8]| {
        let (matrix, map) = (&config.matrix, map.as_deref());
        let read = (format.read)(&MonitorRequest { headers: &headers, body, source: &own, matrix, map, now })?;
        let name = unfinished::name(&own, format.name, &matrix.revision, body);
        Ok::<_, ProblemDetails>((read, name))
    };
    // A mapping may take long, whatever the size of the body.
    let (read, name) = if has_map { parsed_apart(bytes, read).await?? } else { parsed(bytes, read).await?? };
    if let Some(why) = &read.why {
        refusal_log::left_out(&source, why);
    }
    told(admission::admit(app, format.name, &source, read.items, Some(name)).await?)
}

/// `200`, or `207` where some of the items are wrong; a problem where none could be taken.
fn told(AdmittedBody { taken, repeated, faults }: AdmittedBody) -> Result<Response, ProblemDetails> {
    if taken + repeated == 0 && !faults.is_empty() {
        let detail = match &faults[..] {
            [only] => only.detail.clone(),
            _ => "nothing was kept: none of these is understood".to_owned(),
        };
        return Err(ProblemDetails::bad(detail).with(faults));
    }
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let mut said = json!({ "taken": taken });
    if repeated != 0 {
        said["repeated"] = json!(repeated);
    }
    if !faults.is_empty() {
        said["errors"] = json!(faults);
    }
    Ok((status, Json(said)).into_response())
}
