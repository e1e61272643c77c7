//! SMS replies and delivery reports, as Kannel's smsbox hands them over. What is answered to a reply is sent back as an
//! SMS where the gateway is set up so.

use super::{
    AppState, body,
    charset::{Charset, field},
    problem::ProblemDetails,
    sms::{self, InboundText},
};
use crate::{
    core::{ChannelName, PageId, page::PageStage},
    engine::keys::same,
    matrix::ChannelKind,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::sync::Arc;

/// What smsbox puts into the address, beside the text.
#[derive(Debug, Deserialize)]
pub struct KannelInbound {
    #[serde(default)]
    token: String,
    from: String,
    /// `%c`: 0 for letters of one octet, 1 for data, 2 for UCS-2.
    #[serde(default)]
    coding: Option<String>,
    /// `%C`.
    #[serde(default)]
    charset: Option<String>,
}

/// `GET` with `text=`, or `POST` with the text as body: `/hooks/kannel/{channel}?token=..&from=%p`. A text with one letter
/// that phones lack comes in UTF-16BE.
pub async fn inbound(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    Query(inbound): Query<KannelInbound>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    authorize(&app, &channel, &inbound.token)?;
    let text = match field(request.uri().query().unwrap_or_default().as_bytes(), "text") {
        Some(text) => inbound.charset(None).decode(&text),
        None => {
            let charset = inbound.charset(Some(request.headers()));
            charset.decode(&body::whole(request.into_body()).await?)
        }
    };
    let (channel, from) = (ChannelName::from(channel.as_str()), inbound.from.trim());
    let word = sms::take(&app, InboundText { channel, from, text: &text, wish: None }).await?;
    Ok(word.into_response())
}

impl KannelInbound {
    /// Of the text, whose headers are those of a body: what is named goes before what its coding says.
    fn charset(&self, headers: Option<&HeaderMap>) -> Charset {
        let coding = headers.and_then(|headers| headers.get("x-kannel-coding")?.to_str().ok());
        let is_ucs2 = coding.or(self.coding.as_deref()).is_some_and(|coding| coding.trim() == "2");
        let named = headers.and_then(Charset::of).or_else(|| Charset::named(self.charset.as_deref()?));
        named.unwrap_or_else(|| if is_ucs2 { Charset::UCS2 } else { Charset::default() })
    }
}

/// What the gateway says of a page that it had taken.
#[derive(Debug, Deserialize)]
pub struct KannelReport {
    page: String,
    token: String,
    status: u32,
}

/// `GET /hooks/kannel/{channel}/report`: delivered, or not. Reports that are doubled, late or out of order change
/// nothing that they should not.
pub async fn report(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    Query(report): Query<KannelReport>,
) -> Result<StatusCode, ProblemDetails> {
    let page: PageId = report.page.parse().map_err(|()| ProblemDetails::not_found("no such page"))?;
    if !app.engine.is_report_token(page, &report.token).await? {
        return Err(ProblemDetails::unauthorized("the token is not this page's"));
    }
    went_by(&app, page, &channel, crate::channel::kannel::KIND).await?;
    match report.status {
        1 => app.engine.report(page, PageStage::Delivered).await?,
        // Newer gateways say why beside the 2: 34 expired, 66 unknown.
        2 | 34 | 66 => app.engine.undelivered(page, "the phone could not be reached".into()).await?,
        16 => app.engine.undelivered(page, "the carrier rejected it".into()).await?,
        // Queued, or accepted by the carrier: on its way.
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a report that comes by another channel than its page went by: a token that was seen at one door must open
/// no other, whose callers need no signature.
async fn went_by(app: &AppState, page: PageId, channel: &str, kind: ChannelKind) -> Result<(), ProblemDetails> {
    let known =
        app.engine.live.load().channels.get(&ChannelName::from(channel)).is_some_and(|wired| wired.kind == kind);
    let incident = app.engine.store.view(page.incident).await?;
    let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
    if known && row.is_some_and(|row| row.channel.as_str() == channel) {
        return Ok(());
    }
    Err(ProblemDetails::not_found("this page did not go by this channel"))
}

fn authorize(app: &AppState, channel: &str, token: &str) -> Result<(), ProblemDetails> {
    let live = app.engine.live.load();
    let wired =
        live.channels.get(&ChannelName::from(channel)).filter(|wired| wired.kind == crate::channel::kannel::KIND);
    let wired = wired.filter(|wired| !wired.inbound.is_empty()).ok_or_else(|| {
        ProblemDetails::not_found(format!("no kannel channel {channel:?} with a token is in the matrix"))
    })?;
    if wired.inbound.iter().any(|secret| same(secret.expose_secret(), token)) {
        return Ok(());
    }
    tracing::warn!(channel, "an SMS reply with a wrong token was refused");
    Err(ProblemDetails::unauthorized("the token is not this channel's"))
}
