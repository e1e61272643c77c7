//! SMS replies, as Kannel's smsbox hands them over. The sender's number says who it is, the page's code proves that
//! they have the page. What is answered here is sent back as an SMS where the gateway is set up so.

use super::{App, body, desk::named, problem::Problem};
use crate::{
    channel::sms::{Reply, parse_reply},
    core::{ChannelName, PageId, PersonName, Timestamp, Via, page::Stage, sentence::judged},
    engine::keys::same,
    matrix::ChannelKind,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Wrong codes that one number may send in [`GUESS_WINDOW`].
pub const GUESSES_MAX: u32 = 10;

/// How long wrong codes are remembered.
pub const GUESS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Numbers whose wrong codes are remembered.
const GUESSERS_MAX: usize = 10_000;

/// Wrong codes, by number.
pub type Guesses = HashMap<String, (Timestamp, u32)>;

/// Said to those who left out the code, or said something that is no answer.
const HOW: &str = "Reply with the 5-digit code of the page, then 1 received, 2 I have it, 3 wait, 4 pass on.";

/// What smsbox puts into the address.
#[derive(Debug, Deserialize)]
pub struct Inbound {
    #[serde(default)]
    token: String,
    from: String,
    #[serde(default)]
    text: Option<String>,
}

/// `GET` with `text=`, or `POST` with the text as body: `/hooks/kannel/{channel}?token=..&from=%p`.
pub async fn inbound(
    State(app): State<Arc<App>>,
    Path(channel): Path<String>,
    Query(inbound): Query<Inbound>,
    request: Request,
) -> Result<Response, Problem> {
    authorize(&app, &channel, &inbound.token)?;
    let text = match inbound.text {
        Some(text) => text,
        None => String::from_utf8_lossy(&body::whole(request.into_body()).await?).into_owned(),
    };
    let word = take(&app, inbound.from.trim(), &text).await?;
    Ok(word.into_response())
}

/// What the gateway says of a page that it had taken.
#[derive(Debug, Deserialize)]
pub struct Report {
    page: String,
    token: String,
    status: u32,
}

/// `GET /hooks/kannel/{channel}/report`: delivered, or not. Reports that are doubled, late or out of order change
/// nothing that they should not.
pub async fn report(State(app): State<Arc<App>>, Query(report): Query<Report>) -> Result<StatusCode, Problem> {
    let page: PageId = report.page.parse().map_err(|()| Problem::not_found("no such page"))?;
    if !same(app.engine.keys.report_token(page).expose_secret(), &report.token) {
        return Err(Problem::unauthorized("the token is not this page's"));
    }
    match report.status {
        1 => app.engine.report(page, Stage::Delivered).await?,
        // Newer gateways say why beside the 2: 34 expired, 66 unknown.
        2 | 34 | 66 => app.engine.undelivered(page, "the phone could not be reached".into()).await?,
        16 => app.engine.undelivered(page, "the carrier rejected it".into()).await?,
        // Queued, or accepted by the carrier: on its way.
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}

fn authorize(app: &App, channel: &str, token: &str) -> Result<(), Problem> {
    let live = app.engine.live.load();
    let wired = live.channels.get(&ChannelName::from(channel)).filter(|wired| wired.kind == ChannelKind::Kannel);
    let wired = wired
        .filter(|wired| !wired.inbound.is_empty())
        .ok_or_else(|| Problem::not_found(format!("no kannel channel {channel:?} with a token is in the matrix")))?;
    if wired.inbound.iter().any(|secret| same(secret.expose_secret(), token)) {
        return Ok(());
    }
    tracing::warn!(channel, "an SMS reply with a wrong token was refused");
    Err(Problem::unauthorized("the token is not this channel's"))
}

async fn take(app: &App, from: &str, text: &str) -> Result<String, Problem> {
    let number = international(from);
    let person = app.engine.live.load().matrix.person_of_phone(&number).cloned();
    let Some(person) = person else {
        tracing::warn!("an SMS came from a number that the matrix does not know");
        return Ok(String::new());
    };
    match parse_reply(text) {
        Reply::OptOut => {
            tracing::error!(person = %person, "this person opted out of SMS at the provider: pages to them will fail");
            Ok(String::new())
        }
        Reply::Said { code: None, .. } | Reply::Unclear { .. } => Ok(HOW.into()),
        Reply::Said { code: Some(code), answer } => coded(app, &number, person, &code, answer).await,
    }
}

async fn coded(
    app: &App,
    number: &str,
    person: PersonName,
    code: &str,
    answer: Option<crate::core::Answer>,
) -> Result<String, Problem> {
    // Counted before the search, so that many at once are no way round; a right code takes it back.
    if !may_guess(app, number) {
        tracing::warn!(person = %person, "too many wrong codes from this number: its replies wait");
        return Ok("Too many wrong codes. Use the desk, the mail's link or Slack.".into());
    }
    let Some(page) = app.engine.page_with_code(&person, code).await? else {
        return Ok(format!("No page of yours has the code {code}. Look at the last SMS again."));
    };
    forget_guesses(app, number);
    let verdict = app.engine.answer_page(page, person, answer, Via::Sms).await.map_err(super::answer_problem)?;
    let word = judged(&named(&app.engine.live.load(), verdict));
    Ok(format!("{}: {word}", page.incident))
}

/// Counts a try; whether it may be made.
fn may_guess(app: &App, number: &str) -> bool {
    let now = app.engine.store.now();
    let mut guesses = app.guesses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if GUESSERS_MAX <= guesses.len() {
        guesses.retain(|_, (since, _)| now < *since + GUESS_WINDOW);
    }
    let entry = guesses.entry(number.to_owned()).or_insert((now, 0));
    if entry.0 + GUESS_WINDOW <= now {
        *entry = (now, 0);
    }
    entry.1 = entry.1.saturating_add(1);
    entry.1 <= GUESSES_MAX
}

fn forget_guesses(app: &App, number: &str) {
    app.guesses.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(number);
}

/// `+`, `00` and a plus that became a space are all the same number.
fn international(from: &str) -> String {
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let digits = if from.starts_with("00") { digits.trim_start_matches("00") } else { &digits };
    format!("+{digits}")
}
