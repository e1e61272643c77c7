//! Runs commands that people of the matrix type in a chat.

use crate::{
    channel::chat::{ChatCommand, ChatEvent, TypedCommand},
    core::{
        Actor, AnswerVia, ChannelName, GivenAnswer, Incident, IncidentId, PersonName, RoleName, Timestamp,
        hidden::plain_line,
    },
    engine::{AnswerError, CALLS_MAX, ManualPage, ManualPageResult, RuntimeConfig},
    http::{
        answer_reply::answer_reply,
        api::view,
        desk::standing::verdict_text,
        problem::ProblemDetails,
        state::AppState,
        status::status,
        text_words::{after_no, asked_of_person, standing_choice},
    },
    store::{IncidentFilter, StoreError},
    text::reply::{ReplyDoubt, says_exercise},
};

/// The largest number of incidents that `list` shows; the others are counted.
const LIST_MAX: usize = 20;

/// The largest number of characters of a summary in `list`.
const SUMMARY_MAX: usize = 150;

/// Runs the command for this person; returns the text for them.
pub(super) async fn obey(
    app: &AppState,
    event: &ChatEvent,
    typed: &TypedCommand,
    (person, via): (PersonName, AnswerVia),
) -> Result<String, ProblemDetails> {
    let command = match &typed.command {
        Ok(command) => command.clone(),
        Err(why) => return Ok(why.clone()),
    };
    Ok(match command {
        ChatCommand::Help => event.words.help.clone(),
        ChatCommand::Status => status(app).await?,
        ChatCommand::List => list(app).await?,
        ChatCommand::Answer { incident, answer: said, is_no, role } => {
            let unable = format!("{} answer {incident} unable", typed.name);
            let hand_back = format!("To hand it back: {unable}");
            match app.engine.reads().view(incident).await {
                Ok(Some(seen)) if is_no && asked_of_person(&seen, &person).is_some() => {
                    let chosen = standing_choice(&seen, &person);
                    let what = if chosen.is_some() { "take it back" } else { "pass it on" };
                    format!("{incident}: {}: choose on its page, or {what}: {unable}", after_no(chosen))
                }
                Ok(Some(seen)) if !seen.drill && says_exercise(&event.text) => {
                    format!("{incident}: {}", ReplyDoubt::Live)
                }
                _ => {
                    let said = GivenAnswer { person, answer: said, via, page: None, role, origin: None };
                    answer(app, incident, said, &hand_back).await?
                }
            }
        }
        ChatCommand::Page { role, words, drill } => {
            let call = ManualPage {
                id: typed.id.clone().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>())),
                by: person,
                role,
                words,
                drill,
                place: typed.place.clone(),
                received_at: app.engine.now(),
            };
            page(app, call).await?
        }
        ChatCommand::Resolve { incident, reason } => resolve(app, person, incident, reason).await?,
    })
}

async fn list(app: &AppState) -> Result<String, StoreError> {
    let open = app.engine.reads().list(IncidentFilter { open_only: true, limit: LIST_MAX }).await?;
    if open.is_empty() {
        return Ok("No incident is open.".to_owned());
    }
    let (live, now) = (app.engine.config(), app.engine.now());
    let mut lines: Vec<String> = open.iter().map(|incident| line(&live, incident, now)).collect();
    let more = app.engine.reads().open_count().await?.saturating_sub(open.len());
    if 0 < more {
        lines.push(format!("… and {more} older ones"));
    }
    Ok(lines.join("\n"))
}

fn line(live: &RuntimeConfig, incident: &Incident, now: Timestamp) -> String {
    let stamp = if incident.drill { "DRILL" } else { "LIVE" };
    let summary: String = plain_line(incident.about()).chars().take(SUMMARY_MAX).collect();
    let seen = view::without_pages(live, incident, now);
    let roles: Vec<String> = seen.roles.iter().map(role).collect();
    let sandbox = seen.sandbox.map_or(String::new(), |sandbox| format!(". {sandbox}"));
    format!("{stamp} {} {summary} ({}){sandbox}", incident.id, roles.join("; "))
}

fn role(seen: &view::RoleView) -> String {
    format!("{}: {}", seen.called(), seen.says)
}

async fn answer(
    app: &AppState,
    incident: IncidentId,
    said: GivenAnswer,
    hand_back: &str,
) -> Result<String, StoreError> {
    let person = said.person.clone();
    match app.engine.inbound().answer(incident, said).await {
        Ok(verdict) => {
            // The answer is committed, even if reading the incident fails.
            let seen = app.engine.reads().view(incident).await.ok().flatten();
            let word = verdict_text(&app.engine.config(), seen.as_deref(), &person, verdict, hand_back);
            Ok(answer_reply(incident, seen.as_deref(), &word, false))
        }
        Err(AnswerError::NoIncident(id)) => Ok(absent(id)),
        Err(AnswerError::Store(error)) => Err(error),
    }
}

async fn page(app: &AppState, call: ManualPage) -> Result<String, StoreError> {
    let (id, live, drill) = (call.role.clone(), app.engine.config(), call.drill);
    let role = live.matrix.roles.get(&id).map_or(id.as_str(), |row| row.called(&id));
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
            let roles: Vec<&str> = live.matrix.roles.keys().map(RoleName::as_str).collect();
            format!("Nobody was called: there is no role {role:?}. There are: {}", roles.join(", "))
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
