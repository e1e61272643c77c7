//! The routes that providers call, the same for all of them. The folder of the channel authenticates and parses the
//! request; this module passes its meaning to the engine.

use crate::{
    channel::{
        inbound::{
            Acknowledgement, DeliveryFailure, DeliveryOutcome, DeliveryReport, HookAddress, InboundRefusal,
            InboundRequest, InboundText, NamedPage, ReportedPage, RequestHead,
        },
        kind::{ChannelConfig, ChannelKind},
    },
    core::{ChannelName, PageId, page::PageStage},
    http::{body, chat::ChannelChat, problem::ProblemDetails, refusal_log, state::AppState, texts, voice},
};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// `/hooks/{kind}/{channel}`: people's answers.
pub async fn inbox(
    State(app): State<Arc<AppState>>,
    Path((kind, channel)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    take(&app, HookAddress::Inbox, &kind, &channel, request).await
}

/// `/hooks/{kind}/{channel}/report`: a delivery report, or the next turn of a call. Duplicated, late or unordered
/// reports do no harm.
pub async fn report(
    State(app): State<Arc<AppState>>,
    Path((kind, channel)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    take(&app, HookAddress::Report, &kind, &channel, request).await
}

async fn take(
    app: &Arc<AppState>,
    at: HookAddress,
    kind: &str,
    channel: &str,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let live = app.engine.config();
    let name = ChannelName::from(channel);
    let known = live.matrix.channel(&name).filter(|settings| settings.config.hook() == kind);
    let refuse = |refusal: InboundRefusal| refused(refusal, kind, &name, known.is_some());
    // A channel that does not exist is asked like one that believes nobody: what differs would tell who has which.
    let config =
        known.map(|settings| settings.config.clone()).or_else(|| Some(ChannelKind::named(kind)?.without_keys()));
    let nowhere = || refuse(InboundRefusal::NotFound("no channel of the matrix has this address".to_owned()));
    let config = config.ok_or_else(nowhere)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", app.engine.public_url());
    let head = RequestHead {
        at,
        method: &parts.method,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        url: &url,
        channel,
        secrets: known.and(live.channels.get(&name)).map(|wired| wired.inbound.as_slice()).unwrap_or_default(),
        now_unix: app.wall().as_micros() / 1_000_000,
    };
    let named = config.admit(&head).map_err(refuse)?;
    let proven = match &named {
        Some(named) => Some(prove(app, &name, named, refuse).await?),
        None => None,
    };
    let bytes = body::of_provider(body, config.body_max(&head), known.map(|_| &name)).await?;
    let request = config.receive(&head, named, &bytes).map_err(|refusal| match refusal {
        // Of one who was believed.
        InboundRefusal::Bad(_) | InboundRefusal::NotFound(_) | InboundRefusal::NotKept if known.is_some() => {
            refusal.into()
        }
        refusal => refuse(refusal),
    })?;
    match request {
        InboundRequest::Nothing => Ok(StatusCode::OK.into_response()),
        _ if known.is_none() => Err(nowhere()),
        InboundRequest::Text(text) => answer(app, &*config, &name, text).await,
        InboundRequest::Report(report) => {
            settle(app, &name, report, proven, refuse).await?;
            Ok(acknowledge(config.acknowledge(None)))
        }
        InboundRequest::CallTurn(turn) => {
            let page = prove(app, &name, &turn.page, refuse).await?;
            Ok(acknowledge(config.acknowledge(Some(voice::next(app, page, &url, &turn).await?))))
        }
        InboundRequest::Chat(request) => {
            let chat = ChannelChat::new(app.clone(), name, config.kind());
            Ok(acknowledge(request.answer(&chat).await?))
        }
    }
}

/// What everybody is told who does not show that they are a channel's provider, whether there is such a channel or not.
fn refused(refusal: InboundRefusal, kind: &str, channel: &ChannelName, known: bool) -> ProblemDetails {
    refusal_log::hook(kind, channel, known, &refusal);
    ProblemDetails::unauthorized(
        "this does not come from the provider of a channel; the daemon's log says what is wrong",
    )
}

/// The page, if the token is its own and it went by this channel: a channel reports only on its own pages. Every report
/// that names a page by a token comes through here.
async fn prove(
    app: &AppState,
    channel: &ChannelName,
    named: &NamedPage,
    refuse: impl Fn(InboundRefusal) -> ProblemDetails,
) -> Result<PageId, ProblemDetails> {
    let page = named.page;
    if !app.engine.inbound().is_report_token(page, &named.token).await? {
        return Err(refuse(InboundRefusal::Unauthorized("the token is not this page's".to_owned())));
    }
    let incident = app.engine.reads().view(page.incident).await?;
    let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
    // Of a page that is not kept any more nothing is changed.
    if row.is_none_or(|row| row.channel == *channel) {
        return Ok(page);
    }
    Err(ProblemDetails::not_found("this page did not go by this channel"))
}

async fn answer(
    app: &AppState,
    config: &dyn ChannelConfig,
    channel: &ChannelName,
    text: InboundText,
) -> Result<Response, ProblemDetails> {
    let word = match &text.id {
        Some(id) => app.answered.once(id.clone(), async || texts::take(app, channel, &text).await).await?,
        None => texts::take(app, channel, &text).await?,
    };
    Ok(acknowledge(config.acknowledge(Some(word))))
}

async fn settle(
    app: &AppState,
    channel: &ChannelName,
    report: DeliveryReport,
    proven: Option<PageId>,
    refuse: impl Fn(InboundRefusal) -> ProblemDetails,
) -> Result<(), ProblemDetails> {
    let page = match &report.page {
        ReportedPage::Named(named) if proven == Some(named.page) => Some(named.page),
        ReportedPage::Named(named) => Some(prove(app, channel, named, refuse).await?),
        ReportedPage::Receipt(id) => app.engine.inbound().page_with_receipt(channel, id).await?,
    };
    // For an unknown or deleted page the response is a success, so that the provider does not retry.
    let Some(page) = page else { return Ok(()) };
    match report.outcome {
        DeliveryOutcome::UnderWay => Ok(()),
        DeliveryOutcome::Delivered => Ok(app.engine.inbound().report(page, PageStage::Delivered).await?),
        DeliveryOutcome::Seen => Ok(app.engine.inbound().report(page, PageStage::Seen).await?),
        DeliveryOutcome::Undelivered(failure) => failed(app, channel, page, failure).await,
    }
}

async fn failed(
    app: &AppState,
    channel: &ChannelName,
    page: PageId,
    failure: DeliveryFailure,
) -> Result<(), ProblemDetails> {
    let DeliveryFailure { why, message, opted_out, everybody } = failure;
    if let Some(why) = opted_out {
        let incident = app.engine.reads().view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        if let Some(person) = row.and_then(|row| row.person.as_ref()) {
            app.engine.inbound().opt_out(channel, person, why).await?;
        }
    }
    if let Some(why) = everybody {
        tracing::error!(%channel, why, "a provider accepted a page and then refused it for a reason that is not about its recipient");
    }
    match message {
        Some(message) => Ok(app.engine.inbound().undelivered_message(page, &message, why).await?),
        None => Ok(app.engine.inbound().undelivered(page, why).await?),
    }
}

fn acknowledge(acknowledgement: Acknowledgement) -> Response {
    let Acknowledgement { status, content_type, body } = acknowledgement;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    match content_type {
        Some(content_type) => (status, [(header::CONTENT_TYPE, content_type)], body).into_response(),
        None => status.into_response(),
    }
}

impl From<InboundRefusal> for ProblemDetails {
    fn from(refusal: InboundRefusal) -> Self {
        let status = match &refusal {
            InboundRefusal::NotFound(_) => StatusCode::NOT_FOUND,
            InboundRefusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            InboundRefusal::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            InboundRefusal::Bad(_) => StatusCode::BAD_REQUEST,
            InboundRefusal::NotKept => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refusal.to_string())
    }
}
