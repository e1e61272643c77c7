//! What the sender of alerts is told.

use crate::{
    engine::{AdmissionResult, AdmittedAlert},
    http::problem::{BodyFault, ProblemDetails},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The result for one alert, sent to its sender.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertResult {
    /// The id that it was given; `None` if it is not a valid alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The result as an HTTP status: 202 if it is durable, 400 if it was refused, 429 if it must be sent again: because its
    /// source may not open more incidents now, or because the alerts before it cost as much as one request may.
    status: u16,
    /// The incidents that have it.
    incidents: Vec<crate::core::IncidentId>,
    #[serde(flatten)]
    admitted: AdmittedAlert,
    /// What was left out or is doubtful, though the alert is kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The answer to a request with alerts.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is a schema alone: the answer is kept as it is told")]
pub struct AlertsAnswer {
    /// One result for each alert, in the order of the request.
    alerts: Vec<AlertResult>,
}

/// What is known of an item of the body before it is admitted: its warnings, or why it is no alert.
pub type ReadItem = Result<Vec<String>, String>;

/// The results of all items of a body, of which `admitted` are the alerts, each with its id.
pub fn results(items: &[ReadItem], admitted: impl IntoIterator<Item = (String, AdmittedAlert)>) -> Vec<AlertResult> {
    let mut admitted = admitted.into_iter();
    let result = |item: &ReadItem| match item {
        Ok(warnings) => {
            let (id, admitted) = admitted.next().unzip();
            AlertResult::new(
                id,
                admitted.unwrap_or(AdmittedAlert { results: Vec::new(), request: None }),
                warnings.clone(),
            )
        }
        Err(why) => AlertResult::new(None, AdmittedAlert::refused_for(why), Vec::new()),
    };
    items.iter().map(result).collect()
}

/// The status and the body: `202` if all are kept, `207` with a status for each if some are, a problem if none is.
pub fn told(results: &[AlertResult]) -> Result<(StatusCode, Value), ProblemDetails> {
    let refused =
        || results.iter().enumerate().filter_map(|(index, results)| Some((index, results.admitted.refused()?)));
    let status = match refused().count() {
        0 => StatusCode::ACCEPTED,
        some if some < results.len() => StatusCode::MULTI_STATUS,
        _ => {
            let faults: Vec<BodyFault> =
                refused().map(|(index, why)| BodyFault { index, detail: why.to_owned() }).collect();
            let detail = match &faults[..] {
                [only] => only.detail.clone(),
                _ => "nothing was kept: none of these alerts is understood".to_owned(),
            };
            return Err(ProblemDetails::bad(detail).with(faults));
        }
    };
    Ok((status, json!({ "alerts": results })))
}

/// The same as a response.
pub fn answer(results: &[AlertResult]) -> Result<Response, ProblemDetails> {
    told(results).map(|(status, body)| (status, Json(body)).into_response())
}

/// How many of them must be sent again, because their source may not open more incidents now.
pub fn over_quota(results: &[AlertResult]) -> usize {
    results.iter().filter(|result| result.admitted.is_over_quota()).count()
}

/// Of how many nothing was kept, because something is wrong with them.
pub fn refused(results: &[AlertResult]) -> usize {
    results.iter().filter(|result| result.admitted.refused().is_some()).count()
}

/// How many of them must be sent again, though nothing is wrong with them.
pub fn to_come_again(results: &[AlertResult]) -> usize {
    results.iter().filter(|result| result.admitted.must_come_again()).count()
}

/// How many of them were not judged, because the alerts before them cost as much as one request may.
pub fn over_cost(results: &[AlertResult]) -> usize {
    results.iter().filter(|result| result.admitted.is_over_cost()).count()
}

impl AlertResult {
    fn new(id: Option<String>, admitted: AdmittedAlert, warnings: Vec<String>) -> Self {
        // Two triggers may have put it into one.
        let mut known = BTreeSet::new();
        let incidents = admitted.results.iter().filter_map(incident_of).filter(|id| known.insert(*id)).collect();
        let status = match admitted.refused() {
            Some(_) => StatusCode::BAD_REQUEST,
            None if admitted.must_come_again() => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::ACCEPTED,
        };
        Self { id, status: status.as_u16(), incidents, admitted, warnings }
    }

    /// Without what explains it.
    pub fn short(&self) -> Value {
        json!({ "id": self.id, "status": self.status, "incidents": self.incidents })
    }
}

fn incident_of(result: &AdmissionResult) -> Option<crate::core::IncidentId> {
    match result {
        AdmissionResult::Opened { incident }
        | AdmissionResult::Joined { incident }
        | AdmissionResult::Overflowed { incident }
        | AdmissionResult::Cleared { incident } => Some(*incident),
        AdmissionResult::ConditionFailed { incident, .. } => *incident,
        AdmissionResult::Held { .. }
        | AdmissionResult::Over { .. }
        | AdmissionResult::DrillRefused { .. }
        | AdmissionResult::OverQuota { .. }
        | AdmissionResult::OverCost
        | AdmissionResult::Unmatched
        | AdmissionResult::Refused { .. } => None,
    }
}
