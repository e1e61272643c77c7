//! Other monitors' formats: whatever they send, what is read can be kept, and nothing but an alert pages.

use stentor::{
    core::{Alert, AlertStatus},
    http::monitors::{item::MonitorItem, pagerduty as pd},
};

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

/// It has no flaw for which it would be refused, and says of nobody but the daemon who sent it.
fn kept(alert: &Alert) {
    assert_eq!(alert.flaw(), None);
    assert!(alert.id.is_empty() && alert.source.as_str().is_empty() && !alert.drill && alert.unknown.is_empty());
    assert!(!alert.kind.trim().is_empty());
}

fn told(faults: &[String]) {
    assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.is_empty() && fault.chars().count() <= TOLD_MAX));
}
