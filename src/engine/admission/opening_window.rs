//! The window in which a trigger's openings are counted.

use crate::{
    core::{IncidentKey, TriggerName},
    store::LockSet,
};
use std::time::Duration;

/// The period of a trigger's limit.
pub const OPENINGS_WITHIN: Duration = Duration::from_secs(60);

/// What a transaction needs in order to open an incident for this trigger, or to count it.
pub fn needs(trigger: &TriggerName, drill: bool, needs: &mut LockSet) {
    let key = IncidentKey::of_overflow(trigger, drill);
    needs.observed.push(openings_window(&key));
    needs.keys.push(key);
}

/// The window that counts what a trigger has opened. Drills do not count against live incidents.
pub fn openings_window(overflow: &IncidentKey) -> String {
    format!("openings\u{1f}{overflow}")
}
