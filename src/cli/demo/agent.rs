//! `stentor demo agent`: a scripted AI agent asks people over MCP before it acts: one denies, two approve, nobody answers.
//! The real daemon on loopback, in the sandbox, with the matrix of `examples/agent`.

mod client;
mod scenes;

use super::{cast::DemoCast, screen::DemoScreen};
use crate::{
    cli::{error::CliError, load},
    core::{Incident, IncidentId, Page, PersonName},
    journal::{self, JournalReport},
};
use client::AgentClient;
use scenes::{SCENES, Scene, SceneAnswer};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The source that the agent is.
pub const SOURCE: &str = "agent";

/// How long people who are played wait before they answer: to read along, and for the viewer to be faster.
const READING: Duration = Duration::from_secs(1);
const ATTENDED_READING: Duration = Duration::from_secs(12);

/// How long a page of a scene may take to go out.
const PAGE_TIME_MAX: Duration = Duration::from_secs(20);

/// The matrix of the example.
pub fn matrix() -> load::LoadedMatrix {
    const FILES: [(&str, &str); 1] = [("matrix.toml", include_str!("../../../examples/agent/matrix.toml"))];
    load::embedded("examples/agent", &FILES, load::now())
}

/// Plays every scene; returns whether each came out as it must and the journal verifies.
pub async fn play(cast: DemoCast) -> Result<bool, CliError> {
    let screen = DemoScreen::new();
    let agent = AgentClient::new(&cast);
    begin(&cast, &screen, &agent).await?;
    let mut as_it_must = true;
    for scene in &SCENES {
        as_it_must &= played(&cast, &screen, &agent, scene).await?;
    }
    let report = verified(&cast).await?;
    let word = if report.is_sound() { "consistent in itself" } else { "NOT SOUND" };
    screen.say(&format!("Journal: {} lines in {} chains, verified: {word}", report.lines, report.chains));
    screen.say("What next: give your agent these tools, see docs/src/agents.md.");
    Ok(as_it_must && report.is_sound())
}

async fn begin(cast: &DemoCast, screen: &DemoScreen, agent: &AgentClient) -> Result<(), CliError> {
    screen.say(&screen.bold("An AI agent that asks people before it acts, on the real daemon, in the sandbox"));
    screen.say(&format!(
        "It calls {}/mcp. Nothing leaves this machine: {}/outbox shows what people would get.",
        cast.base, cast.base
    ));
    screen.say(&format!("The agent is offered: {}.", agent.tools().await?.join(", ")));
    if cast.attended {
        let desk = cast.desk_link(&PersonName::from("dana"));
        screen.say(&format!("Be faster than the script, and decide yourself as Dana: {desk}"));
    }
    screen.say("");
    Ok(())
}

/// Plays one scene: the agent asks and waits, while people answer.
async fn played(cast: &DemoCast, screen: &DemoScreen, agent: &AgentClient, scene: &Scene) -> Result<bool, CliError> {
    screen.say(&screen.bold(scene.title));
    screen.say(&format!("  agent:  ask_human {}", scene.question));
    let mut changes = cast.app.engine.changes();
    let people = async {
        let id = loop {
            let id = changes.recv().await?;
            let incident = cast.app.engine.reads().view(id).await?;
            if incident.is_some_and(|incident| incident.alert.kind == scene.kind && incident.request.is_some()) {
                break id;
            }
        };
        for answer in scene.answers {
            answered(cast, screen, id, answer).await?;
        }
        Ok::<_, CliError>(())
    };
    let (result, answered) = tokio::join!(agent.outcome(scene.arguments()), people);
    answered?;
    let result = result?;
    let is_right = shown(screen, scene, &result);
    let claims = agent.receipt(result["id"].as_str().unwrap_or_default()).await?;
    let same = |claim: &str, field: &str| claims[claim] == result[field];
    let is_same = [("request", "id"), ("action_digest", "action_digest"), ("state", "state"), ("option", "option")]
        .iter()
        .all(|(claim, field)| same(claim, field));
    let word = if is_same { "signed, and says the same" } else { "SAYS SOMETHING ELSE" };
    screen.say(&screen.dim(&format!("          its receipt: {word}")));
    screen.say("");
    Ok(is_right && is_same)
}

/// Lets one person answer by SMS, unless somebody was faster.
async fn answered(cast: &DemoCast, screen: &DemoScreen, id: IncidentId, answer: &SceneAnswer) -> Result<(), CliError> {
    let paged = async {
        loop {
            let incident = cast.app.engine.reads().view(id).await?.ok_or("the incident is gone")?;
            if let Some(page) = page_of(&incident, answer.person).filter(|page| cast.has_code(&incident, page)) {
                let page = page.clone();
                return Ok::<_, CliError>((incident, page));
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let (incident, page) = timeout(PAGE_TIME_MAX, paged).await.map_err(|_| "nobody was paged")??;
    sleep(if cast.attended { ATTENDED_READING } else { READING }).await;
    let told = cast.by_sms(&incident, &page, Some(answer.letter)).await?;
    let name = cast.name(&PersonName::from(answer.person));
    screen.say(&format!("  {name}, by SMS: CODE {}", answer.letter));
    screen.say(&screen.dim(&format!("          {told}")));
    Ok(())
}

fn page_of<'i>(incident: &'i Incident, person: &str) -> Option<&'i Page> {
    let person = PersonName::from(person);
    let mut pages = incident.pages.values().map(|page| &**page);
    pages.find(|page| page.person.as_ref() == Some(&person) && page.channel.as_str() == "sms")
}

/// Shows what the agent got; returns whether it is what must come out.
fn shown(screen: &DemoScreen, scene: &Scene, result: &Value) -> bool {
    let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    let by: Vec<&str> = result["by"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let who = if by.is_empty() { String::new() } else { format!(" by {}", by.join(" and ")) };
    screen.say(&format!("  agent:  {} {}{who}", text("state"), screen.bold(&text("option"))));
    let is_right = result["state"] == scene.state && result["option"] == scene.option && by == scene.by;
    let then = if result["option"] == "approve" { scene.done } else { "it does nothing" };
    screen.say(&format!("          {}", if is_right { then } else { "THIS IS NOT WHAT MUST COME OUT" }));
    is_right
}

async fn verified(cast: &DemoCast) -> Result<JournalReport, CliError> {
    cast.app.engine.tick_anchor().await?;
    let lines = cast.app.engine.reads().lines(None, 0, 100_000).await?;
    Ok(journal::verify(lines, journal::KeptAnchors::default()))
}
