//! How an incident counts the alerts that only repeat what its journal says.

use super::{
    alert::{Alert, AlertStatus},
    event::Event,
    incident::Incident,
    names::SourceName,
    overflow::OPENINGS_WITHIN,
    repeats::{AlertRepeats, AllClearLines, JOINED_WHOLE, TOLD_AFTER_MAX, TOLD_AFTER_MIN, TOLD_AFTER_SHARE},
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

    /// How many all-clears came since the last line for the rooms that said one; `None` while no further line is due. A
    /// monitor that flaps says the same each time: its lines become rarer, the longer the incident lasts.
    pub(super) fn all_clears_unsaid(&self, now: Timestamp) -> Option<u64> {
        let Some(lines) = self.all_clear_lines else { return Some(0) };
        let age = lines.said_at.since(self.opened_at) / TOLD_AFTER_SHARE;
        (lines.said_at + age.clamp(TOLD_AFTER_MIN, TOLD_AFTER_MAX) <= now).then_some(lines.unsaid)
    }

    /// Records an all-clear, and whether a line says it.
    pub(super) fn cleared(&mut self, at: Timestamp) {
        self.all_clear_at = Some(at);
        let is_said = self.all_clears_unsaid(at).is_some();
        let lines = self.all_clear_lines.get_or_insert(AllClearLines { said_at: at, unsaid: 0 });
        *lines = match is_said {
            true => AllClearLines { said_at: at, unsaid: 0 },
            false => AllClearLines { unsaid: lines.unsaid + 1, ..*lines },
        };
    }

    /// When an overflow for which every all-clear has come is over, and by whom.
    pub(super) fn overflow_end(&self) -> Option<(Timestamp, &SourceName)> {
        let by = self.overflow.as_ref()?.ended_by()?;
        Some((self.opened_at + OPENINGS_WITHIN, by)).filter(|_| self.all_clear_at.is_none())
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
