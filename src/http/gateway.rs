//! What services of kind `http` say to us: what became of a page, and what people replied. Where each part of it stands
//! the matrix says; who may say it, a token: the page's own, or the channel's.

use super::{
    AppState, body,
    charset::{self, Charset},
    problem::ProblemDetails,
    sms::{self, InboundText},
};
use crate::{
    channel::http::settings::HttpConfig,
    core::{ChannelName, PageId, page::PageStage},
    engine::keys::same,
};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Fields of a query or a form.
type GatewayFields = BTreeMap<String, String>;

/// `/hooks/http/{channel}`: a reply, handed over with the channel's token as `?token=` or as a bearer token.
pub async fn inbound(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let query = query(&request);
    let way = way(&app, &channel)?;
    let replies =
        way.replies.ok_or_else(|| ProblemDetails::not_found(format!("channel {channel:?} has no `replies`")))?;
    authorize(&app, &channel, &query, request.headers())?;
    let said = GatewayCall::read(query, request).await?;
    let from = said.at(&replies.from).ok_or_else(|| ProblemDetails::bad("the reply does not say who sent it"))?;
    let text = said.at(&replies.text).unwrap_or_default();
    let text = InboundText { channel: ChannelName::from(channel.as_str()), from: from.trim(), text: &text, wish: None };
    let word = sms::take(&app, text).await?;
    Ok(word.into_response())
}

/// `/hooks/http/{channel}/report`: what became of a page, with the page's own token or the channel's. Reports that are
/// doubled, late or out of order change nothing that they should not.
pub async fn report(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<StatusCode, ProblemDetails> {
    let query = query(&request);
    let way = way(&app, &channel)?;
    let report = way.report.ok_or_else(|| ProblemDetails::not_found(format!("channel {channel:?} has no `report`")))?;
    let named = named(&app, &query).await?;
    if named.is_none() {
        authorize(&app, &channel, &query, request.headers())?;
    }
    let said = GatewayCall::read(query, request).await?;
    let page = match (named, &report.id) {
        (Some(page), _) => Some(page),
        (None, Some(at)) => {
            let id = said.at(at).ok_or_else(|| ProblemDetails::bad("the report names no message"))?;
            app.engine.page_with_receipt(&ChannelName::from(channel.as_str()), &id).await?
        }
        (None, None) => return Err(ProblemDetails::unauthorized("the report must carry the page and its token")),
    };
    // One that we do not know, or do not know any more, is not asked about again.
    let Some(page) = page else { return Ok(StatusCode::NO_CONTENT) };
    let status = said.at(&report.status).ok_or_else(|| ProblemDetails::bad("the report says no status"))?;
    if report.delivered.contains(&status) {
        app.engine.report(page, PageStage::Delivered).await?;
    } else if report.undelivered.contains(&status) {
        app.engine.undelivered(page, "the service reports that it did not arrive".into()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a call says.
struct GatewayCall {
    query: GatewayFields,
    form: GatewayFields,
    json: Value,
}

impl GatewayCall {
    async fn read(query: GatewayFields, request: Request) -> Result<Self, ProblemDetails> {
        let (parts, body) = request.into_parts();
        let bytes = body::whole(body).await?;
        let charset = Charset::of(&parts.headers).unwrap_or_default();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let form = if is_form { fields(&bytes, charset) } else { GatewayFields::new() };
        let json = if is_form { Value::Null } else { json(&charset.decode(&bytes)) };
        Ok(Self { query, form, json })
    }

    /// What stands at a JSON pointer, or in the field of this name.
    fn at(&self, place: &str) -> Option<String> {
        if !place.starts_with('/') {
            return self.form.get(place).or_else(|| self.query.get(place)).cloned();
        }
        match self.json.pointer(place)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

fn fields(bytes: &[u8], charset: Charset) -> GatewayFields {
    charset::fields(bytes).map(|(name, value)| (charset.decode(&name), charset.decode(&value))).collect()
}

/// In the charset that the query itself names.
fn query(request: &Request) -> GatewayFields {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let named = charset::field(query, "charset").and_then(|name| Charset::named(std::str::from_utf8(&name).ok()?));
    let Some(named) = named else { return fields(query, Charset::default()) };
    // The names, and what is written in ASCII anyway, are no text of a person.
    let plain = Charset::default();
    let value =
        |value: &[u8]| if value.is_ascii() && !value.contains(&0) { plain.decode(value) } else { named.decode(value) };
    charset::fields(query).map(|(name, bytes)| (plain.decode(&name), value(&bytes))).collect()
}

/// A document whose strings may have been cut in the midst of a letter: the half is U+FFFD, and the rest is read.
fn json(text: &str) -> Value {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&charset::without_half_letters(text)))
        .unwrap_or_default()
}

fn way(app: &AppState, channel: &str) -> Result<HttpConfig, ProblemDetails> {
    let live = app.engine.live.load();
    let settings = live.matrix.channel(&ChannelName::from(channel));
    match settings.and_then(|settings| settings.config.as_a::<HttpConfig>()) {
        Some(config) => Ok(config.clone()),
        None => Err(ProblemDetails::not_found(format!("no channel {channel:?} of kind http is in the matrix"))),
    }
}

/// The page whose own token the call carries; none where it carries no page.
async fn named(app: &AppState, query: &GatewayFields) -> Result<Option<PageId>, ProblemDetails> {
    let Some(page) = query.get("page") else { return Ok(None) };
    let page: PageId = page.parse().map_err(|()| ProblemDetails::not_found("no such page"))?;
    let token = query.get("token").map(String::as_str).unwrap_or_default();
    if app.engine.is_report_token(page, token).await? {
        return Ok(Some(page));
    }
    Err(ProblemDetails::unauthorized("the token is not this page's"))
}

fn authorize(app: &AppState, channel: &str, query: &GatewayFields, headers: &HeaderMap) -> Result<(), ProblemDetails> {
    let live = app.engine.live.load();
    let wired = live.channels.get(&ChannelName::from(channel));
    let secrets = wired.map(|wired| wired.inbound.as_slice()).unwrap_or_default();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let given = query.get("token").map(String::as_str).or(bearer).unwrap_or_default();
    let mut good = false;
    for secret in secrets {
        good |= same(secret.expose_secret(), given);
    }
    if good {
        return Ok(());
    }
    tracing::warn!(channel, "a call of a service with a wrong token was refused");
    Err(ProblemDetails::unauthorized("the token is not this channel's"))
}
