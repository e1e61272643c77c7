//! Liveness, readiness and metrics.

use crate::{
    core::zone::ZoneData,
    engine::{
        contact_coverage::{contact_coverage, proven},
        health::doctor::clock_problem,
        health::inbound_connection::InboundConnection,
    },
    http::{
        caller::UnixCaller,
        credential::{may_read, reads},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// `GET /healthz`: the process is alive.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: it can commit alerts and send pages. Without a credential it says whether it is ready, and how many
/// problems of each kind there are; `problems` and the names are for those who may read incidents.
pub async fn readyz(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
) -> Response {
    let readiness = Readiness::of(&app);
    let ready = readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = readiness.counts();
    if reads(&app, caller.is_some(), &headers, SourceScope::Read).is_ok() {
        body.extend(readiness.details(&app));
    }
    (status, Json(body)).into_response()
}

/// The answer's fields.
type Fields = Map<String, Value>;

/// What is wrong now.
struct Readiness {
    /// Why alerts can not be committed or pages not sent.
    unready: Vec<String>,
    problems: Vec<String>,
    /// Sources that open too much: the fault is theirs, so it is not counted.
    over_quota: Vec<String>,
    store: Option<String>,
    broken: BTreeMap<String, String>,
    sandboxed: BTreeMap<String, String>,
    holes: BTreeMap<String, String>,
    connections: BTreeMap<String, InboundConnection>,
    oldest_unsent_s: f64,
    drift_s: f64,
    quarantined: usize,
}

impl Readiness {
    fn of(app: &AppState) -> Self {
        let (now, health) = (app.engine.now(), app.engine.health());
        let drift = app.wall().micros_since(now);
        let unready = health.readiness_problems();
        let late = health.late_brief().into_iter().collect();
        let mut problems = [unready.clone(), health.found_problems(), late].concat();
        problems.extend(clock_problem(drift));
        problems.extend(health.reload_problem());
        problems.extend(health.anchor_problems());
        let broken = app.engine.delivery().breakers().broken().into_iter();
        let sandboxed = app.engine.config();
        let sandboxed = sandboxed.sandboxed().into_iter();
        let oldest = app.engine.delivery().oldest_unsent().map(|born| now.since(born)).unwrap_or_default();
        Self {
            unready,
            problems,
            over_quota: health.over_quota(),
            store: app.engine.reads().health().err().map(|error| error.to_string()),
            broken: broken.map(|(name, broken)| (name.to_string(), broken.why)).collect(),
            sandboxed: sandboxed.map(|(name, why)| (name.to_string(), why.to_owned())).collect(),
            holes: health
                .holes()
                .into_iter()
                .map(|((channel, person), why)| (format!("{person} by {channel}"), why))
                .collect(),
            connections: health.inbound_connections().into_iter().map(|(name, it)| (name.to_string(), it)).collect(),
            oldest_unsent_s: oldest.as_secs_f64(),
            drift_s: drift as f64 / 1e6,
            quarantined: app.engine.reads().quarantined().iter().filter(|entry| entry.is_waiting()).count(),
        }
    }

    fn is_ready(&self) -> bool {
        self.unready.is_empty()
    }

    /// What anybody may know: no name of a person, a channel or a role, and no word of an error.
    fn counts(&self) -> Fields {
        let down = self.connections.values().filter(|connection| connection.open == 0).count();
        Fields::from_iter([
            ("ready".to_owned(), json!(self.is_ready())),
            ("oldest_unsent_page_seconds".to_owned(), json!(self.oldest_unsent_s)),
            ("wall_clock_ahead_seconds".to_owned(), json!(self.drift_s)),
            ("quarantined_rows".to_owned(), json!(self.quarantined)),
            (
                "counts".to_owned(),
                json!({
                    "problems": self.problems.len(),
                    "unready": self.unready.len(),
                    "store_failing": usize::from(self.store.is_some()),
                    "broken_channels": self.broken.len(),
                    "sandboxed_channels": self.sandboxed.len(),
                    "connections_down": down,
                    "unreachable_people": self.holes.len(),
                }),
            ),
        ])
    }

    fn details(self, app: &AppState) -> Fields {
        let live = app.engine.config();
        let pinged = app.engine.health().pinged();
        let ping = live.matrix.daemon.ping.as_ref().map(|ping| {
            json!({ "every_seconds": ping.every.as_secs(), "last": pinged.last, "last_error": pinged.last_error })
        });
        let connections: Fields =
            self.connections.into_iter().map(|(name, connection)| (name, connection_view(&connection))).collect();
        Fields::from_iter([
            ("store".to_owned(), json!(self.store.unwrap_or_else(|| "ok".into()))),
            ("matrix".to_owned(), json!(live.matrix.revision)),
            ("time_zones".to_owned(), zones(live.matrix.zones.data())),
            ("sandboxed_channels".to_owned(), json!(self.sandboxed)),
            ("broken_channels".to_owned(), json!(self.broken)),
            ("opted_out".to_owned(), json!(app.engine.inbound().opt_outs())),
            ("inbound_connections".to_owned(), Value::Object(connections)),
            ("unreachable_people".to_owned(), json!(self.holes)),
            ("problems".to_owned(), json!([self.problems, self.over_quota].concat())),
            ("ping".to_owned(), json!(ping)),
        ])
    }
}

/// The release of the time zone data, and where it comes from.
fn zones(data: &ZoneData) -> Value {
    json!({
        "release": data.release.to_string(),
        "source": data.source.to_string(),
        "beside": data.beside,
        "problem": data.problem,
    })
}

/// The state of a channel's inbound connection. A daemon without it still sends pages.
fn connection_view(connection: &InboundConnection) -> Value {
    json!({ "up": connection.open, "since": connection.since, "last_error": connection.last_error })
}

/// `GET /metrics`: for those at the socket, signed-in people, and sources with the scope `metrics`.
pub async fn metrics(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
) -> Result<Response, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Metrics)?;
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
    app.engine.metrics().listeners(&app.engine.health().listeners().fullness(), app.engine.watches());
    app.engine.metrics().quarantined(&app.engine.reads().quarantined());
    let text = app.engine.metrics().text(app.engine.delivery().oldest_unsent(), now);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
