//! What Twilio hands over: texts from phones, and what became of ours. Signed, answered in its XML, and answered the
//! same when it comes twice.

use super::{
    AppState, body,
    problem::ProblemDetails,
    sms::{self, InboundText, OptOutWish},
};
use crate::{
    channel::twilio::{
        code::{self, CodeClass},
        signature::{self, FormFields},
        twiml,
    },
    core::{ChannelName, PageId, page::PageStage},
    matrix::ChannelKind,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::{StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The longest form that is read, in bytes: an SMS of 1,600 characters with all that Twilio says about it is a tenth.
const FORM_MAX: usize = 64 * 1024;

/// Requests whose answer is remembered.
const ANSWERED_MAX: usize = 4096;

/// Requests by what Twilio has signed of them (its header with a token of the attempt is not signed, so it proves
/// nothing), with what was answered; none while that is being found out.
#[derive(Debug, Default)]
pub struct HandledRequests(Mutex<RequestMemory>);

#[derive(Debug, Default)]
struct RequestMemory {
    answers: HashMap<String, Option<String>>,
    order: VecDeque<String>,
}

/// A request that has come for the first time. Dropped without an answer it is forgotten: the next try is the first.
struct FirstRequest<'a> {
    answered: &'a HandledRequests,
    key: String,
    done: bool,
}

/// Which page a report is about, and the proof that it is ours to report on.
#[derive(Debug, Deserialize)]
pub struct ReportQuery {
    page: String,
    token: String,
}

/// `POST /hooks/twilio/{channel}`: a text from a phone.
pub async fn inbound(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let fields = signed(&app, &channel, crate::channel::twilio::KIND, request).await?;
    let sid = field(&fields, "MessageSid");
    let word = app.answered.once(sid.to_owned(), async || {
        let channel = ChannelName::from(channel.as_str());
        let (from, text) = (field(&fields, "From"), field(&fields, "Body"));
        let wish = wish(field(&fields, "OptOutType"));
        sms::take(&app, InboundText { channel, from, text, wish }).await
    });
    Ok(xml(twiml::reply(&word.await?)))
}

/// `POST /hooks/twilio/{channel}/report`: what became of a message. Reports come doubled, late and out of order; the
/// core lets none of them undo what is known better.
pub async fn report(
    State(app): State<Arc<AppState>>,
    Path(channel): Path<String>,
    Query(about): Query<ReportQuery>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let fields = signed(&app, &channel, crate::channel::twilio::KIND, request).await?;
    let page = about.page(&app).await?;
    match field(&fields, "MessageStatus") {
        "delivered" => app.engine.report(page, PageStage::Delivered).await?,
        "read" => app.engine.report(page, PageStage::Seen).await?,
        "undelivered" | "failed" | "canceled" => failed(&app, &channel, page, &fields).await?,
        // Queued, sending, sent: on its way.
        _ => {}
    }
    Ok(xml(twiml::nothing()))
}

async fn failed(app: &AppState, channel: &str, page: PageId, fields: &FormFields) -> Result<(), ProblemDetails> {
    let code = field(fields, "ErrorCode").parse().ok();
    match code.and_then(code::known) {
        Some((CodeClass::OptedOut, why)) => {
            let incident = app.engine.store.view(page.incident).await?;
            let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
            if let Some(person) = row.and_then(|row| row.person.as_ref()) {
                app.engine.opt_out(&ChannelName::from(channel), person, why).await?;
            }
        }
        Some((CodeClass::Everybody, why)) => {
            tracing::error!(
                channel,
                code,
                why,
                "Twilio had taken a page and refuses it for a reason that is not its reader's"
            );
        }
        _ => {}
    }
    Ok(app.engine.undelivered_message(page, field(fields, "MessageSid"), code::why(code)).await?)
}

impl ReportQuery {
    /// The page, where the token is its own.
    pub async fn page(&self, app: &AppState) -> Result<PageId, ProblemDetails> {
        let page: PageId = self.page.parse().map_err(|()| ProblemDetails::not_found("no such page"))?;
        if app.engine.is_report_token(page, &self.token).await? {
            return Ok(page);
        }
        Err(ProblemDetails::unauthorized("the token is not this page's"))
    }
}

/// The form of a request that Twilio has signed for this channel, over our public address: what a proxy makes of hosts
/// and ports on the way does not matter.
pub async fn signed(
    app: &AppState,
    channel: &str,
    kind: ChannelKind,
    request: Request,
) -> Result<FormFields, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let live = app.engine.live.load_full();
    let wired = live.channels.get(&ChannelName::from(channel));
    let wired = wired.filter(|wired| wired.kind == kind && !wired.inbound.is_empty());
    let wired = wired.ok_or_else(|| {
        ProblemDetails::not_found(format!("no {kind} channel {channel:?} with a token is in the matrix"))
    })?;
    // Nothing is read for those who do not even claim to be Twilio.
    let given = signature_of(&parts).ok_or_else(|| ProblemDetails::unauthorized("this is not signed"))?;
    let bytes = body::whole(body).await?;
    if FORM_MAX < bytes.len() {
        return Err(ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, "no request of Twilio's is so large"));
    }
    let fields = signature::fields(&bytes).ok_or_else(|| ProblemDetails::bad("the body is no form"))?;
    let address = address(app, &parts.uri);
    if signature::is_signed(&wired.inbound, &address, &fields, given) {
        return Ok(fields);
    }
    tracing::warn!(
        channel,
        "a request that Twilio has not signed was refused: is daemon.public_url what Twilio calls?"
    );
    Err(ProblemDetails::unauthorized("this is not signed by Twilio for this address"))
}

/// Where Twilio has called us, as it knows it: our public address, whatever a proxy made of it.
pub fn address(app: &AppState, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", app.engine.public_url())
}

/// A header that is there twice is as good as none.
fn signature_of(parts: &Parts) -> Option<&str> {
    let mut given = parts.headers.get_all("x-twilio-signature").iter();
    given.next().filter(|_| given.next().is_none())?.to_str().ok()
}

/// A field's first value; empty where it is not there.
pub fn field<'a>(fields: &'a FormFields, name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// A document in the one type that is not sent to the person as a text.
pub fn xml(document: String) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, twiml::CONTENT_TYPE)], document).into_response()
}

fn wish(kind: &str) -> Option<OptOutWish> {
    match kind {
        "STOP" => Some(OptOutWish::Stop),
        "START" => Some(OptOutWish::Start),
        "HELP" => Some(OptOutWish::Help),
        _ => None,
    }
}

impl HandledRequests {
    /// What was answered to this request; found out by `answer` where it is the first. One that comes while the first
    /// is still being answered is to come again: what is not durable yet is not acknowledged.
    pub async fn once(
        &self,
        key: String,
        answer: impl AsyncFnOnce() -> Result<String, ProblemDetails>,
    ) -> Result<String, ProblemDetails> {
        if key.is_empty() {
            return answer().await;
        }
        if let Some(known) = self.begin(&key) {
            let busy = || ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "this very request is being answered");
            return known.ok_or_else(busy);
        }
        let mut turn = FirstRequest { answered: self, key, done: false };
        let word = answer().await?;
        turn.done = true;
        self.memory().answers.insert(turn.key.clone(), Some(word.clone()));
        Ok(word)
    }

    /// Notes a request; what is known of it, where it is not the first.
    fn begin(&self, key: &str) -> Option<Option<String>> {
        let mut memory = self.memory();
        if let Some(known) = memory.answers.get(key) {
            return Some(known.clone());
        }
        if ANSWERED_MAX <= memory.order.len()
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.answers.remove(&oldest);
        }
        memory.order.push_back(key.to_owned());
        memory.answers.insert(key.to_owned(), None);
        None
    }

    fn memory(&self) -> MutexGuard<'_, RequestMemory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FirstRequest<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut memory = self.answered.memory();
            memory.answers.remove(&self.key);
            memory.order.retain(|key| *key != self.key);
        }
    }
}
