//! What the system that asked is told of its request in a webhook's event.

use crate::core::{FormAnswer, Incident, PagePurpose, RequestId, RequestOutcome, page::SystemNotice};
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
}

impl RequestNotice {
    /// The request of this incident, if the notice is about a request.
    pub fn of(incident: &Incident, purpose: &PagePurpose) -> Option<Self> {
        let PagePurpose::Notice {
            about: SystemNotice::RequestOpened | SystemNotice::RequestChosen | SystemNotice::RequestEnded,
        } = purpose
        else {
            return None;
        };
        let (request, id) = incident.request.as_ref().zip(incident.request_id())?;
        let outcome = request.outcome();
        let state = outcome.map_or("open", RequestOutcome::state);
        let option = outcome.and_then(RequestOutcome::option).map(str::to_owned);
        Some(Self { id, state, option, answer: outcome.and_then(RequestOutcome::answer).cloned() })
    }
}
