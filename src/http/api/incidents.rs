//! Reading incidents: by everybody who may use the socket, and over TCP by signed-in people and by sources. A source
//! without the scope `read` reads only the incidents that its own alerts opened.

use crate::{
    core::IncidentId,
    http::{
        api::view::{self, IncidentView},
        caller::UnixCaller,
        credential::{self, may_read},
        openapi::{
            Access, Operation,
            operation::{AnswerHeader, NEXT},
        },
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
    store::IncidentFilter,
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The largest number of incidents in one response; its `Link` header points to the next ones.
pub const LIST_MAX: usize = 1000;

/// The default number of incidents in one response.
const LISTED: usize = 50;

/// The query of the list of incidents.
#[derive(Deserialize, JsonSchema)]
pub struct IncidentQuery {
    /// Resolved ones, too.
    #[serde(default)]
    all: bool,
    /// How many at most.
    #[schemars(range(max = u32::MAX), extend("default" = LISTED))]
    #[schemars(description = format!("How many at most; more than {LIST_MAX} counts as {LIST_MAX}."))]
    limit: Option<u32>,
    /// Only incidents older than this one.
    #[schemars(with = "Option<IncidentId>")]
    before: Option<String>,
}

/// The header with the number of open incidents.
pub const OPEN_COUNT: &str = "stentor-open-incidents";

/// `GET /v1/incidents` in the API's document.
pub fn list_operation() -> Operation {
    Operation::get("listIncidents", incidents)
        .about("Incidents, newest first", "Open ones, and with `all` those that are resolved, too.")
        .access(Access::Reader(SourceScope::Read))
        .stored()
        .query::<IncidentQuery>()
        .answer::<Vec<IncidentView>>(StatusCode::OK, "The incidents.")
        .with_header(NEXT)
        .with_header(AnswerHeader {
            name: OPEN_COUNT,
            details: "How many incidents are open.",
            is_number: true,
            is_required: true,
        })
        .problem(StatusCode::BAD_REQUEST, "A parameter is not valid.")
}

/// `GET /v1/incidents`: newest first. If there are older ones, `Link: <..>; rel="next"` (RFC 8288) points to them.
pub async fn incidents(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Query(listing): Query<IncidentQuery>,
) -> Result<Response, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    let limit = listing.limit.map_or(LISTED, |limit| limit as usize).min(LIST_MAX);
    let filter = IncidentFilter { open_only: !listing.all, limit };
    let before = listing.before.as_deref().map(parse_id).transpose()?;
    let live = app.engine.config();
    let portion = app.engine.reads().portion(filter, before).await?;
    let now = app.engine.now();
    let shown: Vec<IncidentView> =
        portion.incidents.iter().map(|incident| view::incident(&live, incident, now)).collect();
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

/// The newest incident.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewestIncident {
    /// Its id, open or resolved; null before the first.
    incident: Option<IncidentId>,
}

/// `GET /v1/incidents/newest` in the API's document.
pub fn newest_operation() -> Operation {
    Operation::get("getNewestIncident", newest)
        .about("The id of the newest incident", "Open or resolved.")
        .access(Access::Reader(SourceScope::Read))
        .stored()
        .answer::<NewestIncident>(StatusCode::OK, "Its id.")
}

/// `GET /v1/incidents/newest`: the number of the newest incident, open or over; null before the first.
pub async fn newest(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
) -> Result<Json<NewestIncident>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    Ok(Json(NewestIncident { incident: app.engine.reads().newest().await? }))
}

/// The query of one incident.
#[derive(Deserialize, JsonSchema)]
pub struct PageQuery {
    /// Its pages after this one, instead of its newest.
    #[schemars(range(max = u32::MAX))]
    pages_after: Option<u32>,
}

/// `GET /v1/incidents/{id}` in the API's document.
pub fn operation() -> Operation {
    let details = "With the stages of each role beside its target, and its newest pages. The source whose alert opened it may \
                   read it without the scope `read`, if it has the scope `alerts`.";
    Operation::get("getIncident", incident)
        .about("One incident", details)
        .access(Access::Reader(SourceScope::Read))
        .stored()
        .path::<IncidentId>("id")
        .query::<PageQuery>()
        .answer::<IncidentView>(StatusCode::OK, "The incident.")
        .with_header(NEXT)
        .problem(StatusCode::BAD_REQUEST, "The id or a parameter is not valid.")
        .problem(StatusCode::NOT_FOUND, "There is no incident with this id.")
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
    let (live, now) = (app.engine.config(), app.engine.now());
    let Some(after) = pages_after else { return Ok(Json(view::incident(&live, &incident, now)).into_response()) };
    let (view, more) = view::incident_after(&live, &incident, after, now);
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
