//! Alerts: the native form and Alertmanager's.

use serde_json::Value;
use stentor::{
    core::{Alert, AlertStatus, SourceName, Timestamp},
    http::api::{
        alertmanager,
        alerts::{ALERTS_MAX, parse},
    },
};

/// The longest thing that a sender is told about one alert, in characters.
const TOLD_MAX: usize = 1_000;

/// 2026-11-23T09:00:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

/// What is read is what was sent and no more, and reads the same once it is written; one bad alert costs no other.
pub fn native(bytes: &[u8]) {
    let beside = [&br#"[{"kind":"first"},"#[..], bytes].concat();
    let read = parse(&beside).unwrap_or_else(|_| panic!("it begins with an array"));
    let first = read.first().and_then(|first| first.as_ref().ok()).expect("the first one is right");
    assert_eq!(first.alert().kind, "first");
    let Ok(read) = parse(bytes) else { return };
    assert!(read.len() <= ALERTS_MAX + 2, "{} results", read.len());
    for result in read {
        match result {
            Ok(read) => {
                let alert = read.alert();
                assert!(!alert.kind.trim().is_empty());
                assert!(alert.id.is_empty() && alert.source.as_str().is_empty() && alert.lease_until.is_none());
                bounded(alert, bytes);
                read.warnings().iter().for_each(|warning| told(warning));
                if alert.flaw().is_none() {
                    let written = serde_json::to_string(alert).expect("it has no flaw");
                    let again = parse(written.as_bytes()).unwrap_or_else(|_| panic!("it can not be read: {written}"));
                    let [Ok(again)] = &again[..] else { panic!("{written} is not one alert") };
                    assert_eq!(again.alert(), alert, "{written}");
                }
            }
            Err(why) => told(&why),
        }
    }
}

/// The same; an alert is over where its end is not in the future, and leased where it is.
pub fn alertmanager(bytes: &[u8]) {
    let source = SourceName::from("prometheus");
    let Ok(read) = alertmanager::read(bytes, &source, NOW) else { return };
    assert!(read.len() <= ALERTS_MAX + 2, "{} results", read.len());
    for (alert, _) in read.into_iter().flatten() {
        assert_eq!(alert.source, source);
        assert!(
            !alert.kind.is_empty() && !alert.labels.is_empty() && alert.labels.values().all(|text| !text.is_empty())
        );
        let is_over = alert.status == AlertStatus::Resolved;
        assert!(alert.lease_until.is_none_or(|until| NOW < until && !is_over), "{alert:?}");
        assert!(alert.starts_at.is_some(), "it says when it began");
        assert!(alert.values.iter().all(|(name, value)| value.is_finite() && alert.annotations.contains_key(name)));
        assert_eq!(alert.flaw(), None, "whatever this door reads can be kept");
        bounded(&alert, bytes);
    }
}

/// No more is kept than was sent: a byte that is no letter becomes three, and an escape is shorter than its letter never.
fn bounded(alert: &Alert, bytes: &[u8]) {
    let texts = [&alert.labels, &alert.annotations].into_iter().flatten().map(|(name, text)| name.len() + text.len());
    let unknown = alert.unknown.iter().map(|(name, value)| name.len() + length(value));
    let values = alert.values.keys().map(String::len);
    let kept = texts.chain(unknown).chain(values).sum::<usize>() + length(&alert.evidence);
    assert!(kept + alert.kind.len() + alert.summary.len() <= 64 + 3 * bytes.len(), "{kept} of {}", bytes.len());
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(length).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + length(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn told(why: &str) {
    let length = why.chars().count();
    assert!(0 < length && length <= TOLD_MAX, "{length} characters are said");
}
