//! What became of an alert.

use crate::{
    core::{
        Alert, AlertStatus, IncidentId, RequestId, Timestamp, TriggerName, judgement::JudgementLayer,
        silence::SilenceId,
    },
    engine::alert_tally::CountedResult,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result for one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdmittedAlert {
    /// One result for each trigger that matched; never empty.
    pub results: Vec<AdmissionResult>,
    /// The request that it asks or belongs to, if its trigger asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<AlertRequest>,
}

/// The state of a request that has no outcome yet.
pub(super) const OPEN: &str = "open";

/// The request of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRequest {
    /// Its id, for `GET /v1/requests/{id}`.
    #[schemars(with = "String")]
    pub id: RequestId,
    /// `open`, or how it ended.
    pub state: String,
}

impl AdmissionResult {
    pub(super) fn over_quota(trigger: &TriggerName) -> Self {
        Self::OverQuota { trigger: trigger.to_string() }
    }
}

impl AlertRequest {
    /// The one that whoever waits follows: two triggers may ask, and one may have ended at once.
    pub(super) fn to_follow(requests: impl Iterator<Item = Self>) -> Option<Self> {
        let requests: Vec<Self> = requests.collect();
        requests.iter().find(|request| request.state == OPEN).or(requests.first()).cloned()
    }
}

impl AdmittedAlert {
    /// Whether it must be sent again, though nothing is wrong with it.
    pub fn must_come_again(&self) -> bool {
        self.is_over_quota() || self.is_over_cost()
    }

    /// Whether the conditions for the alerts before it used up what one request may cost.
    pub fn is_over_cost(&self) -> bool {
        self.results.contains(&AdmissionResult::OverCost)
    }

    /// One of which nothing was kept.
    pub fn refused_for(why: &str) -> Self {
        Self { results: vec![AdmissionResult::Refused { why: why.to_owned() }], request: None }
    }

    /// Whether it would have opened an incident, and its source may not open more now.
    pub fn is_over_quota(&self) -> bool {
        self.results.iter().any(|result| matches!(result, AdmissionResult::OverQuota { .. }))
    }

    /// Why nothing of the alert was kept, if so.
    pub fn refused(&self) -> Option<&str> {
        self.results.iter().find_map(|result| match result {
            AdmissionResult::Refused { why } => Some(why.as_str()),
            _ => None,
        })
    }
}

/// The result of one alert for one trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum AdmissionResult {
    /// An incident was opened.
    Opened {
        /// The incident.
        incident: IncidentId,
    },
    /// It joined an open incident.
    Joined {
        /// The incident.
        incident: IncidentId,
    },
    /// Its trigger has opened as many incidents as it may within a minute: the trigger's overflow incident counts it.
    Overflowed {
        /// The overflow incident.
        incident: IncidentId,
    },
    /// A layer of the trigger holds it: no incident is opened now.
    Held {
        /// The trigger.
        trigger: String,
        /// How many alerts, or witnesses, count so far; 0 after one for which the condition does not hold: the count starts
        /// anew, and what waited waits no longer.
        count: usize,
        /// Which layer, by its key in the matrix.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<JudgementLayer>,
        /// When an incident is opened unless something comes in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        until: Option<Timestamp>,
        /// The silence that holds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence: Option<SilenceId>,
    },
    /// A repetition of an alert (with the same start time) whose incident a human has resolved. Nobody is paged again.
    Over {
        /// The trigger.
        trigger: String,
        /// When a human resolved the incident.
        ended_at: Timestamp,
    },
    /// An all-clear for an open incident.
    Cleared {
        /// The incident.
        incident: IncidentId,
    },
    /// A trigger's condition could not be evaluated; the catch-all is told if the matrix has one.
    ConditionFailed {
        /// The trigger.
        trigger: String,
        /// The reason.
        why: String,
        /// The incident about the trigger.
        incident: Option<IncidentId>,
    },
    /// A drill that would have opened an incident while a live one is open. Nobody is paged; it is in the journal.
    DrillRefused {
        /// The trigger.
        trigger: String,
        /// The live incident.
        live: IncidentId,
    },
    /// It would have opened an incident, and its source has opened as many as it may in a minute. It must be sent again.
    OverQuota {
        /// The trigger.
        trigger: String,
    },
    /// The conditions for the alerts before it cost as much as one request may. It was not judged and must be sent again.
    OverCost,
    /// No trigger matched. The journal has it.
    Unmatched,
    /// It could not be read back from the form in which it would be stored. Nothing of it was kept; alerts that came
    /// with it were.
    Refused {
        /// The reason.
        why: String,
    },
}

impl AdmissionResult {
    /// What it is counted as, in metrics and by source.
    pub(super) fn counted_as(&self, alert: &Alert) -> CountedResult {
        let layer = match self {
            Self::Held { layer, .. } => layer.map(JudgementLayer::key),
            _ => None,
        };
        CountedResult { result: self.name(alert.status), layer, drill: alert.drill }
    }

    /// Its name where it is counted.
    fn name(&self, of: AlertStatus) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Joined { .. } => "joined",
            Self::Overflowed { .. } => "overflowed",
            Self::Held { .. } => "held",
            Self::Over { .. } => "over",
            Self::Cleared { .. } => "cleared",
            Self::ConditionFailed { .. } => "condition-failed",
            Self::DrillRefused { .. } => "drill-refused",
            Self::OverQuota { .. } => "over-quota",
            Self::OverCost => "over-cost",
            Self::Unmatched if of == AlertStatus::Resolved => "nothing-open",
            Self::Unmatched => "unmatched",
            Self::Refused { .. } => "refused",
        }
    }
}
