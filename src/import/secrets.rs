//! Finds what looks like a secret in an export, to say that it was not copied. Its value is in no report.

use super::report::{FindingKind, ImportReport};
use serde_json::Value;

/// Words in the names of fields that hold secrets.
const WORDS: [&str; 12] = [
    "password",
    "secret",
    "token",
    "credentials",
    "api_key",
    "apikey",
    "routing_key",
    "service_key",
    "integration_key",
    "integrationkey",
    "private_key",
    "api_url",
];

/// The most that are named one by one.
const NAMED_MAX: usize = 200;

/// Reports each field of the export whose name says that it is a secret.
pub fn report(value: &Value, report: &mut ImportReport) {
    let mut places = Vec::new();
    walk(value, &mut String::new(), &mut places);
    for place in places.iter().take(NAMED_MAX) {
        report.found(FindingKind::Secret, place.clone(), "it is in the export; keep that file safe, or delete it");
    }
    if NAMED_MAX < places.len() {
        let more = places.len() - NAMED_MAX;
        report.found(FindingKind::Secret, "the export", format!("{more} more secrets are in it"));
    }
}

fn walk(value: &Value, place: &mut String, places: &mut Vec<String>) {
    let length = place.len();
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if length != 0 {
                    place.push('.');
                }
                place.push_str(name);
                if is_secret(name, field) {
                    places.push(place.clone());
                } else {
                    walk(field, place, places);
                }
                place.truncate(length);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                place.push_str(&format!("[{n}]"));
                walk(item, place, places);
                place.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_lowercase();
    let is_file = name.ends_with("_file") || name.ends_with("_ref");
    let text = value.as_str().unwrap_or_default();
    // Whoever knows such an address may use it.
    let is_address =
        text.starts_with("http") && (text.contains("token=") || name.starts_with("ical_url") || name == "link");
    let is_named = WORDS.iter().any(|word| name == *word || name.ends_with(&format!("_{word}")));
    !text.is_empty() && !is_file && (is_named || is_address)
}
