//! `stentor silence`: the socket tells who makes or ends one.

use crate::{
    core::{
        Timestamp,
        silence::{Silence, SilenceId, SilenceMatcher, SilenceState},
        time::duration_text,
    },
    engine::SilenceFault,
    http::{caller::UnixCaller, problem::ProblemDetails, state::AppState},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A silence that somebody wants.
#[derive(Debug, Serialize, Deserialize)]
pub struct SilenceWish {
    /// All of them must match.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins; without it, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// How long it lasts.
    #[serde(with = "duration_text")]
    pub lasts: Duration,
    /// Why.
    pub reason: String,
}

/// How much longer.
#[derive(Debug, Serialize, Deserialize)]
pub struct SilenceExtension {
    /// From now on.
    #[serde(with = "duration_text")]
    pub lasts: Duration,
}

/// A silence, and how it stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct SilenceView {
    /// The silence.
    #[serde(flatten)]
    pub silence: Silence,
    /// How it stands.
    pub state: SilenceState,
}

impl SilenceView {
    /// People read the wall clock; silences are kept on the store's.
    fn of(silence: Silence, app: &AppState) -> Self {
        let (now, wall) = (app.engine.now(), app.wall());
        let state = silence.state(now);
        let shown = |at: Timestamp| at.on_clock(now, wall);
        let silence = Silence {
            starts_at: shown(silence.starts_at),
            ends_at: shown(silence.ends_at),
            updated_at: shown(silence.updated_at),
            ..silence
        };
        Self { silence, state }
    }
}

/// `GET /v1/silences`: all of them, those that ended within the last five days included.
pub async fn list(State(app): State<Arc<AppState>>) -> Json<Vec<SilenceView>> {
    Json(app.engine.admission().silences().into_iter().map(|silence| SilenceView::of(silence, &app)).collect())
}

/// `POST /v1/silences`: makes one.
pub async fn make(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(wish): Json<SilenceWish>,
) -> Result<Json<SilenceView>, ProblemDetails> {
    let now = app.engine.now();
    let starts_at = wish.starts_at.map_or(now, |at| at.on_clock(app.wall(), now)).max(now);
    let silence = Silence {
        id: SilenceId::random(rand::random()),
        matchers: wish.matchers,
        starts_at,
        ends_at: starts_at + wish.lasts,
        updated_at: now,
        created_by: caller.actor().to_string(),
        reason: wish.reason,
    };
    app.engine.admission().keep_silence(silence.clone(), None, caller.actor()).await.map_err(problem)?;
    Ok(Json(SilenceView::of(silence, &app)))
}

/// `POST /v1/silences/{id}/extend`: it ends so much later than now.
pub async fn extend(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
    Json(extension): Json<SilenceExtension>,
) -> Result<Json<SilenceView>, ProblemDetails> {
    let now = app.engine.now();
    let known =
        app.engine.admission().silence(parsed(&id)?).filter(|silence| silence.state(now) != SilenceState::Expired);
    let known = known.ok_or_else(|| problem(SilenceFault::Unknown))?;
    let silence = Silence { ends_at: now + extension.lasts, updated_at: now, ..known };
    app.engine.admission().keep_silence(silence.clone(), None, caller.actor()).await.map_err(problem)?;
    Ok(Json(SilenceView::of(silence, &app)))
}

/// `POST /v1/silences/{id}/end`: what it holds is judged at once.
pub async fn end(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
) -> Result<Json<SilenceView>, ProblemDetails> {
    let silence = app.engine.admission().end_silence(parsed(&id)?, caller.actor()).await.map_err(problem)?;
    Ok(Json(SilenceView { state: SilenceState::Expired, ..SilenceView::of(silence, &app) }))
}

fn parsed(id: &str) -> Result<SilenceId, ProblemDetails> {
    id.parse().map_err(|why: String| ProblemDetails::new(StatusCode::BAD_REQUEST, why))
}

fn problem(fault: SilenceFault) -> ProblemDetails {
    let status = match &fault {
        SilenceFault::Flaw(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SilenceFault::NoRoom | SilenceFault::OfMatrix => StatusCode::CONFLICT,
        SilenceFault::Unknown => StatusCode::NOT_FOUND,
        SilenceFault::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    ProblemDetails::new(status, fault.to_string())
}
