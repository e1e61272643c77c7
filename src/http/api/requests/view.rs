//! A request as its asker reads it.

use crate::{
    core::{AskKind, Incident, IncidentId, PersonName, RequestId, RequestOutcome, Timestamp},
    http::problem::ProblemDetails,
};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// A request, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestView {
    /// Its id, which can not be guessed.
    #[schemars(with = "String")]
    id: RequestId,
    /// `open`, or how it ended: `decided`, `defaulted`, `expired`, `cancelled`.
    state: &'static str,
    /// The incident that asks people.
    incident: IncidentId,
    /// Whether it is part of a drill.
    drill: bool,
    /// What kind of answer it needs.
    #[serde(rename = "type")]
    kind: AskKind,
    /// The question.
    question: String,
    /// The options.
    options: Vec<OptionView>,
    /// The digest of the action and the facts that it is asked about.
    action_digest: String,
    /// How many different people must agree.
    approvals: u32,
    /// The option that takes effect at the deadline unless somebody decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// When it was accepted.
    asked_at: Timestamp,
    /// When it ends without a decision.
    deadline: Timestamp,
    /// Who is asked, role by role.
    roles: Vec<RoleAsked>,
    /// What people have chosen so far, in the order of their answers.
    choices: Vec<ChoiceView>,
    /// How it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OptionView {
    /// By what people name it in a text message.
    letter: char,
    /// Its name for the system that asks.
    name: String,
    /// Its label for people.
    label: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoleAsked {
    /// The id of the role in the matrix.
    role: String,
    /// Its name for people.
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChoiceView {
    /// Who.
    #[schemars(with = "String")]
    person: PersonName,
    /// The name of the option.
    option: String,
    /// By what the choice came.
    via: String,
    /// When.
    at: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutcomeView {
    /// The option that is to be done; none if it expired or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// Who decided, in the order of their answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    by: Vec<PersonName>,
    /// When it ended.
    at: Timestamp,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl RequestView {
    /// The request of an incident.
    ///
    /// # Errors
    /// `404` if the incident is no request.
    pub fn of(incident: &Incident) -> Result<Self, ProblemDetails> {
        let found = incident.request.as_ref().zip(incident.request_id());
        let (request, id) =
            found.ok_or_else(|| ProblemDetails::new(StatusCode::NOT_FOUND, "this incident is no request"))?;
        let ask = &request.ask;
        let option = |(letter, option): (char, &crate::core::AskOption)| OptionView {
            letter,
            name: option.name.clone(),
            label: option.label.clone(),
        };
        let mut choices: Vec<ChoiceView> = request.choices.iter().map(choice).collect();
        choices.sort_by_key(|choice| choice.at);
        let asked = |role: &crate::core::RoleName| RoleAsked {
            role: role.to_string(),
            name: incident.plan.called(role).to_owned(),
        };
        Ok(Self {
            id,
            state: request.outcome().map_or("open", RequestOutcome::state),
            incident: incident.id,
            drill: incident.drill,
            kind: ask.kind,
            question: ask.question.clone(),
            options: ask.lettered().map(option).collect(),
            action_digest: ask.action_digest.clone(),
            approvals: ask.approvals,
            default: ask.default.clone(),
            asked_at: incident.opened_at,
            deadline: ask.deadline,
            roles: incident.engagements.keys().map(asked).collect(),
            choices,
            outcome: request.ended.as_ref().map(|(outcome, at)| outcome_view(outcome, *at)),
        })
    }
}

fn choice((person, choice): (&PersonName, &crate::core::request::Choice)) -> ChoiceView {
    let (option, via) = (choice.option.clone(), choice.via.word().to_owned());
    ChoiceView { person: person.clone(), option, via, at: choice.at }
}

fn outcome_view(outcome: &RequestOutcome, at: Timestamp) -> OutcomeView {
    let by = match outcome {
        RequestOutcome::Decided { by, .. } => by.clone(),
        RequestOutcome::Defaulted { .. } | RequestOutcome::Expired | RequestOutcome::Cancelled { .. } => Vec::new(),
    };
    let reason = match outcome {
        RequestOutcome::Cancelled { why } => why.clone(),
        RequestOutcome::Decided { .. } | RequestOutcome::Defaulted { .. } | RequestOutcome::Expired => None,
    };
    OutcomeView { option: outcome.option().map(ToOwned::to_owned), by, at, reason }
}
