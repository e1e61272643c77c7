//! Handles Slack's buttons and commands, whichever way they came.

use super::orders;
use crate::{
    channel::{
        inbound::{ButtonPress, SlackInbound, SlashCommand},
        slack::{
            self,
            blocks::room_mark,
            contact::MEMBER,
            escape,
            inbound::{self, InboundResult},
        },
    },
    core::{Answer, GivenAnswer, IncidentId, RefusedInput},
    http::{
        press::{NO_HUMAN, NOT_KEPT, PressRefused, by_page, not_kept, ours, verdict_words},
        problem::ProblemDetails,
        state::AppState,
    },
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a command may take before the user is told that it takes longer; Slack waits three seconds in total.
const ORDER_TIME_MAX: Duration = Duration::from_millis(2500);

/// The timeout for a private response; Slack waits three seconds in total.
const WORD_TIME_MAX: Duration = Duration::from_millis(1500);

/// The response to users who are not in the matrix.
const STRANGER: &str = "The matrix knows nobody with your Slack account: ask for it to be added.";

/// Handles a button or command that came over HTTP. A user's mistake gets a text with status 200; Slack would show any
/// other status as its own failure.
pub(in crate::http) async fn take(app: &AppState, heard: SlackInbound) -> Result<Response, ProblemDetails> {
    let is_command = matches!(heard, SlackInbound::Command(_));
    let judged = judge(app, heard).await;
    if is_command {
        return Ok(Json(inbound::ephemeral(&judged.text)).into_response());
    }
    if let Some(url) = judged.response_url.as_deref().filter(|_| !judged.text.is_empty()) {
        tell(app, url, &judged.text).await;
    }
    if judged.kept {
        return Ok(StatusCode::OK.into_response());
    }
    Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "nothing was kept"))
}

/// Handles a button or command. When this returns with `kept`, the action is durable.
pub(super) async fn judge(app: &AppState, heard: SlackInbound) -> InboundResult {
    match heard {
        SlackInbound::Press(press) => {
            let (kept, text) = match answer(app, &press).await {
                Ok(text) => (true, text),
                Err(PressRefused::Word(word)) => (true, word),
                Err(PressRefused::NotKept) => (false, NOT_KEPT.to_owned()),
            };
            InboundResult { kept, text: escape(&text), response_url: press.response_url }
        }
        SlackInbound::Command(command) => obey(app, command).await,
        SlackInbound::Other => InboundResult::silent(),
    }
}

async fn obey(app: &AppState, command: SlashCommand) -> InboundResult {
    let response_url = command.response_url.clone();
    let live = app.engine.config();
    let text = match live.person_of(MEMBER, &command.user) {
        _ if command.is_bot => escape(NO_HUMAN),
        None => {
            app.engine.inbound().note_refused(RefusedInput::UnknownSender, slack::ANSWERS, &command.user).await;
            escape(STRANGER)
        }
        Some(person) => {
            let late = "This takes longer than Slack waits: list will show the result.";
            let obeyed = timeout(ORDER_TIME_MAX, async {
                let told = orders::obey(app, &command, person.clone()).await;
                app.engine.inbound().keep_exchange(&person, slack::ANSWERS, &command.text, &told).await;
                told
            });
            obeyed.await.unwrap_or_else(|_| escape(late))
        }
    };
    // A command always gets a text with status 200: for an error status Slack only shows that it failed.
    InboundResult { kept: true, text, response_url }
}

async fn answer(app: &AppState, press: &ButtonPress) -> Result<String, PressRefused> {
    if press.is_bot {
        return Err(PressRefused::Word(NO_HUMAN.into()));
    }
    let answer: Answer = press.action.parse().map_err(|error| PressRefused::Word(format!("{error}")))?;
    let live = app.engine.config();
    let Some(person) = live.person_of(MEMBER, &press.user) else {
        app.engine.inbound().note_refused(RefusedInput::UnknownSender, slack::ANSWERS, &press.user).await;
        return Err(PressRefused::Word(STRANGER.into()));
    };
    let (target, key) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
    let (incident, result) = if let Some(mark) = room_mark(key) {
        let incident: IncidentId = target.parse().map_err(PressRefused::Word)?;
        // After a backup was restored, an older card may name another incident by the same number.
        if app.engine.reads().identity(incident).await.map_err(not_kept)?.is_some() {
            ours(app.engine.inbound().is_mark(incident, mark).await)?;
        }
        let said =
            GivenAnswer { person: person.clone(), answer, via: slack::ANSWERS, page: None, role: None, origin: None };
        (incident, app.engine.inbound().answer(incident, said).await)
    } else {
        by_page(app, (target, key), person.clone(), answer, slack::ANSWERS).await?
    };
    let told = verdict_words(app, incident, &person, result).await?;
    app.engine.inbound().keep_exchange(&person, slack::ANSWERS, &press.action, &told).await;
    Ok(told)
}

/// Sends a private response to the user. The action is durable already; this may fail.
pub(super) async fn tell(app: &AppState, url: &str, text: &str) {
    if !is_slack(app, url) {
        return;
    }
    let sending = app.client.post(url).json(&inbound::EphemeralReply::of(text)).send();
    match timeout(WORD_TIME_MAX, sending).await {
        Ok(Ok(response)) if response.status().is_success() => {}
        Ok(Ok(response)) => tracing::warn!(status = %response.status(), "Slack did not accept a private response"),
        Ok(Err(error)) => tracing::warn!(error = %error.without_url(), "Slack did not accept a private response"),
        Err(_) => tracing::warn!("Slack did not accept a private response in time"),
    }
}

/// Checks an address before we call it, even though the request is signed.
fn is_slack(app: &AppState, url: &str) -> bool {
    let known = url.starts_with("https://hooks.slack.com/") || url.starts_with("https://hooks.slack-gov.com/");
    known || app.slack_hooks.as_deref().is_some_and(|prefix| url.starts_with(prefix))
}
