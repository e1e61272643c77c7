//! Reads request bodies with limits for size and time: the one reader of what comes over TCP. Who calls it has looked at the credential
//! first, where the head has one; what strangers can make us hold has a small share of its own.

use super::{
    body_budget::{BodyBudget, BodySender, BodyShare},
    problem::ProblemDetails,
};
use crate::{
    channel::charset,
    core::{ChannelName, SourceName},
};
use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
    http::{StatusCode, header},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::timeout;

/// The largest batch of alerts that is read, in bytes: a crisis reports much at once, and only sources of the matrix come
/// so far.
pub const ALERTS_MAX: usize = 16 * 1024 * 1024;

/// The largest body that the control socket reads, in bytes.
pub const CONTROL_MAX: usize = 1024 * 1024;

/// The largest word of a desk or of a mail's link, in bytes.
pub const PRESS_MAX: usize = 16 * 1024;

/// Of a body that is refused the rest is read and thrown away, so that its sender can read why: up to so many times what is
/// taken. Most clients read nothing before they have sent everything.
const DRAINED_TIMES: usize = 4;

/// How long the rest of such a body is waited for when nothing comes.
const DRAIN_PAUSE_MAX: Duration = Duration::from_millis(300);

/// How long a body may take to arrive.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// What all bodies that are being read may hold.
static BUDGET: BodyBudget = BodyBudget::new();

/// Reads a whole body of at most `max` bytes that a person sends, whose credential was seen, or the control socket.
///
/// # Errors
/// `413` beyond the limit (the sender can read it, unless the body is several times as large), `408` after [`BODY_TIME_MAX`], `400` if it broke off, `503` where all bodies that are being read
/// hold as much as they may.
pub async fn whole(body: Body, max: usize) -> Result<Bytes, ProblemDetails> {
    read(body, max, BUDGET.share(BodySender::Person)).await
}

/// Reads a whole body of a source. No source may hold so much that the others are refused.
///
/// # Errors
/// As [`whole`].
pub async fn of_source(body: Body, max: usize, source: &SourceName) -> Result<Bytes, ProblemDetails> {
    read(body, max, BUDGET.share(BodySender::Source(source.to_string()))).await
}

/// Reads a whole body before anybody knows who sends it: its credential is in it, or of it. Such bodies take nothing of what is
/// for people, and for sources whose credential was seen. `who` it is said to be from has a share of its own: it must be a name
/// of the matrix, or of a format.
///
/// # Errors
/// As [`whole`].
pub async fn unproven(body: Body, max: usize, who: &str) -> Result<Bytes, ProblemDetails> {
    read(body, max, BUDGET.share(BodySender::Unproven(who.to_owned()))).await
}

/// The same for what the provider of a channel calls back; all channels that are not there are one.
///
/// # Errors
/// As [`whole`].
pub async fn of_provider(body: Body, max: usize, channel: Option<&ChannelName>) -> Result<Bytes, ProblemDetails> {
    let channel = channel.map(ToString::to_string).unwrap_or_default();
    read(body, max, BUDGET.share(BodySender::Provider(channel))).await
}

/// What is held is given back with the last of the bytes.
async fn read(body: Body, max: usize, mut share: BodyShare) -> Result<Bytes, ProblemDetails> {
    let drained_max = max.saturating_mul(DRAINED_TIMES);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if drained_max < announced {
        return Err(large(max));
    }
    let collect = async {
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| ProblemDetails::bad(format!("the body did not arrive whole: {error}")))?;
            let fits = share.len() + part.len() <= max;
            if let Err(problem) = if fits { share.push(&part) } else { Err(large(max)) } {
                return Ok(Err((problem, parts)));
            }
        }
        Ok(Ok(Bytes::from_owner(share)))
    };
    let late = || ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, "the body took longer than 10 s to arrive");
    match timeout(BODY_TIME_MAX, collect).await.unwrap_or_else(|_| Err(late()))? {
        Ok(bytes) => Ok(bytes),
        Err((problem, rest)) => {
            // Whether all of it came in time or not, this is what is said.
            let _ = timeout(BODY_TIME_MAX, drain(rest, drained_max)).await;
            Err(problem)
        }
    }
}

fn large(max: usize) -> ProblemDetails {
    let why = format!("the body is larger than the {max} bytes that are taken in one request: send less in each");
    ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, why)
}

async fn drain(mut parts: BodyDataStream, most: usize) {
    let mut drained = 0;
    while drained <= most
        && let Ok(Some(Ok(part))) = timeout(DRAIN_PAUSE_MAX, parts.next()).await
    {
        drained += part.len();
    }
}

/// Reads a body of JSON.
///
/// # Errors
/// As [`whole`]; `415` if its media type is not JSON, `400` if it is not JSON, `422` if it is other JSON than expected.
pub async fn json<T: DeserializeOwned>(request: Request, max: usize) -> Result<T, ProblemDetails> {
    media(&request, "application/json")?;
    let bytes = whole(request.into_body(), max).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        ProblemDetails::new(status, format!("the body is not what is asked for: {error}"))
    })
}

/// Reads a form whole; [`FormFields::get`] says what is in it.
///
/// # Errors
/// As [`whole`]; `415` where it is not said to be a form.
pub async fn form(request: Request, max: usize) -> Result<FormFields, ProblemDetails> {
    media(&request, "application/x-www-form-urlencoded")?;
    whole(request.into_body(), max).await.map(FormFields)
}

/// The fields of a form.
pub struct FormFields(Bytes);

impl FormFields {
    /// A field that must be there.
    ///
    /// # Errors
    /// `422` if it is not.
    pub fn demand(&self, name: &str) -> Result<String, ProblemDetails> {
        let value = charset::field(&self.0, name).ok_or_else(|| {
            ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the form has no field `{name}`"))
        })?;
        Ok(String::from_utf8_lossy(&value).into_owned())
    }

    /// A field; empty if it is not there.
    pub fn get(&self, name: &str) -> String {
        charset::field(&self.0, name).map_or_else(String::new, |value| String::from_utf8_lossy(&value).into_owned())
    }
}

fn media(request: &Request, wanted: &str) -> Result<(), ProblemDetails> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send `Content-Type: {wanted}`")))
}
