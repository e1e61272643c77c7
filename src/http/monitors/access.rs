//! Who sends to the address of a source: by its token, or by its signature where it has one.

use super::signature;
use crate::{
    core::SourceName,
    http::{body, credential, problem::ProblemDetails, refusal_log, state::AppState},
    matrix::{SignatureSettings, SourceScope},
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode},
};

/// The largest body that is signed, in bytes: it is held before anybody knows whose it is.
pub const SIGNED_MAX: usize = 4 * 1024 * 1024;

/// The body of a request to the address of the source `name`, once it is known that this source sent it, which is then in
/// `believed`.
///
/// # Errors
/// `401` without a valid credential of this source, `403` without its scope; those of [`body::of_source`].
pub async fn body_of(
    app: &AppState,
    name: &str,
    headers: &HeaderMap,
    body: Body,
    believed: &mut Option<SourceName>,
) -> Result<(SourceName, Bytes), ProblemDetails> {
    let source = SourceName::from(name);
    let config = app.engine.config();
    let known = config.matrix.sources.get(&source);
    if let Some(signature) = known.and_then(|known| known.signature.as_ref()) {
        // What says to be signed is held before anybody knows whether it is; nothing else is.
        if !signature::is_claimed(signature, headers, app.wall()) {
            return Err(stranger());
        }
        let bytes = body::unproven(body, SIGNED_MAX, source.as_str()).await?;
        if !is_signed(app, &source, signature, headers, &bytes) {
            return Err(stranger());
        }
        *believed = Some(source.clone());
        in_scope(app, &source)?;
        return Ok((source, bytes));
    }
    let own = known.and_then(|known| known.token_header.as_deref()).and_then(|name| headers.get(name)?.to_str().ok());
    let sender = credential::source(app, headers).or_else(|| credential::source_of(app, own?.trim()));
    if sender.as_ref() != Some(&source) {
        return Err(stranger());
    }
    *believed = Some(source.clone());
    in_scope(app, &source)?;
    let bytes = body::of_source(body, body::ALERTS_MAX, &source).await?;
    Ok((source, bytes))
}

fn is_signed(
    app: &AppState,
    source: &SourceName,
    settings: &SignatureSettings,
    headers: &HeaderMap,
    body: &[u8],
) -> bool {
    let config = app.engine.config();
    let keys = config.signing_keys.iter().filter(|(owner, _)| owner == source).map(|(_, key)| key);
    signature::is_signed(settings, keys, headers, body)
}

/// The same for whoever is not believed, so that nobody learns which sources there are.
fn stranger() -> ProblemDetails {
    refusal_log::credential(None, SourceScope::Alerts);
    ProblemDetails::unauthorized(
        "this is no request of that [source]: it must have its token (Authorization: Bearer ..), or its signature where the \
         source has `signature`; with a `timestamp` its time must be within five minutes of ours: see both clocks",
    )
}

fn in_scope(app: &AppState, source: &SourceName) -> Result<(), ProblemDetails> {
    credential::in_scope(app, source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))
}
