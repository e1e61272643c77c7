//! The link in a mail. Opening it shows the page and changes nothing, so that a mail scanner never answers; only a
//! press of a button does.

use crate::{
    core::{
        Answer, AnswerLevel, AnswerVerdict, AnswerVia, ChoiceVerdict, Incident, NamedOption, PageId, PersonName,
        printable::capitalised, sentence::chosen,
    },
    engine::{ReadAt, RuntimeConfig},
    http::{
        body::{self, FormFields},
        desk::{
            cards::{OPTION, after_all, below, decides, offers, options},
            drawn_form::DrawnForm,
            form_page::{FILLED_IN, FORM_MAX, FormResult, REPEATED, fill_in},
            page::{self, ConfirmPage},
            standing::{RoleStanding, told},
        },
        filled_form::given,
        problem::ProblemDetails,
        state::AppState,
    },
    template::{CODE, LINK, action_of, summary_of},
};
use axum::{
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Shows the page with its buttons. It may be opened any number of times. A `HEAD` request shows nothing, and leaves no
/// record.
pub async fn show(State(app): State<Arc<AppState>>, Path(token): Path<String>, method: Method) -> Response {
    match shown(&app, &token, method == Method::GET).await {
        Ok((status, confirm)) => page::confirm(status, &confirm),
        Err(problem) => problem.into_response(),
    }
}

/// Handles a press of a button.
pub async fn press(State(app): State<Arc<AppState>>, Path(token): Path<String>, request: Request) -> Response {
    pressed(&app, &token, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn shown(app: &AppState, token: &str, is_read: bool) -> Result<(StatusCode, ConfirmPage), ProblemDetails> {
    let Some((page, incident)) = open(app, token).await? else { return Ok(unknown()) };
    let live = app.engine.config();
    let confirm = confirm(&live, &incident, page);
    let person = incident.pages.get(&page.n).and_then(|row| row.person.as_ref());
    if let Some(person) = person.filter(|_| is_read) {
        app.engine.inbound().keep_shown(ReadAt::MailLink, person, [(page, confirm.words())]).await;
    }
    Ok((StatusCode::OK, filled(app, &incident, page, confirm)))
}

async fn pressed(app: &AppState, token: &str, request: Request) -> Result<Response, ProblemDetails> {
    // The browser says where a form comes from; a form on another site does not count as a press by the person.
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "press the button on Stentor's own page"));
    }
    let Some((page, incident)) = open(app, token).await? else {
        let (status, confirm) = unknown();
        return Ok(page::confirm(status, &confirm));
    };
    let most = if incident.asks_for_a_form() || incident.takes_changes() { FORM_MAX } else { body::PRESS_MAX };
    let sent = body::form(request, most).await?;
    let answer = sent.demand("answer")?;
    let row = incident.pages.get(&page.n);
    let person = row.and_then(|row| row.person.clone()).ok_or_else(|| ProblemDetails::not_found("no such page"))?;
    if answer == FILLED_IN {
        return filled_in(app, token, (page, person), &incident, &sent).await;
    }
    let (status, confirm) = match answer.strip_prefix(OPTION) {
        Some(option) => {
            let repeated = Some(sent.get(REPEATED)).filter(|repeated| !repeated.is_empty());
            choose(app, token, (page, person), NamedOption { option: option.to_owned(), repeated }).await?
        }
        None => answered(app, token, (page, person), &answer).await?,
    };
    Ok(page::confirm(status, &ConfirmPage { pressed: true, ..confirm }))
}

/// Handles a form that was filled in.
async fn filled_in(
    app: &AppState,
    token: &str,
    (page, person): (PageId, PersonName),
    incident: &Incident,
    sent: &FormFields,
) -> Result<Response, ProblemDetails> {
    let by = given(&person, AnswerVia::MailLink, Some(page.n));
    let (status, form, told) = match fill_in(app, incident, by, sent).await? {
        FormResult::Said(true, ..) => return Ok(Redirect::to(&format!("/a/{token}")).into_response()),
        FormResult::Said(false, told, form) => (StatusCode::CONFLICT, form, format!("{}. ", capitalised(&told))),
        FormResult::Faults(form) => (StatusCode::UNPROCESSABLE_ENTITY, form, String::new()),
    };
    let now = app.engine.reads().view(page.incident).await?;
    let now = now.as_deref().unwrap_or(incident);
    let mut confirm = filled(app, now, page, confirm(&app.engine.config(), now, page));
    confirm.pressed = true;
    match confirm.edit.is_some() {
        true => (confirm.edit, confirm.edit_open) = (Some(form), true),
        false => confirm.form = confirm.form.map(|_| form),
    }
    confirm.notice = format!("{told}{}", confirm.notice).trim_end().to_owned();
    Ok(page::confirm(status, &confirm))
}

/// Handles a press of an answer's button.
async fn answered(
    app: &AppState,
    token: &str,
    (page, person): (PageId, PersonName),
    answer: &str,
) -> Result<(StatusCode, ConfirmPage), ProblemDetails> {
    let answer: Answer = answer.parse().map_err(|error| ProblemDetails::bad(format!("{error}")))?;
    let verdict = app.engine.inbound().answer_page(page, person.clone(), Some(answer), AnswerVia::MailLink).await;
    let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
    let live = app.engine.config();
    let Some((page, incident)) = open(app, token).await? else { return Ok(unknown()) };
    let mut confirm = filled(app, &incident, page, confirm(&live, &incident, page));
    // For most answers, the current state shows what they led to.
    let is_said = !confirm.notice.is_empty() && says_itself(&verdict);
    if !is_said {
        let word = capitalised(&told(&live, &verdict, &person));
        confirm.notice = format!("{word}. {}", confirm.notice).trim_end().to_owned();
    }
    app.engine.inbound().keep_exchange(&person, AnswerVia::MailLink, answer.label(), &confirm.notice).await;
    Ok((StatusCode::OK, confirm))
}

/// Handles a press of an option's button.
async fn choose(
    app: &AppState,
    token: &str,
    (page, person): (PageId, PersonName),
    said: NamedOption,
) -> Result<(StatusCode, ConfirmPage), ProblemDetails> {
    let (via, words) = (AnswerVia::MailLink, said.words());
    let verdict = app.engine.inbound().choose_on_page(page, &person, said, via).await;
    let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
    // How many more must agree is in the state.
    let counts = matches!(verdict, ChoiceVerdict::Counts { .. });
    let word = if counts { "It counts".to_owned() } else { capitalised(&chosen(&verdict)) };
    let Some((page, incident)) = open(app, token).await? else { return Ok(unknown()) };
    let mut confirm = filled(app, &incident, page, confirm(&app.engine.config(), &incident, page));
    confirm.notice = format!("{word}. {}", confirm.notice).trim_end().to_owned();
    app.engine.inbound().keep_exchange(&person, via, &words, &confirm.notice).await;
    Ok((StatusCode::OK, confirm))
}

async fn open(app: &AppState, token: &str) -> Result<Option<(PageId, Arc<Incident>)>, ProblemDetails> {
    let Some(page) = app.engine.inbound().page_of_link(token).await? else { return Ok(None) };
    Ok(app.engine.reads().view(page.incident).await?.map(|incident| (page, incident)))
}

/// The page with its code.
fn filled(app: &AppState, incident: &Incident, page: PageId, confirm: ConfirmPage) -> ConfirmPage {
    let code = app.engine.keys().code(incident.page_identity(page.n));
    let body = confirm.body.replace(CODE, code.expose_secret()).replace(LINK, "the buttons here");
    ConfirmPage { body, ..confirm }
}

/// The page, with placeholders in place of its code and link.
fn confirm(live: &RuntimeConfig, incident: &Incident, page: PageId) -> ConfirmPage {
    let Some(row) = incident.pages.get(&page.n) else { return unknown().1 };
    let rendered = live.render(incident, row, crate::matrix::ChannelKind::SCREEN);
    let action = action_of(incident);
    let stands = |role| RoleStanding::of(live, incident, role, row.person.as_ref()?);
    let standing = row.role.as_ref().and_then(stands);
    let has_chosen = standing.is_some_and(|standing| standing.choice().is_some());
    let open = has_chosen || standing.is_some_and(|standing| standing.is_open());
    // A person who is still asked, or may choose again, needs no text other than the page's own.
    let says = standing.filter(|standing| !has_chosen && (!standing.is_open() || standing.is_passed()));
    let plan = row.role.as_ref().and_then(|role| incident.plan.roles.get(role));
    let level = plan.map_or(AnswerLevel::Wilco, |plan| plan.engaged_by);
    ConfirmPage {
        pressed: false,
        drill: incident.drill,
        body: below(&rendered, action.as_ref()).to_owned(),
        id: incident.id.to_string(),
        what: rendered.alarm.as_ref().map_or_else(|| summary_of(incident), |alarm| alarm.what.clone()),
        action_whole: action.as_ref().and_then(|action| action.whole.clone()),
        action: action.map(|action| action.line),
        // Who is asked for nothing more is not asked here either.
        ask: rendered.alarm.as_ref().filter(|_| says.is_none()).map(|alarm| alarm.ask.clone()),
        otherwise: rendered.alarm.as_ref().filter(|_| says.is_none()).and_then(|alarm| alarm.otherwise.clone()),
        form: DrawnForm::of(incident).filter(|_| incident.asks_for_a_form() && incident.decides(row)),
        edit: DrawnForm::of(incident).filter(|_| incident.takes_changes() && incident.decides(row)),
        edit_open: false,
        repeat: incident.repeats().filter(|_| incident.decides(row)),
        offers: match (says, incident.request.as_ref().filter(|request| decides(incident, row, request))) {
            (_, Some(request)) if incident.is_open() => options(request, says.is_none()),
            (Some(_), _) if open => after_all(level),
            (Some(_), _) => Vec::new(),
            (None, _) => offers(level, incident.drill),
        },
        notice: says.map_or_else(
            || standing.map(|standing| standing.chosen()).unwrap_or_default(),
            |standing| standing.words(),
        ),
        done: !open,
        hand_back: standing.is_some_and(|standing| standing.is_theirs()),
    }
}

/// Whether the current state (who has the role, or that it is over) shows what the answer led to.
fn says_itself(verdict: &AnswerVerdict) -> bool {
    match verdict {
        AnswerVerdict::Engages
        | AnswerVerdict::HandedBack
        | AnswerVerdict::TooLate { .. }
        | AnswerVerdict::Repeated
        | AnswerVerdict::Closed => true,
        AnswerVerdict::TookBack { .. }
        | AnswerVerdict::Received
        | AnswerVerdict::StandbyGranted { .. }
        | AnswerVerdict::StandbyRefused
        | AnswerVerdict::Passed
        | AnswerVerdict::Yours
        | AnswerVerdict::NotAsked
        | AnswerVerdict::WhichRole { .. } => false,
    }
}

fn unknown() -> (StatusCode, ConfirmPage) {
    let what = "Unknown link".to_owned();
    let notice = "This link is not one of ours. Open it from the mail again, or answer by another way.".to_owned();
    (StatusCode::NOT_FOUND, ConfirmPage { what, notice, done: true, ..ConfirmPage::default() })
}
