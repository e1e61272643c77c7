//! The windows that remember what a human ended, so that a repetition of its alert opens nothing.

use crate::core::{Alert, Incident, IncidentKey, overflow::episode_hash};

/// The windows that record when a human ended an incident with this key, and an overflow incident that counted it, for
/// repetitions of its last alert; none for an alert whose repetitions can not be recognized.
pub fn ended_windows(key: &IncidentKey, alert: &Alert) -> Vec<String> {
    let own = alert.episode().map(|episode| format!("{ENDED}{key}\u{1f}{episode}"));
    own.into_iter().chain(episode_hash(key, alert).as_deref().map(ended_overflow)).collect()
}

/// What a human ends together with this incident.
pub(super) fn ended_with(incident: &Incident) -> Vec<String> {
    match &incident.overflow {
        Some(overflow) => overflow.episodes().map(ended_overflow).collect(),
        None => ended_windows(&incident.key, &incident.alert).into_iter().take(1).collect(),
    }
}

fn ended_overflow(episode: &str) -> String {
    format!("{ENDED}#{episode}")
}

/// The prefix of these windows.
const ENDED: &str = "ended\u{1f}";
