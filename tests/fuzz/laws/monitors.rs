//! Other monitors' formats: whatever they send, what is read can be kept, and nothing but an alert pages.

use stentor::{
    core::{Alert, AlertStatus, SourceName, Timestamp},
    http::{
        api::alerts::ALERTS_MAX,
        monitors::{
            item::{MonitorItem, ReadItem},
            pagerduty as pd, webhook,
        },
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

/// What Alertmanager and Grafana send: one bad alert costs no other, and a body of another form is one alert.
pub fn webhooks(bytes: &[u8]) {
    let source = SourceName::from("grafana");
    let beside = [&br#"{"alerts":[{"labels":{"alertname":"first"}},"#[..], bytes].concat();
    let read = webhook::read(&beside, &source, NOW).expect("it begins with an alert");
    let Some(Ok(MonitorItem::Alert(first))) = read.first() else { panic!("the first one is right") };
    assert_eq!(first.kind, "first");
    match webhook::read(bytes, &source, NOW) {
        Ok(read) => each(read, ALERTS_MAX + 2),
        Err(why) => told(&[why]),
    }
}

fn each(read: Vec<ReadItem>, most: usize) {
    assert!(read.len() <= most, "{} items", read.len());
    for item in read {
        match item {
            Ok(MonitorItem::Alert(alert)) => kept(&alert),
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
