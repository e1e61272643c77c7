//! Reads the requests of Opsgenie's Alert API.

use crate::{
    core::{Alert, AlertStatus, printable::excerpt},
    http::{api::items, monitors::item},
};
use serde_json::{Map, Value, json};

/// The name of the API in metrics and logs, and the kind of its alerts.
pub const API: &str = "opsgenie";

/// The kind of the alerts that heartbeats are.
pub const HEARTBEAT: &str = "opsgenie_heartbeat";

/// The longest name of a heartbeat, in characters.
const HEARTBEAT_MAX: usize = 200;

/// The most characters of an alias: Opsgenie's own limit.
const ALIAS_MAX: usize = 512;

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

const PRIORITIES: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];

/// The priority of an alert that has none: Opsgenie's own.
const PRIORITY: &str = "P3";

/// What is kept of an alert as evidence, as it was sent.
const EVIDENCE: [&str; 7] = ["responders", "visibleTo", "actions", "details", "user", "note", "tags"];

/// A fault, and the field that has it.
pub type FieldFault = (&'static str, String);

/// The alert that a heartbeat is.
///
/// # Errors
/// Its name is too long.
pub fn heartbeat(name: &str) -> Result<Alert, Vec<FieldFault>> {
    if HEARTBEAT_MAX < name.chars().count() {
        return Err(vec![("name", format!("The name must have at most {HEARTBEAT_MAX} characters."))]);
    }
    let mut alert = Alert::new("", HEARTBEAT);
    item::add_label(&mut alert, "heartbeat", Some(name.to_owned()));
    Ok(alert)
}

/// Reads an alert that is to be created.
///
/// # Errors
/// Every fault.
pub fn created(body: &[u8]) -> Result<Alert, Vec<FieldFault>> {
    let whole = |why: String| vec![("body", excerpt(&why, FAULT_MAX).into_owned())];
    items::within(body).map_err(whole)?;
    let json = item::object(body).map_err(whole)?;
    let fields = item::fields(&json).map_err(whole)?;
    let mut faults = Vec::new();
    let mut alert = Alert::new("", API);
    match item::text(&fields, "message") {
        Some(message) => alert.summary = message,
        None => faults.push(("message", "Message can not be empty.".to_owned())),
    }
    let priority = item::text(&fields, "priority").map_or(PRIORITY.to_owned(), |text| text.trim().to_uppercase());
    if !PRIORITIES.contains(&priority.as_str()) {
        faults.push(("priority", format!("Priority must be one of {}.", PRIORITIES.join(", "))));
    }
    let alias = item::text(&fields, "alias").unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    if ALIAS_MAX < alias.chars().count() {
        faults.push(("alias", format!("Alias must have at most {ALIAS_MAX} characters.")));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    item::add_label(&mut alert, "alias", Some(alias));
    item::add_label(&mut alert, "priority", Some(priority));
    for name in ["entity", "source"] {
        item::add_label(&mut alert, name, item::text(&fields, name));
    }
    if let Some(details) = fields.get("details").and_then(|details| item::fields(details.get()).ok()) {
        item::add_details(&mut alert, &details);
    }
    alert.annotations.extend(item::text(&fields, "description").map(|text| ("description".to_owned(), text)));
    let mut evidence: Map<String, Value> =
        EVIDENCE.into_iter().filter_map(|name| Some((name.to_owned(), item::evidence(fields.get(name)?)))).collect();
    // So that a condition may ask for one of them.
    evidence.entry("tags").or_insert_with(|| json!([]));
    alert.evidence = Value::Object(evidence);
    Ok(alert)
}

/// The all-clear of the alert with this alias. What the body says beside it is kept, and no fault of it costs the all-clear.
pub fn closed(alias: &str, body: &[u8]) -> Alert {
    let mut alert = Alert::new("", API);
    alert.status = AlertStatus::Resolved;
    item::add_label(&mut alert, "alias", Some(excerpt(alias, ALIAS_MAX).into_owned()));
    let json = item::object(body).ok().filter(|_| items::within(body).is_ok()).unwrap_or_default();
    if let Ok(fields) = item::fields(&json) {
        alert.summary = item::text(&fields, "note").unwrap_or_default();
        let said =
            ["user", "source"].into_iter().filter_map(|name| Some((name.to_owned(), item::text(&fields, name)?)));
        alert.annotations.extend(said);
    }
    alert
}
