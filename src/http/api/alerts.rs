//! The native API: `POST /v1/alerts`, one alert or an array.

use super::{
    items::{self, BodyItems},
    parsing::parsed,
    quota,
};
use crate::{
    core::{Alert, SourceName, printable::excerpt},
    engine::{AdmissionResult, AdmittedAlert},
    http::{
        body, credential,
        problem::{BodyFault, ProblemDetails},
        state::AppState,
    },
    matrix::SourceScope,
    text::quantity,
};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use std::sync::Arc;

/// The largest number of alerts in one request; the others are refused together.
pub const ALERTS_MAX: usize = 10_000;

/// The most characters of a name or of a fault that are told back to the sender.
const QUOTE_MAX: usize = 80;
const FAULT_MAX: usize = 300;

/// The result for one alert, sent to its sender.
#[derive(Debug, Serialize)]
pub struct AlertResult {
    /// The id that it was given; `None` if it is not a valid alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The result as an HTTP status: 202 if it is durable, 400 if it was refused, 429 if it must be sent again because its
    /// source may not open more incidents now.
    status: u16,
    incidents: Vec<crate::core::IncidentId>,
    #[serde(flatten)]
    admitted: AdmittedAlert,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A parsed alert, with warnings for its sender.
pub struct ReadAlert {
    alert: Alert,
    warnings: Vec<String>,
}

impl ReadAlert {
    /// The alert, without what the door gives it: id and source.
    pub fn alert(&self) -> &Alert {
        &self.alert
    }

    /// With one more warning.
    #[must_use]
    pub fn warn(mut self, warning: String) -> Self {
        self.warnings.push(warning);
        self
    }

    /// What its sender is told though it is kept.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// `POST /v1/alerts`. The response is `202` only after the durable commit.
pub async fn post(State(app): State<Arc<AppState>>, request: Request) -> Response {
    let response = take(&app, request).await;
    let outcome = match &response {
        Ok(_) => "accepted",
        Err(_) => "refused",
    };
    app.engine.metrics().alert_request("native", outcome);
    response.unwrap_or_else(ProblemDetails::into_response)
}

async fn take(app: &AppState, request: Request) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let source = credential::sender(app, &parts.headers).ok_or_else(|| {
        ProblemDetails::unauthorized("send the token of a [source] of the matrix: Authorization: Bearer ..")
    })?;
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))?;
    let bytes = body::of_source(body, body::ALERTS_MAX, &source).await?;
    let read = parsed(bytes, parse).await??;
    let drills = app.engine.config().matrix.sources.get(&source).is_some_and(|known| known.drills);
    let results = admit(app, source.clone(), read, drills).await?;
    match results.iter().filter(|result| result.admitted.is_over_quota()).count() {
        0 => answer(results),
        refused => Err(quota::over(app, &source, refused, results.len()).with_alerts(serde_json::json!(results))),
    }
}

/// `202` if all are kept, `207` with a status for each if some are, a problem if none is.
pub fn answer(results: Vec<AlertResult>) -> Result<Response, ProblemDetails> {
    let refused =
        || results.iter().enumerate().filter_map(|(index, results)| Some((index, results.admitted.refused()?)));
    let status = match refused().count() {
        0 => StatusCode::ACCEPTED,
        some if some < results.len() => StatusCode::MULTI_STATUS,
        _ => {
            let faults: Vec<BodyFault> =
                refused().map(|(index, why)| BodyFault { index, detail: why.to_owned() }).collect();
            let detail = match &faults[..] {
                [only] => only.detail.clone(),
                _ => "nothing was kept: none of these alerts is understood".to_owned(),
            };
            return Err(ProblemDetails::bad(detail).with(faults));
        }
    };
    Ok((status, Json(serde_json::json!({ "alerts": results }))).into_response())
}

/// Gives the alerts ids, commits them and returns a result for each; if one can not be kept, only that one is refused.
/// `stentor fire` uses it too.
pub async fn admit(
    app: &AppState,
    source: SourceName,
    read: Vec<Result<ReadAlert, String>>,
    drills: bool,
) -> Result<Vec<AlertResult>, ProblemDetails> {
    let received_at = app.engine.now();
    if !drills && read.iter().flatten().any(|read| read.alert.drill) {
        let detail = format!("source {source} may not send drills: set drills = true in its [source.{source}]");
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail));
    }
    let (mut alerts, mut heads) = (Vec::new(), Vec::new());
    for read in read {
        heads.push(read.map(|ReadAlert { mut alert, warnings }| {
            alert.source = source.clone();
            alert.id = format!("ALT-{:016x}", rand::random::<u64>());
            alert.lease_until = None;
            let id = alert.id.clone();
            alerts.push(alert);
            (id, warnings)
        }));
    }
    // If there is nothing to keep, the store is not called.
    let admitted =
        if alerts.is_empty() { Vec::new() } else { app.engine.admission().admit(alerts, received_at).await? };
    let mut admitted = admitted.into_iter();
    let results = heads.into_iter().map(|head| match head {
        Ok((id, warnings)) => {
            AlertResult::new(Some(id), admitted.next().unwrap_or(AdmittedAlert { results: Vec::new() }), warnings)
        }
        Err(why) => {
            AlertResult::new(None, AdmittedAlert { results: vec![AdmissionResult::Refused { why }] }, Vec::new())
        }
    });
    Ok(results.collect())
}

impl AlertResult {
    fn new(id: Option<String>, admitted: AdmittedAlert, warnings: Vec<String>) -> Self {
        let incidents = admitted.results.iter().filter_map(incident_of).collect();
        let status = match admitted.refused() {
            Some(_) => StatusCode::BAD_REQUEST,
            None if admitted.is_over_quota() => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::ACCEPTED,
        };
        Self { id, status: status.as_u16(), incidents, admitted, warnings }
    }
}

fn incident_of(result: &AdmissionResult) -> Option<crate::core::IncidentId> {
    match result {
        AdmissionResult::Opened { incident }
        | AdmissionResult::Joined { incident }
        | AdmissionResult::Overflowed { incident }
        | AdmissionResult::Cleared { incident } => Some(*incident),
        AdmissionResult::ConditionFailed { incident, .. } => *incident,
        AdmissionResult::Held { .. }
        | AdmissionResult::Over { .. }
        | AdmissionResult::DrillRefused { .. }
        | AdmissionResult::OverQuota { .. }
        | AdmissionResult::Unmatched
        | AdmissionResult::Refused { .. } => None,
    }
}

/// One alert or an array of them, or several of those one after the other (as JSON lines), each alert by itself. At most
/// [`ALERTS_MAX`] are read, and one error says how many were not.
///
/// # Errors
/// A `400` if the body begins as neither.
pub fn parse(bytes: &[u8]) -> Result<Vec<Result<ReadAlert, String>>, ProblemDetails> {
    let mut parsed = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() || parsed.is_empty() {
        let Some(body) = BodyItems::of(rest) else {
            if parsed.is_empty() {
                return Err(ProblemDetails::bad("the body must be one alert or an array of them".to_owned()));
            }
            parsed.push(Err("trailing characters: what follows the alerts is not an alert".to_owned()));
            break;
        };
        // Beyond the limit nothing is read: one item says so for all.
        let room = ALERTS_MAX.saturating_sub(parsed.len());
        parsed.extend(body.items.iter().take(room).map(|item| read(item)));
        if room < body.items.len() {
            let late = body.items.len() - room;
            parsed.push(Err(format!("{late} more than {ALERTS_MAX} alerts in one request: send these again")));
            break;
        }
        if !body.closed {
            let bytes = body.items.last().map_or(0, |item| item.len());
            let index = parsed.len().saturating_sub(1);
            match parsed.last_mut() {
                Some(Err(why)) if !body.items.is_empty() => *why = items::unread(why, index, bytes),
                _ => parsed.push(Err("EOF: the array has no end, what was cut off may be missing".to_owned())),
            }
        }
        if body.rest.is_empty() {
            break;
        }
        rest = body.rest;
    }
    Ok(parsed)
}

fn read(item: &[u8]) -> Result<ReadAlert, String> {
    items::within(item)?;
    let (json, damaged) = items::mended(item);
    let mut warnings = Vec::new();
    if damaged {
        warnings.push("some of it is not UTF-8: U+FFFD replaces those bytes".to_owned());
    }
    let object = object(&json, &mut warnings).map_err(|error| said(&error))?;
    let began = object.contains_key("starts_at");
    let alert: Alert = serde_json::from_value(Value::Object(object)).map_err(|error| said(&error))?;
    if alert.kind.trim().is_empty() {
        return Err(
            "an alert needs a kind, and `kind` is empty: the kind decides which triggers evaluate it".to_owned()
        );
    }
    warnings.extend(self::warnings(&alert));
    if alert.starts_at.is_none() && began {
        warnings.push("`starts_at` is out of range: it is treated as unknown".to_owned());
    }
    Ok(ReadAlert { alert, warnings })
}

/// The fields of an alert, as far as they can be read; what can not be is left out with a warning where the alert says
/// something without it.
fn object(json: &str, warnings: &mut Vec<String>) -> Result<Map<String, Value>, serde_json::Error> {
    let fields = items::fields(json)?;
    items::twice(&fields)?;
    let mut object = Map::new();
    for (name, value) in &fields {
        let read = match name.as_str() {
            // What the API alone says, and what is not given.
            "id" | "source" | "lease_until" => continue,
            _ if value.get() == "null" => continue,
            "labels" | "annotations" => serde_json::to_value(items::texts(value)?)?,
            "values" => Value::Object(numbers(value, warnings)?),
            "summary" => items::text(value).into(),
            "confidence" => match number("confidence", value, warnings) {
                Some(number) => number,
                None => continue,
            },
            _ => serde_json::from_str(value.get())?,
        };
        object.insert(name.clone(), read);
    }
    Ok(object)
}

fn numbers(values: &RawValue, warnings: &mut Vec<String>) -> Result<Map<String, Value>, serde_json::Error> {
    let fields = items::fields(values.get())?;
    let read = fields.iter().filter_map(|(name, value)| Some((name.clone(), number(name, value, warnings)?)));
    Ok(read.collect())
}

/// A measurement. A value that is not a number is left out: people are still paged, by the trigger or by the catch-all.
fn number(name: &str, value: &RawValue, warnings: &mut Vec<String>) -> Option<Value> {
    match items::number(name, value) {
        Ok(number) => {
            if value.get().starts_with('"') {
                let (name, text) = (excerpt(name, QUOTE_MAX), excerpt(value.get(), QUOTE_MAX));
                warnings.push(format!("{name} is the text {text}: it is kept as the number {number}"));
            }
            Some(number.into())
        }
        Err(written) => {
            let (name, shown) = (excerpt(name, QUOTE_MAX), excerpt(&written, QUOTE_MAX));
            let why = match quantity::has_unit(&written) {
                true => "its name does not say the unit, as `latency_ms` does",
                false => "only finite numbers can be kept",
            };
            warnings.push(format!("{name} is {shown}: {why}, so it is left out"));
            None
        }
    }
}

impl From<Alert> for ReadAlert {
    fn from(alert: Alert) -> Self {
        Self { warnings: warnings(&alert), alert }
    }
}

fn warnings(alert: &Alert) -> Vec<String> {
    let unknown =
        alert.unknown.keys().map(|name| format!("the field {:?} is not known; it is kept", excerpt(name, QUOTE_MAX)));
    let unsure = !(0.0..=1.0).contains(&alert.confidence);
    unknown.chain(unsure.then(|| "confidence is not between 0 and 1".to_owned())).collect()
}

fn said(error: &serde_json::Error) -> String {
    let error = error.to_string();
    let error = excerpt(&error, FAULT_MAX);
    format!("{error}; an alert is {{\"kind\": \"price_velocity\", \"values\": {{\"drop_pct\": 6.2}}, ..}}")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_quote_or_bracket_without_an_end_says_how_much_was_not_read() {
        let first = r#"[{"kind":"a"},"#;
        for item in [r#"{"kind":"b},{"kind":"c"},{"kind":"d"}]"#, r#"{"kind":"b","values":{"x":1},{"kind":"c"}]"#] {
            let read = parse(format!("{first}{item}").as_bytes()).unwrap_or_default();
            let [Ok(_), Err(why)] = &read[..] else { panic!("{} results", read.len()) };
            let said = format!("from item 1 (the first is 0) to the end nothing was read, {} bytes", item.len());
            assert!(why.starts_with(&said), "{why}");
        }
        assert_eq!(parse(b"[").unwrap_or_default().len(), 1);
        assert_eq!(parse(first.as_bytes()).unwrap_or_default().len(), 2, "what was cut off behind an item");
    }
}
