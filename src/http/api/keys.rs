//! The public keys of receipts.

use crate::http::{openapi::Operation, state::AppState};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// How long a client may use the keys without asking again. A receipt with a key that it does not know makes it ask.
const CACHED: &str = "public, max-age=300";

/// `GET /v1/keys` in the API's document.
pub fn operation() -> Operation {
    Operation::get("getKeys", keys)
        .about("The keys of receipts", "The current key and the one before, as a JWK set (RFC 7517).")
        .answer_as::<Map<String, Value>>(StatusCode::OK, MEDIA, "The keys.")
}

/// The media type of a JWK set.
const MEDIA: &str = "application/jwk-set+json";

/// `GET /v1/keys`: the keys with which receipts are checked, as a JWK set (RFC 7517): the current one and the one before.
pub async fn keys(State(app): State<Arc<AppState>>) -> Response {
    let current = app.engine.config().matrix.daemon.receipt_key();
    let keys = app.engine.keys().receipt_keys(current).jwks();
    let headers = [(header::CONTENT_TYPE, MEDIA), (header::CACHE_CONTROL, CACHED)];
    (headers, keys.to_string()).into_response()
}
