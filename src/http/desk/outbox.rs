//! Shows what the sandbox would have sent, only on this machine.

use crate::http::{desk::page, problem::ProblemDetails, state::AppState};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// `GET /outbox`: what channels without credentials would have sent. It shows valid codes, as a phone would, so it is
/// only for users of this machine: requests from a proxy, or from another site whose name points here (DNS rebinding),
/// are refused.
pub async fn show(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let handed_on = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    let handed_on = handed_on.iter().any(|name| headers.contains_key(*name));
    let mut hosts = headers.get_all(header::HOST).iter().filter_map(|host| host.to_str().ok());
    let asked_here = hosts.next().is_some_and(|host| is_here(&format!("http://{host}"))) && hosts.next().is_none();
    if !app.shows_outbox || handed_on || !asked_here {
        return ProblemDetails::not_found("the outbox is shown on this machine only").into_response();
    }
    let entries = app.outbox.recent();
    let wants = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if wants.contains("text/html") { page::outbox(&entries) } else { Json(entries).into_response() }
}

/// Whether a URL's host is this machine.
pub fn is_here(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
