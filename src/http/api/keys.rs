//! The public keys of receipts.

use crate::http::state::AppState;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// How long a client may use the keys without asking again. A receipt with a key that it does not know makes it ask.
const CACHED: &str = "public, max-age=300";

/// `GET /v1/keys`: the keys with which receipts are checked, as a JWK set (RFC 7517): the current one and the one before.
pub async fn keys(State(app): State<Arc<AppState>>) -> Response {
    let current = app.engine.config().matrix.daemon.receipt_key();
    let keys = app.engine.keys().receipt_keys(current).jwks();
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHED)];
    (headers, keys.to_string()).into_response()
}
