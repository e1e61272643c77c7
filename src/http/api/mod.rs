//! The API for other programs: they send alerts, and read incidents, reports and metrics.

mod alert_results;
pub mod alertmanager;
pub mod alerts;
pub mod incidents;
mod items;
pub mod keyed_alerts;
pub mod keys;
pub mod page_view;
mod parsing;
mod quota;
pub mod reports;
pub mod requests;
pub mod status;
pub mod view;

use crate::http::state::AppState;
use axum::{
    Router,
    routing::{any, get, post},
};
use std::sync::Arc;

/// The routes on TCP.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .merge(shared_routes())
        .merge(requests::routes())
        .route("/v1/alerts", post(alerts::post))
        .route("/api/v2/alerts", post(alertmanager::post).fallback(alertmanager::wrong_method))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/{*rest}", any(alertmanager::nowhere))
        .route("/-/healthy", get(alertmanager::ok))
        .route("/-/ready", get(alertmanager::ok))
        .route("/healthz", get(status::healthz))
}

/// The routes that are on TCP and on the Unix socket.
pub fn shared_routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/v1/incidents", get(incidents::incidents))
        .route("/v1/incidents/newest", get(incidents::newest))
        .route("/v1/incidents/{id}", get(incidents::incident))
        .route("/v1/report/tte", get(reports::tte))
        .route("/v1/report/triggers", get(reports::triggers))
        .route("/v1/keys", get(keys::keys))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
}
