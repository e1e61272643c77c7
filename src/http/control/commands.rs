//! The routes of the command line on the daemon's own socket. The socket tells who the caller is.

use super::form::{CliForm, fill_in};
use crate::{
    core::{
        Alert, Answer, AnswerVerdict, AnswerVia, ChoiceVerdict, ClassificationKind, GivenAnswer, GivenChoice, Incident,
        IncidentId, PersonName, RefusedInput, RoleName, ShownText, SourceEvent, SourceName,
        answer::STANDBY_MAX,
        event::hex,
        finding::NOTE_MAX,
        form::FILL_IN,
        hidden::plain_lines,
        printable::excerpt,
        record::{RecordCursor, RecordPortion},
        request::APPROVE,
        sentence::chosen,
    },
    engine::keys::DESK_LINK_LIFE,
    http::{
        api::{
            alerts,
            incidents::{absent, parse_id},
        },
        caller::UnixCaller,
        desk::standing::verdict_text,
        filled_form::SAID,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
        text_words::{after_no, asked_of_person, standing_choice},
    },
    text::reply::{ChoiceReading, ReplyDoubt, choice, is_no, says_exercise, typed},
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// The largest number of journal lines in one response.
pub const LINES_MAX: usize = 5000;

/// The most characters of a name that are told back to the one who wrote it.
const NAME_SHOWN: usize = 80;

/// `POST /v1/fire`: a manual alert.
pub async fn fire(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(alert): Json<Alert>,
) -> Result<Response, ProblemDetails> {
    let source = SourceName::from(format!("user:{}", caller.user()));
    let unknown = app.engine.config().matrix.unknown_kind(&alert.kind);
    let read = unknown.into_iter().fold(alerts::ReadAlert::from(alert), alerts::ReadAlert::warn);
    alerts::admit(&app, source, vec![Ok(read)], true).await
}

/// An answer from the command line.
#[derive(Debug, Serialize, Deserialize)]
pub struct CliAnswer {
    /// `wilco`, `standby 3`, ..
    pub answer: String,
    /// The role; required if the person was asked for several.
    pub role: Option<String>,
    /// What was filled in.
    #[serde(flatten)]
    pub filled: CliForm,
}

impl CliAnswer {
    /// What was said, as it is typed.
    fn words(&self) -> String {
        if self.filled.form.is_some() {
            return SAID.to_owned();
        }
        self.role.iter().fold(self.answer.clone(), |words, role| format!("{words} --role {role}"))
    }
}

/// What somebody is told on the command line about their answer.
#[derive(Debug, Serialize)]
struct CliVerdict {
    verdict: &'static str,
    text: String,
    /// What they can do next.
    then: Option<String>,
}

impl CliVerdict {
    /// What they read.
    fn words(&self) -> String {
        self.then.iter().fold(self.text.clone(), |words, then| format!("{words}\n{then}"))
    }
}

/// `POST /v1/incidents/{id}/answer`. A Unix user can answer only for the person with this Unix user in the matrix. What
/// they said and are told is in the record before they are told, a refusal too.
pub async fn answer(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
    Json(spoken): Json<CliAnswer>,
) -> Result<Response, ProblemDetails> {
    let id = parse_id(&id)?;
    let Some(person) = caller.person().cloned() else {
        let user = caller.user();
        app.engine.inbound().note_refused(RefusedInput::UnknownSender, AnswerVia::Cli, &format!("unix {user}")).await;
        let detail = format!(
            "the Unix user {user} is not a person of the matrix: set unix = \"{user}\" at a person of the matrix"
        );
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail));
    };
    let said = spoken.words();
    let verdict = judged(&app, id, &person, spoken).await;
    let told = verdict.as_ref().map_or_else(|refused| refused.detail().to_owned(), CliVerdict::words);
    app.engine.inbound().keep_exchange(&person, AnswerVia::Cli, &said, &told).await;
    Ok(Json(verdict?).into_response())
}

async fn judged(
    app: &AppState,
    id: IncidentId,
    person: &PersonName,
    spoken: CliAnswer,
) -> Result<CliVerdict, ProblemDetails> {
    if let Some(verdict) = fill_in(app, id, person, (&spoken.answer, &spoken.filled)).await? {
        let again = format!("to decide: stentor answer {id} {APPROVE} FACT, and then the changes");
        let then = matches!(verdict, ChoiceVerdict::NotRepeated { .. }).then_some(again);
        return Ok(CliVerdict { verdict: verdict.tag(), text: chosen(&verdict), then });
    }
    if let Some(verdict) = choose(app, id, person, &spoken.answer).await? {
        return Ok(verdict);
    }
    let answer = typed(&spoken.answer).map_err(|error| ProblemDetails::bad(format!("{error}")))?;
    let seen = app.engine.reads().view(id).await?;
    if let Some(ask) = seen.as_ref().and_then(|seen| asked_of_person(seen, person)).filter(|_| is_no(&spoken.answer)) {
        let names: Vec<&str> = ask.options.iter().map(|option| option.name.as_str()).collect();
        let how =
            if names.is_empty() { FILL_IN.to_owned() } else { format!("stentor answer {id} {}", names.join(" or ")) };
        let chosen = seen.as_deref().and_then(|seen| standing_choice(seen, person));
        let what = if chosen.is_some() { "takes it back" } else { "passes it on" };
        let words = format!("{id}: {}: {how}; stentor answer {id} unable {what}", after_no(chosen));
        return Err(ProblemDetails::bad(words));
    }
    if says_exercise(&spoken.answer) && seen.is_some_and(|incident| !incident.drill) {
        return Err(ProblemDetails::bad(format!("{id}: {}", ReplyDoubt::Live)));
    }
    let named = spoken.role.map(RoleName::from);
    let role = named.clone();
    let said = GivenAnswer { person: person.clone(), answer, via: AnswerVia::Cli, page: None, role, origin: None };
    let verdict: AnswerVerdict = app.engine.inbound().answer(id, said).await.map_err(answer_problem)?;
    let incident = app.engine.reads().view(id).await?;
    let text = verdict_text(&app.engine.config(), incident.as_deref(), person, verdict.clone(), "");
    let more = match (&verdict, answer) {
        (AnswerVerdict::NotAsked, _) => not_asked(incident.as_deref(), person, named.as_ref()),
        (AnswerVerdict::StandbyGranted { .. }, Answer::Standby { span }) if STANDBY_MAX < span => {
            Some(format!("{text}: {} minutes at most", STANDBY_MAX.as_secs() / 60))
        }
        _ => None,
    };
    let text = more.unwrap_or(text);
    let then = matches!(verdict, AnswerVerdict::Engages | AnswerVerdict::Yours)
        .then(|| format!("to hand it back: stentor answer {id} unable"));
    Ok(CliVerdict { verdict: verdict.tag(), text, then })
}

/// Takes the text as an option of the incident's request; `None` if it is none.
async fn choose(
    app: &AppState,
    id: IncidentId,
    person: &PersonName,
    text: &str,
) -> Result<Option<CliVerdict>, ProblemDetails> {
    let seen = app.engine.reads().view(id).await?;
    let ask = seen.as_ref().and_then(|incident| Some(&incident.request.as_ref()?.ask));
    let Some(ChoiceReading::Option(option)) = ask.map(|ask| choice(ask, text)) else { return Ok(None) };
    let again = format!("to decide: stentor answer {id} {} FACT", option.option);
    let said = GivenChoice::new(person.clone(), option, AnswerVia::Cli);
    let verdict = app.engine.inbound().choose(id, said).await.map_err(answer_problem)?;
    let then = matches!(verdict, ChoiceVerdict::NotRepeated { .. }).then_some(again);
    Ok(Some(CliVerdict { verdict: verdict.tag(), text: chosen(&verdict), then }))
}

/// Which role somebody named who was not asked for it, and for which ones they were asked.
fn not_asked(incident: Option<&Incident>, person: &PersonName, named: Option<&RoleName>) -> Option<String> {
    let (incident, named) = incident.zip(named)?;
    let asked = incident.engagements.keys().filter(|role| incident.pages.has_asked_for(role, person));
    let asked: Vec<&str> = asked.map(|role| role.as_str()).collect();
    let named = excerpt(named.as_str(), NAME_SHOWN);
    Some(match asked.as_slice() {
        [] => format!("you were not asked for the role `{named}`, and for no other one"),
        asked => format!("you were not asked for the role `{named}`; you were asked for: {}", asked.join(", ")),
    })
}

/// The optional classification of an incident by the person who resolves it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResolveRequest {
    /// `true`, `false`, `benign` or `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// A reason in their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ResolveRequest {
    fn parsed(self) -> Result<Option<(ClassificationKind, Option<String>)>, ProblemDetails> {
        let note = self.note.map(|note| plain_lines(&note).trim().to_owned()).filter(|note| !note.is_empty());
        if note.as_ref().is_some_and(|note| NOTE_MAX < note.chars().count()) {
            return Err(ProblemDetails::bad(format!("the note is longer than {NOTE_MAX} characters")));
        }
        match (self.outcome, note) {
            (Some(outcome), note) => Ok(Some((outcome.parse().map_err(|why: String| ProblemDetails::bad(why))?, note))),
            (None, Some(_)) => Err(ProblemDetails::bad("a note needs an outcome: true, false, benign or duplicate")),
            (None, None) => Ok(None),
        }
    }
}

/// `POST /v1/incidents/{id}/resolve`: resolves it and classifies it; a classification may also follow later.
pub async fn resolve(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Path(id): Path<String>,
    closing: Option<Json<ResolveRequest>>,
) -> Result<Response, ProblemDetails> {
    let id = parse_id(&id)?;
    let was = closing.map(|Json(closing)| closing).unwrap_or_default().parsed()?;
    app.engine.reads().view(id).await?.ok_or_else(|| absent(id))?;
    let outcome = was.as_ref().map(|(finding, _)| *finding);
    let was_open = app.engine.inbound().resolve_as(id, caller.actor(), None, was).await?;
    Ok(Json(json!({ "incident": id, "resolved": was_open, "outcome": outcome })).into_response())
}

/// The body of a request for a desk link.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeskFor {
    /// The person's name in the matrix.
    pub person: String,
    /// Whether to end every session and link of this person instead.
    #[serde(default)]
    pub revoke: bool,
}

/// `POST /v1/desk-link`: the only command that returns a valid link.
pub async fn desk_link(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(DeskFor { person, revoke }): Json<DeskFor>,
) -> Result<Response, ProblemDetails> {
    let person = PersonName::from(person);
    if !revoke && !app.engine.config().matrix.people.contains_key(&person) {
        return Err(ProblemDetails::not_found(format!("the matrix knows no person {person:?}")));
    }
    if caller.person().is_some_and(|own| *own != person) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "a person gets a link for their own desk only"));
    }
    let by = caller.actor();
    if revoke {
        app.engine.sign_out(&person, by).await?;
        tracing::info!(person = %person, by = caller.user(), "every desk session and link of a person was ended");
        return Ok(Json(json!({ "revoked": person })).into_response());
    }
    let until = app.engine.now() + DESK_LINK_LIFE;
    app.engine.note(SourceEvent::DeskLinkIssued { person: person.clone(), by, until }).await?;
    let token = app.engine.keys().sign_in(&person, until);
    tracing::info!(person = %person, by = caller.user(), "a desk link was handed out");
    let link = format!("{}/desk/login?t={}", app.engine.public_url(), token.expose_secret());
    Ok(Json(json!({ "link": link, "until": until })).into_response())
}

/// `GET /v1/names`: the display names of the people in the matrix; no contact data.
pub async fn names(State(app): State<Arc<AppState>>) -> Json<BTreeMap<PersonName, String>> {
    Json(app.engine.config().names.clone())
}

/// The query of the journal.
#[derive(Deserialize)]
pub struct JournalQuery {
    chain: Option<String>,
    #[serde(default)]
    after: i64,
    /// Begins so many lines before the end of the chain.
    last: Option<usize>,
}

/// `GET /v1/journal`: lines in the order of their commits; for more, call again with the last `pos`.
pub async fn journal(
    State(app): State<Arc<AppState>>,
    Query(reading): Query<JournalQuery>,
) -> Result<Json<Vec<serde_json::Value>>, ProblemDetails> {
    let after = match (&reading.chain, reading.last) {
        (Some(chain), Some(last)) => app.engine.reads().tail(chain.clone(), last).await?,
        _ => reading.after,
    };
    let lines = app.engine.reads().lines(reading.chain, after, LINES_MAX).await?;
    let line = |line: crate::store::StoredLine| json!({ "pos": line.pos, "chain": line.chain, "seq": line.seq, "body": line.body, "hash": hex(&line.hash) });
    Ok(Json(lines.into_iter().map(line).collect()))
}

/// `GET /v1/journal/key`: the public key with which copies of anchors are checked, in PEM.
pub async fn journal_key(State(app): State<Arc<AppState>>) -> Result<Json<serde_json::Value>, ProblemDetails> {
    let key = app.engine.keys().anchor_key().ok_or_else(|| ProblemDetails::not_found("there is no key"))?;
    Ok(Json(json!({ "key": key.pem() })))
}

/// `GET /v1/journal/record`: compares a portion of the stored state with the journal; call again with `next`.
pub async fn record(
    State(app): State<Arc<AppState>>,
    Query(from): Query<RecordCursor>,
) -> Result<Json<RecordPortion>, ProblemDetails> {
    Ok(Json(app.engine.reads().audit(from).await?))
}

/// `GET /v1/texts`: what was shown, each with its position; call again with the last one.
pub async fn texts(
    State(app): State<Arc<AppState>>,
    Query(reading): Query<JournalQuery>,
) -> Result<Json<Vec<(i64, ShownText)>>, ProblemDetails> {
    Ok(Json(app.engine.reads().texts(reading.after, LINES_MAX).await?))
}

/// `GET /v1/texts/{hash}`: the text that was shown, with placeholders.
pub async fn text(State(app): State<Arc<AppState>>, Path(hash): Path<String>) -> Result<Response, ProblemDetails> {
    let text = app.engine.reads().text(hash).await?.ok_or_else(|| ProblemDetails::not_found("no such text"))?;
    Ok(Json(json!({ "text": text })).into_response())
}
