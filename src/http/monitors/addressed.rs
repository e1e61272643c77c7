//! `/monitors/{format}/{source}`: formats that come to an address of the source's own, with its token or signed.

use super::{access, admission, item::ReadItem, webhook};
use crate::{
    core::{SourceName, Timestamp},
    http::{
        api::parsing::parsed,
        problem::{BodyFault, ProblemDetails},
        state::AppState,
    },
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

/// A format with its reader.
struct AddressedFormat {
    /// Its name in the address, and in metrics and logs.
    name: &'static str,
    read: fn(&[u8], &SourceName, Timestamp) -> Result<Vec<ReadItem>, String>,
}

/// All of them.
const FORMATS: [AddressedFormat; 2] = [
    AddressedFormat { name: "alertmanager-webhook", read: webhook::read },
    AddressedFormat { name: "grafana", read: webhook::read },
];

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
    let taken = taken(&app, format, &source, request).await;
    app.engine.metrics().alert_request(format.name, if taken.is_ok() { "accepted" } else { "refused" });
    taken.unwrap_or_else(|problem| later(problem).into_response())
}

async fn taken(
    app: &AppState,
    format: &'static AddressedFormat,
    source: &str,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (head, body) = request.into_parts();
    let (source, bytes) = access::body_of(app, source, &head.headers, body).await?;
    let (now, own) = (app.wall(), source.clone());
    let read = parsed(bytes, move |bytes| (format.read)(bytes, &own, now)).await?.map_err(ProblemDetails::bad)?;
    let all = read.len();
    let faults = admission::admit(app, format.name, &source, read).await?;
    told(all, faults)
}

/// `200`, or `207` where some of the items are wrong; a problem where none could be taken.
fn told(all: usize, faults: Vec<BodyFault>) -> Result<Response, ProblemDetails> {
    match (all - faults.len(), faults.is_empty()) {
        (taken, true) => Ok(Json(json!({ "taken": taken })).into_response()),
        (0, false) => {
            let detail = match &faults[..] {
                [only] => only.detail.clone(),
                _ => "nothing was kept: none of these is understood".to_owned(),
            };
            Err(ProblemDetails::bad(detail).with(faults))
        }
        (taken, false) => {
            Ok((StatusCode::MULTI_STATUS, Json(json!({ "taken": taken, "errors": faults }))).into_response())
        }
    }
}

/// A `429` as a `503`.
fn later(problem: ProblemDetails) -> ProblemDetails {
    if problem.status() != StatusCode::TOO_MANY_REQUESTS {
        return problem;
    }
    let wait = std::time::Duration::from_secs(problem.retry_after().unwrap_or(1));
    ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, problem.detail()).after(wait)
}
