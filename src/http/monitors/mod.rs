//! What other monitors send, each in its own format. A format is a pure reader (bytes into [`item::MonitorItem`]s) and the
//! words of its answers; how items are admitted is the same for all of them (`admission.rs`). A new format is a file or
//! folder, and a line in [`routes`], or in the table of `addressed.rs` where it comes to an address of the source's own.

mod access;
mod addressed;
mod admission;
pub mod cloudevents;
pub mod item;
pub mod mapped;
pub mod opsgenie;
pub mod pagerduty;
mod signature;
pub mod webhook;

use crate::http::state::AppState;
use axum::{
    Router,
    routing::{MethodRouter, get, post},
};
use std::sync::Arc;

/// The routes of all formats.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/v2/enqueue", post(pagerduty::enqueue))
        .route("/v2/change/enqueue", post(pagerduty::change))
        .route("/v2/alerts", post(opsgenie::create))
        .route("/v2/alerts/requests/{id}", get(opsgenie::request))
        .route("/v2/alerts/{id}/{action}", post(opsgenie::act).put(opsgenie::replace))
        .route("/v2/heartbeats/{name}/ping", beats().post(opsgenie::ping).put(opsgenie::ping).patch(opsgenie::ping))
        .route("/monitors/{format}/{source}", post(addressed::take).put(addressed::take).options(addressed::handshake))
}

/// `GET` without the `HEAD` that comes with it.
fn beats() -> MethodRouter<Arc<AppState>> {
    get(opsgenie::ping).head(opsgenie::no_ping)
}
