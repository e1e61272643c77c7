//! Looked at in depth: every part for `stentor doctor`, everybody for `stentor people`, and the daemon's word to itself.

use crate::{
    engine::{
        contact_coverage::{ContactCoverage, contact_coverage},
        health::{
            checkup::{DoctorFinding, DoctorPart},
            doctor::SIGNATURE,
        },
    },
    http::{body, problem::ProblemDetails, state::AppState},
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

/// The longest that the daemon says to itself.
const NONCE_MAX: usize = 64;

/// One line of `GET /v1/doctor`, as it becomes known.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorLine {
    /// What is being looked at; the first line.
    Parts(Vec<String>),
    /// One part is done.
    Done {
        /// Which.
        part: String,
        /// What was found.
        findings: Vec<DoctorFinding>,
    },
}

/// `GET /v1/doctor`: one JSON object a line, each as soon as it is known.
pub async fn doctor(State(app): State<Arc<AppState>>) -> Response {
    let drift = app.wall().micros_since(app.engine.now());
    let lines = lines(app.engine.health().parts(drift)).map(|line| {
        // Our own types, all of whose keys are text: this can not fail.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        Ok::<_, Infallible>(text)
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// The parts' names, and then each part as soon as it is done.
pub fn lines(parts: Vec<DoctorPart>) -> impl futures_util::Stream<Item = DoctorLine> + Send {
    let names = parts.iter().map(|(name, _)| name.clone()).collect();
    let looks = parts.into_iter().map(|(part, look)| async move { DoctorLine::Done { part, findings: look.await } });
    let done: FuturesUnordered<_> = looks.collect();
    futures_util::stream::iter([DoctorLine::Parts(names)]).chain(done)
}

/// `GET /v1/people`: who can be reached by what, who is on call, and since when that is proven.
pub async fn people(State(app): State<Arc<AppState>>) -> Result<Json<Vec<ContactCoverage>>, ProblemDetails> {
    let proofs = app.engine.reads().proofs().await?;
    Ok(Json(contact_coverage(&app.engine.config(), &proofs, &app.engine.inbound().opt_outs(), app.engine.now())))
}

/// `POST /hooks/self`: the daemon calls itself by its public address, to see whether that leads to it. Only what it has
/// signed itself is answered.
pub async fn echo(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    request: Request,
) -> Result<String, ProblemDetails> {
    let refused = || ProblemDetails::new(StatusCode::UNAUTHORIZED, "only this daemon itself has something to say here");
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
