//! Slack's buttons and commands. By HTTP they come here: signed, fresh, answered within three seconds; over a socket
//! they come to [`sockets`]. Both are judged by [`judge`] and by nothing else.

mod judge;
mod orders;
pub mod sockets;

use super::{AppState, body, problem::ProblemDetails};
use crate::{
    channel::slack::{
        inbound::{self, SlackInbound},
        signature,
    },
    core::ChannelName,
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long the private word to the one who pressed may take; Slack waits three seconds for everything.
const WORD_TIME_MAX: Duration = Duration::from_millis(1500);

/// The largest unsigned probe that is looked at, in bytes.
const PROBE_MAX: usize = 1024;

/// `POST /hooks/slack/{channel}`: a button, or a command. A fault of the user's is a word for the user with a 200;
/// anything else Slack would show as its own failure.
pub async fn take(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let bytes = body::whole(body).await?;
    if let Err(problem) = verify(&app, &channel, &parts.headers, &bytes) {
        let probed =
            problem.status() == StatusCode::UNAUTHORIZED && bytes.len() <= PROBE_MAX && inbound::is_probe(&bytes);
        return if probed { Ok(StatusCode::OK.into_response()) } else { Err(problem) };
    }
    let heard = inbound::of_form(&bytes).map_err(|error| ProblemDetails::bad(error.to_string()))?;
    let is_command = matches!(heard, SlackInbound::Command(_));
    let judged = judge::judge(&app, heard).await;
    if is_command {
        return Ok(Json(inbound::ephemeral(&judged.text)).into_response());
    }
    if let Some(url) = judged.response_url.as_deref().filter(|_| !judged.text.is_empty()) {
        tell(&app, url, &judged.text).await;
    }
    if judged.kept {
        return Ok(StatusCode::OK.into_response());
    }
    Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "nothing was kept"))
}

/// `GET /hooks/slack/{channel}`: Slack looks whether there is anything, with a certificate that it trusts.
pub async fn probe() -> StatusCode {
    StatusCode::OK
}

fn verify(app: &AppState, channel: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<(), ProblemDetails> {
    let live = app.engine.live.load();
    let wired =
        live.channels.get(&ChannelName::from(channel)).filter(|wired| wired.kind == crate::channel::slack::KIND);
    let secrets =
        wired.map(|wired| wired.inbound.as_slice()).filter(|secrets| !secrets.is_empty()).ok_or_else(|| {
            ProblemDetails::not_found(format!("no slack channel {channel:?} with a signing_secret is in the matrix"))
        })?;
    // A header that is there twice is as good as none: which one was signed can not be known.
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let now = app.wall().as_micros() / 1_000_000;
    let (stamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    signature::verify_any(secrets, stamp, signature, bytes, now).map_err(|error| {
        tracing::warn!(%error, channel, "a Slack request was refused");
        ProblemDetails::unauthorized(error.to_string())
    })
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
