//! Liveness, readiness and metrics.

use crate::{
    core::zone::ZoneData,
    engine::{
        contact_coverage::{contact_coverage, proven},
        health::doctor::clock_problem,
        health::inbound_connection::InboundConnection,
    },
    http::state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// `GET /healthz`: the process is alive.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: it can commit alerts and send pages. `problems` says why it is not ready, and what else is wrong.
pub async fn readyz(State(app): State<Arc<AppState>>) -> Response {
    let now = app.engine.now();
    let store = app.engine.reads().health().map_err(|error| error.to_string());
    let drift = app.wall().micros_since(now) as f64 / 1e6;
    let age = app.engine.delivery().oldest_unsent().map(|born| now.since(born)).unwrap_or_default();
    let live = app.engine.config();
    let broken: BTreeMap<String, String> = app
        .engine
        .delivery()
        .breakers()
        .broken()
        .into_iter()
        .map(|(name, broken)| (name.to_string(), broken.why))
        .collect();
    let holes: BTreeMap<String, String> = app
        .engine
        .health()
        .holes()
        .into_iter()
        .map(|((channel, person), why)| (format!("{person} by {channel}"), why))
        .collect();
    let unready = app.engine.health().readiness_problems();
    let ready = unready.is_empty();
    let late = app.engine.health().late_brief().into_iter().collect();
    let mut problems = [unready, app.engine.health().found_problems(), late].concat();
    problems.extend(clock_problem(app.wall().micros_since(now)));
    problems.extend(app.engine.health().reload_problem());
    let quarantined = app.engine.reads().quarantined().iter().filter(|entry| entry.is_waiting()).count();
    let pinged = app.engine.health().pinged();
    let ping = live.matrix.daemon.ping.as_ref().map(
        |ping| json!({ "every_seconds": ping.every.as_secs(), "last": pinged.last, "last_error": pinged.last_error }),
    );
    let opted_out = app.engine.inbound().opt_outs();
    let connections: BTreeMap<String, serde_json::Value> = app
        .engine
        .health()
        .inbound_connections()
        .into_iter()
        .map(|(name, connection)| (name.to_string(), connection_view(&connection)))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "store": store.err().unwrap_or_else(|| "ok".into()),
        "oldest_unsent_page_seconds": age.as_secs_f64(),
        "matrix": live.matrix.revision,
        "time_zones": zones(live.matrix.zones.data()),
        "sandboxed_channels": live.sandboxed(),
        "broken_channels": broken,
        "opted_out": opted_out,
        "inbound_connections": connections,
        "unreachable_people": holes,
        "wall_clock_ahead_seconds": drift,
        "problems": problems,
        "quarantined_rows": quarantined,
        "ping": ping,
    });
    (status, Json(body)).into_response()
}

/// The release of the time zone data, and where it comes from.
fn zones(data: &ZoneData) -> serde_json::Value {
    json!({
        "release": data.release.to_string(),
        "source": data.source.to_string(),
        "beside": data.beside,
        "problem": data.problem,
    })
}

/// The state of a channel's inbound connection. A daemon without it still sends pages.
fn connection_view(connection: &InboundConnection) -> serde_json::Value {
    json!({ "up": connection.open, "since": connection.since, "last_error": connection.last_error })
}

/// `GET /metrics`.
pub async fn metrics(State(app): State<Arc<AppState>>) -> Response {
    let now = app.engine.now();
    match app.engine.reads().proofs().await {
        Ok(proofs) => {
            let unlinked = app.engine.inbound().unlinked();
            let people = contact_coverage(&app.engine.config(), &proofs, &[], &unlinked, now);
            app.engine.metrics().contacts(&proven(&people));
        }
        // The last values stay: other metrics show that the store can not be read.
        Err(error) => tracing::warn!(%error, "the proofs of contacts could not be read"),
    }
    app.engine.metrics().listeners(&app.engine.health().listeners().fullness());
    app.engine.metrics().quarantined(&app.engine.reads().quarantined());
    let text = app.engine.metrics().text(app.engine.delivery().oldest_unsent(), now);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
