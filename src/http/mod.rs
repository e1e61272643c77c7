//! The HTTP server: alerts, answers, pages for browsers, incidents, metrics.
//!
//! There are two routers. [`tcp`] listens on TCP: each request that changes something has its own credential.
//! [`control()`] listens on the daemon's Unix socket: the kernel tells who the caller is.

pub mod answer_reply;
pub mod api;
pub mod board;
pub mod body;
mod body_budget;
pub mod caller;
mod chat;
pub mod connection;
pub mod control;
pub mod credential;
pub mod desk;
pub mod explanations;
mod filled_form;
pub mod handled_requests;
pub mod handoff_estimate;
pub mod hooks;
pub mod idempotency;
mod inbound_connection;
pub mod inbound_connections;
pub mod mail_in;
mod mcp;
pub mod monitors;
pub mod openapi;
pub mod problem;
mod refusal_log;
mod refusal_record;
pub mod reloader;
pub mod state;
mod status;
mod text_words;
pub mod texts;
pub mod unfinished;
pub mod voice;
pub mod wrong_codes;

use crate::http::state::AppState;
use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{Version, header},
    middleware::{Next, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use problem::ProblemDetails;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The routes on TCP.
pub fn tcp(app: Arc<AppState>) -> Router {
    let journaled = from_fn_with_state(app.clone(), refusal_record::journaled);
    finished(tcp_routes().fallback(nowhere).layer(journaled), app)
}

/// The same, before they know what they work on.
pub fn tcp_routes() -> Router<Arc<AppState>> {
    api::routes().merge(monitors::routes()).merge(desk::routes()).merge(mcp::routes()).merge(hooks())
}

/// The routes on the Unix socket.
pub fn control(app: Arc<AppState>) -> Router {
    let routes = control::routes().route("/v1/mail", post(mail_in::take)).fallback(nowhere);
    finished(routes.layer(from_fn_with_state(app.clone(), admit_caller)), app)
}

/// The routes that providers call.
fn hooks() -> Router<Arc<AppState>> {
    Router::new()
        .route("/hooks/self", post(control::health::echo))
        .route("/hooks/{kind}/{channel}", any(hooks::inbox))
        .route("/hooks/{kind}/{channel}/report", any(hooks::report))
}

async fn admit_caller(
    State(app): State<Arc<AppState>>,
    ConnectInfo(peer): ConnectInfo<crate::http::caller::SocketPeer>,
    mut request: Request,
    next: Next,
) -> Response {
    let version = request.version();
    match crate::http::caller::UnixCaller::of(&app, peer).await {
        Ok(caller) if caller.hands_in_mail_only() && request.uri().path() != "/v1/mail" => {
            let detail = "this Unix user may hand in mail and nothing else";
            ProblemDetails::new(axum::http::StatusCode::FORBIDDEN, detail).into_response()
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            // After a response to a caller without credentials, the connection is closed so that others can use its
            // place.
            let end = [(header::CONNECTION, "close")];
            if version < Version::HTTP_2 { (end, problem).into_response() } else { problem.into_response() }
        }
    }
}

/// Adds what both listeners do with every request.
fn finished(routes: Router<Arc<AppState>>, app: Arc<AppState>) -> Router {
    routes
        .layer(DefaultBodyLimit::max(body::CONTROL_MAX))
        .layer(map_response(problem::worded))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

async fn nowhere(request: Request) -> ProblemDetails {
    ProblemDetails::not_found(format!("there is nothing at {}; alerts go to POST /v1/alerts", request.uri().path()))
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(what, "a request handler panicked; this is a bug");
    ProblemDetails::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "this is a bug in Stentor; it is in the log")
        .into_response()
}
