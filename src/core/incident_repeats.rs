//! How an incident counts the alerts that only repeat what its journal says.

use super::{
    alert::{Alert, AlertStatus},
    event::Event,
    incident::Incident,
    key::IncidentKey,
    names::SourceName,
    overflow::OPENINGS_WITHIN,
    repeats::{
        AlertRepeats, AllClearLines, CHANGES_WITHIN, CountedChanges, JOINED_WHOLE, TOLD_AFTER_MAX, TOLD_AFTER_MIN,
        TOLD_AFTER_SHARE,
    },
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

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

    /// Whether a change between firing and all clear is only counted now.
    pub(super) fn counts_changes(&self, now: Timestamp) -> bool {
        JOINED_WHOLE <= self.alerts && self.changes.as_ref().is_some_and(|changes| changes.own.is_spent(now))
    }

    /// Whether an alert after an all-clear is only counted.
    pub(super) fn is_counted_return(&self, alert: &Alert, now: Timestamp) -> bool {
        alert.status == AlertStatus::Firing
            && self.all_clear_at.is_some()
            && self.silent_since.is_none()
            && self.known.as_ref().is_some_and(|known| known.has(alert))
            && self.counts_changes(now)
    }

    /// Whether the all-clear of a key of an overflow that fires, or an alert of one that is over, is only counted.
    pub(super) fn is_counted_change_of(&self, key: &IncidentKey, alert: &Alert, now: Timestamp) -> bool {
        let is_spent = self.changes.as_ref().is_some_and(|changes| changes.is_spent_for(key, now));
        let returns = || {
            self.silent_since.is_none()
                && self.known.as_ref().is_some_and(|known| known.has(alert))
                && (self.all_clear_at.is_none() || self.counts_changes(now))
        };
        is_spent && JOINED_WHOLE <= self.alerts && (alert.status == AlertStatus::Resolved || returns())
    }

    /// Counts a repeat.
    pub(super) fn count_repeat(&mut self, alert: Arc<Alert>, now: Timestamp) {
        self.counted(now).count += 1;
        self.alerts += 1;
        self.take_alert(&alert);
    }

    /// Counts an alert after an all-clear.
    pub(super) fn count_return(&mut self, alert: Arc<Alert>, now: Timestamp) {
        self.all_clear_at = None;
        self.count_repeat(alert, now);
        self.note_changes(|_| {});
    }

    /// Counts an all-clear. No line for the rooms says it.
    pub(super) fn count_all_clear(&mut self, now: Timestamp) {
        let at = self.counted(now).last_at;
        let before = self.all_clears();
        self.clear_at(at);
        let more = self.all_clears() - before;
        self.note_changes(|changes| changes.all_clears += more);
    }

    /// Counts the change of a key of an overflow that is known.
    pub(super) fn count_change_of(&mut self, key: &IncidentKey, alert: Arc<Alert>, now: Timestamp) {
        let Some(after) = self.overflow.as_ref().map(|overflow| overflow.changed(key, &alert)) else { return };
        let (over, source) = (alert.status == AlertStatus::Resolved, alert.source.clone());
        let changed = BTreeMap::from([(key.clone(), after.clone())]);
        self.count_overflow(|overflow| overflow.update(&changed, over.then_some(&source)));
        if over {
            self.counted(now);
            self.change_of(|changes| changes.all_clears += 1);
        } else {
            self.all_clear_at = None;
            self.count_repeat(alert, now);
        }
        self.note_changes(|changes| {
            changes.all_clears += u64::from(over);
            changes.keys.insert(key.clone(), after);
            changes.cleared_by = over.then_some(source).or(changes.cleared_by.take());
        });
    }

    fn counted(&mut self, now: Timestamp) -> &mut AlertRepeats {
        self.last_at = self.last_at.max(now);
        let at = self.last_at;
        let repeats = self.repeats.get_or_insert(AlertRepeats { count: 0, first_at: at, last_at: at, changes: None });
        repeats.last_at = at;
        repeats
    }

    fn note_changes(&mut self, change: impl FnOnce(&mut CountedChanges)) {
        let (all_clear_at, lines, total) = (self.all_clear_at, self.all_clear_lines, self.all_clears());
        let Some(repeats) = &mut self.repeats else { return };
        let changes = Arc::make_mut(repeats.changes.get_or_insert_default());
        change(changes);
        (changes.all_clear_at, changes.lines, changes.total) = (all_clear_at, lines, total);
    }

    /// How many all-clears of its monitors came; 0 if an older version opened it.
    pub fn all_clears(&self) -> u64 {
        self.changes.as_ref().map_or(0, |changes| changes.all_clears)
    }

    /// The event that tells of the counted repeats, if there are any.
    pub(super) fn repeated(&self) -> Option<Event> {
        let AlertRepeats { count, first_at, last_at, changes } = self.repeats.clone()?;
        Some(Event::Repeated { count, first_at, last_at, alert: self.alert.clone(), changes })
    }

    /// When that event is due.
    pub(super) fn repeats_due(&self) -> Option<Timestamp> {
        let repeats = self.repeats.as_ref()?;
        let age = repeats.first_at.since(self.opened_at) / TOLD_AFTER_SHARE;
        // Rooms and other systems are told of changes by that event.
        let longest = if repeats.changes.is_some() { CHANGES_WITHIN } else { TOLD_AFTER_MAX };
        Some(repeats.first_at + age.clamp(TOLD_AFTER_MIN, longest))
    }

    /// How many all-clears came since the last line for the rooms that said one; `None` while no further line is due. A
    /// monitor that flaps says the same each time: its lines become rarer, the longer the incident lasts.
    pub(super) fn all_clears_unsaid(&self, now: Timestamp) -> Option<u64> {
        let Some(lines) = self.all_clear_lines else { return Some(0) };
        let age = lines.said_at.since(self.opened_at) / TOLD_AFTER_SHARE;
        (lines.said_at + age.clamp(TOLD_AFTER_MIN, TOLD_AFTER_MAX) <= now).then_some(lines.unsaid)
    }

    /// Records an all-clear that is in the journal, and whether a line says it.
    pub(super) fn cleared(&mut self, at: Timestamp) {
        self.change_of(|changes| changes.journaled(at));
        self.clear_at(at);
    }

    fn clear_at(&mut self, at: Timestamp) {
        self.all_clear_at = Some(at);
        // The keys of an overflow have all-clears of their own.
        if self.overflow.is_none() {
            self.change_of(|changes| changes.all_clears += 1);
        }
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
    pub(super) fn apply_repeated(&mut self, count: u64, alert: &Arc<Alert>, changes: Option<&Arc<CountedChanges>>) {
        let counted = self.repeats.take().map_or(0, |repeats| repeats.count);
        self.alerts += count.saturating_sub(counted);
        self.take_alert(alert);
        changes.into_iter().for_each(|changes| self.apply_changes(changes));
    }

    /// Adds what was counted since the last line to what was folded from the journal.
    pub fn with_repeats(mut self, repeats: Option<AlertRepeats>, last: &Arc<Alert>) -> Self {
        let Some(counted) = repeats else { return self };
        self.alerts += counted.count;
        self.last_at = self.last_at.max(counted.last_at);
        self.keep_repeats(counted, last.clone());
        self
    }

    /// Takes over what was counted since the last line, with the last alert; [`Self::alerts`] has them already.
    pub fn keep_repeats(&mut self, counted: AlertRepeats, last: Arc<Alert>) {
        self.take_alert(&last);
        counted.changes.iter().for_each(|changes| self.apply_changes(changes));
        self.repeats = Some(counted);
    }

    /// The state after the last of the counted changes.
    fn apply_changes(&mut self, changes: &CountedChanges) {
        self.all_clear_at = changes.all_clear_at;
        self.all_clear_lines = changes.lines;
        self.change_of(|known| known.all_clears = changes.total);
        if self.overflow.is_some() {
            self.count_overflow(|overflow| overflow.update(&changes.keys, changes.cleared_by.as_ref()));
        }
    }
}
