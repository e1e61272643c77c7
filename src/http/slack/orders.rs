//! Runs slash commands for people of the matrix; the response is private.

use crate::{
    channel::{
        inbound::SlashCommand,
        slack::{self, command::SlashRequest, escape},
    },
    core::{Actor, Answer, ChannelName, GivenAnswer, Incident, IncidentId, PersonName, RoleName},
    engine::{AnswerError, CALLS_MAX, ManualPage, ManualPageResult, RuntimeConfig},
    http::{api::view, desk::standing::verdict_text, press::NOT_KEPT, state::AppState, status::status},
    store::{IncidentFilter, StoreError},
    text::reply::{ReplyDoubt, says_exercise},
};

/// The largest number of incidents that `list` shows; the others are counted.
const LIST_MAX: usize = 20;

/// The largest number of characters of a summary in `list`.
const SUMMARY_MAX: usize = 150;

/// Runs the command and returns the result in Slack's markup.
pub(super) async fn obey(app: &AppState, command: &SlashCommand, person: PersonName) -> String {
    let order = match command.order() {
        Ok(order) => order,
        Err(why) => return escape(&why),
    };
    let said = match order {
        SlashRequest::Help => return command.help(),
        SlashRequest::Status => status(app).await,
        SlashRequest::List => list(app).await,
        SlashRequest::Answer { incident, answer: said, role } => {
            let hand_back = format!("To hand it back: {} answer {incident} unable", command.name);
            match app.engine.reads().view(incident).await {
                Ok(Some(seen)) if !seen.drill && says_exercise(&command.text) => {
                    Ok(format!("{incident}: {}", ReplyDoubt::Live))
                }
                _ => answer(app, person, incident, (said, role), &hand_back).await,
            }
        }
        SlashRequest::Page { role, words, drill } => {
            let call = ManualPage {
                id: command.trigger_id.clone().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>())),
                by: person,
                role,
                words,
                drill,
                place: command.channel.clone(),
                received_at: app.engine.now(),
            };
            page(app, call).await
        }
        SlashRequest::Resolve { incident, reason } => resolve(app, person, incident, reason).await,
    };
    escape(&said.unwrap_or_else(|error| {
        tracing::error!(%error, "a Slack command failed");
        NOT_KEPT.to_owned()
    }))
}

async fn list(app: &AppState) -> Result<String, StoreError> {
    let open = app.engine.reads().list(IncidentFilter { open_only: true, limit: LIST_MAX }).await?;
    if open.is_empty() {
        return Ok("No incident is open.".to_owned());
    }
    let live = app.engine.config();
    let mut lines: Vec<String> = open.iter().map(|incident| line(&live, incident)).collect();
    let more = app.engine.reads().open_count().await?.saturating_sub(open.len());
    if 0 < more {
        lines.push(format!("… and {more} older ones"));
    }
    Ok(lines.join("\n"))
}

fn line(live: &RuntimeConfig, incident: &Incident) -> String {
    let stamp = if incident.drill { "DRILL" } else { "LIVE" };
    let summary: String = incident.summary.chars().filter(|c| !c.is_control()).take(SUMMARY_MAX).collect();
    let seen = view::without_pages(live, incident);
    let roles: Vec<String> = seen.roles.iter().map(role).collect();
    let sandbox = seen.sandbox.map_or(String::new(), |sandbox| format!(". {sandbox}"));
    format!("{stamp} {} {summary} ({}){sandbox}", incident.id, roles.join("; "))
}

fn role(seen: &view::RoleView) -> String {
    match (&seen.holder, seen.state.as_str()) {
        (Some(holder), _) => format!("{}: {holder} has it", seen.role),
        (None, state) => match seen.handed_back.last().filter(|_| seen.is_open()) {
            Some(back) => format!("{}: {state}, {} handed it back", seen.role, back.person),
            None => format!("{}: {state}", seen.role),
        },
    }
}

async fn answer(
    app: &AppState,
    person: PersonName,
    incident: IncidentId,
    (answer, role): (Answer, Option<RoleName>),
    hand_back: &str,
) -> Result<String, StoreError> {
    let said = GivenAnswer { person: person.clone(), answer, via: slack::ANSWERS, page: None, role, origin: None };
    match app.engine.inbound().answer(incident, said).await {
        Ok(verdict) => {
            // The answer is committed, even if reading the incident fails.
            let seen = app.engine.reads().view(incident).await.ok().flatten();
            let word = verdict_text(&app.engine.config(), seen.as_deref(), &person, verdict, hand_back);
            Ok(format!("{incident}: {word}"))
        }
        Err(AnswerError::NoIncident(id)) => Ok(absent(id)),
        Err(AnswerError::Store(error)) => Err(error),
    }
}

async fn page(app: &AppState, call: ManualPage) -> Result<String, StoreError> {
    let (role, drill) = (call.role.clone(), call.drill);
    let stamp = if drill { "DRILL" } else { "LIVE" };
    Ok(match app.engine.admission().page_by_hand(call).await? {
        ManualPageResult::Opened(id) => format!("{stamp} {id} is open: {role} is being called{}.", sandboxed(app)),
        ManualPageResult::Again => "That was done before.".to_owned(),
        ManualPageResult::DrillRefused(live) => {
            format!("Nobody was called: {live} is live, and no drill begins beside it.")
        }
        ManualPageResult::TooMany => {
            format!("Nobody was called: that would be more than {CALLS_MAX} calls of yours in ten minutes.")
        }
        ManualPageResult::NoSuchRole => {
            let live = app.engine.config();
            let roles: Vec<&str> = live.matrix.roles.keys().map(RoleName::as_str).collect();
            format!("Nobody was called: there is no role {:?}. There are: {}", role.as_str(), roles.join(", "))
        }
    })
}

async fn resolve(
    app: &AppState,
    person: PersonName,
    id: IncidentId,
    reason: Option<String>,
) -> Result<String, StoreError> {
    if app.engine.reads().view(id).await?.is_none() {
        return Ok(absent(id));
    }
    let was_open = app.engine.inbound().resolve_because(id, Actor::Person(person), reason).await?;
    Ok(if was_open { format!("{id} is resolved.") } else { format!("{id} was resolved before.") })
}

/// The channels that the sandbox replaces, so that they reach nobody.
fn sandboxed(app: &AppState) -> String {
    let live = app.engine.config();
    let channels: Vec<&str> = live.sandboxed().into_keys().map(ChannelName::as_str).collect();
    if channels.is_empty() { String::new() } else { format!(" (SANDBOX: nobody by {})", channels.join(", ")) }
}

fn absent(id: IncidentId) -> String {
    format!("There is no incident {id}.")
}
