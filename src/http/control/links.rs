//! Accounts that people link themselves: codes are handed out, and links ended.

use crate::{
    core::{ChannelName, PersonName, Timestamp},
    engine::{LinkError, PROBE_TIME_MAX},
    http::{caller::UnixCaller, problem::ProblemDetails, state::AppState},
};
use axum::{Extension, Json, extract::State, http::StatusCode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::time::timeout;

/// Whose account, at which channel.
#[derive(Debug, Serialize, Deserialize)]
pub struct LinkRequest {
    /// The person's name in the matrix.
    pub person: PersonName,
    /// The channel's name in the matrix; needed where the person links accounts at several.
    #[serde(default)]
    pub channel: Option<ChannelName>,
}

/// A code to link an account, handed out.
#[derive(Debug, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// The person.
    pub person: PersonName,
    /// The channel.
    pub channel: ChannelName,
    /// The address that they open; none where the provider could not be asked for it now.
    pub link: Option<String>,
    /// The code.
    pub code: String,
    /// Until when it can be used.
    pub until: Timestamp,
}

/// What was ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnlinkAnswer {
    /// The person.
    pub person: PersonName,
    /// The channel.
    pub channel: ChannelName,
    /// Whether there was a link or a code.
    pub unlinked: bool,
}

/// `POST /v1/people/link`: the command whose job it is to hand out such a code.
pub async fn link(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(request): Json<LinkRequest>,
) -> Result<Json<LinkAnswer>, ProblemDetails> {
    let (person, channel) = (request.person.clone(), at(&app, &caller, request)?);
    let live = app.engine.config();
    let wired = live.channels.get(&channel);
    if let Some(why) = wired.and_then(|wired| wired.sandboxed.as_ref()) {
        return Err(ProblemDetails::bad(format!("channel {channel} is in the sandbox and hears nobody: {why}")));
    }
    let offered = app.engine.inbound().offer_link(&channel, &person, caller.actor()).await.map_err(refusal)?;
    tracing::info!(person = %person, channel = %channel, by = caller.user(), "a code to link an account was handed out");
    let code = offered.code.expose_secret().to_owned();
    let link = match wired {
        Some(wired) => timeout(PROBE_TIME_MAX, wired.channel.link_address(&code)).await.ok().flatten(),
        None => None,
    };
    Ok(Json(LinkAnswer { person, channel, link, code, until: offered.until }))
}

/// `POST /v1/people/unlink`.
pub async fn unlink(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    Json(request): Json<LinkRequest>,
) -> Result<Json<UnlinkAnswer>, ProblemDetails> {
    let (person, channel) = (request.person.clone(), at(&app, &caller, request)?);
    let unlinked = app.engine.inbound().unlink(&channel, &person, caller.actor()).await?;
    Ok(Json(UnlinkAnswer { person, channel, unlinked }))
}

/// The channel that is meant, by one who may ask for this person.
fn at(app: &AppState, caller: &UnixCaller, request: LinkRequest) -> Result<ChannelName, ProblemDetails> {
    let person = &request.person;
    if caller.person().is_some_and(|own| own != person) {
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "a person links their own account only"));
    }
    if let Some(channel) = request.channel {
        return Ok(channel);
    }
    let live = app.engine.config();
    let names = live.matrix.channels.iter().map(|(name, _)| name);
    let linked: Vec<&ChannelName> = names.filter(|name| live.links(name, person).is_some()).collect();
    match linked[..] {
        [channel] => Ok(channel.clone()),
        [] => Err(ProblemDetails::bad(format!("the matrix says of no account of {person:?} that they link it"))),
        _ => Err(ProblemDetails::bad("they link accounts at several channels: name one with --channel")),
    }
}

fn refusal(error: LinkError) -> ProblemDetails {
    match error {
        LinkError::Store(error) => ProblemDetails::from(error),
        LinkError::NotWanted(_) | LinkError::UnknownCode | LinkError::TooLong => ProblemDetails::bad(error.to_string()),
    }
}
