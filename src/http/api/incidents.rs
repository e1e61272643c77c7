//! Reading incidents: by everybody who may use the socket, and over TCP by signed-in people and by sources. A source
//! without the scope `read` reads only the incidents that its own alerts opened.

use crate::{
    core::IncidentId,
    http::{
        api::view::{self, IncidentView},
        caller::UnixCaller,
        credential::{self, may_read},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
    store::IncidentFilter,
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

/// The largest number of incidents in one response; its `Link` header points to the next ones.
pub const LIST_MAX: usize = 1000;

/// The default number of incidents in one response.
const LISTED: usize = 50;

/// The query of the list of incidents.
#[derive(Deserialize)]
pub struct IncidentQuery {
    #[serde(default)]
    all: bool,
    limit: Option<usize>,
    /// Only incidents older than this one.
    before: Option<String>,
}

/// The header with the number of open incidents.
pub const OPEN_COUNT: &str = "stentor-open-incidents";

/// `GET /v1/incidents`: newest first. If there are older ones, `Link: <..>; rel="next"` (RFC 8288) points to them.
pub async fn incidents(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Query(listing): Query<IncidentQuery>,
) -> Result<Response, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    let filter = IncidentFilter { open_only: !listing.all, limit: listing.limit.unwrap_or(LISTED).min(LIST_MAX) };
    let before = listing.before.as_deref().map(parse_id).transpose()?;
    let live = app.engine.config();
    let portion = app.engine.reads().portion(filter, before).await?;
    let shown: Vec<IncidentView> = portion.incidents.iter().map(|incident| view::incident(&live, incident)).collect();
    let mut response = Json(shown).into_response();
    let open = app.engine.reads().open_count().await?;
    response.headers_mut().insert(OPEN_COUNT, HeaderValue::from(open));
    if let Some(next) = older(&app, filter, portion.before).await? {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

/// The address of the next page of the list; `None` after the last one.
async fn older(
    app: &AppState,
    filter: IncidentFilter,
    before: Option<IncidentId>,
) -> Result<Option<HeaderValue>, ProblemDetails> {
    let Some(before) = before else { return Ok(None) };
    if app.engine.reads().portion(IncidentFilter { limit: 1, ..filter }, Some(before)).await?.is_empty() {
        return Ok(None);
    }
    let IncidentFilter { open_only, limit } = filter;
    let link = format!("</v1/incidents?all={}&limit={limit}&before={before}>; rel=\"next\"", !open_only);
    Ok(HeaderValue::from_str(&link).ok())
}

/// `GET /v1/incidents/newest`: the number of the newest incident, open or over; null before the first.
pub async fn newest(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    Ok(Json(serde_json::json!({ "incident": app.engine.reads().newest().await? })))
}

/// The query of one incident.
#[derive(Deserialize)]
pub struct PageQuery {
    /// Its pages after this one, instead of its newest.
    pages_after: Option<u32>,
}

/// `GET /v1/incidents/{id}`: with the stages of each role beside its target, and its newest pages. `pages_after` asks for
/// those after a page; if there are more, `Link: <..>; rel="next"` points to them. A source that opened it may read it
/// without the scope `read`.
pub async fn incident(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(PageQuery { pages_after }): Query<PageQuery>,
) -> Result<Response, ProblemDetails> {
    let id = parse_id(&id)?;
    let reads = credential::reads(&app, caller.is_some(), &headers, SourceScope::Read).is_ok();
    if !reads && !opened(&app, &headers, id).await? {
        may_read(&app, caller, &headers, SourceScope::Read)?;
    }
    let incident = app.engine.reads().view(id).await?.ok_or_else(|| absent(id))?;
    let live = app.engine.config();
    let Some(after) = pages_after else { return Ok(Json(view::incident(&live, &incident)).into_response()) };
    let (view, more) = view::incident_after(&live, &incident, after);
    let last = view.pages.last().map(|page| page.n).filter(|_| more);
    let mut response = Json(view).into_response();
    let link = last.map(|last| format!("</v1/incidents/{id}?pages_after={last}>; rel=\"next\""));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Whether the source of this request may send alerts, and one of them opened this incident.
async fn opened(app: &AppState, headers: &HeaderMap, id: IncidentId) -> Result<bool, ProblemDetails> {
    let Some(source) = credential::source(app, headers) else { return Ok(false) };
    let may_send = credential::has_scope(app, &source, SourceScope::Alerts);
    Ok(may_send && app.engine.reads().opened_by(id).await? == Some(source))
}

/// Parses an incident's id in a path.
pub fn parse_id(text: &str) -> Result<IncidentId, ProblemDetails> {
    text.parse().map_err(|why: String| ProblemDetails::bad(why))
}

/// The problem that there is no incident with this id.
pub fn absent(id: IncidentId) -> ProblemDetails {
    ProblemDetails::not_found(format!("there is no incident {id}"))
}
