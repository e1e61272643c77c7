//! The door: alerts, answers, screens, incidents, metrics.
//!
//! Two routers over one daemon. [`door`] listens on TCP: whatever changes something carries its own credential.
//! [`control`] listens on the daemon's Unix socket: the kernel says who calls.

pub mod alertmanager;
pub mod body;
pub mod connection;
pub mod control;
pub mod credential;
pub mod desk;
pub mod drills;
pub mod handled_requests;
pub mod health;
pub mod hooks;
pub mod mail_in;
pub mod mail_link;
pub mod native;
pub mod page;
pub mod problem;
pub mod quarantine;
pub mod reading;
pub mod report;
pub mod slack;
pub mod sms;
pub mod snapshot;
mod standing;
pub mod status;
pub mod view;
pub mod voice;

use crate::{
    channel::{desk::hub::DeskHub, outbox::SandboxOutbox},
    core::Timestamp,
    drill::live::DrillRunner,
    engine::{AnswerError, Engine},
    store::clock::{ClockSources, SystemClock},
};
use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{Version, header},
    middleware::{Next, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use problem::ProblemDetails;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// What every request may need.
pub struct AppState {
    /// The node.
    pub engine: Arc<Engine>,
    /// The desks that are open.
    pub hub: DeskHub,
    /// The sandbox.
    pub outbox: SandboxOutbox,
    /// Whether the outbox may be looked at over TCP: only on loopback, and only where nothing is public.
    pub shows_outbox: bool,
    /// When the process started.
    pub started_at: Timestamp,
    /// Ends every stream.
    pub shutdown: CancellationToken,
    /// For private words to Slack users.
    pub client: reqwest::Client,
    /// Where else than at Slack private words may go: doubles on loopback.
    pub slack_hooks: Option<String>,
    /// Drills on this daemon.
    pub drills: Arc<DrillRunner>,
    /// The matrix's folder, whose drills are scheduled.
    pub scenarios: PathBuf,
    /// Twilio's requests that were answered already.
    pub answered: handled_requests::HandledRequests,
    /// Wrong SMS codes.
    pub guesses: Mutex<sms::WrongCodes>,
}

impl AppState {
    /// What the clocks of others show: for times that come from elsewhere. Ladders never see it.
    pub fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }
}

/// The routes on TCP.
pub fn door(app: Arc<AppState>) -> Router {
    Router::new()
        .route("/v1/alerts", post(native::post))
        .route("/v1/incidents", get(reading::incidents))
        .route("/v1/incidents/newest", get(reading::newest))
        .route("/v1/incidents/{id}", get(reading::incident))
        .route("/v1/report/tte", get(report::tte))
        .route("/v1/report/triggers", get(report::triggers))
        .route("/api/v2/alerts", post(alertmanager::post).fallback(alertmanager::wrong_method))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/{*rest}", any(alertmanager::nowhere))
        .route("/-/healthy", get(alertmanager::ok))
        .route("/-/ready", get(alertmanager::ok))
        .route("/desk", get(desk::desk))
        .route("/desk/login", get(desk::login))
        .route("/desk/events", get(desk::events))
        .route("/desk/answer", post(desk::answer))
        .route("/desk/seen", post(desk::seen))
        .route("/assets/desk.css", get(page::style))
        .route("/assets/desk.js", get(page::script))
        .route("/favicon.ico", get(page::icon))
        .route("/a/{token}", get(mail_link::show).post(mail_link::press))
        .route("/hooks/self", post(health::echo))
        .route("/hooks/{kind}/{channel}", any(hooks::inbox))
        .route("/hooks/{kind}/{channel}/report", any(hooks::report))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/outbox", get(status::outbox))
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(body::BODY_MAX))
        .layer(map_response(problem::worded))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

/// The routes on the Unix socket.
pub fn control(app: Arc<AppState>) -> Router {
    Router::new()
        .route("/v1/fire", post(control::fire))
        .route("/v1/incidents", get(reading::incidents))
        .route("/v1/incidents/newest", get(reading::newest))
        .route("/v1/incidents/{id}", get(reading::incident))
        .route("/v1/incidents/{id}/answer", post(control::answer))
        .route("/v1/incidents/{id}/resolve", post(control::resolve))
        .route("/v1/quarantine", get(quarantine::list))
        .route("/v1/quarantine/row", get(quarantine::show))
        .route("/v1/quarantine/clear", post(quarantine::clear))
        .route("/v1/drills", get(drills::list).post(drills::run))
        .route("/v1/drills/schedule", get(drills::schedule))
        .route("/v1/drills/{id}", get(drills::follow))
        .route("/v1/drills/{id}/abort", post(drills::abort))
        .route("/v1/report/tte", get(report::tte))
        .route("/v1/report/triggers", get(report::triggers))
        .route("/v1/names", get(control::names))
        .route("/v1/desk-link", post(control::desk_link))
        .route("/v1/mail", post(mail_in::take))
        .route("/v1/journal", get(control::journal))
        .route("/v1/people", get(health::people))
        .route("/v1/doctor", get(health::doctor))
        .route("/v1/texts/{hash}", get(control::text))
        .route("/metrics", get(status::metrics))
        .route("/readyz", get(status::readyz))
        .fallback(nowhere)
        .layer(from_fn_with_state(app.clone(), admit_caller))
        .layer(DefaultBodyLimit::max(body::BODY_MAX))
        .layer(map_response(problem::worded))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

async fn admit_caller(
    State(app): State<Arc<AppState>>,
    ConnectInfo(peer): ConnectInfo<control::SocketPeer>,
    mut request: Request,
    next: Next,
) -> Response {
    let version = request.version();
    match control::UnixCaller::of(&app, peer).await {
        Ok(caller) if caller.hands_in_mail_only() && request.uri().path() != "/v1/mail" => {
            let detail = "this Unix user may hand in mail and nothing else";
            ProblemDetails::new(axum::http::StatusCode::FORBIDDEN, detail).into_response()
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            // A stranger hears why, once; their place is for somebody else.
            let end = [(header::CONNECTION, "close")];
            if version < Version::HTTP_2 { (end, problem).into_response() } else { problem.into_response() }
        }
    }
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

/// An answer that came to nothing, as a problem.
pub fn answer_problem(error: AnswerError) -> ProblemDetails {
    match error {
        AnswerError::NoIncident(id) => ProblemDetails::not_found(format!("there is no incident {id}")),
        AnswerError::Store(error) => ProblemDetails::from(error),
    }
}
