//! Slack's buttons and commands. By HTTP they come here, answered within three seconds; over a socket
//! they come to [`sockets`]. Both are judged by [`judge`] and by nothing else.

mod judge;
mod orders;
pub mod sockets;

use super::{AppState, problem::ProblemDetails};
use crate::channel::slack::inbound::{self, SlackInbound};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long the private word to the one who pressed may take; Slack waits three seconds for everything.
const WORD_TIME_MAX: Duration = Duration::from_millis(1500);

/// A button, or a command, that came by HTTP. A fault of the user's is a word for the user with a 200; anything else Slack
/// would show as its own failure.
pub(super) async fn take(app: &AppState, heard: SlackInbound) -> Result<Response, ProblemDetails> {
    let is_command = matches!(heard, SlackInbound::Command(_));
    let judged = judge::judge(app, heard).await;
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

/// A private word to the one who did something. What it is about is kept already; this may fail.
async fn tell(app: &AppState, url: &str, text: &str) {
    if !is_slack(app, url) {
        return;
    }
    let sending = app.client.post(url).json(&inbound::EphemeralReply::of(text)).send();
    match timeout(WORD_TIME_MAX, sending).await {
        Ok(Ok(response)) if response.status().is_success() => {}
        Ok(Ok(response)) => tracing::warn!(status = %response.status(), "Slack did not take a private word"),
        Ok(Err(error)) => tracing::warn!(error = %error.without_url(), "Slack did not take a private word"),
        Err(_) => tracing::warn!("Slack did not take a private word in time"),
    }
}

/// The request is signed, and still an address is checked before we call it.
fn is_slack(app: &AppState, url: &str) -> bool {
    let known = url.starts_with("https://hooks.slack.com/") || url.starts_with("https://hooks.slack-gov.com/");
    known || app.slack_hooks.as_deref().is_some_and(|prefix| url.starts_with(prefix))
}
