//! Forms that people fill in: the page of the desk, and the same fields on the page behind a mail's link. They work without
//! scripts. What does not fit is said beside its field, and what was typed stays.

use super::{
    drawn_form::{DrawnForm, FIELD},
    page,
    standing::RoleStanding,
};
use crate::{
    core::{
        AnswerVia, ChoiceVerdict, GivenChoice, Incident, IncidentId, PersonName, form_answer::FieldFault,
        printable::capitalised, sentence::chosen,
    },
    engine::RuntimeConfig,
    http::{
        body::{self, FormFields},
        credential::{self, session},
        filled_form::{self, FilledField, FormVerdict, SAID, filled, given},
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
    template::{action_of, summary_of},
};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::sync::Arc;

/// The largest form, in bytes: the longest texts of all fields, each letter of them written as twelve.
pub const FORM_MAX: usize = 32 * 1024;

/// The field with what was repeated.
pub const REPEATED: &str = "repeated";

/// What the button of a form sends where others send an answer.
pub const FILLED_IN: &str = "form";

/// What somebody reads whose page was made for another session.
const OUT_OF_DATE: &str = "Nothing was sent, because this page was out of date. It is new now: send it again";

/// The page of a desk.
#[derive(Serialize)]
struct FormPage {
    id: String,
    drill: bool,
    csrf: String,
    notice: String,
    what: String,
    /// What will be done if people agree, in one line, and the whole where that does not show it.
    action: Option<String>,
    action_whole: Option<String>,
    standing: String,
    /// The fields, as long as it can be answered.
    form: Option<DrawnForm>,
    answer: Vec<FilledField>,
}

/// What became of what a person sent.
pub enum FormResult {
    /// It does not fit: the form with what was typed.
    Faults(DrawnForm),
    /// Its effect in words, and whether it was taken; the form with what was typed.
    Said(bool, String, DrawnForm),
}

/// Takes what a person sent, if it fits.
///
/// # Errors
/// `409` for a page from before a backup was restored, `404` if the incident asks for no form.
pub async fn fill_in(
    app: &AppState,
    incident: &Incident,
    by: GivenChoice,
    sent: &FormFields,
) -> Result<FormResult, ProblemDetails> {
    let form = incident.fields().ok_or_else(|| ProblemDetails::not_found("nothing is to be filled in here"))?;
    if incident.request_id().is_none_or(|id| id.to_string() != sent.get("request")) {
        let detail = "this page is from before a backup was restored, or of another question: open it again";
        return Err(ProblemDetails::new(StatusCode::CONFLICT, detail));
    }
    let typed = |name: &str| sent.get(&format!("{FIELD}{name}"));
    let drawn = |faults: &[FieldFault]| DrawnForm::with_faults(incident, typed, faults).unwrap_or_default();
    let (person, via) = (by.person.clone(), by.via);
    let repeated = Some(sent.get(REPEATED)).filter(|repeated| !repeated.is_empty());
    let by = GivenChoice { digest: Some(sent.get("digest")), repeated, ..by };
    let verdict = match filled_form::send(app, (incident, form), by, typed).await.map_err(answer_problem)? {
        FormVerdict::Faults(faults) => return Ok(FormResult::Faults(drawn(&faults))),
        FormVerdict::Judged(verdict) => verdict,
    };
    let told = chosen(&verdict);
    app.engine.inbound().keep_exchange(&person, via, SAID, &told).await;
    let taken = matches!(verdict, ChoiceVerdict::Decides | ChoiceVerdict::Repeated);
    Ok(FormResult::Said(taken, told, drawn(&[])))
}

/// `GET /desk/forms/{id}`.
pub async fn show(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ProblemDetails> {
    let Some((cookie, person)) = session(&app, &headers) else { return Ok(page::sign_in(StatusCode::UNAUTHORIZED)) };
    let incident = theirs(&app, &id, &person).await?;
    let form = DrawnForm::of(&incident).filter(|_| incident.has_asked_to_decide(&person));
    Ok(shown(&app, &incident, (&person, &cookie), StatusCode::OK, (String::new(), form)))
}

/// `POST /desk/forms/{id}`: what somebody filled in.
pub async fn press(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (cookie, person) = credential::signed_in(&app, request.headers())?;
    let sent = body::form(request, FORM_MAX).await?;
    let incident = theirs(&app, &id, &person).await?;
    let reader = (&person, cookie.as_str());
    if !credential::is_own_page(&app, &cookie, &sent.get("csrf")) {
        let form = DrawnForm::with_faults(&incident, |name| sent.get(&format!("{FIELD}{name}")), &[])
            .filter(|_| incident.has_asked_to_decide(&person));
        return Ok(shown(&app, &incident, reader, StatusCode::FORBIDDEN, (OUT_OF_DATE.to_owned(), form)));
    }
    let by = given(&person, AnswerVia::Desk, newest_page(&incident, &person));
    Ok(match fill_in(&app, &incident, by, &sent).await? {
        FormResult::Faults(form) => {
            shown(&app, &incident, reader, StatusCode::UNPROCESSABLE_ENTITY, (String::new(), Some(form)))
        }
        FormResult::Said(true, ..) => Redirect::to(&format!("/desk/forms/{}", incident.id)).into_response(),
        FormResult::Said(false, told, form) => {
            let now = theirs(&app, &id, &person).await?;
            let form = now.is_open().then_some(form);
            shown(&app, &now, reader, StatusCode::CONFLICT, (capitalised(&told), form))
        }
    })
}

fn newest_page(incident: &Incident, person: &PersonName) -> Option<u32> {
    let newest = |role: &_| incident.pages.last_call(role, person).last().map(|page| page.n);
    incident.engagements.keys().filter_map(newest).max()
}

/// The incident, if it is a form that this person was asked to fill in: another one is like one that does not exist.
async fn theirs(app: &AppState, id: &str, person: &PersonName) -> Result<Arc<Incident>, ProblemDetails> {
    let unknown = || ProblemDetails::not_found("there is no form with this number that you were asked to fill in");
    let id: IncidentId = id.parse().map_err(|_| unknown())?;
    let incident = app.engine.reads().view(id).await?;
    incident.filter(|incident| incident.fields().is_some() && incident.has_asked(person)).ok_or_else(unknown)
}

fn shown(
    app: &AppState,
    incident: &Incident,
    (person, cookie): (&PersonName, &str),
    status: StatusCode,
    (notice, form): (String, Option<DrawnForm>),
) -> Response {
    let live = app.engine.config();
    let action = action_of(incident);
    let content = FormPage {
        id: incident.id.to_string(),
        drill: incident.drill,
        csrf: app.engine.keys().csrf(cookie).expose_secret().to_owned(),
        notice,
        what: summary_of(incident),
        action_whole: action.as_ref().and_then(|action| action.whole.clone()),
        action: action.map(|action| action.line),
        standing: standing(&live, incident, person),
        form,
        answer: filled(incident),
    };
    page::conversation(status, "form.html", &content)
}

fn standing(live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> String {
    let role = incident.engagements.keys().find(|role| incident.pages.has_asked_for(role, person));
    let standing = role.and_then(|role| RoleStanding::of(live, incident, role, person));
    standing.map(|standing| standing.words()).unwrap_or_default()
}
