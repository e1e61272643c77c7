//! Silences as Alertmanager's API has them, for amtool and dashboards. The responses are those of Alertmanager, with these
//! exceptions: a silence has a reason and ends within 31 days, and who makes one needs a token with the scope `silences`.

use super::{
    alertmanager::{AlertRefusal, framework, said},
    alertmanager_query::AlertmanagerQuery,
};
use crate::{
    core::{
        Actor, SourceName, Timestamp,
        silence::{Silence, SilenceId, SilenceMatcher, SilenceState},
        time::ForeignTime,
    },
    engine::SilenceFault,
    http::{body, credential, refusal_log, state::AppState},
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
};
use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest body, in bytes.
const BODY_MAX: usize = 64 << 10;

/// A silence as it is posted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedSilence {
    id: Option<String>,
    #[serde(default)]
    matchers: Vec<SilenceMatcher>,
    starts_at: String,
    ends_at: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
}

/// `GET /api/v2/silences`: all of them, or those to which each `filter` fits, without states that are not wanted.
pub async fn list(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Vec<Value>>, AlertRefusal> {
    allowed(&app, &headers)?;
    let query = AlertmanagerQuery(query);
    let filters = query.matchers()?;
    let states = [
        (SilenceState::Active, query.flag("active")?),
        (SilenceState::Pending, query.flag("pending")?),
        (SilenceState::Expired, query.flag("expired")?),
    ];
    let now = app.engine.now();
    let is_wanted = |silence: &Silence| states.contains(&(silence.state(now), true));
    let all = app.engine.admission().silences().into_iter().filter(is_wanted);
    Ok(Json(all.filter(|silence| silence.is_about(&filters)).map(|own| view(&app, &own)).collect()))
}

/// `POST /api/v2/silences`: makes one, or changes one whose `id` is given.
pub async fn post(State(app): State<Arc<AppState>>, request: Request) -> Result<Json<Value>, AlertRefusal> {
    let (parts, body) = request.into_parts();
    let source = allowed(&app, &parts.headers)?;
    let bytes = body::of_source(body, BODY_MAX, &source).await?;
    let posted: PostedSilence = serde_json::from_slice(&bytes).map_err(|error| {
        framework(StatusCode::BAD_REQUEST, 400, format!("parsing silence body from \"\" failed, because {error}"))
    })?;
    if posted.matchers.is_empty() {
        return Err(framework(
            StatusCode::UNPROCESSABLE_ENTITY,
            612,
            "matchers in body should have at least 1 items".into(),
        ));
    }
    let (now, wall) = (app.engine.now(), app.wall());
    let time = |name: &str, text: &str| {
        let read = ForeignTime::read(text).map(|time| time.nearest().on_clock(wall, now));
        read.ok_or_else(|| framework(StatusCode::BAD_REQUEST, 400, format!("{name}: {text:?} is not a time")))
    };
    let (starts_at, ends_at) = (time("startsAt", &posted.starts_at)?, time("endsAt", &posted.ends_at)?);
    if ends_at <= now {
        return Err(said(StatusCode::BAD_REQUEST, "Failed to create silence: end time can't be in the past".into()));
    }
    let admission = app.engine.admission();
    let known = match posted.id.filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => {
            let known = id.parse().ok().and_then(|id| admission.silence(id));
            Some(known.ok_or_else(not_found)?)
        }
    };
    let by = Actor::Source(source);
    // What is about other alerts is another silence.
    let same =
        known.as_ref().filter(|known| known.matchers == posted.matchers && known.state(now) != SilenceState::Expired);
    let silence = Silence {
        id: same.map_or_else(|| SilenceId::random(rand::random()), |same| same.id),
        matchers: posted.matchers,
        starts_at: same.filter(|same| same.starts_at <= now).map_or(starts_at.max(now), |same| same.starts_at),
        ends_at,
        updated_at: now,
        created_by: posted.created_by,
        reason: posted.comment,
    };
    let replaced = known.filter(|known| known.id != silence.id && known.state(now) != SilenceState::Expired);
    let id = admission.keep_silence(silence, replaced.map(|replaced| replaced.id), by).await.map_err(refused)?;
    Ok(Json(json!({ "silenceID": id })))
}

/// `GET /api/v2/silence/{id}`.
pub async fn show(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, AlertRefusal> {
    allowed(&app, &headers)?;
    let known = app.engine.admission().silence(parsed(&id)?);
    known.map(|silence| Json(view(&app, &silence))).ok_or_else(not_found)
}

/// `DELETE /api/v2/silence/{id}`: ends it. One that is over stays so.
pub async fn end(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, AlertRefusal> {
    let source = allowed(&app, &headers)?;
    let id = parsed(&id)?;
    match app.engine.admission().end_silence(id, Actor::Source(source)).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(SilenceFault::Unknown) if app.engine.admission().silence(id).is_some() => Ok(StatusCode::OK),
        Err(fault) => Err(refused(fault)),
    }
}

fn not_found() -> AlertRefusal {
    said(StatusCode::NOT_FOUND, "silence not found".into())
}

fn allowed(app: &AppState, headers: &HeaderMap) -> Result<SourceName, AlertRefusal> {
    let source = credential::source(app, headers).ok_or_else(|| {
        refusal_log::credential(None, SourceScope::Silences);
        framework(StatusCode::UNAUTHORIZED, 401, "no source of the matrix has this credential".to_owned())
    })?;
    credential::in_scope(app, &source, SourceScope::Silences)
        .map_err(|message| framework(StatusCode::FORBIDDEN, 403, message))?;
    Ok(source)
}

fn parsed(id: &str) -> Result<SilenceId, AlertRefusal> {
    id.parse().map_err(|_| {
        let message = format!("silenceID in path must be of type uuid: {id:?}");
        framework(StatusCode::UNPROCESSABLE_ENTITY, 601, message)
    })
}

fn refused(fault: SilenceFault) -> AlertRefusal {
    match fault {
        SilenceFault::Flaw(why) => said(StatusCode::BAD_REQUEST, format!("Failed to create silence: {why}")),
        SilenceFault::NoRoom | SilenceFault::OfMatrix => said(StatusCode::BAD_REQUEST, fault.to_string()),
        SilenceFault::Unknown => not_found(),
        SilenceFault::Store(error) => {
            refusal_log::store(&error);
            said(StatusCode::SERVICE_UNAVAILABLE, format!("nothing was kept, send it again: {error}"))
        }
    }
}

fn view(app: &AppState, silence: &Silence) -> Value {
    let (now, wall) = (app.engine.now(), app.wall());
    // Times of senders are those of the wall clock; ours are the store's.
    let time = |at: Timestamp| at.on_clock(now, wall).to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": silence.id,
        "status": { "state": silence.state(now) },
        "updatedAt": time(silence.updated_at),
        "comment": silence.reason,
        "createdBy": silence.created_by,
        "startsAt": time(silence.starts_at),
        "endsAt": time(silence.ends_at),
        "matchers": silence.matchers,
    })
}
