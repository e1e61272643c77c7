//! The API for other programs: they send alerts, and read incidents, reports and metrics.

mod alert_body;
mod alert_results;
pub mod alertmanager;
mod alertmanager_query;
pub mod alerts;
pub mod annotations;
pub mod asked_view;
mod asker;
pub mod handoffs;
pub mod incidents;
pub mod items;
pub mod keyed_alerts;
pub mod keys;
pub mod page_view;
pub mod parsing;
pub mod quota;
mod reply_link;
pub mod reports;
pub mod requests;
mod shown_alerts;
pub mod silences;
mod sources;
pub mod status;
mod turn_packet;
pub mod view;

use crate::http::{
    openapi::{ApiRoutes, Operation},
    state::AppState,
};
use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

/// The routes on TCP.
pub fn routes() -> Router<Arc<AppState>> {
    described_routes()
        .router()
        .merge(monitoring())
        .route("/api/v2/alerts", post(alertmanager::post))
        .route("/api/v2/silences", get(silences::list).post(silences::post))
        .route("/api/v2/silence/{id}", get(silences::show).delete(silences::end))
        .route("/api/v2/{*rest}", any(alertmanager::nowhere))
        .route("/-/healthy", get(alertmanager::ok))
        .route("/-/ready", get(alertmanager::ok))
        .route("/healthz", get(status::healthz))
}

/// The routes that are on TCP and on the Unix socket.
pub fn shared_routes() -> Router<Arc<AppState>> {
    described_shared_routes().router().merge(monitoring())
}

/// The routes under `/v1` on TCP and those that show alerts as Alertmanager does, as the document has them. A new one is a
/// line here, and an [`Operation`] beside its handler.
pub fn described_routes() -> ApiRoutes {
    described_shared_routes()
        .route("/v1/alerts", alerts::operation())
        .route("/v1/openapi.json", operation())
        .route("/api/v2/alerts", shown_alerts::operation())
        .route("/api/v2/alerts/groups", shown_alerts::groups_operation())
        .route("/api/v2/receivers", shown_alerts::receivers_operation())
        .route("/api/v2/status", alertmanager::status_operation())
}

fn described_shared_routes() -> ApiRoutes {
    ApiRoutes::new()
        .route("/v1/requests", requests::ask_operation())
        .route("/v1/requests/{id}", requests::operation())
        .route("/v1/requests/{id}/events", requests::events_operation())
        .route("/v1/requests/{id}/facts", requests::facts_operation())
        .route("/v1/requests/{id}/receipt", requests::receipt_operation())
        .route("/v1/requests/{id}/cancel", requests::cancel_operation())
        .route("/v1/availability", handoffs::operation())
        .route("/v1/incidents", incidents::list_operation())
        .route("/v1/incidents/newest", incidents::newest_operation())
        .route("/v1/incidents/{id}", incidents::operation())
        .route("/v1/sources", sources::operation())
        .route("/v1/report/tte", reports::tte_operation())
        .route("/v1/report/triggers", reports::triggers_operation())
        .route("/v1/report/handoffs", reports::handoffs_operation())
        .route("/v1/keys", keys::operation())
}

fn monitoring() -> Router<Arc<AppState>> {
    Router::new().route("/readyz", get(status::readyz)).route("/metrics", get(status::metrics))
}

/// Made when it is first asked for.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| described_routes().document().to_string().into());

/// `GET /v1/openapi.json`. It says nothing of this daemon but its version.
async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

fn operation() -> Operation {
    Operation::get("getDocument", document)
        .about("This document", "It says nothing of this daemon but its version.")
        .answer::<Map<String, Value>>(StatusCode::OK, "An OpenAPI 3.1 document.")
}
