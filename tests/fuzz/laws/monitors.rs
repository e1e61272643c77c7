//! Other monitors' formats: whatever they send, what is read can be kept, and nothing but an alert pages.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use stentor::{
    core::{Alert, AlertStatus, SourceName, Timestamp},
    http::monitors::{
        cloudevents::{self as ce, BATCH_MAX},
        item::{MonitorItem, ReadItem},
        opsgenie as og, pagerduty as pd, webhook,
    },
};

/// 2026-11-23T09:00:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

/// The longest thing that a sender is told about one item, in characters.
const TOLD_MAX: usize = 1_000;

/// An event of PagerDuty is an alert with its key, or pages nobody; every fault is said.
pub fn pagerduty(bytes: &[u8]) {
    match pd::read_change(bytes) {
        Ok(event) => assert!(matches!(event.item, MonitorItem::Noted(_)) && event.dedup_key.is_none()),
        Err(faults) => told(&faults),
    }
    match pd::read(bytes) {
        Ok(pd::PagerDutyEvent { dedup_key: Some(key), item: MonitorItem::Alert(alert), .. }) => {
            assert_eq!((alert.kind.as_str(), alert.labels.get("dedup_key")), (pd::API, Some(&key)));
            assert!(alert.status == AlertStatus::Resolved || alert.labels.contains_key("severity"));
            kept(&alert);
        }
        Ok(event) => assert!(event.dedup_key.is_some()),
        Err(faults) => told(&faults),
    }
}

/// An alert of Opsgenie has its alias; the all-clear of one is read whatever else is said.
pub fn opsgenie(bytes: &[u8]) {
    match og::created(bytes) {
        Ok(alert) => {
            assert!(alert.labels.contains_key("alias") && alert.labels.contains_key("priority"));
            assert!(alert.status == AlertStatus::Firing && !alert.summary.is_empty());
            kept(&alert);
        }
        Err(faults) => told(&faults.into_iter().map(|(_, why)| why).collect::<Vec<_>>()),
    }
    let over = og::closed(&String::from_utf8_lossy(bytes), bytes);
    assert_eq!(over.status, AlertStatus::Resolved);
    kept(&over);
}

/// What Alertmanager and Grafana send: one bad alert costs no other, and a body of another form is one alert.
pub fn webhooks(bytes: &[u8]) {
    let source = SourceName::from("grafana");
    let beside = [&br#"{"alerts":[{"labels":{"alertname":"first"}},"#[..], bytes].concat();
    let read = webhook::read(&beside, &source, NOW).expect("it begins with an alert");
    let Some(Ok(MonitorItem::Alert(first))) = read.first() else { panic!("the first one is right") };
    assert_eq!(first.kind, "first");
    match webhook::read(bytes, &source, NOW) {
        Ok(read) => each(read, webhook::WEBHOOK_ALERTS_MAX + 3),
        Err(why) => told(&[why]),
    }
}

/// CloudEvents: the first line is the type of the body. Structured, in a batch and binary; what is read says in its structured
/// form the same.
pub fn cloudevents(bytes: &[u8]) {
    let (media, body) = super::first_line(bytes);
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::from_bytes(media).ok().map(|media| (CONTENT_TYPE, media)));
    for name in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        // The first letters of the body as one that is long enough to matter.
        let value = HeaderValue::from_bytes(&body[..body.len().min(20)]).ok().filter(|_| name == "ce-id");
        headers.insert(HeaderName::from_static(name), value.unwrap_or(HeaderValue::from_static("1.0")));
    }
    let Ok(events) = ce::events(&headers, body) else { return };
    for event in events.iter().flatten() {
        let structured = event.json().to_string();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"));
        let again = ce::events(&headers, structured.as_bytes()).expect("it is one event");
        let [Ok(again)] = &again[..] else { panic!("{structured}") };
        assert_eq!((&again.attributes, again.identity()), (&event.attributes, event.identity()), "{structured}");
    }
    each(ce::items(events), BATCH_MAX + 2);
}

fn each(read: Vec<ReadItem>, most: usize) {
    assert!(read.len() <= most, "{} items", read.len());
    for item in read {
        match item {
            Ok(MonitorItem::Alert(alert)) => kept(&alert),
            Ok(MonitorItem::Once { id, alert, .. }) => {
                assert!(!id.is_empty() && id.len() <= 255, "{id}");
                kept(&alert);
            }
            Ok(MonitorItem::Noted(event)) => assert!(!event.is_empty()),
            Err(why) => told(&[why]),
        }
    }
}

/// It has no flaw for which it would be refused, and says of nobody but the daemon who sent it.
fn kept(alert: &Alert) {
    assert_eq!(alert.flaw(), None);
    assert!(alert.id.is_empty() && alert.source.as_str().is_empty() && !alert.drill && alert.unknown.is_empty());
    assert!(!alert.kind.trim().is_empty());
}

fn told(faults: &[String]) {
    assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.is_empty() && fault.chars().count() <= TOLD_MAX));
}
