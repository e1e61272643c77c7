//! What every way to a request does: over HTTP, and over MCP. A source sees its own requests alone.

use super::{RequestView, ask_body};
pub use crate::http::api::asker::asker;
use crate::{
    core::{Actor, Incident, Request, RequestId, SourceName, hidden::plain_line},
    engine::{IncidentWatch, RequestAdmission, WATCHES_MAX, WATCHES_OF_SOURCE_MAX},
    http::{
        api::{asker::refused, handoffs, reply_link},
        idempotency,
        problem::ProblemDetails,
        state::AppState,
    },
    store::RequestKey,
};
use axum::http::StatusCode;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// What keys of this API are for.
const OPERATION: &str = "requests";

/// After what time a source that has too many waits may try again.
const AGAIN: Duration = Duration::from_secs(5);

/// The longest reason of a withdrawal, in characters.
pub const WHY_MAX: usize = 200;

/// A request that was accepted.
pub struct AcceptedRequest {
    /// Its identity for the source.
    pub id: RequestId,
    /// Its incident, as it is now.
    pub incident: Arc<Incident>,
    /// Whether it had been accepted before, by the same idempotency key.
    pub again: bool,
}

/// Admits a request with this body. When this returns, it is durable, and people are being asked.
///
/// # Errors
/// Why it can not be asked. Nothing of it was kept.
pub async fn ask(
    app: &AppState,
    source: &SourceName,
    key: Option<String>,
    body: &[u8],
) -> Result<AcceptedRequest, ProblemDetails> {
    let keyed = key.map(|key| {
        (RequestKey { source: source.clone(), operation: OPERATION.to_owned(), key }, idempotency::digest(body))
    });
    let received_at = app.engine.now();
    let (mut alert, wish) = ask_body::read(body)?;
    let config = app.engine.config();
    let settings = config.matrix.sources.get(source);
    if let Some(packet) = &wish.packet {
        reply_link::allowed_link(packet, settings.and_then(|settings| settings.reply_url.as_deref()))?;
    }
    let drills = settings.is_some_and(|known| known.drills);
    if alert.drill && !drills {
        let detail = format!("source {source} may not send drills: set drills = true in its [source.{source}]");
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail));
    }
    alert.source = source.clone();
    alert.id = format!("ALT-{:016x}", rand::random::<u64>());
    let admitted = app.engine.admission().admit_request(alert, wish, received_at, keyed).await;
    let RequestAdmission { id, again } = admitted.map_err(|fault| refused(app, source, fault))?;
    Ok(AcceptedRequest { id, incident: theirs(app, source, id).await?, again })
}

/// A request of this source: another one's is like one that does not exist.
///
/// # Errors
/// `404` if this source has no such request.
pub async fn theirs(app: &AppState, source: &SourceName, id: RequestId) -> Result<Arc<Incident>, ProblemDetails> {
    let incident = app.engine.reads().view(id.incident).await?;
    let theirs = |incident: &Arc<Incident>| incident.request_id() == Some(id) && incident.asker() == source;
    incident.filter(theirs).ok_or_else(unknown)
}

/// A request as soon as it has its outcome or `is_news` says so of its first and its present state; at the latest at
/// `until`, or when the daemon stops.
///
/// # Errors
/// As [`theirs`]; `429` if too many requests are waited for.
pub async fn wait(
    app: &AppState,
    source: &SourceName,
    id: RequestId,
    until: Instant,
    is_news: impl Fn(&Request, &Request) -> bool,
) -> Result<Arc<Incident>, ProblemDetails> {
    let is_open = |incident: &Incident| incident.request.as_ref().is_some_and(|request| request.outcome().is_none());
    let mut now = theirs(app, source, id).await?;
    if !is_open(&now) || until <= Instant::now() {
        return Ok(now);
    }
    let mut watch = watch(app, source, id)?;
    // It may have changed before it was watched.
    let first = std::mem::replace(&mut now, theirs(app, source, id).await?);
    let is_old =
        |now: &Incident| first.request.as_ref().zip(now.request.as_ref()).is_some_and(|(old, new)| !is_news(old, new));
    while is_open(&now) && is_old(&now) {
        let changed = tokio::select! {
            changed = timeout_at(until, watch.changed()) => changed.is_ok(),
            () = app.shutdown.cancelled() => false,
        };
        if !changed {
            break;
        }
        now = theirs(app, source, id).await?;
    }
    Ok(now)
}

/// Watches a request until what this returns is dropped.
///
/// # Errors
/// `429` if too many requests are waited for.
pub fn watch(app: &AppState, source: &SourceName, id: RequestId) -> Result<IncidentWatch, ProblemDetails> {
    app.engine.watch(id.incident, source).map_err(|_| {
        let detail = format!(
            "too many requests are waited for: at most {WATCHES_OF_SOURCE_MAX} of one source and {WATCHES_MAX} of all; \
             ask without `wait`, or end what waits for nothing"
        );
        ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, detail).after(AGAIN)
    })
}

/// Withdraws a request: everybody who was asked hears it. What was decided stays decided.
///
/// # Errors
/// As [`theirs`]; `422` if the reason is too long.
pub async fn cancel(
    app: &AppState,
    source: &SourceName,
    id: RequestId,
    reason: Option<String>,
) -> Result<Arc<Incident>, ProblemDetails> {
    // As it was sent: what is left out of it counts, too.
    if reason.as_ref().is_some_and(|reason| WHY_MAX < reason.chars().count()) {
        return Err(ProblemDetails::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the reason is longer than {WHY_MAX} characters"),
        ));
    }
    let why = reason.map(|reason| plain_line(&reason)).filter(|reason| !reason.is_empty());
    theirs(app, source, id).await?;
    app.engine.inbound().cancel(id.incident, Actor::Source(source.clone()), why).await?;
    theirs(app, source, id).await
}

/// A request as its asker reads it, with what the user of a handoff may be told.
///
/// # Errors
/// `404` if the incident is no request.
pub async fn view(app: &AppState, incident: &Incident) -> Result<RequestView, ProblemDetails> {
    let mut view = RequestView::of(incident)?;
    view.handoff = handoffs::view(app, incident).await?;
    Ok(view)
}

/// The id in an address.
///
/// # Errors
/// `404` if it is none.
pub fn read_id(text: &str) -> Result<RequestId, ProblemDetails> {
    text.parse().map_err(|_| unknown())
}

/// The source has no such request.
pub fn unknown() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "this source has no request with this id")
}
