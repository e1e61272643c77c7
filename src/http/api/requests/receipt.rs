//! The signed statement of a request's outcome. Everything in it is read from the journal up to the line of the outcome,
//! and the signature is deterministic: each GET gives the same until another key signs.

use super::service::{asker, theirs, unknown};
use crate::{
    core::{
        Event, FormAnswer, Incident, PersonName, RequestId, RequestOutcome, StoredLine, Timestamp,
        action_edit::ActionChange, handoff::HandoffMove, hex::hex, page::SystemNotice,
    },
    engine::request_history::{RequestHistory, RequestMoment},
    http::{
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// The media type of a JWS in its compact form (RFC 7515).
const MEDIA: &str = "application/jose";

/// The most texts of pages that a receipt names; the others count as [`ReceiptClaims::texts_left_out`].
const TEXTS_MAX: usize = 64;

/// `GET /v1/requests/{id}/receipt` in the API's document.
pub fn operation() -> Operation {
    let details = "A JWS (RFC 7515) in its compact form, which anybody checks offline with the keys at `/v1/keys`. It is the \
                   same each time until another key signs.";
    Operation::get("getRequestReceipt", receipt)
        .about("The receipt of a request", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .path::<String>("id")
        .answer_as::<String>(StatusCode::OK, MEDIA, "The receipt.")
        .problem(StatusCode::NOT_FOUND, "This source has no request with this id, or the request has no outcome yet.")
}

/// `GET /v1/requests/{id}/receipt`.
async fn receipt(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ProblemDetails> {
    let source = asker(&app, &headers)?;
    let id: RequestId = id.parse().map_err(|_| unknown())?;
    theirs(&app, &source, id).await?;
    let site = app.engine.keys().site();
    let mut claims = None;
    let mut by = Vec::new();
    let take = |moment: RequestMoment<'_>| match moment.what {
        SystemNotice::RequestChosen => by.extend(ChoiceClaims::of(&moment)),
        SystemNotice::RequestEnded => claims = ReceiptClaims::of(&site, id, &moment, std::mem::take(&mut by)),
        _ => {}
    };
    RequestHistory::of(id.incident).read(app.engine.reads(), take).await?;
    let claims = claims.ok_or_else(no_outcome)?;
    let current = app.engine.config().matrix.daemon.receipt_key();
    let signed = app.engine.keys().sign_receipt(current, &claims).map_err(|error| {
        ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the receipt can not be signed: {error}"))
    })?;
    Ok(([(header::CONTENT_TYPE, MEDIA), (header::CACHE_CONTROL, "no-store")], signed).into_response())
}

fn no_outcome() -> ProblemDetails {
    ProblemDetails::not_found("the request has no outcome yet: wait for it with GET /v1/requests/{id}?wait=30s")
}

/// What a receipt says. Times are RFC 3339 in UTC.
#[derive(Serialize)]
struct ReceiptClaims {
    /// The installation that signs, as in copies of its anchors.
    site: String,
    request: RequestId,
    incident: String,
    /// Whether it was a drill: then nothing may be done for it.
    drill: bool,
    #[serde(rename = "type")]
    kind: crate::core::AskKind,
    question: String,
    /// The digest of what was asked, or approved with changes: compare it with what is about to be done.
    action_digest: String,
    /// The digest of what was asked, if it was approved with changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_digest: Option<String>,
    /// What was changed then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ActionChange>,
    /// The revision of the matrix that said who decides.
    matrix: String,
    /// How many people had to agree.
    approvals: u32,
    /// `decided`, `defaulted`, `expired`, `cancelled` or `superseded`; of a handoff `completed`, `returned`, `unanswered` or
    /// `cancelled`.
    state: &'static str,
    /// The option that is to be done, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// What was filled in, if it is a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<FormAnswer>,
    /// The choices that count for the option, in their order; of a handoff, who finished it or gave it back.
    by: Vec<ChoiceClaims>,
    /// The hash of each text that a page showed before the outcome, by which the journal keeps it.
    texts: Vec<String>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_zero")]
    texts_left_out: usize,
    asked_at: Timestamp,
    ended_at: Timestamp,
    /// The line of the outcome in the journal.
    journal: LineClaims,
}

/// Who chose, by what and when.
#[derive(Clone, Serialize)]
struct ChoiceClaims {
    person: PersonName,
    /// None where a conversation was finished or given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    via: String,
    at: Timestamp,
    /// The page that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    /// The hash of the text that the page showed, by which the journal keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A line of the journal: its hash covers all lines of its chain before it.
#[derive(Serialize)]
struct LineClaims {
    chain: String,
    seq: u64,
    hash: String,
}

impl ReceiptClaims {
    fn of(site: &str, id: RequestId, moment: &RequestMoment<'_>, choices: Vec<ChoiceClaims>) -> Option<Self> {
        let incident = moment.incident;
        let request = incident.request.as_deref()?;
        let (outcome, ended_at) = request.ended.as_ref()?;
        let edited = outcome.edited();
        let (texts, texts_left_out) = texts(incident);
        Some(Self {
            site: site.to_owned(),
            request: id,
            incident: incident.id.to_string(),
            drill: incident.drill,
            kind: request.ask.kind,
            question: request.ask.question.clone(),
            action_digest: edited.map_or(&request.ask.action_digest, |edited| &edited.action_digest).clone(),
            asked_digest: edited.map(|_| request.ask.action_digest.clone()),
            changes: edited.map(|edited| edited.changes.clone()).unwrap_or_default(),
            matrix: incident.plan.matrix.clone(),
            approvals: request.ask.approvals,
            state: outcome.state(),
            option: outcome.option().map(str::to_owned),
            answer: outcome.answer().cloned(),
            by: done_by(outcome, &choices, moment),
            texts,
            texts_left_out,
            asked_at: incident.opened_at,
            ended_at: *ended_at,
            journal: LineClaims::of(moment.line),
        })
    }
}

impl ChoiceClaims {
    fn of(moment: &RequestMoment<'_>) -> Option<Self> {
        let Event::Chosen { person, option, via, page, .. } = moment.event else { return None };
        let (option, at) = (Some(option.clone()), moment.incident.last_at);
        let text = text_of(moment.incident, *page);
        Some(Self { person: person.clone(), option, via: via.word().to_owned(), at, page: *page, text })
    }

    /// The last step of a person in a conversation.
    fn of_move(moment: &RequestMoment<'_>) -> Option<Self> {
        let HandoffMove { person, via, page, .. } = moment.moved?;
        let (at, text) = (moment.incident.last_at, text_of(moment.incident, *page));
        Some(Self { person: person.clone(), option: None, via: via.word().to_owned(), at, page: *page, text })
    }
}

impl LineClaims {
    fn of(line: &StoredLine) -> Self {
        Self { chain: line.chain.clone(), seq: line.seq, hash: hex(&line.hash) }
    }
}

/// The hash of the text that a page showed.
fn text_of(incident: &Incident, page: Option<u32>) -> Option<String> {
    page.and_then(|n| incident.pages.get(&n)?.text.clone())
}

/// The last choice of each person who decided, in the order of their answers; or who ended the conversation.
fn done_by(outcome: &RequestOutcome, choices: &[ChoiceClaims], moment: &RequestMoment<'_>) -> Vec<ChoiceClaims> {
    match outcome {
        RequestOutcome::Decided { option, by, .. } => {
            let is_it = |choice: &&ChoiceClaims, person: &PersonName| {
                choice.person == *person && choice.option.as_ref() == Some(option)
            };
            by.iter().filter_map(|person| choices.iter().rfind(|choice| is_it(choice, person))).cloned().collect()
        }
        RequestOutcome::Completed { .. } | RequestOutcome::Returned { .. } => {
            ChoiceClaims::of_move(moment).into_iter().collect()
        }
        RequestOutcome::Defaulted { .. }
        | RequestOutcome::Expired
        | RequestOutcome::Cancelled { .. }
        | RequestOutcome::Superseded { .. }
        | RequestOutcome::Unanswered { .. } => Vec::new(),
    }
}

/// The texts of all briefs so far, and how many are left out.
fn texts(incident: &Incident) -> (Vec<String>, usize) {
    let briefs = incident.pages.values().filter(|page| page.purpose.is_brief());
    let all: BTreeSet<&String> = briefs.filter_map(|page| page.text.as_ref()).collect();
    let left_out = all.len().saturating_sub(TEXTS_MAX);
    (all.into_iter().take(TEXTS_MAX).cloned().collect(), left_out)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
