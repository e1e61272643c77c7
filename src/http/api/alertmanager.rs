//! Alertmanager's API, so that a Prometheus only needs a new address and a credential. The responses are
//! those of Alertmanager 0.25, with these exceptions: a store that can not write is a `503`, so that the sender knows;
//! label names may be any UTF-8, as from 0.27 on; an element that can not be read costs no other, and a number is taken
//! where a text is expected. What is shown of alerts is in `shown_alerts.rs`.

use super::{
    alerts::ALERTS_MAX,
    annotations,
    items::{self, BodyItems},
    parsing::parsed,
    quota,
};
use crate::{
    channel::retry_after,
    core::{Alert, AlertStatus, SourceName, Timestamp, printable::excerpt, time::ForeignTime},
    http::{body, credential, openapi::Operation, problem::ProblemDetails, refusal_log, state::AppState},
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};

/// `POST /api/v2/alerts`: a JSON array. Valid alerts of a batch are kept even if others are refused.
pub async fn post(State(app): State<Arc<AppState>>, request: Request) -> Response {
    let speaker = credential::source(&app, request.headers());
    let response = match take(&app, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let outcome = if response.status().is_success() { "accepted" } else { "refused" };
    app.engine.metrics().alert_request("alertmanager", outcome);
    app.engine.admission().heard(speaker, response.status().as_u16());
    response
}

/// `GET /api/v2/status` in the API's document.
pub fn status_operation() -> Operation {
    Operation::get("getAlertmanagerStatus", status)
        .about(
            "What clients of Alertmanager ask first",
            "It says nothing of the matrix: the configuration is a fixed text.",
        )
        .answer::<Map<String, Value>>(StatusCode::OK, "As Alertmanager's.")
}

/// `GET /api/v2/status`: some clients read it before they send alerts.
pub async fn status(State(app): State<Arc<AppState>>) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let uptime = app.started_at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    Json(json!({
        "cluster": { "status": "disabled", "peers": [] },
        "versionInfo": {
            "version": version, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
        },
        "config": { "original": "route: {receiver: stentor}\nreceivers: [{name: stentor}]\n" },
        "uptime": uptime,
    }))
    .into_response()
}

/// `OK`, for `/-/healthy` and `/-/ready`.
pub async fn ok() -> &'static str {
    "OK"
}

/// Alertmanager's response for unknown paths. Its clients read `message`.
pub async fn nowhere(uri: axum::http::Uri) -> Response {
    framework(StatusCode::NOT_FOUND, 404, format!("path {} was not found", uri.path())).into_response()
}

/// Alertmanager's response for any other method.
pub async fn wrong_method(method: axum::http::Method) -> Response {
    let message = format!("method {method} is not allowed, but [POST,GET] are");
    let mut response = framework(StatusCode::METHOD_NOT_ALLOWED, 405, message).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST,GET"));
    response
}

async fn take(app: &AppState, request: Request) -> Result<(), AlertRefusal> {
    let (parts, body) = request.into_parts();
    let source = credential::sender(app, &parts.headers).ok_or_else(|| {
        let message = "no source of the matrix has this credential".to_owned();
        framework(StatusCode::UNAUTHORIZED, 401, message)
    })?;
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|message| framework(StatusCode::FORBIDDEN, 403, message))?;
    let bytes = body::of_source(body, body::ALERTS_MAX, &source).await?;
    if !bytes.is_empty() {
        media_type(&parts.headers)?;
    }
    // The sender's times are wall clock times and are compared with our wall clock; ladders use their own time.
    let (now, wall) = (app.engine.now(), app.wall());
    let there = parts.headers.get(header::DATE).and_then(|value| retry_after::http_date(value.to_str().ok()?));
    let there = there.map(|there| Timestamp::nearest(&there.and_utc()));
    let (mut alerts, mut refused) = (Vec::new(), Vec::new());
    let own = source.clone();
    for read in parsed(bytes, move |bytes| read(bytes, &own, wall)).await?? {
        match read {
            Ok((mut alert, ends_at)) => {
                app.engine.admission().look_at_clock(&alert, ends_at, wall, there);
                // An end beyond all that can be kept is no time that could differ between clocks.
                let ends = |until: Timestamp| if until == Timestamp::MAX { until } else { now + until.since(wall) };
                alert.lease_until = alert.lease_until.map(ends);
                alerts.push(alert);
            }
            Err(why) => refused.push(why),
        }
    }
    let (mut wrong, sent) = (refused.len(), refused.len() + alerts.len());
    if !alerts.is_empty() {
        let admitted = app.engine.admission().admit(alerts, now).await.map_err(|error| {
            refusal_log::store(&error);
            said(StatusCode::SERVICE_UNAVAILABLE, format!("nothing was kept, send it again: {error}"))
        })?;
        let over = admitted.iter().filter(|admitted| admitted.is_over_quota()).count();
        refused.extend((over != 0).then(|| quota::over(app, &source, over, admitted.len()).into()));
        let over = admitted.iter().filter(|admitted| admitted.is_over_cost()).count();
        refused.extend((over != 0).then(|| quota::over_cost(over, admitted.len()).into()));
        let unkept = admitted.iter().filter_map(|admitted| admitted.refused());
        let unkept: Vec<_> = unkept.map(|why| said(StatusCode::BAD_REQUEST, why.to_owned())).collect();
        wrong += unkept.len();
        refused.extend(unkept);
    }
    refusal_log::elements(&source, "alertmanager", wrong, sent);
    // One answer for all: what must be sent again goes before what can not be read, that before what is missing, and that
    // before what is wrong.
    refused.into_iter().min_by_key(|refused| refused.rank()).map_or(Ok(()), Err)
}

fn media_type(headers: &HeaderMap) -> Result<(), AlertRefusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("unsupported media type {value:?}, only [application/json] are allowed");
    Err(framework(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, message))
}

/// An element that could be parsed; whether it is complete is checked after all of them are parsed.
struct AlertElement {
    labels: Option<BTreeMap<String, String>>,
    annotations: BTreeMap<String, String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    generator: String,
}

/// The kind of an alert without an `alertname`.
pub(super) const UNNAMED: &str = "unnamed";

/// An alert, and when it ends.
type SentAlert = (Alert, Option<Timestamp>);

/// Each element of the body, by itself; at most [`ALERTS_MAX`], and one error says how many were not read. Times in the
/// alerts are the sender's wall clock, with which `now` is compared.
///
/// # Errors
/// If there is no array.
pub fn read(
    bytes: &[u8],
    source: &SourceName,
    now: Timestamp,
) -> Result<Vec<Result<SentAlert, AlertRefusal>>, AlertRefusal> {
    if bytes.trim_ascii().is_empty() {
        return Err(framework(StatusCode::UNPROCESSABLE_ENTITY, 602, "alerts in body is required".into()));
    }
    // Like Alertmanager's, the decoder takes the first value, whatever follows.
    let body = BodyItems::of(bytes).filter(|body| body.in_array);
    let body = body.ok_or_else(|| unparsable("it is not an array of alerts"))?;
    let read = body.items.iter().take(ALERTS_MAX).enumerate().map(|(index, item)| {
        items::within(item).map_err(|why| said(StatusCode::BAD_REQUEST, why))?;
        let element = element(&items::mended(item).0)?;
        validate(index, &element)?;
        let ends_at = element.ends_at;
        alert(element, source, now).map(|alert| (alert, ends_at)).map_err(|why| said(StatusCode::BAD_REQUEST, why))
    });
    let mut read: Vec<_> = read.collect();
    if !body.closed {
        let bytes = body.items.last().map_or(0, |item| item.len());
        let why = match read.last() {
            Some(Err(_)) if body.items.len() == read.len() => {
                items::unread("the array has no end", read.len() - 1, bytes)
            }
            _ => "the array has no end".to_owned(),
        };
        read.pop_if(|last: &mut Result<_, _>| last.is_err());
        read.push(Err(unparsable(&why)));
    }
    let late = body.items.len().saturating_sub(ALERTS_MAX);
    let late = (0 < late).then(|| {
        let why = format!("{late} more than {ALERTS_MAX} alerts in one request: send these again");
        Err(said(StatusCode::BAD_REQUEST, why))
    });
    read.extend(late);
    Ok(read)
}

fn element(json: &str) -> Result<AlertElement, AlertRefusal> {
    let fields = items::fields(json).map_err(|error| unparsable(&error.to_string()))?;
    // Alertmanager's decoder does not look at the case of keys, and takes the last of two.
    let fields: BTreeMap<String, &RawValue> =
        fields.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect();
    let generator = match fields.get("generatorurl").map(|value| value.get()) {
        None | Some("null") => String::new(),
        Some(url) => serde_json::from_str(url).map_err(|_| unparsable("generatorURL is not a string"))?,
    };
    let texts = |name: &str| {
        let read = fields.get(name).map_or(Ok(None), |value| items::texts(value));
        read.map_err(|error| unparsable(&format!("{name}: {error}")))
    };
    Ok(AlertElement {
        labels: texts("labels")?,
        annotations: texts("annotations")?.unwrap_or_default(),
        // A start time that is out of range (`datetime.max`) means that the monitor does not know it.
        starts_at: time("startsAt", fields.get("startsat"))?.and_then(ForeignTime::at),
        // An end that is out of range is set to the limit: the alert is firing until the monitor says otherwise.
        ends_at: time("endsAt", fields.get("endsat"))?.map(ForeignTime::nearest),
        generator,
    })
}

fn validate(index: usize, element: &AlertElement) -> Result<(), AlertRefusal> {
    if element.labels.is_none() {
        let message = format!("{index}.labels in body is required");
        return Err(framework(StatusCode::UNPROCESSABLE_ENTITY, 602, message));
    }
    let url = &element.generator;
    if !url.is_empty() && url.parse::<axum::http::Uri>().map_or(true, |uri| uri.scheme().is_none()) {
        let message = format!("{index}.generatorURL in body must be of type uri: {url:?}");
        return Err(framework(StatusCode::UNPROCESSABLE_ENTITY, 601, message));
    }
    Ok(())
}

/// One of the times of an element. A time that is out of range never makes us refuse the alert.
fn time(name: &str, value: Option<&&RawValue>) -> Result<Option<ForeignTime>, AlertRefusal> {
    let written = value.map_or("null", |value| value.get());
    let written: Option<String> =
        serde_json::from_str(written).map_err(|_| unparsable(&format!("{name} is not a string")))?;
    match written {
        None => Ok(None),
        // The forms that Alertmanager accepts: there, nothing is the epoch.
        Some(text) if text.is_empty() => Ok(Some(ForeignTime::At(Timestamp::default()))),
        Some(text) => {
            let read =
                ForeignTime::read(&text).ok_or_else(|| unparsable(&format!("{name}: {text:?} is not a time")))?;
            Ok(Some(read).filter(|time| !time.is_unset()))
        }
    }
}

/// Converts one element to an alert; the error is Alertmanager's message.
fn alert(element: AlertElement, source: &SourceName, now: Timestamp) -> Result<Alert, String> {
    let labels: BTreeMap<String, String> =
        element.labels.into_iter().flatten().filter(|(_, value)| !value.is_empty()).collect();
    if labels.is_empty() {
        return Err("at least one label pair required".into());
    }
    if labels.contains_key("") {
        return Err("invalid label set: invalid name \"\"".into());
    }
    // Without a start time, a resolved alert started at its end, and a firing one by now.
    let began_by = element.ends_at.map_or(now, |ends_at| ends_at.min(now));
    let starts_at = element.starts_at.unwrap_or(began_by);
    if element.ends_at.is_some_and(|ends_at| ends_at < starts_at) {
        return Err("start time must be before end time".into());
    }
    let ended = element.ends_at.is_some_and(|ends_at| ends_at <= now);
    let kind = labels.get("alertname").cloned().unwrap_or_else(|| UNNAMED.into());
    let mut alert = Alert::new(source.clone(), kind);
    alert.id = format!("ALT-{:016x}", rand::random::<u64>());
    alert.status = if ended { AlertStatus::Resolved } else { AlertStatus::Firing };
    alert.lease_until = element.ends_at.filter(|_| !ended);
    alert.starts_at = Some(starts_at);
    alert.summary = annotations::summary(&element.annotations);
    alert.values = annotations::values(source, &element.annotations);
    if !element.generator.is_empty() {
        alert.evidence = json!({ "generatorURL": element.generator });
    }
    (alert.labels, alert.annotations) = (labels, element.annotations);
    Ok(alert)
}

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

fn unparsable(why: &str) -> AlertRefusal {
    let why = excerpt(why, FAULT_MAX);
    let message = format!("parsing alerts body from \"\" failed, because {why}");
    framework(StatusCode::BAD_REQUEST, 400, message)
}

/// Alertmanager has two formats of errors: an object for malformed requests, ..
pub(super) fn framework(status: StatusCode, code: u16, message: String) -> AlertRefusal {
    AlertRefusal { status, body: json!({ "code": code, "message": message }), retry_after: None }
}

/// .. and plain text for invalid content.
pub(super) fn said(status: StatusCode, message: String) -> AlertRefusal {
    AlertRefusal { status, body: Value::String(message), retry_after: None }
}

/// Why a body or one element is refused, as Alertmanager says it.
#[derive(Debug)]
pub struct AlertRefusal {
    status: StatusCode,
    body: Value,
    /// In seconds.
    retry_after: Option<u64>,
}

impl AlertRefusal {
    fn rank(&self) -> u8 {
        match (self.status, &self.body) {
            (StatusCode::TOO_MANY_REQUESTS, _) => 0,
            (StatusCode::BAD_REQUEST, Value::Object(_)) => 1,
            (StatusCode::UNPROCESSABLE_ENTITY, _) => 2,
            _ => 3,
        }
    }
}

impl From<ProblemDetails> for AlertRefusal {
    fn from(problem: ProblemDetails) -> Self {
        let status = problem.status();
        let refusal = framework(status, status.as_u16(), problem.detail().to_owned());
        Self { retry_after: problem.retry_after(), ..refusal }
    }
}

impl IntoResponse for AlertRefusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"stentor\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
