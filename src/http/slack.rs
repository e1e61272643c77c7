//! Slack's buttons, over HTTP: signed, fresh, answered within three seconds.

use super::{App, body, desk::named, problem::Problem};
use crate::{
    channel::slack::interaction::{self, Press, PressError},
    core::{Answer, ChannelName, IncidentId, PageId, PersonName, Said, Verdict, Via, sentence::judged},
    engine::AnswerError,
    matrix::ChannelKind,
};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long the private word to the one who pressed may take; Slack waits three seconds for everything.
const WORD_TIME_MAX: Duration = Duration::from_millis(1500);

/// `POST /hooks/slack/{channel}`.
pub async fn interact(
    State(app): State<Arc<App>>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::whole(body).await?;
    verify(&app, &channel, &parts.headers, &bytes)?;
    let press = match interaction::parse(&bytes) {
        Ok(press) => press,
        // Something else than a button of ours: Slack only wants to hear that it came.
        Err(PressError::NotOurs) => return Ok(StatusCode::OK.into_response()),
        Err(error) => return Err(Problem::bad(error.to_string())),
    };
    let word = match take(&app, &press).await {
        Ok(verdict) => judged(&named(&app.engine.live.load(), verdict)),
        Err(Refused::Problem(problem)) => return Err(problem),
        Err(Refused::Word(word)) => word,
    };
    tell(&app, &press, &word).await;
    Ok(StatusCode::OK.into_response())
}

enum Refused {
    Problem(Problem),
    Word(String),
}

fn verify(app: &App, channel: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<(), Problem> {
    let live = app.engine.live.load();
    let wired = live.channels.get(&ChannelName::from(channel)).filter(|wired| wired.kind == ChannelKind::Slack);
    let secret = wired.and_then(|wired| wired.inbound.first()).ok_or_else(|| {
        Problem::not_found(format!("no slack channel {channel:?} with a signing_secret is in the matrix"))
    })?;
    // A header that is there twice is as good as none: which one was signed can not be known.
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let now = app.wall().as_micros() / 1_000_000;
    let (stamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    interaction::verify(secret, stamp, signature, bytes, now).map_err(|error| {
        tracing::warn!(%error, channel, "a Slack request was refused");
        Problem::unauthorized(error.to_string())
    })
}

async fn take(app: &App, press: &Press) -> Result<Verdict, Refused> {
    let answer: Answer = press.action.parse().map_err(|error| Refused::Word(format!("{error}")))?;
    let live = app.engine.live.load_full();
    let Some(person) = live.matrix.person_of_slack(&press.user).cloned() else {
        return Err(Refused::Word("The matrix knows nobody with your Slack account: ask for it to be added.".into()));
    };
    let (target, key) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
    let result = if key == "room" {
        let incident: IncidentId = target.parse().map_err(Refused::Word)?;
        let said = Said { person, answer, via: Via::Slack, page: None, role: None };
        app.engine.answer(incident, said).await
    } else {
        by_page(app, target, key, person, answer).await?
    };
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AnswerError::NoIncident(id)) => Err(Refused::Word(format!("There is no incident {id} any more."))),
        Err(error) => Err(Refused::Problem(super::answer_problem(error))),
    }
}

/// A button of a direct message: the page must be this person's own, whoever saw the button.
async fn by_page(
    app: &App,
    page: &str,
    code: &str,
    person: PersonName,
    answer: Answer,
) -> Result<Result<Verdict, AnswerError>, Refused> {
    let page: PageId = page.parse().map_err(|()| Refused::Word("This button is not one of ours.".into()))?;
    if !app.engine.keys.is_code(page, code) {
        return Err(Refused::Word("This button is not one of ours.".into()));
    }
    Ok(app.engine.answer_page(page, person, Some(answer), Via::Slack).await)
}

/// A private word to the one who pressed. The answer is kept already; this may fail.
async fn tell(app: &App, press: &Press, word: &str) {
    let Some(url) = press.response_url.as_deref().filter(|url| is_slack(app, url)) else { return };
    let body = serde_json::json!({ "response_type": "ephemeral", "replace_original": false, "text": word });
    let sending = app.client.post(url).json(&body).send();
    match timeout(WORD_TIME_MAX, sending).await {
        Ok(Ok(response)) if response.status().is_success() => {}
        Ok(Ok(response)) => tracing::warn!(status = %response.status(), "Slack did not take a private word"),
        Ok(Err(error)) => tracing::warn!(error = %error.without_url(), "Slack did not take a private word"),
        Err(_) => tracing::warn!("Slack did not take a private word in time"),
    }
}

/// The request is signed, and still an address is checked before we call it.
fn is_slack(app: &App, url: &str) -> bool {
    let known = url.starts_with("https://hooks.slack.com/") || url.starts_with("https://hooks.slack-gov.com/");
    known || app.slack_hooks.as_deref().is_some_and(|prefix| url.starts_with(prefix))
}
