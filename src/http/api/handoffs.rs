//! Handoffs as the machine reads them that hands over: how one stands, what its user may be told, and who would be there.

mod availability;

pub use availability::{Availability, AvailabilityQuery, availability, operation};

use crate::{
    core::{
        HandoffState, Incident, Timestamp, Zone,
        handoff::{OutOfHours, WordingVariant},
    },
    engine::RuntimeConfig,
    http::{handoff_estimate::HandoffEstimate, problem::ProblemDetails, state::AppState},
    template::{HandoffFacts, OpensAt},
};
use schemars::JsonSchema;
use serde::Serialize;

/// How a handoff stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HandoffView {
    /// Where it stands.
    state: HandoffState,
    /// Who speaks to the user now. The machine is silent while it is a person.
    owner: ConversationOwner,
    /// Who has the conversation, or had it at the end; none before a person has taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonOfHandoff>,
    /// Since when it stands so.
    since: Timestamp,
    /// When it ends unanswered, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// What the user may be told, in their language; none where there is nothing to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// How long it usually takes until somebody has it, while it waits; none where the data do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<HandoffEstimate>,
    /// Which of two wordings the message is, where two are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<WordingVariant>,
    /// When somebody is there again, if it came out of hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Timestamp>,
}

/// Who speaks to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConversationOwner {
    /// The machine.
    Machine,
    /// A person.
    Person,
}

/// Who has a conversation, as people call them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonOfHandoff {
    /// Their name.
    name: String,
    /// Their role.
    role: String,
}

/// How the handoff of an incident stands; `None` if it is none.
///
/// # Errors
/// The store can not be read.
pub async fn view(app: &AppState, incident: &Incident) -> Result<Option<HandoffView>, ProblemDetails> {
    let Some(request) = &incident.request else { return Ok(None) };
    let found = request.ask.handoff.as_ref().zip(request.handoff.as_ref()).zip(request.handoff_state());
    let Some(((terms, progress), state)) = found else { return Ok(None) };
    let live = app.engine.config();
    let role = incident.plan.required.first();
    let estimate = match role.filter(|_| state == HandoffState::Offered) {
        Some(role) => app.estimates.of(&app.engine, role).await?,
        None => None,
    };
    let person = progress.taken.as_ref().map(|taken| PersonOfHandoff {
        name: live.name_of(&taken.person).to_owned(),
        role: incident.plan.called(&taken.role).to_owned(),
    });
    let now = app.engine.time().civil;
    let facts = facts(&live, role.map(|role| incident.plan.called(role)), estimate, terms.closed, now);
    let facts = match &person {
        Some(PersonOfHandoff { name, role }) => {
            HandoffFacts { person: Some(name.clone()), role: role.clone(), ..facts }
        }
        None => facts,
    };
    Ok(Some(HandoffView {
        state,
        owner: if state.is_with_person() { ConversationOwner::Person } else { ConversationOwner::Machine },
        message: live.templates.handoff_text(&terms.locale, state, terms.variant, &facts),
        person,
        since: request.ended.as_ref().map_or(progress.since, |(_, at)| *at),
        until: request.deadline(),
        estimate,
        variant: terms.variant,
        opens_at: terms.closed.and_then(|closed| closed.opens_at),
    }))
}

/// What the texts for users are given.
fn facts(
    live: &RuntimeConfig,
    role: Option<&str>,
    estimate: Option<HandoffEstimate>,
    closed: Option<OutOfHours>,
    now: Timestamp,
) -> HandoffFacts {
    let zone = live.matrix.daemon.zone();
    HandoffFacts {
        role: role.unwrap_or_default().to_owned(),
        person: None,
        minutes: estimate.map(HandoffEstimate::minutes),
        out_of_hours: closed.is_some(),
        opens: closed.and_then(|closed| closed.opens_at).map(|at| opens(&zone, at, now)),
    }
}

fn opens(zone: &Zone, at: Timestamp, now: Timestamp) -> OpensAt {
    let wall = |at: Timestamp| at.to_utc().with_timezone(zone).naive_local();
    let (opens, now) = (wall(at), wall(now));
    OpensAt {
        time: opens.format("%H:%M").to_string(),
        date: opens.format("%Y-%m-%d").to_string(),
        in_days: (opens.date() - now.date()).num_days(),
    }
}
