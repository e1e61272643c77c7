//! The bot's own web server: the chat page of the user, and the page on which a person goes on with a conversation. On
//! loopback, for one viewer.

use super::{
    chat::{Chat, ShownTurn, Standing},
    client::BotClient,
};
use crate::{
    cli::error::CliError,
    http::{body, problem::ProblemDetails},
};
use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// The most conversations; then no new one begins.
const CHATS_MAX: usize = 100;

/// The longest message, in characters.
const TEXT_MAX: usize = 1_000;

/// How long a page waits for something new.
const WAIT: Duration = Duration::from_secs(20);

/// Everything that the pages load comes from this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// The bot with its conversations.
pub struct Bot {
    pub client: BotClient,
    /// How the links for people begin.
    replies: String,
    /// Signs the viewer in at the desk; none if nobody watches.
    desk: Option<String>,
    chats: Mutex<Vec<Arc<Chat>>>,
}

impl Bot {
    pub fn new(client: BotClient, replies: String, desk: Option<String>) -> Self {
        Self { client, replies, desk, chats: Mutex::default() }
    }

    /// A conversation by a name that its page knows.
    fn chat(&self, has: impl Fn(&Chat) -> bool) -> Result<Arc<Chat>, ProblemDetails> {
        let chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        let found = chats.iter().find(|chat| has(chat)).cloned();
        found.ok_or_else(|| ProblemDetails::not_found("there is no such conversation"))
    }

    fn begin(&self) -> Result<Arc<Chat>, ProblemDetails> {
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        if CHATS_MAX <= chats.len() {
            return Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "too many conversations"));
        }
        let chat = Arc::new(Chat::new(&self.replies));
        chats.push(chat.clone());
        Ok(chat)
    }
}

pub fn router(bot: Arc<Bot>) -> Router {
    const SCRIPT: &str = include_str!("assets/chat.js");
    const STYLE: &str = include_str!("assets/chat.css");
    Router::new()
        .route("/", get(async || page(include_str!("assets/chat.html"))))
        .route("/officer/{key}", get(async || page(include_str!("assets/officer.html"))))
        .route("/assets/chat.js", get(async || ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)))
        .route("/assets/chat.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route("/desk", get(desk))
        .route("/conversations", post(begin))
        .route("/conversations/{id}/turns", get(turns))
        .route("/conversations/{id}/say", post(user_says))
        .route("/conversations/{id}/leave", post(leave))
        .route("/officer/{key}/turns", get(turns))
        .route("/officer/{key}/say", post(person_says))
        .with_state(bot)
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
}

/// The link to the officer's desk, for the viewer.
async fn desk(State(bot): State<Arc<Bot>>) -> Response {
    Json(json!({ "link": bot.desk })).into_response()
}

async fn begin(State(bot): State<Arc<Bot>>) -> Result<Response, ProblemDetails> {
    let chat = bot.begin()?;
    Ok(Json(json!({ "id": chat.id })).into_response())
}

#[derive(Deserialize)]
struct SeenTurns {
    /// How many the page has.
    after: usize,
    /// In which state it shows the conversation.
    #[serde(default)]
    state: String,
}

#[derive(Serialize)]
struct NewTurns {
    turns: Vec<ShownTurn>,
    #[serde(flatten)]
    standing: Standing,
}

/// What is new for a page, as soon as something is.
async fn turns(
    State(bot): State<Arc<Bot>>,
    Path(name): Path<String>,
    Query(seen): Query<SeenTurns>,
) -> Result<Response, ProblemDetails> {
    let chat = bot.chat(|chat| chat.id == name || chat.key == name)?;
    let (until, mut news) = (Instant::now() + WAIT, chat.news());
    loop {
        let (turns, standing) = chat.after(seen.after).await;
        let is_new = !turns.is_empty() || standing.state != seen.state;
        if is_new || until <= Instant::now() {
            return Ok(Json(NewTurns { turns, standing }).into_response());
        }
        if let Ok(followed) = timeout_at(until, chat.follow(&bot.client, &mut news)).await {
            followed.map_err(failed)?;
        }
    }
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

async fn message(request: Request) -> Result<String, ProblemDetails> {
    let Message { text } = body::json(request, body::PRESS_MAX).await?;
    let text = text.trim();
    if text.is_empty() || TEXT_MAX < text.chars().count() {
        return Err(ProblemDetails::bad(format!("a message has 1 to {TEXT_MAX} characters")));
    }
    Ok(text.to_owned())
}

async fn user_says(
    State(bot): State<Arc<Bot>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, ProblemDetails> {
    let chat = bot.chat(|chat| chat.id == id)?;
    chat.user_says(&bot.client, &message(request).await?).await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn person_says(
    State(bot): State<Arc<Bot>>,
    Path(key): Path<String>,
    request: Request,
) -> Result<StatusCode, ProblemDetails> {
    let chat = bot.chat(|chat| chat.key == key)?;
    let text = message(request).await?;
    chat.person_says(&text).await.map_err(|error| ProblemDetails::new(StatusCode::CONFLICT, error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn leave(State(bot): State<Arc<Bot>>, Path(id): Path<String>) -> Result<StatusCode, ProblemDetails> {
    bot.chat(|chat| chat.id == id)?.leave(&bot.client).await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

fn failed(error: CliError) -> ProblemDetails {
    ProblemDetails::new(StatusCode::BAD_GATEWAY, error.to_string())
}
