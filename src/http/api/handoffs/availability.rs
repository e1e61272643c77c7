//! `GET /v1/availability`: who would be there, before a person is offered to a user. What can not be said for sure is said
//! as no.

use super::facts;
use crate::{
    core::{
        Alert, HandoffState, Incident, PersonName, RoleName, RolePlan, SourceName, Timestamp, TriggerName,
        handoff::OutOfHours,
    },
    engine::HandoffTrigger,
    http::{
        api::asker,
        handoff_estimate::HandoffEstimate,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many open requests are looked at.
pub const OPEN_MAX: usize = 1_000;

/// What would be handed over.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
pub struct AvailabilityQuery {
    /// The kind of the request.
    pub kind: String,
    /// Its labels, as JSON: `{"topic": "loan"}`.
    pub labels: Option<String>,
    /// Its values, as JSON: `{"amount": 1200.0}`.
    pub values: Option<String>,
    /// The language of the user; English without it.
    pub locale: Option<String>,
}

/// Who would be there.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Availability {
    /// Whether a person can be offered: somebody is on call, within the hours, and not full.
    available: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Unavailable>,
    /// The trigger that would take it.
    #[schemars(with = "String")]
    trigger: TriggerName,
    /// The role that would be asked.
    #[schemars(with = "String")]
    role: RoleName,
    /// What people call it.
    role_name: String,
    /// Whether somebody is there by the matrix's `hours`.
    within_hours: bool,
    /// When somebody is there again, out of hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Timestamp>,
    /// Who is on call for the role, in the order in which they are asked. Their names are not for the user.
    people: Vec<AvailablePerson>,
    /// How many of them have a desk open.
    desks_open: usize,
    /// How many conversations wait for this role.
    waiting: usize,
    /// Which one this would be.
    position: usize,
    /// How long it usually takes until somebody has it; none where the data do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<HandoffEstimate>,
    /// What the user may be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Why no person can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unavailable {
    /// It is out of hours.
    OutOfHours,
    /// Nobody is on call.
    NobodyOnCall,
    /// Everybody has as many conversations as they can have.
    EverybodyFull,
}

/// A person who is on call.
#[derive(Debug, Serialize, JsonSchema)]
struct AvailablePerson {
    /// Their id in the matrix.
    #[schemars(with = "String")]
    person: PersonName,
    /// Whether a desk of theirs is open.
    desk_open: bool,
    /// How many conversations they have.
    conversations: usize,
    /// How many they can have; none if the matrix does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<u32>,
}

impl AvailablePerson {
    fn is_free(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.conversations < capacity as usize)
    }
}

/// `GET /v1/availability` in the API's document.
pub fn operation() -> Operation {
    let details =
        "Ask before a person is offered to a user. Out of hours, and where nobody can take it, `available` is false.";
    Operation::get("getAvailability", get)
        .about("Who would take a conversation", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .query::<AvailabilityQuery>()
        .answer::<Availability>(StatusCode::OK, "Who would be there now.")
        .problem(StatusCode::BAD_REQUEST, "The query can not be read.")
        .problem(StatusCode::UNPROCESSABLE_ENTITY, "No trigger of the matrix takes handoffs of this kind.")
}

async fn get(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Query(query): Query<AvailabilityQuery>,
) -> Result<Json<Availability>, ProblemDetails> {
    let source = asker::asker(&app, &headers)?;
    availability(&app, &source, query).await.map(Json)
}

/// Who would take a conversation of this source now.
///
/// # Errors
/// `422` if no trigger takes handoffs of this kind, `503` if the store can not be read.
pub async fn availability(
    app: &AppState,
    source: &SourceName,
    query: AvailabilityQuery,
) -> Result<Availability, ProblemDetails> {
    let body = json!({
        "source": source, "kind": query.kind,
        "labels": read("labels", query.labels.as_deref())?, "values": read("values", query.values.as_deref())?,
    });
    let alert: Alert = serde_json::from_value(body).map_err(|error| ProblemDetails::bad(error.to_string()))?;
    let found = app.engine.admission().handoff_trigger(alert).await;
    let HandoffTrigger { trigger, plan, closed } = found.map_err(|fault| asker::refused(app, source, fault))?;
    let unknown = || ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, "the trigger has no role");
    let role = plan.required.first().cloned().ok_or_else(unknown)?;
    let open = app.engine.reads().open_requests(false, OPEN_MAX).await?;
    let capacity = plan.ask.as_ref().and_then(|rules| rules.handoff.as_ref()?.capacity);
    let people = people(app, plan.roles.get(&role), &open, capacity);
    let waits = |incident: &&Arc<Incident>| {
        let state = incident.request.as_ref().and_then(|request| request.handoff_state());
        state == Some(HandoffState::Offered) && incident.plan.required.first() == Some(&role)
    };
    let waiting = open.iter().filter(waits).count();
    let estimate = app.estimates.of(&app.engine, &role).await?;
    let why = why_not(&people, closed);
    let live = app.engine.config();
    let facts = facts(&live, Some(plan.called(&role)), estimate, closed, app.engine.time().civil);
    let state = if why.is_none() { HandoffState::Offered } else { HandoffState::Unanswered };
    let locale = query.locale.as_deref().unwrap_or("en");
    Ok(Availability {
        available: why.is_none(),
        why,
        role_name: plan.called(&role).to_owned(),
        trigger,
        role,
        within_hours: closed.is_none(),
        opens_at: closed.and_then(|closed| closed.opens_at),
        desks_open: people.iter().filter(|person| person.desk_open).count(),
        people,
        waiting,
        position: waiting + 1,
        estimate: estimate.filter(|_| why.is_none()),
        message: live.templates.handoff_text(locale, state, None, &facts),
    })
}

fn why_not(people: &[AvailablePerson], closed: Option<OutOfHours>) -> Option<Unavailable> {
    match people {
        _ if closed.is_some() => Some(Unavailable::OutOfHours),
        [] => Some(Unavailable::NobodyOnCall),
        people if !people.iter().any(AvailablePerson::is_free) => Some(Unavailable::EverybodyFull),
        _ => None,
    }
}

/// Everybody who is on call for a step of this role now.
fn people(
    app: &AppState,
    role: Option<&RolePlan>,
    open: &[Arc<Incident>],
    capacity: Option<u32>,
) -> Vec<AvailablePerson> {
    let (live, now) = (app.engine.config(), app.engine.time().civil);
    let mut busy: BTreeMap<&PersonName, usize> = BTreeMap::new();
    for incident in open {
        let progress = incident.request.as_ref().and_then(|request| request.handoff.as_ref());
        if let Some(taken) = progress.and_then(|progress| progress.taken.as_ref()) {
            *busy.entry(&taken.person).or_default() += 1;
        }
    }
    let steps = role.into_iter().flat_map(|role| &role.steps);
    let mut seen = BTreeSet::new();
    let on_call = steps.flat_map(|step| live.matrix.roster.resolve(&step.page, now));
    let on_call: Vec<PersonName> = on_call.filter(|person| seen.insert(person.clone())).collect();
    let person = |person: PersonName| AvailablePerson {
        desk_open: app.hub.is_connected(&person),
        conversations: busy.get(&person).copied().unwrap_or(0),
        capacity,
        person,
    };
    on_call.into_iter().map(person).collect()
}

/// A field of an alert, from the JSON of a query.
fn read(name: &str, text: Option<&str>) -> Result<Value, ProblemDetails> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(json!({})) };
    serde_json::from_str(text).map_err(|error| ProblemDetails::bad(format!("{name} is no JSON: {error}")))
}
