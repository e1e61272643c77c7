//! What one item of a body says, and how the details of a monitor become the fields of an alert.

use crate::{
    core::{Alert, Timestamp, alert::NESTING_MAX, time::ForeignTime},
    http::api::items::{self, BodyItems},
};
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// What one item of a body says.
#[derive(Debug)]
pub enum MonitorItem {
    /// An alert; it gets its id and its source when it is admitted.
    Alert(Box<Alert>),
    /// The same, which its monitor may send again: under this id it is admitted once.
    Once {
        /// What tells it from the source's others.
        id: String,
        /// The alert.
        alert: Box<Alert>,
        /// What its monitor may ask for later under this id; for a day it is kept with the alert.
        answer: String,
    },
    /// Something that pages nobody, by the word under which it is counted: `acknowledge`, `change`.
    Noted(&'static str),
}

/// An item, or why it is none.
pub type ReadItem = Result<MonitorItem, String>;

/// The fields of a JSON object by their names. Of two with the same name the last one counts, as with most readers.
pub type Fields<'j> = BTreeMap<String, &'j RawValue>;

/// The text of a body that is one object, as JSON that a strict reader takes.
///
/// # Errors
/// If it is no object, or does not end.
pub fn object(body: &[u8]) -> Result<String, String> {
    let read = BodyItems::of(body).filter(|read| !read.in_array);
    match read.as_ref().map(|read| (read.closed, &read.items[..])) {
        Some((true, [object])) => Ok(items::mended(object).0),
        Some(_) => Err("the object has no end".to_owned()),
        None => Err("the body must be a JSON object".to_owned()),
    }
}

/// The fields of an object, without those that are `null`.
///
/// # Errors
/// If it is no object, or no JSON.
pub fn fields(json: &str) -> Result<Fields<'_>, String> {
    let read = items::fields(json).map_err(|error| error.to_string())?;
    Ok(read.into_iter().filter(|(_, value)| value.get() != "null").collect())
}

/// A field as text; `None` where it is missing or says nothing.
pub fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields.get(name).map(|value| items::text(value)).filter(|text| !text.trim().is_empty())
}

/// A time that may be written in any way that monitors use; one that can not be read, or is out of range, is unknown.
pub fn time(fields: &Fields<'_>, name: &str) -> Option<Timestamp> {
    text(fields, name)
        .and_then(|text| ForeignTime::read(&text))
        .filter(|time| !time.is_unset())
        .and_then(ForeignTime::at)
}

/// How much deeper what surrounds a value in the evidence makes it.
const AROUND: usize = 4;

/// A value as evidence: as JSON if it is read back as it was written, else as its text. No detail of an alert costs the
/// alert.
pub fn evidence(value: &RawValue) -> Value {
    let read = serde_json::from_str(value.get()).ok().filter(is_keepable);
    read.unwrap_or_else(|| Value::from(value.get()))
}

/// Makes the evidence of an alert its text where it could not be kept otherwise.
pub fn make_keepable(alert: &mut Alert) {
    if !is_keepable(&alert.evidence) {
        alert.evidence = Value::from(alert.evidence.to_string());
    }
}

fn is_keepable(value: &Value) -> bool {
    let again = || serde_json::to_string(value).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    depth(value) + AROUND <= NESTING_MAX && again().as_ref() == Some(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Adds details of a monitor to an alert: what is no object or list becomes an annotation, and a value where it is a
/// number.
pub fn add_details(alert: &mut Alert, details: &Fields<'_>) {
    for (name, value) in details {
        if value.get().starts_with(['{', '[']) {
            continue;
        }
        if let Ok(number) = items::number(name, value) {
            alert.values.insert(name.clone(), number);
        }
        alert.annotations.insert(name.clone(), items::text(value));
    }
}

/// Adds a label where the field says something.
pub fn add_label(alert: &mut Alert, label: &str, text: Option<String>) {
    alert.labels.extend(text.map(|text| (label.to_owned(), text)));
}
