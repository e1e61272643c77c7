//! What one item of a body says, and how the details of a monitor become the fields of an alert.

use crate::{
    core::{Alert, Timestamp, alert::NESTING_MAX, printable::excerpt, time::ForeignTime},
    engine::AdmittedAlert,
    http::api::items::{self, BodyItems},
};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, fmt, io, sync::Arc};

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
        answer: KeptAnswer,
    },
    /// Something that pages nobody, by the word under which it is counted: `acknowledge`, `change`.
    Noted(&'static str),
}

/// Says what became of an alert. It must be pure.
type SayOutcome = dyn Fn(&AdmittedAlert) -> String + Send + Sync;

/// What a monitor is told later of an item, by what became of it.
#[derive(Clone, Default)]
pub struct KeptAnswer(Option<Arc<SayOutcome>>);

impl KeptAnswer {
    /// It is said by this.
    pub fn new(say: impl Fn(&AdmittedAlert) -> String + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(say)))
    }

    /// What is said; nothing where nobody will ask.
    pub fn of(&self, admitted: &AdmittedAlert) -> String {
        self.0.as_ref().map_or_else(String::new, |say| say(admitted))
    }
}

impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptAnswer").field(&self.0.is_some()).finish()
    }
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
        Some((true, [object])) => Ok(items::tamed(object)),
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

/// What a body counts as that has more items than are read.
pub const CUT_OFF: &str = "cut-off";

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

/// A value that has at most so many bytes; of a larger one its beginning as a text, which says so.
pub fn cut(value: Value, most: usize) -> Value {
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.len() <= most {
        return value;
    }
    Value::from(cut_text(&text, most))
}

fn cut_text(text: &str, most: usize) -> String {
    // A letter has at most four bytes.
    format!("{} (cut: it has {} bytes)", excerpt(text, most / 4), text.len())
}

/// The most bytes of each text of an alert that is too large, once its evidence is cut.
const TEXT_KEPT: usize = 4 * 1024;

/// The most bytes that are kept of the evidence of an alert that is too large.
const EVIDENCE_KEPT: usize = 64 * 1024;

/// Brings an alert within the size that one may have, rather than lose it: what tells people more is cut, with a word;
/// what triggers look at is not. Whether something was cut.
///
/// # Errors
/// If it is too large all the same.
pub fn bring_within(alert: &mut Alert) -> Result<bool, String> {
    if bytes(alert) <= items::ALERT_MAX {
        return Ok(false);
    }
    alert.evidence = cut(std::mem::take(&mut alert.evidence), EVIDENCE_KEPT);
    if items::ALERT_MAX < bytes(alert) {
        for text in alert.annotations.values_mut().chain([&mut alert.summary]) {
            if TEXT_KEPT < text.len() {
                *text = cut_text(text, TEXT_KEPT);
            }
        }
    }
    match bytes(alert) {
        all if all <= items::ALERT_MAX => Ok(true),
        all => Err(format!("the alert has {all} bytes, more than the {} that one may have", items::ALERT_MAX)),
    }
}

fn bytes(alert: &Alert) -> usize {
    /// Counts what is written.
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0 += part.len();
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // It can not fail: an alert is texts, numbers and JSON.
    let _ = serde_json::to_writer(&mut count, alert);
    count.0
}

/// Leaves these secrets out of what an alert says: it is journaled, and shown to everybody. Whether there was one.
pub fn leave_out(alert: &mut Alert, secrets: &[&str]) -> bool {
    let in_text = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    let clean = |text: &mut String| {
        let found = in_text(text);
        if found {
            *text = secrets.iter().fold(text.clone(), |text, secret| text.replace(secret, "[secret]"));
        }
        found
    };
    let texts = alert.labels.values_mut().chain(alert.annotations.values_mut());
    let in_texts = texts.chain([&mut alert.summary, &mut alert.kind]).fold(false, |found, text| clean(text) | found);
    in_value(&mut alert.evidence, &clean) | in_texts
}

fn in_value(value: &mut Value, clean: &impl Fn(&mut String) -> bool) -> bool {
    match value {
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter_mut().fold(false, |found, item| in_value(item, clean) | found),
        Value::Object(fields) => fields.values_mut().fold(false, |found, field| in_value(field, clean) | found),
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_for_one_alert_is_cut_with_a_word_and_what_triggers_look_at_is_not() {
        let long = |length: usize| "x".repeat(length);
        let mut alert = Alert::new("", "k");
        alert.evidence = Value::from(long(items::ALERT_MAX / 2));
        let before = alert.clone();
        assert_eq!((bring_within(&mut alert), &alert), (Ok(false), &before));
        alert.evidence = serde_json::json!({ "a": [long(items::ALERT_MAX)] });
        assert_eq!(bring_within(&mut alert), Ok(true));
        let kept = alert.evidence.as_str().expect("a text");
        assert!(kept.ends_with("(cut: it has 1048586 bytes)") && kept.starts_with("{\"a\":[\"xxx"), "{}", kept.len());
        alert.summary = long(items::ALERT_MAX);
        alert.annotations.insert("a".into(), "\u{1}".repeat(items::ALERT_MAX / 4));
        assert_eq!(bring_within(&mut alert), Ok(true));
        assert!(alert.summary.ends_with("(cut: it has 1048576 bytes)"), "{}", alert.summary);
        assert!(bytes(&alert) < items::ALERT_MAX);
        alert.labels.insert("a".into(), long(items::ALERT_MAX));
        assert!(bring_within(&mut alert).is_err_and(|why| why.contains("more than the 1048576")));
    }

    #[test]
    fn a_secret_of_the_source_is_in_no_field_of_its_alert() {
        let mut alert = Alert::new("", "k-s3cret-aa");
        alert.summary = "by s3cret-aa".into();
        alert.labels.insert("token".into(), "s3cret-aa".into());
        alert.annotations.insert("b".into(), "Bearer s3cret-bb!".into());
        alert.evidence = serde_json::json!({ "a": [{ "b": "s3cret-bb" }, "s3cret-aa"], "c": "other" });
        assert!(leave_out(&mut alert, &["s3cret-aa", "s3cret-bb"]));
        let json = serde_json::to_string(&alert).expect("JSON");
        assert!(!json.contains("s3cret") && json.contains("Bearer [secret]!") && json.contains("other"), "{json}");
        assert!(!leave_out(&mut alert, &["s3cret-aa"]));
    }
}
