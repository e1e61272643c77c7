//! The webhook of Alertmanager (version 4), and that of Grafana, which has more fields. Its alerts are those that
//! Alertmanager's API takes: the same kind and labels, so that the same triggers look at them. A body of another form, as
//! users of Grafana make them with templates, is one alert.

use super::item::{self, CUT_OFF, Fields, MonitorItem, ReadItem};
use crate::{
    core::{Alert, AlertStatus, SourceName, Timestamp, printable::excerpt},
    http::api::{
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

/// The most alerts of one body: more than those of any real one, for whose bytes there is no room.
pub const WEBHOOK_ALERTS_MAX: usize = 100_000;

/// The most bytes of one field of the whole that each of its alerts has as evidence.
const SHARED_MAX: usize = 2 * 1024;

/// The most bytes that the copies of all those fields may have together.
const SHARED_ALL_MAX: usize = 16 << 20;

/// The most characters of a text that become its summary.
const SUMMARY_MAX: usize = 1_000;

/// Reads a body. Times in it are the sender's wall clock, with which `now` is compared. What has no alerts in the form of
/// Alertmanager, and is not empty, is one alert of another form: a body that somebody took the trouble to send is not lost.
///
/// # Errors
/// If nothing is in it.
pub fn read(body: &[u8], source: &SourceName, now: Timestamp) -> Result<Vec<ReadItem>, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let Some(cut) = BodyItems::of(body) else { return Ok(vec![of_text(body)]) };
    if cut.in_array {
        let whole = Whole { now, source, firing: true, evidence: Map::new() };
        return Ok(if cut.items.is_empty() || has_alerts(&cut) { elements(&cut, &whole) } else { vec![of_text(body)] });
    }
    // The alerts are cut first: one that is no JSON hides neither the others nor itself.
    let alerts = items::array_of(body, "alerts").and_then(BodyItems::of);
    let json = items::tamed(body);
    let fields = match (item::fields(&json), &alerts) {
        (Ok(fields), _) => fields,
        (Err(_), Some(_)) => Fields::new(),
        (Err(_), None) => return Ok(vec![of_text(body)]),
    };
    let Some(alerts) = alerts else { return Ok(vec![other(&fields)]) };
    if !has_alerts(&alerts) {
        return Ok(match (alerts.items.is_empty(), fields.is_empty()) {
            // Nobody knows what it says, for it can not be read.
            (_, true) => vec![of_text(body)],
            (true, false) if !says_something(&fields) => Vec::new(),
            _ => vec![other(&fields)],
        });
    }
    let firing = !ended(&fields, "status");
    let most = SHARED_MAX.min(SHARED_ALL_MAX / OF_ALL.len() / alerts.items.len().max(1));
    let shared = |name: &str| Some(item::cut(item::evidence(fields.get(name)?), most));
    let kept = OF_ALL.into_iter().filter_map(|name| Some((name.to_owned(), shared(name)?)));
    let mut read = elements(&alerts, &Whole { now, source, firing, evidence: kept.collect() });
    let cut_off = fields.get("truncatedAlerts").and_then(|count| items::number("truncatedAlerts", count).ok());
    if cut_off.is_some_and(|count| 0.0 < count) {
        read.push(Ok(MonitorItem::Noted("truncated")));
    }
    Ok(read)
}

/// Whether one of the elements is an object. Where none is, they are no alerts.
fn has_alerts(elements: &BodyItems<'_>) -> bool {
    elements.items.iter().any(|element| element.starts_with(b"{"))
}

/// Whether a body without alerts says something all the same. Alertmanager's own does not.
fn says_something(fields: &Fields<'_>) -> bool {
    let is_said = ["title", "message"].into_iter().any(|name| item::text(fields, name).is_some());
    let states = ["state", "status"].into_iter().filter_map(|name| item::text(fields, name));
    is_said
        || states.map(|state| state.trim().to_lowercase()).any(|state| ["firing", "alerting"].contains(&state.as_str()))
}

/// What all alerts of a body have in common.
struct Whole<'w> {
    now: Timestamp,
    source: &'w SourceName,
    firing: bool,
    evidence: Map<String, Value>,
}

fn elements(alerts: &BodyItems<'_>, whole: &Whole<'_>) -> Vec<ReadItem> {
    let read = alerts.items.iter().take(WEBHOOK_ALERTS_MAX);
    let mut read: Vec<ReadItem> = read.map(|item| element(item, whole)).collect();
    if !alerts.closed {
        read.push(Err("the array has no end: what was cut off may be missing".to_owned()));
    }
    let late = alerts.items.len().saturating_sub(WEBHOOK_ALERTS_MAX);
    if late != 0 {
        read.push(Err(format!("{late} more than {WEBHOOK_ALERTS_MAX} alerts in one request: they are lost")));
        read.push(Ok(MonitorItem::Noted(CUT_OFF)));
    }
    read
}

/// A body that is no JSON, or none that has alerts: its text is its summary.
fn of_text(body: &[u8]) -> ReadItem {
    let text = String::from_utf8_lossy(body);
    let mut alert = Alert::new("", OTHER);
    let first = text.trim_start_matches(|letter: char| !letter.is_alphabetic());
    let first = first.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
    if first.eq_ignore_ascii_case("resolved") {
        alert.status = AlertStatus::Resolved;
    }
    alert.summary = excerpt(&text, SUMMARY_MAX).into_owned();
    if alert.summary != text {
        alert.evidence = Value::from(text);
    }
    Ok(MonitorItem::Alert(Box::new(alert)))
}

fn element(bytes: &[u8], whole: &Whole<'_>) -> ReadItem {
    let json = items::tamed(bytes);
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn alerts(body: &[u8]) -> Vec<Alert> {
        let read = read(body, &SourceName::from("s"), Timestamp::from_micros(0)).expect("something is in it");
        let alert = |item| match item {
            Ok(MonitorItem::Alert(alert)) => Some(*alert),
            _ => None,
        };
        read.into_iter().filter_map(alert).collect()
    }

    #[test]
    fn a_body_without_alerts_in_their_form_is_one_alert_of_another() {
        for (body, wanted) in [
            (r#"{"title":"db down","alerts":["a","b"]}"#, Some(("db down", true))),
            (r#"{"title":"db down","state":"alerting","alerts":[]}"#, Some(("db down", true))),
            (r#"{"message":"db up","status":"resolved","alerts":[]}"#, Some(("db up", false))),
            (r#"{"state":"firing","alerts":[]}"#, Some(("", true))),
            (r#"{"alerts":[7]}"#, Some(("", true))),
            (r#"{"title":"x","load":1e400}"#, Some(("x", true))),
            (r#"{"receiver":"hook","status":"resolved","alerts":[],"version":"4"}"#, None),
            ("[]", None),
            (r#"["db down"]"#, Some((r#"["db down"]"#, true))),
            ("FIRING db down", Some(("FIRING db down", true))),
            ("\u{feff} [RESOLVED] db up\n", Some(("[RESOLVED] db up", false))),
            ("{\"title\":", Some(("{\"title\":", true))),
            ("7", Some(("7", true))),
        ] {
            let read = alerts(body.as_bytes());
            let said = read.first().map(|alert| (alert.summary.as_str(), alert.status == AlertStatus::Firing));
            assert_eq!((said, read.len()), (wanted, usize::from(wanted.is_some())), "{body}");
            assert!(read.iter().all(|alert| alert.kind == OTHER), "{body}");
        }
        assert!(read(b" \n", &SourceName::from("s"), Timestamp::from_micros(0)).is_err());
    }

    #[test]
    fn what_alerts_have_in_common_is_not_multiplied_without_bound() {
        let some = |count: usize| vec![json!({ "labels": { "alertname": "k" } }); count];
        for (count, most) in [(1, SHARED_MAX), (1_000, SHARED_MAX), (11_000, SHARED_ALL_MAX / OF_ALL.len() / 11_000)] {
            let body = json!({ "title": "x".repeat(1 << 20), "groupKey": "g", "alerts": some(count) });
            let read = alerts(body.to_string().as_bytes());
            assert_eq!(read.len(), count, "no alert is left out");
            let title = read[count - 1].evidence["title"].as_str().expect("a text");
            assert!(title.len() < most + 50 && title.ends_with("(cut: it has 1048576 bytes)"), "{title}");
            assert_eq!(read[0].evidence["groupKey"], "g", "what is short is whole");
        }
    }
}
