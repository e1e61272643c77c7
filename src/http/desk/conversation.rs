//! The screen of the person who takes conversations over: what waits for them, and one conversation in full with what they
//! can do. Both are plain pages with forms, and work without scripts. Only those who were asked see them.

use crate::{
    core::{
        Answer, AnswerVia, GivenAnswer, GivenHandoffStep, HandoffResult, HandoffStep, HandoffVerdict, Incident,
        IncidentId, PersonName,
        handoff::{HandoffSolved, NOTE_MAX},
        handoff_words::{self, effect},
        hidden::plain_line,
        printable::capitalised,
    },
    engine::HandoffAnswer,
    http::{
        body,
        credential::{self, session},
        desk::{
            conversation_page::{ConversationPage, QueuePage, handoff_of},
            page,
            standing::verdict_text,
        },
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// How many open conversations are looked at for one queue.
const QUEUE_MAX: usize = 1_000;

/// The largest form, in bytes.
const FORM_MAX: usize = 16 * 1024;

/// The cookie that carries what a press led to over to the page that is shown next.
const SAID: &str = "stentor_said";

/// How long that is kept for it, in seconds.
const SAID_S: u32 = 60;

/// What somebody reads whose page was made for another session.
const OUT_OF_DATE: &str = "Nothing was done, because this page was out of date. It is new now: press again.";

/// `GET /desk/conversations`: what waits for the person who is signed in, oldest first.
pub async fn queue(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, ProblemDetails> {
    let Some((_, person)) = session(&app, &headers) else { return Ok(page::sign_in(StatusCode::UNAUTHORIZED)) };
    let live = app.engine.config();
    let mut queue = QueuePage::of(&live, &person, app.engine.now());
    for drill in [false, true] {
        for incident in app.engine.reads().open_requests(drill, QUEUE_MAX).await? {
            queue.add(&incident);
        }
    }
    queue.sort();
    Ok(page::conversation(StatusCode::OK, "conversations.html", &queue))
}

/// `GET /desk/conversations/{id}`.
pub async fn show(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ProblemDetails> {
    let Some((cookie, person)) = session(&app, &headers) else { return Ok(page::sign_in(StatusCode::UNAUTHORIZED)) };
    let incident = theirs(&app, &id, &person).await?;
    let notice = credential::cookie(&headers, SAID);
    let said = notice.as_ref().map(|said| percent_decode_str(said).decode_utf8_lossy().into_owned());
    let mut content = content(&app, &incident, &person, &cookie).await?;
    content.notice = said.unwrap_or_default();
    let mut response = page::conversation(StatusCode::OK, "conversation.html", &content);
    if notice.is_some() {
        set_said(&app, &mut response, incident.id, "", 0);
    }
    Ok(response)
}

/// `POST /desk/conversations/{id}`: a press of a button. It leads back to the page, so that loading that again presses
/// nothing.
pub async fn press(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (cookie, person) = credential::signed_in(&app, request.headers())?;
    let form = body::form(request, FORM_MAX).await?;
    let incident = theirs(&app, &id, &person).await?;
    if !credential::is_own_page(&app, &cookie, &form.get("csrf")) {
        let mut content = content(&app, &incident, &person, &cookie).await?;
        (content.notice, content.note) = (OUT_OF_DATE.to_owned(), form.get("note"));
        return Ok(page::conversation(StatusCode::FORBIDDEN, "conversation.html", &content));
    }
    let step = form.get("step");
    let notice = match step.as_str() {
        "take" => take(&app, &incident, &person).await?,
        step => moved(&app, &incident, &person, pressed(step, &form.get("note"))?).await?,
    };
    let notice = format!("{}.", capitalised(notice.trim_end_matches('.')));
    // The label alone: a note may name the user.
    app.engine.inbound().keep_exchange(&person, AnswerVia::Desk, &step, &notice).await;
    let mut response = Redirect::to(&format!("/desk/conversations/{}#said", incident.id)).into_response();
    set_said(&app, &mut response, incident.id, &notice, SAID_S);
    Ok(response)
}

/// What a press led to, for the page that is shown next. In a cookie, because a link with words of ours in it could be made
/// by anybody.
fn set_said(app: &AppState, response: &mut Response, incident: IncidentId, said: &str, seconds: u32) {
    let secure = if app.engine.public_url().starts_with("https://") { "; Secure" } else { "" };
    let said = utf8_percent_encode(said, NON_ALPHANUMERIC);
    let cookie = format!(
        "{SAID}={said}; Path=/desk/conversations/{incident}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// What a button says.
fn pressed(step: &str, note: &str) -> Result<HandoffStep, ProblemDetails> {
    let note = plain_line(note);
    if NOTE_MAX < note.chars().count() {
        return Err(ProblemDetails::bad(format!("the note is longer than {NOTE_MAX} characters")));
    }
    let note = Some(note).filter(|note| !note.is_empty());
    let finish = |needed, solved, note| HandoffStep::Finish { result: HandoffResult { needed, solved, note } };
    Ok(match step {
        "pass" => HandoffStep::PassOn { why: note.unwrap_or_else(|| "no reason given".to_owned()) },
        "connect" => HandoffStep::Connect,
        "solved" => finish(true, HandoffSolved::Yes, note),
        "unsolved" => finish(true, HandoffSolved::No, note),
        "follow-up" => finish(true, HandoffSolved::FollowUp, note),
        "unneeded" => finish(false, HandoffSolved::Yes, note),
        "return" => HandoffStep::Return { note },
        _ => return Err(ProblemDetails::bad("there is no such button")),
    })
}

async fn take(app: &AppState, incident: &Incident, person: &PersonName) -> Result<String, ProblemDetails> {
    let (person, page) = (person.clone(), newest_page(incident, person));
    let said = GivenAnswer {
        person: person.clone(),
        answer: Answer::Wilco,
        via: AnswerVia::Desk,
        page,
        role: None,
        origin: None,
    };
    let verdict = app.engine.inbound().answer(incident.id, said).await.map_err(answer_problem)?;
    let now = app.engine.reads().view(incident.id).await?;
    Ok(verdict_text(&app.engine.config(), now.as_deref(), &person, verdict, ""))
}

async fn moved(
    app: &AppState,
    incident: &Incident,
    person: &PersonName,
    step: HandoffStep,
) -> Result<String, ProblemDetails> {
    let page = newest_page(incident, person);
    let label = handoff_words::label(&step);
    let said = GivenHandoffStep { person: person.clone(), step, via: AnswerVia::Desk, page };
    Ok(match app.engine.inbound().handoff(incident.id, said).await.map_err(answer_problem)? {
        HandoffAnswer::Step(HandoffVerdict::NotYours { has: Some(has) }) => {
            format!("{label}: {} has it, nothing was changed", app.engine.config().name_of(&has))
        }
        HandoffAnswer::Step(verdict) => format!("{label}: {}", effect(&verdict)),
        HandoffAnswer::PassedOn(verdict) => {
            let now = app.engine.reads().view(incident.id).await?;
            verdict_text(&app.engine.config(), now.as_deref(), person, verdict, "")
        }
    })
}

/// Their newest page of a role that is open, or that they have; else of any.
fn newest_page(incident: &Incident, person: &PersonName) -> Option<u32> {
    let newest = |role: &_| incident.pages.last_call(role, person).last().map(|page| page.n);
    let concerns = incident.engagements.iter().filter(|(_, e)| e.is_open() || e.holder() == Some(person));
    let any = incident.engagements.keys().filter_map(newest);
    concerns.filter_map(|(role, _)| newest(role)).max().or_else(|| any.max())
}

/// The incident, if it is a handoff that this person was asked for: another one is like one that does not exist.
async fn theirs(app: &AppState, id: &str, person: &PersonName) -> Result<Arc<Incident>, ProblemDetails> {
    let unknown = || ProblemDetails::not_found("there is no conversation with this number for which you were asked");
    let id: IncidentId = id.parse().map_err(|_| unknown())?;
    let incident = app.engine.reads().view(id).await?;
    incident.filter(|incident| handoff_of(incident, person).is_some()).ok_or_else(unknown)
}

async fn content(
    app: &AppState,
    incident: &Incident,
    person: &PersonName,
    cookie: &str,
) -> Result<ConversationPage, ProblemDetails> {
    let packet = app.engine.reads().packet(incident).await?;
    let content = ConversationPage::of(&app.engine.config(), incident, person, packet, app.engine.now());
    let mut content = content.ok_or_else(|| ProblemDetails::not_found("there is no such conversation"))?;
    content.csrf = app.engine.keys().csrf(cookie).expose_secret().to_owned();
    Ok(content)
}
