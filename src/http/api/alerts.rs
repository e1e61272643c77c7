//! The native API: `POST /v1/alerts`, one alert or an array.

use super::{
    alert_body::AlertInBody,
    alert_results::{self, AlertResult, AlertsAnswer, ReadItem},
    items::{self, BodyItems},
    keyed_alerts::{self, KeyedOutcome, OPERATION},
    parsing::parsed,
    quota, reply_link, turn_packet,
};
use crate::{
    core::{
        Alert, Packet, SourceName,
        hidden::{described, hidden},
        printable::{excerpt, one_line},
    },
    engine::IncomingAlert,
    http::{
        body, credential, idempotency,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        refusal_log,
        state::AppState,
    },
    matrix::SourceScope,
    store::RequestKey,
    text::quantity,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde_json::{Map, Value, value::RawValue};
use std::sync::Arc;

/// The largest number of alerts in one request; the others are refused together.
pub const ALERTS_MAX: usize = 10_000;

/// The most characters of a name or of a fault that are told back to the sender.
const QUOTE_MAX: usize = 80;
const FAULT_MAX: usize = 300;

/// One alert or an array of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is a schema alone: bodies are read item by item")]
enum AlertsBody {
    /// One alert.
    One(AlertInBody),
    /// An array of alerts.
    Many(#[schemars(length(max = ALERTS_MAX))] Vec<AlertInBody>),
}

/// The answer where the quota of the source refused some.
#[derive(JsonSchema)]
struct OverQuotaProblem {
    #[schemars(flatten)]
    _problem: ProblemDetails,
    #[schemars(flatten)]
    _answer: AlertsAnswer,
}

/// A parsed alert, with warnings for its sender.
pub struct ReadAlert {
    alert: Alert,
    packet: Option<Box<Packet>>,
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

/// `POST /v1/alerts` in the API's document.
pub fn operation() -> Operation {
    let details = format!(
        "Takes one alert, or an array of at most {ALERTS_MAX}: more are refused together. Several of those one after the \
         other are taken, too (JSON lines). One alert that is not valid costs no other. The answer comes after the alerts \
         are durable."
    );
    Operation::post("sendAlerts", post)
        .about("Send alerts", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .body::<AlertsBody>(
            body::ALERTS_MAX,
            &format!("One alert or an array. One alert may have {} bytes.", items::ALERT_MAX),
        )
        .answer::<AlertsAnswer>(StatusCode::ACCEPTED, "All alerts are durable.")
        .answer::<AlertsAnswer>(
            StatusCode::MULTI_STATUS,
            "Some alerts are durable, others are not valid: see the status of each.",
        )
        .problem(StatusCode::BAD_REQUEST, "No alert is valid: `errors` says what is wrong with each. Nothing was kept.")
        .problem(StatusCode::FORBIDDEN, "The source of this token has no scope `alerts`, or may not send drills.")
        .busy::<OverQuotaProblem>(
            "Some alerts would open an incident, and the source has opened as many as it may in a minute \
             (`openings_per_minute`); or the conditions for the alerts took as many steps as those of one request may. \
             `alerts` has the result of each: send those with the status 429 again.",
        )
}

/// `POST /v1/alerts`. The response is `202` only after the durable commit.
pub async fn post(State(app): State<Arc<AppState>>, request: Request) -> Response {
    let speaker = credential::source(&app, request.headers());
    let response = take(&app, request).await;
    let outcome = if response.is_ok() { "accepted" } else { "refused" };
    app.engine.metrics().alert_request("native", outcome);
    let response = response.unwrap_or_else(ProblemDetails::into_response);
    app.engine.admission().heard(speaker, response.status().as_u16());
    response
}

async fn take(app: &AppState, request: Request) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let source = credential::sender(app, &parts.headers).ok_or_else(|| {
        ProblemDetails::unauthorized("send the token of a [source] of the matrix: Authorization: Bearer ..")
    })?;
    credential::in_scope(app, &source, SourceScope::Alerts)
        .map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))?;
    let key = idempotency::key(&parts.headers)?;
    let bytes = body::of_source(body, body::ALERTS_MAX, &source).await?;
    let has_key = key.is_some();
    let read = move |bytes: &[u8]| (parse(bytes), has_key.then(|| idempotency::digest(bytes)));
    let (read, digest) = parsed(bytes, read).await?;
    let read = read?;
    let drills = app.engine.config().matrix.sources.get(&source).is_some_and(|known| known.drills);
    let (alerts, items) = named(app, &source, read, drills)?;
    let results = match key.zip(digest).filter(|_| !alerts.is_empty()) {
        None => kept(app, alerts, &items).await?,
        Some((key, digest)) => {
            let key = RequestKey { source: source.clone(), operation: OPERATION.to_owned(), key };
            match keyed_alerts::admit(app, alerts, items, (key, digest)).await? {
                KeyedOutcome::Results(results) => results,
                KeyedOutcome::Again(response) => return Ok(response),
            }
        }
    };
    let all = results.len();
    refusal_log::elements(&source, "native", alert_results::refused(&results), all);
    let problem = match (alert_results::over_quota(&results), alert_results::over_cost(&results)) {
        (0, 0) => return alert_results::answer(&results),
        (0, refused) => quota::over_cost(refused, all),
        (refused, _) => quota::over(app, &source, refused, all),
    };
    Err(problem.with_alerts(serde_json::json!(results)))
}

/// Gives the alerts ids, commits them and returns a result for each; if one can not be kept, only that one is refused.
/// `stentor fire` uses it.
pub async fn admit(
    app: &AppState,
    source: SourceName,
    read: Vec<Result<ReadAlert, String>>,
    drills: bool,
) -> Result<Response, ProblemDetails> {
    let (alerts, items) = named(app, &source, read, drills)?;
    alert_results::answer(&kept(app, alerts, &items).await?)
}

/// The alerts of a body, with what the door gives them: source and id; and what is known of each item.
fn named(
    app: &AppState,
    source: &SourceName,
    read: Vec<Result<ReadAlert, String>>,
    drills: bool,
) -> Result<(Vec<IncomingAlert>, Vec<ReadItem>), ProblemDetails> {
    let config = app.engine.config();
    let prefix = config.matrix.sources.get(source).and_then(|source| source.reply_url.as_deref());
    if !drills && read.iter().flatten().any(|read| read.alert.drill) {
        let detail = format!("source {source} may not send drills: set drills = true in its [source.{source}]");
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail));
    }
    let mut alerts = Vec::new();
    let items = read.into_iter().map(|read| {
        read.map(|ReadAlert { mut alert, mut packet, mut warnings }| {
            if let Some(packet) = &mut packet
                && let Err(problem) = reply_link::allowed_link(packet, prefix)
            {
                packet.reply_url = None;
                warnings.push(format!("{}, so it is left out", problem.detail()));
            }
            alert.source = source.clone();
            alert.id = format!("ALT-{:016x}", rand::random::<u64>());
            alert.lease_until = None;
            alerts.push(IncomingAlert { alert, packet });
            warnings
        })
    });
    let items = items.collect();
    Ok((alerts, items))
}

async fn kept(
    app: &AppState,
    alerts: Vec<IncomingAlert>,
    items: &[ReadItem],
) -> Result<Vec<AlertResult>, ProblemDetails> {
    let ids: Vec<String> = alerts.iter().map(|incoming| incoming.alert.id.clone()).collect();
    // If there is nothing to keep, the store is not called.
    let admitted =
        if alerts.is_empty() { Vec::new() } else { app.engine.admission().admit(alerts, app.engine.now()).await? };
    Ok(alert_results::results(items, ids.into_iter().zip(admitted)))
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

/// Reads an alert about which people decide: where a page goes out without a wrong field, a decision about other facts
/// than were sent is worse than none.
///
/// # Errors
/// What would be left out or replaced.
pub fn read_exactly(item: &[u8]) -> Result<Alert, String> {
    let ReadAlert { alert, packet, warnings } = read(item)?;
    if packet.is_some() {
        return Err("a request has its `packet` in `ask`".to_owned());
    }
    for name in alert.labels.keys().chain(alert.values.keys()) {
        if let Some(c) = hidden(name, false) {
            let name = one_line(&excerpt(name, QUOTE_MAX)).into_owned();
            return Err(format!("the name {name} has {}: a request with it is refused", described(c)));
        }
    }
    match warnings.first() {
        None => Ok(alert),
        Some(warning) => Err(format!("a request with this is refused, an alert would be taken: {warning}")),
    }
}

fn read(item: &[u8]) -> Result<ReadAlert, String> {
    items::within(item)?;
    let (json, damaged) = items::mended(item);
    let mut warnings = Vec::new();
    if damaged {
        warnings.push("some of it is not UTF-8: U+FFFD replaces those bytes".to_owned());
    }
    let mut object = object(&json, &mut warnings).map_err(|error| said(&error))?;
    let packet = turn_packet::take(&mut object, &mut warnings);
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
    Ok(ReadAlert { alert, packet, warnings })
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
            "id" | "source" | "lease_until" | "assessed" => continue,
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
                true => "its name does not say that unit, as `latency_ms` says the one of `250ms`",
                false => "only finite numbers can be kept",
            };
            warnings.push(format!("{name} is {shown}: {why}, so it is left out"));
            None
        }
    }
}

impl From<Alert> for ReadAlert {
    fn from(alert: Alert) -> Self {
        Self { warnings: warnings(&alert), packet: None, alert }
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
