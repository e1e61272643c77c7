//! What the system that asked is told of its request in a webhook's event.

use crate::core::{
    FormAnswer, HandoffState, Incident, PagePurpose, RequestId, RequestOutcome, action_edit::ActionChange,
};
use serde::Serialize;

/// What the system that asked is told of its request in a notice. It asks for the rest with its own token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestNotice {
    /// The request.
    pub id: RequestId,
    /// `open`, or how it ended.
    pub state: &'static str,
    /// The option that is to be done, once it has an outcome that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// What was filled in, if it is a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<FormAnswer>,
    /// The digest of the action that is to be done, if it was approved with changes: the request has the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_digest: Option<String>,
    /// What was changed then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ActionChange>,
    /// How it stands with the conversation, if it is a handoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffNotice>,
}

/// How it stands with a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandoffNotice {
    /// Where it stands.
    pub state: &'static str,
    /// Who speaks to the user now, `machine` or `person`.
    pub owner: &'static str,
}

impl HandoffNotice {
    fn of(state: HandoffState) -> Self {
        Self { state: state.as_str(), owner: if state.is_with_person() { "person" } else { "machine" } }
    }
}

impl RequestNotice {
    /// The request of this incident, if the notice is about a request.
    pub fn of(incident: &Incident, purpose: &PagePurpose) -> Option<Self> {
        let PagePurpose::Notice { about } = purpose else { return None };
        if !about.is_of_request() {
            return None;
        }
        let (request, id) = incident.request.as_ref().zip(incident.request_id())?;
        let outcome = request.outcome();
        let state = outcome.map_or("open", RequestOutcome::state);
        let option = outcome.and_then(RequestOutcome::option).map(str::to_owned);
        let answer = outcome.and_then(RequestOutcome::answer).cloned();
        let edited = outcome.and_then(RequestOutcome::edited);
        Some(Self {
            id,
            state,
            option,
            answer,
            action_digest: edited.map(|edited| edited.action_digest.clone()),
            changes: edited.map(|edited| edited.changes.clone()).unwrap_or_default(),
            handoff: request.handoff_state().map(HandoffNotice::of),
        })
    }
}
