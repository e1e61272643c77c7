//! CloudEvents 1.0 over HTTP: structured, in batches and binary.

use super::item::{self, CUT_OFF, Fields, KeptAnswer, MonitorItem, ReadItem};
use crate::{
    core::{Alert, AlertStatus, canonical::sha256, printable::excerpt, time::ForeignTime},
    http::api::items::{self, BodyItems},
};
use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json, value::RawValue};
use std::collections::BTreeMap;

/// The most events of a batch: each is admitted by itself, once.
pub const BATCH_MAX: usize = 10_000;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// What the headers of the binary form begin with.
const PREFIX: &str = "ce-";

/// The attributes that every event has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// The attributes of the standard that are no labels.
const NO_LABELS: [&str; 6] = ["specversion", "id", "type", "time", "datacontenttype", "dataschema"];

/// The fields of an event that are no attributes.
const DATA: [&str; 2] = ["data", "data_base64"];

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

/// Why a request has no events.
#[derive(Debug, PartialEq, Eq)]
pub enum CloudEventsFault {
    /// It is in no form that is known here: `415`.
    OtherForm(String),
    /// It can not be read: `400`.
    Malformed(String),
}

/// One event.
#[derive(Debug)]
pub struct CloudEvent {
    /// Its attributes, those of extensions as well.
    pub attributes: BTreeMap<String, String>,
    /// Its data; `null` where it has none.
    pub data: Value,
}

/// The events of a request, each by itself.
///
/// # Errors
/// If it has none.
pub fn events(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Result<CloudEvent, String>>, CloudEventsFault> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let media = content.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let cut = || BodyItems::of(body).ok_or_else(|| CloudEventsFault::Malformed("the body is no JSON".to_owned()));
    match media.as_str() {
        STRUCTURED => {
            let cut = cut()?;
            let whole = !cut.in_array && cut.closed;
            let [event] = cut.items[..] else { return Err(CloudEventsFault::Malformed(ONE.to_owned())) };
            if whole { Ok(vec![structured(event)]) } else { Err(CloudEventsFault::Malformed(ONE.to_owned())) }
        }
        BATCH => {
            let cut = cut()?;
            if !cut.in_array {
                return Err(CloudEventsFault::Malformed("a batch is an array of events".to_owned()));
            }
            let mut read: Vec<_> = cut.items.iter().take(BATCH_MAX).map(|event| structured(event)).collect();
            let late = cut.items.len().saturating_sub(BATCH_MAX);
            if late != 0 {
                read.push(Err(format!("{late} more than {BATCH_MAX} events in one batch: they are lost")));
            } else if !cut.closed {
                read.push(Err("the batch has no end: what was cut off may be missing".to_owned()));
            }
            Ok(read)
        }
        other if other.starts_with("application/cloudevents") => Err(CloudEventsFault::OtherForm(format!(
            "events in the form {:?} are not read: send {STRUCTURED}, {BATCH} or the binary form",
            excerpt(other, FAULT_MAX / 3)
        ))),
        _ if headers.contains_key("ce-specversion") => Ok(vec![binary(headers, &media, body)]),
        _ => Err(CloudEventsFault::OtherForm(format!(
            "this is no CloudEvent: it has neither the headers {} nor the type {STRUCTURED} or {BATCH}",
            REQUIRED.map(|name| format!("{PREFIX}{name}")).join(", ")
        ))),
    }
}

const ONE: &str = "the body must be one event: a JSON object";

/// What becomes of the events without a mapping.
pub fn items(events: Vec<Result<CloudEvent, String>>) -> Vec<ReadItem> {
    let beyond = cut_off(events.len());
    events.into_iter().map(|event| event.map(|event| event.item())).chain(beyond).collect()
}

/// What is counted of a batch with more events than are read: the last one of `read` says how many.
pub fn cut_off(read: usize) -> Option<ReadItem> {
    (BATCH_MAX < read).then_some(Ok(MonitorItem::Noted(CUT_OFF)))
}

fn structured(bytes: &[u8]) -> Result<CloudEvent, String> {
    let json = items::tamed(bytes);
    let fields = item::fields(&json).map_err(|why| excerpt(&why, FAULT_MAX).into_owned())?;
    let is_data = |name: &str| DATA.contains(&name);
    let attributes: BTreeMap<String, String> = fields
        .iter()
        .filter(|(name, _)| !is_data(name))
        .map(|(name, value)| (name.clone(), items::text(value)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let media = attributes.get("datacontenttype").map(|kind| kind.to_ascii_lowercase()).unwrap_or_default();
    let data = match (fields.get("data"), item::text(&fields, "data_base64")) {
        (Some(_), Some(_)) => return Err("an event has `data` or `data_base64`, not both".to_owned()),
        (Some(data), None) => item::evidence(data),
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text.trim()).map_err(|_| "`data_base64` is no base64".to_owned())?;
            of_bytes(&media, &bytes)
        }
        (None, None) => Value::Null,
    };
    CloudEvent { attributes, data }.complete()
}

fn binary(headers: &HeaderMap, media: &str, body: &[u8]) -> Result<CloudEvent, String> {
    let mut attributes = BTreeMap::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        // The type of the data is the request's own, and the data is its body.
        if name == "datacontenttype" || DATA.contains(&name) {
            continue;
        }
        let text = std::str::from_utf8(value.as_bytes()).ok().and_then(decoded);
        let text = text.ok_or_else(|| format!("the header {PREFIX}{name} is not valid UTF-8"))?;
        if !text.is_empty() {
            attributes.insert(name.to_owned(), text);
        }
    }
    if !media.is_empty() {
        attributes.insert("datacontenttype".to_owned(), media.to_owned());
    }
    CloudEvent { attributes, data: of_bytes(media, body) }.complete()
}

/// The value of a header: in quotes or not, with what can not stand in a header as percent signs.
fn decoded(value: &str) -> Option<String> {
    let value = value.trim();
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = match inside {
        None => value.to_owned(),
        Some(inside) => {
            let (mut plain, mut letters) = (String::new(), inside.chars());
            while let Some(letter) = letters.next() {
                plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
            }
            plain
        }
    };
    percent_decode_str(&plain).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Data that came as bytes: JSON, a text, or its base64.
fn of_bytes(media: &str, bytes: &[u8]) -> Value {
    let is_json = media.split(';').next().is_some_and(|media| {
        let media = media.trim();
        media.is_empty() || media.ends_with("/json") || media.ends_with("+json")
    });
    if bytes.is_empty() {
        return Value::Null;
    }
    let json = is_json.then(|| items::tamed(bytes)).and_then(|json| RawValue::from_string(json).ok());
    match (json, std::str::from_utf8(bytes)) {
        (Some(json), _) => item::evidence(&json),
        (None, Ok(text)) => Value::from(text),
        (None, Err(_)) => Value::from(STANDARD.encode(bytes)),
    }
}

impl CloudEvent {
    fn complete(self) -> Result<Self, String> {
        let blank = |name: &&str| self.attributes.get(*name).is_none_or(|text| text.trim().is_empty());
        if let Some(name) = REQUIRED.iter().find(|name| blank(name)) {
            return Err(format!("the event has no `{name}`"));
        }
        match self.text("specversion") {
            "1.0" => Ok(self),
            other => Err(format!("the `specversion` is {:?}, and only 1.0 is read", excerpt(other, 20))),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What tells repeats of this event: its source and id.
    pub fn identity(&self) -> String {
        let source = self.text("source");
        sha256(format!("{} {source}{}", source.len(), self.text("id")).as_bytes())
    }

    /// The event in its structured form.
    pub fn json(&self) -> Value {
        let attributes = self.attributes.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str())));
        let mut event: Map<String, Value> = attributes.collect();
        if !self.data.is_null() {
            event.insert("data".to_owned(), self.data.clone());
        }
        Value::Object(event)
    }

    /// The event as an alert, by itself.
    fn item(self) -> MonitorItem {
        MonitorItem::Once { id: self.identity(), alert: Box::new(self.alert()), answer: KeptAnswer::default() }
    }

    fn alert(&self) -> Alert {
        let mut alert = Alert::new("", self.text("type"));
        let labels = self.attributes.iter().filter(|(name, _)| !NO_LABELS.contains(&name.as_str()));
        alert.labels = labels.map(|(name, text)| (name.clone(), text.clone())).collect();
        alert.starts_at =
            ForeignTime::read(self.text("time")).filter(|time| !time.is_unset()).and_then(ForeignTime::at);
        // The fields are read as they would be in a body.
        let json = self.data.to_string();
        match item::fields(&json) {
            Ok(fields) if self.data.is_object() => of_data(&mut alert, fields),
            _ => {
                let text = self.data.as_str().filter(|text| !text.is_empty());
                alert.annotations.extend(text.map(|text| ("data".to_owned(), text.to_owned())));
            }
        }
        let mut evidence = Map::new();
        for name in ["id", "dataschema", "datacontenttype"] {
            evidence.extend(self.attributes.get(name).map(|text| (name.to_owned(), json!(text))));
        }
        evidence.insert("data".to_owned(), self.data.clone());
        alert.evidence = Value::Object(evidence);
        alert
    }
}

/// Data that has the fields of an alert is read as one; other fields are details.
fn of_data(alert: &mut Alert, mut fields: Fields<'_>) {
    if item::text(&fields, "status").is_some_and(|status| status.trim().eq_ignore_ascii_case("resolved")) {
        alert.status = AlertStatus::Resolved;
    }
    let said = ["summary", "title", "message", "description"];
    alert.summary = said.into_iter().find_map(|name| item::text(&fields, name)).unwrap_or_default();
    let part =
        |value: Option<&RawValue>| value.and_then(|value| items::texts(value).ok().flatten()).unwrap_or_default();
    let labels = part(fields.remove("labels")).into_iter().filter(|(name, text)| !name.is_empty() && !text.is_empty());
    alert.labels.extend(labels);
    if let Some(values) = fields.remove("values").and_then(|values| item::fields(values.get()).ok()) {
        let numbers = values.iter().filter_map(|(name, value)| Some((name.clone(), items::number(name, value).ok()?)));
        alert.values.extend(numbers);
    }
    let annotations = part(fields.remove("annotations"));
    item::add_details(alert, &fields);
    alert.annotations.extend(annotations);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn an_event_of_any_size_is_read_and_what_is_beyond_the_most_is_counted() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(BATCH));
        let event = |n: usize, text: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"{n}","source":"s","type":"t","data":{{"summary":"x","a":1e400,"b":"{text}"}}}}"#
            )
        };
        let large = format!("[{}]", event(1, &"x".repeat(items::ALERT_MAX)));
        let read = events(&headers, large.as_bytes()).expect("a batch");
        let [Ok(MonitorItem::Once { alert, .. })] = &items(read)[..] else { panic!("one event") };
        assert_eq!((alert.summary.as_str(), &alert.evidence["data"]["a"]), ("x", &json!("1e400")));
        let many: Vec<String> = (0..=BATCH_MAX).map(|n| event(n, "")).collect();
        let read = items(events(&headers, format!("[{}]", many.join(",")).as_bytes()).expect("a batch"));
        assert_eq!(read.iter().filter(|item| matches!(item, Ok(MonitorItem::Once { .. }))).count(), BATCH_MAX);
        assert!(matches!(&read[BATCH_MAX..], [Err(_), Ok(MonitorItem::Noted(CUT_OFF))]), "{:?}", &read[BATCH_MAX..]);
    }
}
