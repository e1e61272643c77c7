//! How an incident counts the alerts that only repeat what its journal says.

use super::{
    alert::{Alert, AlertStatus},
    event::Event,
    incident::Incident,
    repeats::{AlertRepeats, JOINED_WHOLE, TOLD_AFTER_MAX, TOLD_AFTER_MIN, TOLD_AFTER_SHARE},
    time::Timestamp,
};
use std::sync::Arc;

impl Incident {
    /// Whether an alert is a repeat that is only counted: another one of an alert that is in the journal already, while
    /// its monitor has reported neither silence nor an end since.
    pub(super) fn is_repeat(&self, alert: &Alert) -> bool {
        alert.status == AlertStatus::Firing
            && JOINED_WHOLE <= self.alerts
            && self.silent_since.is_none()
            && self.all_clear_at.is_none()
            && self.known.as_ref().is_some_and(|known| known.has(alert))
    }

    /// Counts a repeat. It is the incident's last alert, with its values and its lease.
    pub(super) fn count_repeat(&mut self, alert: Arc<Alert>, now: Timestamp) {
        self.last_at = self.last_at.max(now);
        let at = self.last_at;
        let repeats = self.repeats.get_or_insert(AlertRepeats { count: 0, first_at: at, last_at: at });
        repeats.count += 1;
        repeats.last_at = at;
        self.alerts += 1;
        self.alert = alert;
    }

    /// The event that tells of the counted repeats, if there are any.
    pub(super) fn repeated(&self) -> Option<Event> {
        let AlertRepeats { count, first_at, last_at } = self.repeats?;
        Some(Event::Repeated { count, first_at, last_at, alert: self.alert.clone() })
    }

    /// When that event is due.
    pub(super) fn repeats_due(&self) -> Option<Timestamp> {
        let first_at = self.repeats?.first_at;
        let age = first_at.since(self.opened_at) / TOLD_AFTER_SHARE;
        Some(first_at + age.clamp(TOLD_AFTER_MIN, TOLD_AFTER_MAX))
    }

    /// Records what [`Event::Repeated`] tells. What was counted here is not counted again.
    pub(super) fn apply_repeated(&mut self, count: u64, alert: &Arc<Alert>) {
        let counted = self.repeats.take().map_or(0, |repeats| repeats.count);
        self.alerts += count.saturating_sub(counted);
        self.alert = alert.clone();
    }

    /// Adds what was counted since the last line to what was folded from the journal.
    pub fn with_repeats(mut self, repeats: Option<AlertRepeats>, last: &Arc<Alert>) -> Self {
        let Some(counted) = repeats else { return self };
        self.alerts += counted.count;
        self.last_at = self.last_at.max(counted.last_at);
        self.alert = last.clone();
        self.repeats = repeats;
        self
    }
}
