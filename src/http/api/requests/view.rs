//! A request as its asker reads it.

use crate::{
    core::{
        Ask, AskKind, Form, FormAnswer, HandoffResult, Incident, IncidentId, PersonName, RequestId, RequestOutcome,
        Timestamp,
        action_edit::{ActionChange, ActionEdit, EditedAction, changed},
        request::Supersedes,
    },
    http::{api::handoffs::HandoffView, problem::ProblemDetails},
};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A request, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestView {
    /// Its id, which cannot be guessed.
    #[schemars(with = "String")]
    id: RequestId,
    /// `open`, or how it ended: `decided`, `defaulted`, `expired`, `cancelled`, `superseded`; a handoff `completed`,
    /// `returned`, `unanswered`, `cancelled`.
    state: &'static str,
    /// The incident that pages people for it.
    incident: IncidentId,
    /// Whether it is an exercise: then nothing may be done for it.
    drill: bool,
    /// What kind of answer it needs.
    #[serde(rename = "type")]
    kind: AskKind,
    /// The question, in one line.
    question: String,
    /// The options, in the order of their letters; nothing for a handoff.
    options: Vec<OptionView>,
    /// The JSON Schema of the answer, if it is a form: as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    form: Option<Form>,
    /// What the one who approves may change of the action, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    edit: Option<ActionEdit>,
    /// The SHA-256 of what people are asked about.
    action_digest: String,
    /// How many different people must agree.
    approvals: u32,
    /// The fact that people repeat with an option, as the matrix names it: `labels.desk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_back: Option<String>,
    /// The option that takes effect at the deadline unless somebody decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// When it was asked.
    asked_at: Timestamp,
    /// When it ends without a decision; of a handoff, see `until` there.
    deadline: Timestamp,
    /// The request in whose place it is asked, because the facts changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<SupersedesView>,
    /// Who is asked, role by role.
    roles: Vec<RoleAsked>,
    /// What people have chosen so far, in the order of their answers.
    choices: Vec<ChoiceView>,
    /// How it ended; left out while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeView>,
    /// How it stands with the conversation, if it is a handoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handoff: Option<HandoffView>,
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
    /// The role's id in the matrix.
    role: String,
    /// What people call it.
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChoiceView {
    /// Who.
    #[schemars(with = "String")]
    person: PersonName,
    /// The option's name; of a form its one choice, else `answer`.
    option: String,
    /// By what: `desk`, `sms`, `mail-link`, ..
    via: String,
    /// When.
    at: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SupersedesView {
    /// The request that was asked before.
    #[schemars(with = "String")]
    request: RequestId,
    /// What changed, in one line.
    changed: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutcomeView {
    /// The option that is to be done; none if it expired or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// What was filled in, if it is a form: values by the names of their fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<FormAnswer>,
    /// What was changed, if it was approved with changes; then `action` is to be done in place of the one that was asked about.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    edited: Option<EditedView>,
    /// Who decided, in the order of their answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    by: Vec<PersonName>,
    /// When it ended.
    at: Timestamp,
    /// Why it was cancelled, given back or unanswered, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The request that is asked in its place, because the facts changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    superseded_by: Option<RequestId>,
    /// What changed, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    /// How a person finished the conversation.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    result: Option<HandoffResult>,
}

/// The action of an approval with changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EditedView {
    /// The whole action, as it was approved.
    action: Value,
    /// The SHA-256 of it, as if it had been asked about.
    action_digest: String,
    /// What was changed of it.
    changes: Vec<ActionChange>,
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
            form: ask.form.clone(),
            edit: ask.edit.clone(),
            action_digest: ask.action_digest.clone(),
            approvals: ask.approvals,
            read_back: ask.read_back.as_ref().map(|fact| fact.field.to_string()),
            default: ask.default.clone(),
            asked_at: incident.opened_at,
            deadline: ask.deadline,
            supersedes: ask.supersedes.as_ref().map(supersedes),
            roles: incident.engagements.keys().map(asked).collect(),
            choices,
            outcome: request.ended.as_ref().map(|(outcome, at)| outcome_view(ask, outcome, *at)),
            handoff: None,
        })
    }
}

impl EditedView {
    fn of(ask: &Ask, edited: &EditedAction) -> Self {
        let EditedAction { changes, action_digest } = edited.clone();
        Self { action: changed(&ask.action, &changes), action_digest, changes }
    }
}

fn choice((person, choice): (&PersonName, &crate::core::request::Choice)) -> ChoiceView {
    let (option, via) = (choice.option.clone(), choice.via.word().to_owned());
    ChoiceView { person: person.clone(), option, via, at: choice.at }
}

fn supersedes(before: &Supersedes) -> SupersedesView {
    SupersedesView { request: before.request, changed: before.changed.clone() }
}

fn outcome_view(ask: &Ask, outcome: &RequestOutcome, at: Timestamp) -> OutcomeView {
    let option = outcome.option().map(ToOwned::to_owned);
    let answer = outcome.answer().cloned();
    let plain = OutcomeView {
        option,
        answer,
        edited: outcome.edited().map(|edited| EditedView::of(ask, edited)),
        by: Vec::new(),
        at,
        reason: None,
        superseded_by: None,
        changed: None,
        result: None,
    };
    match outcome {
        RequestOutcome::Decided { by, .. } => OutcomeView { by: by.clone(), ..plain },
        RequestOutcome::Cancelled { why } => OutcomeView { reason: why.clone(), ..plain },
        RequestOutcome::Superseded { by, changed } => {
            OutcomeView { superseded_by: Some(*by), changed: Some(changed.clone()), ..plain }
        }
        RequestOutcome::Completed { by, result } => {
            OutcomeView { by: vec![by.clone()], result: Some(result.clone()), ..plain }
        }
        RequestOutcome::Returned { by, note } => OutcomeView { by: vec![by.clone()], reason: note.clone(), ..plain },
        RequestOutcome::Unanswered { out_of_hours: true } => {
            OutcomeView { reason: Some("out of hours".to_owned()), ..plain }
        }
        RequestOutcome::Unanswered { .. } | RequestOutcome::Defaulted { .. } | RequestOutcome::Expired => plain,
    }
}
