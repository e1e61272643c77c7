//! The screen of the person who takes conversations over: what waits for them, and one conversation in full with what they
//! can do. Both are plain pages with forms, and work without scripts. Only those who were asked see them.

use crate::{
    core::{
        Answer, AnswerVia, GivenAnswer, GivenHandoffStep, HandoffResult, HandoffState, HandoffStep, HandoffVerdict,
        Incident, IncidentId, Packet, PersonName, Timestamp, Zone,
        display_names::IncidentNames,
        handoff::{HandoffSolved, NOTE_MAX},
        handoff_words::{self, effect},
        hidden::plain_line,
        request::Request as AskedRequest,
        sentence::ended_request,
    },
    engine::{HandoffAnswer, RuntimeConfig, keys::same},
    http::{
        body,
        credential::{self, session},
        desk::{page, standing::verdict_text},
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::sync::Arc;

/// How many open conversations are looked at for one queue.
const QUEUE_MAX: usize = 1_000;

/// The largest form, in bytes.
const FORM_MAX: usize = 16 * 1024;

/// What waits for one person.
#[derive(Serialize)]
struct QueuePage {
    waiting: Vec<QueueLine>,
    mine: Vec<QueueLine>,
    taken: Vec<QueueLine>,
}

#[derive(Serialize)]
struct QueueLine {
    id: String,
    drill: bool,
    role: String,
    reason: String,
    since: String,
    /// Who has it, if somebody does.
    holder: Option<String>,
    since_us: i64,
}

/// One conversation in full.
#[derive(Serialize)]
struct ConversationPage {
    id: String,
    drill: bool,
    csrf: String,
    notice: String,
    role: String,
    reason: String,
    /// Where it stands, in words.
    standing: String,
    can_take: bool,
    can_pass: bool,
    is_theirs: bool,
    is_connected: bool,
    is_over: bool,
    is_erased: bool,
    declined: Vec<PassedOn>,
    packet: Option<Packet>,
    turns: Vec<Turn>,
    note_max: usize,
}

#[derive(Serialize)]
struct PassedOn {
    who: String,
    why: String,
    at: String,
}

#[derive(Serialize)]
struct Turn {
    who: String,
    text: String,
    at: Option<String>,
    /// How sure the machine was, in percent.
    sure: Option<u64>,
    is_user: bool,
}

/// `GET /desk/conversations`: what waits for the person who is signed in, oldest first.
pub async fn queue(State(app): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, ProblemDetails> {
    let Some((_, person)) = session(&app, &headers) else { return Ok(page::sign_in(StatusCode::UNAUTHORIZED)) };
    let live = app.engine.config();
    let mut queue = QueuePage { waiting: Vec::new(), mine: Vec::new(), taken: Vec::new() };
    for drill in [false, true] {
        for incident in app.engine.reads().open_requests(drill, QUEUE_MAX).await? {
            let Some((request, _)) = handoff_of(&incident, &person) else { continue };
            let taken = request.handoff.as_ref().and_then(|progress| progress.taken.as_ref());
            let line = line(&live, &incident, request, &person);
            match taken {
                None => queue.waiting.push(line),
                Some(taken) if taken.person == person => queue.mine.push(line),
                Some(_) => queue.taken.push(line),
            }
        }
    }
    for lines in [&mut queue.waiting, &mut queue.mine, &mut queue.taken] {
        lines.sort_by_key(|line| line.since_us);
    }
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
    shown(&app, &incident, &person, &cookie, String::new()).await
}

/// `POST /desk/conversations/{id}`: a press of a button.
pub async fn press(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let signed_in = credential::session(&app, request.headers());
    let (cookie, person) =
        signed_in.ok_or_else(|| ProblemDetails::unauthorized("this desk is not signed in: ask for a new desk link"))?;
    let form = body::form(request, FORM_MAX).await?;
    if !same(app.engine.keys().csrf(&cookie).expose_secret(), &form.get("csrf")) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "the page is out of date: reload it"));
    }
    let incident = theirs(&app, &id, &person).await?;
    let step = form.get("step");
    let notice = match step.as_str() {
        "take" => take(&app, &incident, &person).await?,
        step => moved(&app, &incident, &person, pressed(step, &form.get("note"))?).await?,
    };
    // The label alone: a note may name the user.
    app.engine.inbound().keep_exchange(&person, AnswerVia::Desk, &step, &notice).await;
    let incident = theirs(&app, &id, &person).await?;
    shown(&app, &incident, &person, &cookie, notice).await
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

fn handoff_of<'a>(incident: &'a Incident, person: &PersonName) -> Option<(&'a AskedRequest, HandoffState)> {
    let request = incident.request.as_deref().filter(|_| incident.has_asked(person))?;
    Some((request, request.handoff_state()?))
}

async fn shown(
    app: &AppState,
    incident: &Incident,
    person: &PersonName,
    cookie: &str,
    notice: String,
) -> Result<Response, ProblemDetails> {
    let Some((request, state)) = handoff_of(incident, person) else {
        return Err(ProblemDetails::not_found("there is no such conversation"));
    };
    let live = app.engine.config();
    let zone = zone(&live, person);
    let packet = app.engine.reads().packet(incident).await?;
    let csrf = app.engine.keys().csrf(cookie);
    let content = conversation(&live, (incident, request, state), person, packet, &zone);
    let content = ConversationPage { csrf: csrf.expose_secret().to_owned(), notice, ..content };
    Ok(page::conversation(StatusCode::OK, "conversation.html", &content).into_response())
}

fn conversation(
    live: &RuntimeConfig,
    (incident, request, state): (&Incident, &AskedRequest, HandoffState),
    person: &PersonName,
    packet: Option<Packet>,
    zone: &Zone,
) -> ConversationPage {
    let progress = request.handoff.as_ref();
    let taken = progress.and_then(|progress| progress.taken.as_ref());
    let is_over = request.outcome().is_some();
    let is_theirs = !is_over && taken.is_some_and(|taken| taken.person == *person);
    let waits = state == HandoffState::Offered;
    let passed = incident.engagements.values().filter(|e| e.is_open()).any(|e| e.unable.contains(person));
    let declined = progress.into_iter().flat_map(|progress| &progress.declined).map(|declined| PassedOn {
        who: live.name_of(&declined.person).to_owned(),
        why: declined.why.clone(),
        at: clock(declined.at, zone),
    });
    let turns = packet.iter().flat_map(|packet| &packet.transcript).map(|turn| Turn {
        is_user: turn.who == "user",
        who: turn.who.clone(),
        text: turn.text.clone(),
        at: turn.at.map(|at| clock(at, zone)),
        sure: turn.confidence.map(|confidence| (confidence.clamp(0.0, 1.0) * 100.0).round() as u64),
    });
    ConversationPage {
        id: incident.id.to_string(),
        drill: incident.drill,
        csrf: String::new(),
        notice: String::new(),
        role: role(incident),
        reason: reason(request),
        standing: standing(live, (incident, request, state), person, zone),
        can_take: waits,
        can_pass: waits && !passed,
        is_theirs,
        is_connected: state == HandoffState::Connected,
        is_over,
        is_erased: progress.is_some_and(|progress| progress.erased_at.is_some()),
        declined: declined.collect(),
        turns: turns.collect(),
        packet,
        note_max: NOTE_MAX,
    }
}

fn standing(
    live: &RuntimeConfig,
    (incident, request, state): (&Incident, &AskedRequest, HandoffState),
    person: &PersonName,
    zone: &Zone,
) -> String {
    if let Some((outcome, at)) = &request.ended {
        let names = IncidentNames { plan: &incident.plan, people: &live.names };
        return format!("It ended at {}: {}.", clock(*at, zone), ended_request(outcome, &names));
    }
    let since = request.handoff.as_ref().map_or(incident.opened_at, |progress| progress.since);
    let since = clock(since, zone);
    let taken = request.handoff.as_ref().and_then(|progress| progress.taken.as_ref());
    let who = match taken {
        Some(taken) if taken.person == *person => "You have",
        Some(taken) => return format!("{} has it since {since}.", live.name_of(&taken.person)),
        None => return format!("A user waits since {since}."),
    };
    match state {
        HandoffState::Connected => format!("{who} it, and speak to the user since {since}."),
        _ => format!("{who} it since {since}. The user is told that you are reading it."),
    }
}

fn line(live: &RuntimeConfig, incident: &Incident, request: &AskedRequest, person: &PersonName) -> QueueLine {
    let progress = request.handoff.as_ref();
    let since = progress.map_or(incident.opened_at, |progress| progress.since);
    let holder =
        progress.and_then(|progress| progress.taken.as_ref()).map(|taken| live.name_of(&taken.person).to_owned());
    QueueLine {
        id: incident.id.to_string(),
        drill: incident.drill,
        role: role(incident),
        reason: reason(request),
        since: clock(since, &zone(live, person)),
        since_us: since.as_micros(),
        holder,
    }
}

fn role(incident: &Incident) -> String {
    incident.plan.required.first().map_or(String::new(), |role| incident.plan.called(role).to_owned())
}

fn reason(request: &AskedRequest) -> String {
    request.ask.handoff.as_ref().map_or(String::new(), |terms| terms.reason.text.clone())
}

fn zone(live: &RuntimeConfig, person: &PersonName) -> Zone {
    live.matrix.people.get(person).map_or_else(|| live.matrix.daemon.zone(), |known| known.zone.clone())
}

/// `14:05:09`, as the reader's clock shows it.
fn clock(at: Timestamp, zone: &Zone) -> String {
    at.to_utc().with_timezone(zone).format("%H:%M:%S").to_string()
}
