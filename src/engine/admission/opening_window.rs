//! The window in which a trigger's openings are counted.

use crate::{
    core::{Alert, IncidentKey, SourceName, TriggerName},
    store::{LockSet, ended_windows},
};

pub use crate::core::overflow::OPENINGS_WITHIN;

/// What a transaction needs in order to open an incident for this trigger and alert, or to count it.
pub fn needs(trigger: &TriggerName, alert: &Alert, needs: &mut LockSet) {
    let key = IncidentKey::of_overflow(trigger, alert.drill);
    needs.observed.extend([openings_window(&key), source_openings_window(&key, &alert.source)]);
    needs.keys.push(key);
}

/// What it needs in order to open the incident of this key, too.
pub fn opening(trigger: &TriggerName, key: &IncidentKey, alert: &Alert, locks: &mut LockSet) {
    locks.keys.push(key.clone());
    locks.observed.extend(ended_windows(key, alert));
    needs(trigger, alert, locks);
}

/// The window that counts what a trigger has opened. Drills do not count against live incidents.
pub fn openings_window(overflow: &IncidentKey) -> String {
    format!("openings\u{1f}{overflow}")
}

/// The window that counts what a trigger has opened for one source. The first one within [`OPENINGS_WITHIN`] is opened
/// whatever other sources have sent: the flood of one hides no crisis of another.
pub fn source_openings_window(overflow: &IncidentKey, source: &SourceName) -> String {
    format!("openings\u{1f}{overflow}\u{1f}{source}")
}
