//! The one function that judges what Slack hands in, whichever way it came.

use super::orders;
use crate::{
    channel::slack::{
        blocks::room_mark,
        command::Command,
        escape,
        inbound::{Inbound, Judged},
        interaction::Press,
    },
    core::{Answer, IncidentId, PageId, PersonName, Said, Verdict, Via},
    engine::AnswerError,
    http::{App, standing::told},
    store::StoreError,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a command may take before its user is told that it takes longer; Slack waits three seconds for everything.
const ORDER_TIME_MAX: Duration = Duration::from_millis(2500);

/// Said to those whom the matrix does not know.
const STRANGER: &str = "The matrix knows nobody with your Slack account: ask for it to be added.";

/// Said when nothing could be kept.
pub(super) const NOT_KEPT: &str =
    "This could not be kept: try it again, and answer by the desk, the mail's link or SMS meanwhile.";

/// Said to what is no human.
const NO_HUMAN: &str = "Only humans answer here.";

/// Judges it. What is said in it is durable when this returns, where `kept` says so.
pub(super) async fn judge(app: &App, heard: Inbound) -> Judged {
    match heard {
        Inbound::Press(press) => {
            let (kept, text) = match answer(app, &press).await {
                Ok(text) => (true, text),
                Err(Refused::Word(word)) => (true, word),
                Err(Refused::NotKept) => (false, NOT_KEPT.to_owned()),
            };
            Judged { kept, text: escape(&text), response_url: press.response_url }
        }
        Inbound::Command(command) => obey(app, command).await,
        Inbound::Other => Judged::silent(),
    }
}

async fn obey(app: &App, command: Command) -> Judged {
    let response_url = command.response_url.clone();
    let live = app.engine.live.load_full();
    let text = match live.person_of_slack(&command.user) {
        _ if command.is_bot => escape(NO_HUMAN),
        None => escape(STRANGER),
        Some(person) => {
            let late = "This takes longer than Slack waits: list will show what came of it.";
            let obeyed = timeout(ORDER_TIME_MAX, orders::obey(app, &command, person)).await;
            obeyed.unwrap_or_else(|_| escape(late))
        }
    };
    // A command is always answered with its text: Slack shows nothing of a refusal but that there was one.
    Judged { kept: true, text, response_url }
}

enum Refused {
    Word(String),
    NotKept,
}

async fn answer(app: &App, press: &Press) -> Result<String, Refused> {
    if press.is_bot {
        return Err(Refused::Word(NO_HUMAN.into()));
    }
    let answer: Answer = press.action.parse().map_err(|error| Refused::Word(format!("{error}")))?;
    let live = app.engine.live.load_full();
    let Some(person) = live.person_of_slack(&press.user) else {
        return Err(Refused::Word(STRANGER.into()));
    };
    let (target, key) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
    let (incident, result) = if let Some(mark) = room_mark(key) {
        let incident: IncidentId = target.parse().map_err(Refused::Word)?;
        // A card of before a restored backup names another incident by the same number.
        if app.engine.store.identity(incident).await.map_err(not_kept)?.is_some() {
            ours(app.engine.is_mark(incident, mark).await)?;
        }
        let said = Said { person: person.clone(), answer, via: Via::Slack, page: None, role: None };
        (incident, app.engine.answer(incident, said).await)
    } else {
        by_page(app, target, key, person.clone(), answer).await?
    };
    let verdict = result.map_err(|error| match error {
        AnswerError::NoIncident(id) => Refused::Word(format!("There is no incident {id} any more.")),
        AnswerError::Store(error) => not_kept(error),
    })?;
    // It is kept, whether or not more can be said about it.
    let incident = app.engine.store.view(incident).await.ok().flatten();
    Ok(told(&live, incident.as_deref(), &person, verdict, ""))
}

fn not_kept(error: StoreError) -> Refused {
    tracing::error!(%error, "an answer by Slack could not be kept");
    Refused::NotKept
}

fn ours(is_ours: Result<bool, StoreError>) -> Result<(), Refused> {
    if is_ours.map_err(not_kept)? { Ok(()) } else { Err(Refused::Word("This button is not one of ours.".into())) }
}

/// A button of a direct message: the page must be this person's own, whoever saw the button.
async fn by_page(
    app: &App,
    page: &str,
    code: &str,
    person: PersonName,
    answer: Answer,
) -> Result<(IncidentId, Result<Verdict, AnswerError>), Refused> {
    let page: PageId = page.parse().map_err(|()| Refused::Word("This button is not one of ours.".into()))?;
    ours(app.engine.is_code(page, code).await)?;
    Ok((page.incident, app.engine.answer_page(page, person, Some(answer), Via::Slack).await))
}
