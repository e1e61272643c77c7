//! Incidents to be read: by whoever the socket lets in, and over TCP by signed-in people and by sources.

use super::{
    App,
    control::Caller,
    credential,
    problem::Problem,
    view::{self, IncidentView},
};
use crate::{core::IncidentId, store::Filter};
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use std::sync::Arc;

/// Incidents that one listing shows at most.
const LIST_MAX: usize = 1000;

/// Which incidents.
#[derive(Deserialize)]
pub struct Listing {
    #[serde(default)]
    all: bool,
    limit: Option<usize>,
}

/// `GET /v1/incidents`: newest first.
pub async fn incidents(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Query(listing): Query<Listing>,
) -> Result<Json<Vec<IncidentView>>, Problem> {
    admitted(&app, caller, &headers)?;
    let filter = Filter { open_only: !listing.all, limit: listing.limit.unwrap_or(50).min(LIST_MAX) };
    let live = app.engine.live.load_full();
    let incidents = app.engine.store.list(filter).await?;
    Ok(Json(incidents.iter().map(|incident| view::incident(&live, incident)).collect()))
}

/// `GET /v1/incidents/{id}`: with the stages of each role beside its target.
pub async fn incident(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<IncidentView>, Problem> {
    admitted(&app, caller, &headers)?;
    let id = parse_id(&id)?;
    let incident = app.engine.store.view(id).await?.ok_or_else(|| absent(id))?;
    Ok(Json(view::incident(&app.engine.live.load(), &incident)))
}

/// Who came by the socket has shown who they are; over TCP it takes a desk's cookie or a source's token.
pub(super) fn admitted(app: &App, caller: Option<Extension<Caller>>, headers: &HeaderMap) -> Result<(), Problem> {
    let known = || credential::session(app, headers).is_some() || credential::source(app, headers).is_some();
    if caller.is_some() || known() {
        return Ok(());
    }
    Err(Problem::unauthorized("sign in to the desk (stentor desk-link NAME), or send the token of a [source]"))
}

/// An incident's number as it stands in a path.
pub fn parse_id(text: &str) -> Result<IncidentId, Problem> {
    text.parse().map_err(|why: String| Problem::bad(why))
}

/// There is none of that number.
pub fn absent(id: IncidentId) -> Problem {
    Problem::not_found(format!("there is no incident {id}"))
}
