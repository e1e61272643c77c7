//! A request's alerts in parts: what each transaction takes of them, and what it needs.

use crate::{
    core::{Alert, AlertStatus, IncidentKey},
    engine::admission::{failed::FailureKeys, judge::MatchedAlert, opening_window},
    matrix::{Matrix, TriggerMatch},
    store::{LockSet, ended_windows},
};

/// What the alerts of one transaction may amount to: each counts once, and once more for each trigger that it is for. A
/// request with more is admitted in several transactions, so that nothing else waits for all of it.
pub(super) const PART_MAX: usize = 128;

/// The alerts in parts of at most [`PART_MAX`]; an alert that is for more triggers is a part of its own.
pub(super) fn parts(judged: Vec<MatchedAlert>) -> Vec<Vec<MatchedAlert>> {
    let (mut parts, mut part, mut amount) = (Vec::new(), Vec::new(), 0);
    for alert in judged {
        let more = 1 + alert.said.as_ref().map_or(0, Vec::len);
        if PART_MAX < amount + more && amount != 0 {
            parts.push(std::mem::take(&mut part));
            amount = 0;
        }
        amount += more;
        part.push(alert);
    }
    parts.push(part);
    parts
}

/// What a transaction needs in order to admit these alerts.
pub(super) fn needs(judged: &[MatchedAlert], matrix: &Matrix) -> LockSet {
    let mut needs = LockSet::default();
    for MatchedAlert { alert, said, silences, .. } in judged {
        needs.live_open |= alert.drill;
        let Ok(judgements) = said else { continue };
        if !needs.sources.contains(&alert.source) {
            needs.sources.push(alert.source.clone());
        }
        if let Some(key) = unmatched_key(alert, judgements, matrix) {
            needs.observed.extend(ended_windows(&key, alert));
            needs.keys.push(key);
        }
        for judgement in judgements {
            match judgement {
                TriggerMatch::Holds { trigger, key, threshold, window, layers, .. } => {
                    opening_window::opening(trigger, key, alert, &mut needs);
                    needs.observed.extend(threshold.is_some().then(|| window.clone()));
                    let is_silenced = silences.iter().any(|(silenced, _)| silenced == trigger);
                    needs.judged.extend((layers.is_some() || is_silenced).then(|| window.clone()));
                }
                TriggerMatch::Speaks { trigger, key, window, .. } => {
                    needs.keys.push(key.clone());
                    opening_window::needs(trigger, alert, &mut needs);
                    needs.judged.push(window.clone());
                }
                TriggerMatch::Breaks { key, threshold, window, layers, goes_on, .. } => {
                    needs.keys.extend(goes_on.then(|| key.clone()));
                    needs.observed.extend(threshold.is_some().then(|| window.clone()));
                    needs.judged.extend(layers.is_some().then(|| window.clone()));
                }
                TriggerMatch::Clears { trigger, key, threshold, window, .. } => {
                    needs.keys.push(key.clone());
                    needs.observed.extend(threshold.is_some().then(|| window.clone()));
                    opening_window::needs(trigger, alert, &mut needs);
                    needs.judged.push(window.clone());
                }
                TriggerMatch::Failed { trigger, entity, .. } => {
                    FailureKeys::of(trigger, alert, entity.as_deref()).add_to(&mut needs);
                }
            }
        }
    }
    needs
}

/// The key of an alert that pages though no trigger takes it.
pub(super) fn unmatched_key(alert: &Alert, judgements: &[TriggerMatch], matrix: &Matrix) -> Option<IncidentKey> {
    let is_taken = judgements.iter().any(|judgement| !matches!(judgement, TriggerMatch::Breaks { .. }));
    let pages = !is_taken && alert.status == AlertStatus::Firing && matrix.pages_unmatched(&alert.source);
    pages.then(|| IncidentKey::of_unmatched(&alert.source, alert.drill))
}
