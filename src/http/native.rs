//! The native door: `POST /v1/alerts`, one alert or an array.

use super::{
    App, body, credential,
    problem::{Fault, Problem},
};
use crate::{
    core::{Alert, SourceName},
    engine::{Admitted, Fate},
};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;

/// Alerts that one request may carry.
pub const ALERTS_MAX: usize = 1000;

/// How deep evidence may be nested: it is kept within other JSON, and parsers end at 128.
pub const NESTING_MAX: usize = 64;

/// What became of one alert, told to its sender.
#[derive(Debug, Serialize)]
pub struct Told {
    id: String,
    incidents: Vec<crate::core::IncidentId>,
    #[serde(flatten)]
    admitted: Admitted,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// `202` only after the durable commit.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let response = take(&app, request).await;
    let outcome = match &response {
        Ok(_) => "accepted",
        Err(_) => "refused",
    };
    app.engine.metrics.door("native", outcome);
    response.unwrap_or_else(Problem::into_response)
}

async fn take(app: &App, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let source = credential::source(app, &parts.headers)
        .ok_or_else(|| Problem::unauthorized("send the token of a [source] of the matrix: Authorization: Bearer .."))?;
    let bytes = body::whole(body).await?;
    let alerts = parse(&bytes)?;
    let drills = app.engine.live.load().matrix.sources.get(&source).is_some_and(|known| known.drills);
    let told = admit(app, source, alerts, drills).await?;
    Ok((StatusCode::ACCEPTED, Json(serde_json::json!({ "alerts": told }))).into_response())
}

/// Names the alerts, keeps them and says what became of each. Also the way of `stentor fire`.
pub async fn admit(app: &App, source: SourceName, mut alerts: Vec<Alert>, drills: bool) -> Result<Vec<Told>, Problem> {
    let received_at = app.engine.store.now();
    if !drills && alerts.iter().any(|alert| alert.drill) {
        let detail = format!("source {source} may not send drills: set drills = true in its [source.{source}]");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    for alert in &mut alerts {
        alert.source = source.clone();
        alert.id = format!("ALT-{:016x}", rand::random::<u64>());
        alert.lease_until = None;
    }
    let heads: Vec<(String, Vec<String>)> = alerts.iter().map(|alert| (alert.id.clone(), warnings(alert))).collect();
    let admitted = app.engine.admit(alerts, received_at).await?;
    let told = heads.into_iter().zip(admitted).map(|((id, warnings), admitted)| {
        let incidents = admitted.fates.iter().filter_map(incident_of).collect();
        Told { id, incidents, admitted, warnings }
    });
    Ok(told.collect())
}

fn incident_of(fate: &Fate) -> Option<crate::core::IncidentId> {
    match fate {
        Fate::Opened { incident } | Fate::Joined { incident } | Fate::Cleared { incident } => Some(*incident),
        Fate::ConditionFailed { incident, .. } => *incident,
        Fate::Held { .. } | Fate::Over { .. } | Fate::DrillRefused { .. } | Fate::Unmatched => None,
    }
}

fn warnings(alert: &Alert) -> Vec<String> {
    let unknown = alert.unknown.keys().map(|name| format!("the field {name:?} is not known; it is kept"));
    let unsure = !(0.0..=1.0).contains(&alert.confidence);
    unknown.chain(unsure.then(|| "confidence is not between 0 and 1".to_owned())).collect()
}

/// One alert or an array of them; every fault at once.
fn parse(bytes: &[u8]) -> Result<Vec<Alert>, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Problem::bad(format!("the body is not UTF-8: byte {} is wrong", error.valid_up_to())))?;
    let start = text.trim_start();
    if start.starts_with('{') {
        let alert = serde_json::from_str(start).map_err(|error| Problem::bad(told(&error)))?;
        return checked(vec![alert]);
    }
    if let Ok(alerts) = serde_json::from_str::<Vec<Alert>>(start) {
        return checked(alerts);
    }
    let raw: Vec<&serde_json::value::RawValue> = serde_json::from_str(start)
        .map_err(|error| Problem::bad(format!("the body must be one alert or an array of them: {}", told(&error))))?;
    let faults = raw.iter().enumerate().filter_map(|(index, raw)| {
        let error = serde_json::from_str::<Alert>(raw.get()).err()?;
        Some(Fault { index, detail: told(&error) })
    });
    Err(Problem::bad("nothing was kept: some alerts are not understood").with(faults.collect()))
}

fn checked(alerts: Vec<Alert>) -> Result<Vec<Alert>, Problem> {
    if ALERTS_MAX < alerts.len() {
        return Err(Problem::bad(format!("more than {ALERTS_MAX} alerts in one request")));
    }
    let faults: Vec<Fault> = alerts
        .iter()
        .enumerate()
        .filter_map(|(index, alert)| fault(alert).map(|detail| Fault { index, detail }))
        .collect();
    let rule = "nothing was kept: an alert needs a kind, and no field of it may be nested too deep";
    if faults.is_empty() { Ok(alerts) } else { Err(Problem::bad(rule).with(faults)) }
}

fn fault(alert: &Alert) -> Option<String> {
    if alert.kind.trim().is_empty() {
        return Some("`kind` is empty: it says which triggers look at the alert".into());
    }
    let mut open = alert.unknown.values().chain([&alert.evidence]);
    let deep = open.any(|value| NESTING_MAX < depth(value));
    deep.then(|| format!("it is nested deeper than {NESTING_MAX} levels: it could not be read back"))
}

/// How deep a value is nested. It was parsed, so that its depth is bounded already.
fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn told(error: &serde_json::Error) -> String {
    format!("{error}; an alert is {{\"kind\": \"price_velocity\", \"values\": {{\"drop_pct\": 6.2}}, ..}}")
}
