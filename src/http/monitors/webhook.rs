//! The webhook of Alertmanager (version 4), and that of Grafana, which has more fields. Its alerts are those that
//! Alertmanager's API takes: the same kind and labels, so that the same triggers look at them. A body of another form, as
//! users of Grafana make them with templates, is one alert.

use super::item::{self, Fields, MonitorItem, ReadItem};
use crate::{
    core::{Alert, AlertStatus, SourceName, Timestamp, printable::excerpt},
    http::api::{
        alerts::ALERTS_MAX,
        annotations,
        items::{self, BodyItems},
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The kind of a body of another form.
pub const OTHER: &str = "webhook";

/// The kind of an alert without the label `alertname`.
const UNNAMED: &str = "unnamed";

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

/// What is kept of an alert as evidence. Pictures in it are not.
const OF_ALERT: [&str; 10] = [
    "generatorURL",
    "fingerprint",
    "silenceURL",
    "dashboardURL",
    "panelURL",
    "imageURL",
    "ruleUID",
    "valueString",
    "endsAt",
    "enrichments",
];

/// What is kept of the whole.
const OF_ALL: [&str; 6] = ["receiver", "groupKey", "externalURL", "orgId", "title", "notification_reason"];

/// Reads a body. Times in it are the sender's wall clock, with which `now` is compared.
///
/// # Errors
/// If it is no JSON object or array.
pub fn read(body: &[u8], source: &SourceName, now: Timestamp) -> Result<Vec<ReadItem>, String> {
    let cut = BodyItems::of(body).ok_or("the body must be a JSON object")?;
    if cut.in_array {
        return Ok(elements(&cut, &Whole { now, source, firing: true, evidence: Map::new() }));
    }
    // The alerts are cut first: one that is no JSON hides neither the others nor itself.
    let alerts = items::array_of(body, "alerts").and_then(BodyItems::of);
    let json = items::mended(body).0;
    let fields = match (item::fields(&json), &alerts) {
        (Ok(fields), _) => fields,
        (Err(_), Some(_)) => Fields::new(),
        (Err(why), None) => return Err(excerpt(&why, FAULT_MAX).into_owned()),
    };
    let Some(alerts) = alerts else { return Ok(vec![other(&fields)]) };
    let firing = !ended(&fields, "status");
    let kept = OF_ALL.into_iter().filter_map(|name| Some((name.to_owned(), item::evidence(fields.get(name)?))));
    let mut read = elements(&alerts, &Whole { now, source, firing, evidence: kept.collect() });
    let cut_off = fields.get("truncatedAlerts").and_then(|count| items::number("truncatedAlerts", count).ok());
    if cut_off.is_some_and(|count| 0.0 < count) {
        read.push(Ok(MonitorItem::Noted("truncated")));
    }
    Ok(read)
}

/// What all alerts of a body have in common.
struct Whole<'w> {
    now: Timestamp,
    source: &'w SourceName,
    firing: bool,
    evidence: Map<String, Value>,
}

fn elements(alerts: &BodyItems<'_>, whole: &Whole<'_>) -> Vec<ReadItem> {
    let read = alerts.items.iter().take(ALERTS_MAX);
    let mut read: Vec<ReadItem> = read.map(|item| element(item, whole)).collect();
    if !alerts.closed {
        read.push(Err("the array has no end: what was cut off may be missing".to_owned()));
    }
    let late = alerts.items.len().saturating_sub(ALERTS_MAX);
    if late != 0 {
        read.push(Err(format!("{late} more than {ALERTS_MAX} alerts in one request: send these again")));
    }
    read
}

fn element(bytes: &[u8], whole: &Whole<'_>) -> ReadItem {
    items::within(bytes)?;
    let json = items::mended(bytes).0;
    let fields = item::fields(&json).map_err(|why| excerpt(&why, FAULT_MAX).into_owned())?;
    let labels: BTreeMap<String, String> =
        texts(&fields, "labels").into_iter().filter(|(name, text)| !name.is_empty() && !text.is_empty()).collect();
    let kind = labels.get("alertname").filter(|name| !name.trim().is_empty());
    let mut alert = Alert::new("", kind.map_or(UNNAMED, String::as_str));
    alert.labels = labels;
    alert.annotations = texts(&fields, "annotations");
    alert.summary = annotations::summary(&alert.annotations);
    alert.values = annotations::values(whole.source, &alert.annotations);
    if let Some(values) = fields.get("values").and_then(|values| item::fields(values.get()).ok()) {
        let numbers = values.iter().filter_map(|(name, value)| Some((name.clone(), items::number(name, value).ok()?)));
        alert.values.extend(numbers);
    }
    alert.starts_at = item::time(&fields, "startsAt");
    let is_over = match fields.contains_key("status") {
        true => ended(&fields, "status"),
        false => !whole.firing || item::time(&fields, "endsAt").is_some_and(|end| end <= whole.now),
    };
    alert.status = if is_over { AlertStatus::Resolved } else { AlertStatus::Firing };
    let own = OF_ALERT.into_iter().filter_map(|name| Some((name.to_owned(), item::evidence(fields.get(name)?))));
    let evidence: Map<String, Value> = whole.evidence.clone().into_iter().chain(own).collect();
    if !evidence.is_empty() {
        alert.evidence = Value::Object(evidence);
    }
    Ok(MonitorItem::Alert(Box::new(alert)))
}

/// A body of another form: people see all of it, and a trigger on its kind may look into it.
fn other(fields: &Fields<'_>) -> ReadItem {
    let mut alert = Alert::new("", OTHER);
    let is_over = ["status", "state"].into_iter().any(|name| ended(fields, name));
    alert.status = if is_over { AlertStatus::Resolved } else { AlertStatus::Firing };
    let said = ["summary", "title", "message", "text", "description"];
    alert.summary = said.into_iter().find_map(|name| item::text(fields, name)).unwrap_or_default();
    for name in ["commonLabels", "labels"] {
        alert
            .labels
            .extend(texts(fields, name).into_iter().filter(|(name, text)| !name.is_empty() && !text.is_empty()));
    }
    item::add_details(&mut alert, fields);
    let whole: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), item::evidence(value))).collect();
    alert.evidence = Value::Object(whole);
    Ok(MonitorItem::Alert(Box::new(alert)))
}

/// Whether a field says that it is over: `resolved`, and Grafana's `ok`.
fn ended(fields: &Fields<'_>, name: &str) -> bool {
    let said = item::text(fields, name).map(|text| text.trim().to_ascii_lowercase());
    said.is_some_and(|said| ["resolved", "ok"].contains(&said.as_str()))
}

fn texts(fields: &Fields<'_>, name: &str) -> BTreeMap<String, String> {
    fields.get(name).and_then(|value| items::texts(value).ok().flatten()).unwrap_or_default()
}
