//! One HTTP request of the protocol. There are no sessions: a client may go on with another daemon, or with this one after a
//! restart.

use super::{
    exact::{self, Refusal},
    server::McpServer,
    service::RequestService,
};
use axum::{
    Json,
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use std::sync::Arc;

/// Tells proxies to hand on each part as it comes.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers a request of a source, whose credential was checked and whose body was read with its limits.
pub async fn answer<S: RequestService>(service: S, head: Parts, body: Bytes) -> Response {
    if head.method == Method::POST {
        match exact::message(&body) {
            Ok(Some(_)) => {}
            Ok(None) => return StatusCode::ACCEPTED.into_response(),
            Err(Refusal(refusal)) => return (StatusCode::BAD_REQUEST, Json(refusal)).into_response(),
        }
    }
    // Who calls has shown a token that no page of a browser has: names of hosts prove nothing more.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(super::MESSAGE_MAX)
        .disable_allowed_hosts()
        .enforce_origin_validation();
    let server = McpServer::new(service);
    let sessions = Arc::new(NeverSessionManager::default());
    let http = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    let mut response = http.handle(Request::from_parts(head, Body::from(body))).await.map(Body::new);
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
        response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    }
    response
}
