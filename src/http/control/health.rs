//! The checks of `stentor doctor`, the contacts of `stentor people`, and the daemon's request to its own public
//! address.

use crate::{
    engine::{
        contact_coverage::{ContactCoverage, contact_coverage},
        health::{
            checkup::{DoctorFinding, DoctorPart, part},
            doctor::SIGNATURE,
        },
    },
    http::{body, control::credentials, problem::ProblemDetails, state::AppState},
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, sync::Arc};

/// The longest nonce of the daemon's request to itself, in bytes.
const NONCE_MAX: usize = 64;

/// One line of `GET /v1/doctor`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorLine {
    /// The names of all checks; the first line.
    Parts(Vec<String>),
    /// One check is done.
    Done {
        /// Its name.
        part: String,
        /// Its findings.
        findings: Vec<DoctorFinding>,
    },
}

/// `GET /v1/doctor`: one JSON object on each line, sent as soon as it is known.
pub async fn doctor(State(app): State<Arc<AppState>>) -> Response {
    let drift = app.wall().micros_since(app.engine.now());
    let mut parts = app.engine.health().parts(drift);
    parts.push(part("credentials", async move {
        let live = app.engine.config();
        let metrics = credentials::metrics(live.matrix.sources.values().map(|source| &source.scopes));
        std::iter::once(metrics).chain(credentials::checks()).collect()
    }));
    let lines = lines(parts).map(|line| {
        // This can not fail: these are our own types, and all map keys are strings.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        Ok::<_, Infallible>(text)
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// The names of the checks, and then each result as soon as it is done.
pub fn lines(parts: Vec<DoctorPart>) -> impl futures_util::Stream<Item = DoctorLine> + Send {
    let names = parts.iter().map(|(name, _)| name.clone()).collect();
    let looks = parts.into_iter().map(|(part, look)| async move { DoctorLine::Done { part, findings: look.await } });
    let done: FuturesUnordered<_> = looks.collect();
    futures_util::stream::iter([DoctorLine::Parts(names)]).chain(done)
}

/// `GET /v1/people`: the channels that reach each person, when each was last proven to work, and who is on call.
pub async fn people(State(app): State<Arc<AppState>>) -> Result<Json<Vec<ContactCoverage>>, ProblemDetails> {
    let proofs = app.engine.reads().proofs().await?;
    let (opt_outs, unlinked) = (app.engine.inbound().opt_outs(), app.engine.inbound().unlinked());
    Ok(Json(contact_coverage(&app.engine.config(), &proofs, &opt_outs, &unlinked, app.engine.time())))
}

/// `POST /hooks/self`: the daemon calls its own public address to check that the address leads to it. Only requests
/// that it has signed itself get a response.
pub async fn echo(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    request: Request,
) -> Result<String, ProblemDetails> {
    let refused = || ProblemDetails::new(StatusCode::UNAUTHORIZED, "only this daemon itself may call this address");
    if !headers.contains_key(SIGNATURE) {
        return Err(refused());
    }
    let nonce = body::whole(request.into_body(), NONCE_MAX).await?;
    let nonce = std::str::from_utf8(&nonce).ok().ok_or_else(refused)?;
    let given = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !app.engine.keys().is_echo_call(nonce, given) {
        return Err(refused());
    }
    Ok(app.engine.keys().echo(nonce).expose_secret().to_owned())
}
