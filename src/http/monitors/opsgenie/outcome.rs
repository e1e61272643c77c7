//! What became of an alert, as whoever sent it is told.

use crate::engine::{AdmissionResult, AdmittedAlert};

/// Whether something came of an alert, or of an all-clear (`is_over`), and what: each of its triggers says it once.
pub fn of(admitted: &AdmittedAlert, is_over: bool) -> (bool, String) {
    let said: Vec<(bool, String)> = admitted.results.iter().map(|result| one(result, is_over)).collect();
    let success = said.iter().any(|(success, _)| *success);
    (success, said.into_iter().map(|(_, said)| said).collect::<Vec<_>>().join("; "))
}

fn one(result: &AdmissionResult, is_over: bool) -> (bool, String) {
    match result {
        AdmissionResult::Opened { incident } => (true, format!("Created alert: {incident} was opened")),
        AdmissionResult::Joined { incident } => (true, format!("Created alert: it joined {incident}")),
        AdmissionResult::Overflowed { incident } => (true, format!("Created alert: {incident} counts it")),
        AdmissionResult::Held { trigger, .. } => (true, format!("Trigger {trigger} holds it: nobody is paged now")),
        AdmissionResult::Over { trigger, .. } => {
            (false, format!("A person has resolved its incident of trigger {trigger}: nobody is paged again"))
        }
        AdmissionResult::Cleared { incident } => (true, format!("Closed alert: {incident} has its all-clear")),
        AdmissionResult::ConditionFailed { trigger, incident: Some(incident), .. } => {
            (true, format!("The condition of trigger {trigger} can not be evaluated: {incident} says so"))
        }
        AdmissionResult::ConditionFailed { trigger, incident: None, .. } => {
            (false, format!("The condition of trigger {trigger} can not be evaluated"))
        }
        AdmissionResult::DrillRefused { trigger, .. } => (false, format!("Trigger {trigger} opens no drill now")),
        // Those that come again are not kept.
        AdmissionResult::OverQuota { .. } | AdmissionResult::OverCost | AdmissionResult::Refused { .. } => {
            (false, "It was not taken".to_owned())
        }
        AdmissionResult::Unmatched if is_over => (false, "Nothing was open: no alert was closed".to_owned()),
        AdmissionResult::Unmatched => (false, "No trigger took it: nobody is paged".to_owned()),
    }
}
