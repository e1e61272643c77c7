//! Reads an event of PagerDuty's Events API v2.

use crate::{
    core::{Alert, AlertStatus, printable::excerpt},
    http::{
        api::items,
        monitors::item::{self, Fields, MonitorItem},
    },
};
use secrecy::SecretString;
use serde_json::{Map, Value};

/// The name of the API in metrics and logs, and the kind of its alerts.
pub const API: &str = "pagerduty";

/// The most characters of a key: PagerDuty's own limit.
const KEY_MAX: usize = 255;

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

/// What a change event counts as.
const CHANGE: &str = "change";

const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// What is kept of an event as it was sent, as evidence.
const EVIDENCE: [&str; 4] = ["links", "images", "client", "client_url"];

/// One event.
#[derive(Debug)]
pub struct PagerDutyEvent {
    /// The token of the source.
    pub routing_key: SecretString,
    /// What the alert goes by: the sender's key, or a new one. Change events have none.
    pub dedup_key: Option<String>,
    /// What it says.
    pub item: MonitorItem,
}

/// The routing key of an event, whatever else is wrong with it.
pub fn routing_key(body: &[u8]) -> Option<SecretString> {
    let json = item::object(body).ok()?;
    let key = item::text(&item::fields(&json).ok()?, "routing_key")?;
    Some(key.into())
}

/// Reads an event of `/v2/enqueue`.
///
/// # Errors
/// Every fault, in PagerDuty's manner.
pub fn read(body: &[u8]) -> Result<PagerDutyEvent, Vec<String>> {
    let json = item::object(body).map_err(one)?;
    let fields = item::fields(&json).map_err(one)?;
    let mut faults = Vec::new();
    let routing_key = item::text(&fields, "routing_key");
    if routing_key.is_none() {
        faults.push("'routing_key' is missing or blank".to_owned());
    }
    let key = item::text(&fields, "dedup_key");
    if key.as_ref().is_some_and(|key| KEY_MAX < key.chars().count()) {
        faults.push(format!("'dedup_key' is longer than {KEY_MAX} characters"));
    }
    let action = item::text(&fields, "event_action").unwrap_or_default();
    let item = match action.as_str() {
        "trigger" => alert(&fields, AlertStatus::Firing, &mut faults),
        "resolve" => alert(&fields, AlertStatus::Resolved, &mut faults),
        "acknowledge" => Some(MonitorItem::Noted("acknowledge")),
        _ => {
            faults.push("'event_action' must be trigger, acknowledge or resolve".to_owned());
            None
        }
    };
    if key.is_none() && ["resolve", "acknowledge"].contains(&action.as_str()) {
        faults.push("'dedup_key' is missing or blank".to_owned());
    }
    let (Some(routing_key), Some(mut item), true) = (routing_key, item, faults.is_empty()) else { return Err(faults) };
    let key = key.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    if let MonitorItem::Alert(alert) = &mut item {
        alert.labels.insert("dedup_key".to_owned(), key.clone());
    }
    Ok(PagerDutyEvent { routing_key: routing_key.into(), dedup_key: Some(key), item })
}

/// Reads an event of `/v2/change/enqueue`.
///
/// # Errors
/// Every fault.
pub fn read_change(body: &[u8]) -> Result<PagerDutyEvent, Vec<String>> {
    let json = item::object(body).map_err(one)?;
    let fields = item::fields(&json).map_err(one)?;
    let routing_key = item::text(&fields, "routing_key");
    let summary = part(&fields, "payload").and_then(|payload| item::text(&payload, "summary"));
    let missing = [("routing_key", routing_key.is_none()), ("payload.summary", summary.is_none())];
    let faults = missing.into_iter().filter(|(_, missing)| *missing);
    let faults: Vec<String> = faults.map(|(name, _)| format!("'{name}' is missing or blank")).collect();
    match routing_key {
        Some(key) if faults.is_empty() => {
            Ok(PagerDutyEvent { routing_key: key.into(), dedup_key: None, item: MonitorItem::Noted(CHANGE) })
        }
        _ => Err(faults),
    }
}

/// The alert of an event. An all-clear needs no more than its key.
fn alert(fields: &Fields<'_>, status: AlertStatus, faults: &mut Vec<String>) -> Option<MonitorItem> {
    let payload = part(fields, "payload").unwrap_or_default();
    let mut alert = Alert::new("", API);
    alert.status = status;
    if status == AlertStatus::Firing {
        let missing = ["summary", "source", "severity"].into_iter().filter(|name| item::text(&payload, name).is_none());
        faults.extend(missing.map(|name| format!("'payload.{name}' is missing or blank")));
    }
    let severity = item::text(&payload, "severity").map(|severity| severity.trim().to_lowercase());
    let is_known = |severity: &String| SEVERITIES.contains(&severity.as_str());
    if status == AlertStatus::Firing && severity.as_ref().is_some_and(|severity| !is_known(severity)) {
        faults.push(format!("'payload.severity' must be one of {}", SEVERITIES.join(", ")));
    }
    alert.summary = item::text(&payload, "summary").unwrap_or_default();
    alert.starts_at = item::time(&payload, "timestamp");
    item::add_label(&mut alert, "severity", severity);
    for name in ["source", "component", "group", "class"] {
        item::add_label(&mut alert, name, item::text(&payload, name));
    }
    let mut evidence = Map::new();
    if let Some(details) = payload.get("custom_details") {
        match item::fields(details.get()) {
            Ok(details) => item::add_details(&mut alert, &details),
            Err(_) => drop(alert.annotations.insert("custom_details".to_owned(), items::text(details))),
        }
        evidence.insert("custom_details".to_owned(), item::evidence(details));
    }
    let sent = EVIDENCE.into_iter().filter_map(|name| Some((name.to_owned(), item::evidence(fields.get(name)?))));
    evidence.extend(sent);
    if !evidence.is_empty() {
        alert.evidence = Value::Object(evidence);
    }
    Some(MonitorItem::Alert(Box::new(alert)))
}

/// A field that is an object.
fn part<'j>(fields: &Fields<'j>, name: &str) -> Option<Fields<'j>> {
    item::fields(fields.get(name)?.get()).ok()
}

fn one(why: String) -> Vec<String> {
    vec![excerpt(&why, FAULT_MAX).into_owned()]
}
