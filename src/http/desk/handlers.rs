//! The desk: a web page that rings, for people who signed in with a personal link: signing in and out, and answers.

use crate::{
    core::{Actor, Answer, AnswerVia, NamedOption, Page, PageId, PersonName, sentence::chosen},
    engine::keys::SESSION_LIFE,
    http::{
        body, credential,
        desk::{cards::OPTION, page, snapshot::more_open, standing::verdict_text},
        problem::ProblemDetails,
        state::AppState,
    },
};
use axum::{
    Json,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

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
    credential::signed_in(&app, &headers)?;
    Ok(Json(more_open(&app).await?).into_response())
}

/// An answer from a desk.
#[derive(Deserialize)]
pub struct DeskAnswer {
    page: String,
    /// The page's mark, as shown by the desk.
    mark: Option<String>,
    answer: String,
    /// What was repeated with an option.
    repeated: Option<String>,
}

/// Handles a press of a button.
pub async fn answer(State(app): State<Arc<AppState>>, request: Request) -> Result<Response, ProblemDetails> {
    let person = commanding(&app, request.headers())?;
    let press: DeskAnswer = body::json(request, body::PRESS_MAX).await?;
    let page: PageId = press.page.parse().map_err(|()| ProblemDetails::bad("no such page"))?;
    if let Some(option) = press.answer.strip_prefix(OPTION) {
        let repeated = press.repeated.filter(|repeated| !repeated.trim().is_empty());
        let said = NamedOption { option: option.to_owned(), repeated };
        return choose(&app, page, person, said, press.mark.as_deref()).await;
    }
    let answer: Answer = press.answer.parse().map_err(|error| ProblemDetails::bad(format!("{error}")))?;
    if !is_as_shown(&app, page, press.mark.as_deref()).await? {
        return Err(from_before());
    }
    let verdict = app.engine.inbound().answer_page(page, person.clone(), Some(answer), AnswerVia::Desk).await;
    let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
    let incident = app.engine.reads().view(page.incident).await?;
    // The page has the button for that.
    let text = verdict_text(&app.engine.config(), incident.as_deref(), &person, verdict.clone(), "");
    app.engine.inbound().keep_exchange(&person, AnswerVia::Desk, answer.label(), &text).await;
    Ok(Json(json!({ "verdict": verdict.tag(), "text": text })).into_response())
}

/// Handles a press of an option's button.
async fn choose(
    app: &AppState,
    page: PageId,
    person: PersonName,
    said: NamedOption,
    mark: Option<&str>,
) -> Result<Response, ProblemDetails> {
    let is_known = app.engine.reads().page_identity(page).await?.is_some();
    if !is_known || !is_as_shown(app, page, mark).await? {
        return Err(from_before());
    }
    let (via, words) = (AnswerVia::Desk, said.words());
    let verdict = app.engine.inbound().choose_on_page(page, &person, said, via).await;
    let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
    let text = chosen(&verdict);
    app.engine.inbound().keep_exchange(&person, via, &words, &text).await;
    Ok(Json(json!({ "verdict": verdict.tag(), "text": text })).into_response())
}

fn from_before() -> ProblemDetails {
    ProblemDetails::new(StatusCode::CONFLICT, "this page is from before a backup was restored: reload the desk")
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

/// The person of a request that changes something: it must be signed in and sent by our own page.
fn commanding(app: &AppState, headers: &HeaderMap) -> Result<PersonName, ProblemDetails> {
    let (cookie, person) = credential::signed_in(app, headers)?;
    let given = headers.get("x-stentor-csrf").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !credential::is_own_page(app, &cookie, given) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "the page is out of date: reload it"));
    }
    Ok(person)
}
