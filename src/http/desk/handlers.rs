//! The desk: a web page that rings, updated by server-sent events, for people who signed in with a personal link.

use crate::{
    channel::desk_hub::OpenDesk,
    core::{Actor, Answer, AnswerVia, Page, PageId, PersonName},
    engine::keys::{SESSION_LIFE, same},
    http::{
        body, credential,
        desk::{
            page,
            snapshot::{more_open, snapshot},
            standing::verdict_text,
        },
        problem::ProblemDetails,
        state::AppState,
    },
};
use axum::{
    Json,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Redirect, Response,
        sse::{Event, Sse},
    },
};
use futures_util::{Stream, stream};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until, timeout},
};

/// The interval of heartbeats to the page.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// After this many beats, a minute, a desk looks for what time alone has changed.
const LOOK_EVERY: u32 = 12;

/// Changes within this time are sent together.
const SETTLE: Duration = Duration::from_millis(25);

/// Redirects the bare address to the desk, which says how to sign in.
pub async fn front() -> Redirect {
    Redirect::to("/desk")
}

/// The desk page, or a page that says how to sign in.
pub async fn desk(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    if credential::session(&app, &headers).is_some() { page::desk() } else { page::sign_in(StatusCode::UNAUTHORIZED) }
}

/// The query of a desk link.
#[derive(Deserialize)]
pub struct SignIn {
    t: String,
}

/// Signs in by a personal link. It may be opened more than once until it expires, so that a mail scanner does not use
/// it up.
pub async fn login(State(app): State<Arc<AppState>>, Query(SignIn { t }): Query<SignIn>) -> Response {
    let now = app.engine.now();
    let Some(person) = app.engine.keys().signed_in(&t, now) else {
        return page::sign_in(StatusCode::FORBIDDEN);
    };
    let session = app.engine.keys().session(&person, now + SESSION_LIFE);
    let secure = if app.engine.public_url().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        credential::COOKIE,
        session.expose_secret(),
        SESSION_LIFE.as_secs()
    );
    let mut response = Redirect::to("/desk").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /desk/logout`: ends every session and desk link of the person who is signed in here, on every machine.
pub async fn logout(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, ProblemDetails> {
    let person = commanding(&app, &headers)?;
    app.engine.sign_out(&person, Actor::Person(person.clone())).await?;
    let gone = format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", credential::COOKIE);
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The open incidents that do not fit on the board.
pub async fn more(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, ProblemDetails> {
    credential::session(&app, &headers)
        .ok_or_else(|| ProblemDetails::unauthorized("this desk is not signed in: ask for a new desk link"))?;
    Ok(Json(more_open(&app).await?).into_response())
}

/// An answer from a desk.
#[derive(Deserialize)]
pub struct DeskAnswer {
    page: String,
    /// The page's mark, as shown by the desk.
    mark: Option<String>,
    answer: String,
}

/// Handles a press of a button.
pub async fn answer(State(app): State<Arc<AppState>>, request: Request) -> Result<Response, ProblemDetails> {
    let person = commanding(&app, request.headers())?;
    let press: DeskAnswer = body::json(request, body::PRESS_MAX).await?;
    let page: PageId = press.page.parse().map_err(|()| ProblemDetails::bad("no such page"))?;
    let answer: Answer = press.answer.parse().map_err(|error| ProblemDetails::bad(format!("{error}")))?;
    if !is_as_shown(&app, page, press.mark.as_deref()).await? {
        return Err(ProblemDetails::new(
            StatusCode::CONFLICT,
            "this page is from before a backup was restored: reload the desk",
        ));
    }
    let verdict = app.engine.inbound().answer_page(page, person.clone(), Some(answer), AnswerVia::Desk).await;
    let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
    let incident = app.engine.reads().view(page.incident).await?;
    // The page has the button for that.
    let text = verdict_text(&app.engine.config(), incident.as_deref(), &person, verdict.clone(), "");
    app.engine.inbound().keep_exchange(&person, AnswerVia::Desk, answer.label(), &text).await;
    Ok(Json(json!({ "verdict": verdict.tag(), "text": text })).into_response())
}

/// The pages that a desk has shown.
#[derive(Deserialize)]
pub struct ShownPages {
    pages: Vec<String>,
    /// The pages' marks, in the same order.
    #[serde(default)]
    marks: Vec<String>,
}

/// The largest number of pages in one report of a desk.
const SHOWN_MAX: usize = 100;

/// Whether a page is the one that the desk showed, and not one that got the same number after a backup was restored.
async fn is_as_shown(app: &AppState, page: PageId, mark: Option<&str>) -> Result<bool, ProblemDetails> {
    let Some(mark) = mark else { return Ok(true) };
    // If the page is gone, the caller gets an error that says so.
    let known = app.engine.reads().page_identity(page).await?.is_some();
    Ok(!known || app.engine.inbound().is_page_mark(page, mark).await?)
}

/// Records that the desk showed these pages to its person.
pub async fn seen(State(app): State<Arc<AppState>>, request: Request) -> Result<StatusCode, ProblemDetails> {
    let person = commanding(&app, request.headers())?;
    let shown: ShownPages = body::json(request, body::PRESS_MAX).await?;
    if SHOWN_MAX < shown.pages.len() {
        return Err(ProblemDetails::bad(format!("more than {SHOWN_MAX} pages at once")));
    }
    for (n, page) in shown.pages.iter().enumerate() {
        let Ok(page) = page.parse::<PageId>() else { continue };
        if !is_as_shown(&app, page, shown.marks.get(n).map(String::as_str)).await? {
            continue;
        }
        let incident = app.engine.reads().view(page.incident).await?;
        let mine = |row: &&Arc<Page>| row.person.as_ref() == Some(&person);
        if incident.as_ref().and_then(|incident| incident.pages.get(&page.n)).filter(mine).is_some() {
            app.engine.inbound().shown_at_desk(page).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The event stream of the desk: the whole state after each change, and heartbeats in between.
pub async fn events(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let Some((cookie, person)) = credential::session(&app, &headers) else {
        return page::sign_in(StatusCode::UNAUTHORIZED);
    };
    let line = DeskEvent {
        desk: app.hub.connect(person.clone()),
        changes: app.engine.changes(),
        csrf: app.engine.keys().csrf(&cookie).expose_secret().to_owned(),
        last: String::new(),
        beat_at: Instant::now() + BEAT_EVERY,
        fresh: true,
        beats: LOOK_EVERY,
        person,
        cookies: headers,
        app,
    };
    line.app.engine.delivery().desk_opened(&line.person);
    let mut response = Sse::new(events_of(line)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.map(Body::new)
}

struct DeskEvent {
    app: Arc<AppState>,
    person: PersonName,
    /// Checked at each heartbeat, because sessions expire and people leave the matrix.
    cookies: HeaderMap,
    /// Counts this desk as open while the stream is open.
    #[expect(dead_code, reason = "held for its drop")]
    desk: OpenDesk,
    changes: Receiver<crate::core::IncidentId>,
    csrf: String,
    last: String,
    beat_at: Instant,
    fresh: bool,
    /// Beats until the state is looked at although nothing was reported: who is on call changes by the clock alone.
    beats: u32,
}

fn events_of(line: DeskEvent) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(line, |mut line| async move {
        loop {
            if line.fresh {
                line.fresh = false;
                if !line.is_signed_in() {
                    return None;
                }
                if let Some(event) = line.state().await {
                    return Some((Ok(event), line));
                }
            }
            let shutdown = line.app.shutdown.clone();
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = sleep_until(line.beat_at) => {
                    line.beat_at = Instant::now() + BEAT_EVERY;
                    if !line.is_signed_in() {
                        return None;
                    }
                    line.beats -= 1;
                    if line.beats == 0 {
                        (line.beats, line.fresh) = (LOOK_EVERY, true);
                    }
                    let beat = Event::default().event("beat").data(line.app.engine.now().to_string());
                    return Some((Ok(beat), line));
                }
                change = line.changes.recv() => match change {
                    Ok(_) | Err(RecvError::Lagged(_)) => line.settle().await,
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    })
}

impl DeskEvent {
    fn is_signed_in(&self) -> bool {
        credential::session(&self.app, &self.cookies).is_some()
    }

    /// Waits until a burst of changes is over.
    async fn settle(&mut self) {
        let end = Instant::now() + SETTLE;
        let more = async { while !matches!(self.changes.recv().await, Err(RecvError::Closed)) {} };
        let _ = timeout(end - Instant::now(), more).await;
        self.fresh = true;
    }

    /// The state, if it differs from the last one sent.
    async fn state(&mut self) -> Option<Event> {
        match snapshot(&self.app, &self.person).await {
            Ok(snapshot) => {
                let text = serde_json::to_string(&snapshot).ok()?;
                if text == self.last {
                    return None;
                }
                self.app.engine.inbound().keep_desk(&self.person, snapshot.shown()).await;
                let mut whole = json!(snapshot);
                whole["csrf"] = json!(self.csrf);
                whole["now"] = json!(self.app.engine.now());
                self.last = text;
                Event::default().event("state").json_data(whole).ok()
            }
            Err(error) => {
                tracing::error!(%error, person = %self.person, "a desk's state could not be read");
                None
            }
        }
    }
}

/// The person of a request that changes something: it must be signed in and sent by our own page.
fn commanding(app: &AppState, headers: &HeaderMap) -> Result<PersonName, ProblemDetails> {
    let (cookie, person) = credential::session(app, headers)
        .ok_or_else(|| ProblemDetails::unauthorized("this desk is not signed in: ask for a new desk link"))?;
    let given = headers.get("x-stentor-csrf").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !same(app.engine.keys().csrf(&cookie).expose_secret(), given) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "the page is out of date: reload it"));
    }
    Ok(person)
}
