//! Forms that people fill in in a chat itself. What opens one is a button, and the same button proves what is sent: who
//! sends it is who the provider says, and the form says only which question it showed.

use super::press::{PressRefused, Pressed, not_kept};
use crate::{
    channel::{
        Channel,
        chat::{ChatButton, ChatForm, FilledForm, FormReply},
    },
    core::{ChoiceVerdict, Form, GivenChoice, Incident, PersonName, sentence::chosen},
    engine::{AnswerError, AnswerSource},
    http::{
        filled_form::{FormVerdict, filled, given, present, send},
        state::AppState,
    },
    template::action_of,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a provider may take to show a form. Slack waits three seconds for the press to be acknowledged, and what
/// goes wrong is told within them.
const OPEN_TIME_MAX: Duration = Duration::from_millis(1400);

/// What a person is told where the form is not shown.
const NOT_SHOWN: &str = "the form could not be shown here: open it by the link beside the button, or on your desk";

/// Shows a form to the person who pressed a button for it; an empty text if they see it.
pub(super) async fn open(
    app: &AppState,
    channel: &Arc<dyn Channel>,
    person: &PersonName,
    (button, opening): (&ChatButton, &str),
) -> Result<String, PressRefused> {
    let (incident, page) = asked(app, button).await?;
    if let Some(refusal) = refusal(&incident, page, person) {
        return Err(PressRefused::Word(worded(&incident, &chosen(&refusal))));
    }
    let form = shown(&incident, form_of(&incident)?, button.clone(), present(&incident));
    let why = match timeout(OPEN_TIME_MAX, channel.open_form(opening, &form)).await {
        Ok(Ok(())) => return Ok(String::new()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(incident = %incident.id, why, "a form could not be shown in a chat");
    Ok(worded(&incident, NOT_SHOWN))
}

/// Takes a form that was sent. Returns the text for the user, and what becomes of the form if it is not done with.
pub(super) async fn fill_in(
    app: &AppState,
    person: &PersonName,
    by: AnswerSource,
    sent: &FilledForm,
) -> Result<(String, Option<FormReply>), PressRefused> {
    let (incident, page) = asked(app, &sent.button).await?;
    let form = form_of(&incident)?;
    // Fields that do not fit are no news to whoever was not asked.
    if let Some(refusal) = refusal(&incident, page, person).filter(|_| incident.is_open()) {
        return Err(PressRefused::Word(worded(&incident, &chosen(&refusal))));
    }
    let AnswerSource { via, origin } = by;
    let repeated = sent.repeated.clone();
    let by = GivenChoice { digest: Some(sent.digest.clone()), origin, repeated, ..given(person, via, page) };
    let typed = |name: &str| sent.typed.get(name).cloned().unwrap_or_default();
    let verdict = match send(app, (&incident, form), by, typed).await {
        Ok(FormVerdict::Faults(faults)) => return Ok((String::new(), Some(FormReply::Faults(faults)))),
        Ok(FormVerdict::Judged(verdict)) => verdict,
        Err(AnswerError::NoIncident(_)) => return Err(gone()),
        Err(AnswerError::Store(error)) => return Err(not_kept(error)),
    };
    let told = worded(&incident, &chosen(&verdict));
    match verdict {
        // They may mean it, and type nothing again.
        ChoiceVerdict::Doubted { .. } | ChoiceVerdict::NotRepeated { .. } => {
            let again = shown(&incident, form, sent.button.clone(), sent.typed.clone());
            // Why it comes again, and what they say yes to.
            let about = format!("{told}\n{}", again.about);
            Ok((told, Some(FormReply::Again(Box::new(ChatForm { about, ..again })))))
        }
        ChoiceVerdict::Decides => {
            // The answer is committed, even if reading the incident fails.
            let now = app.engine.reads().view(incident.id).await.ok().flatten();
            let lines = now.iter().flat_map(|now| filled(now)).map(|field| field.line());
            Ok((std::iter::once(told).chain(lines).collect::<Vec<_>>().join("\n"), None))
        }
        _ => Ok((told, None)),
    }
}

/// The incident of a button that is ours, and the page if it is one's own.
async fn asked(app: &AppState, button: &ChatButton) -> Result<(Arc<Incident>, Option<u32>), PressRefused> {
    let (id, page) = Pressed::of(app, button).await?.place();
    let incident = app.engine.reads().view(id).await.map_err(not_kept)?.ok_or_else(gone)?;
    Ok((incident, page))
}

fn form_of(incident: &Incident) -> Result<&Form, PressRefused> {
    incident.fields().ok_or_else(|| PressRefused::Word(format!("{} has no form to fill in.", incident.id)))
}

/// Why this person can not answer it, in the words for an answer of theirs; `None` if they can.
fn refusal(incident: &Incident, page: Option<u32>, person: &PersonName) -> Option<ChoiceVerdict> {
    let request = incident.request.as_deref()?;
    let is_theirs = |n: u32| incident.pages.get(&n).is_some_and(|page| page.person.as_ref() == Some(person));
    match request.outcome() {
        Some(outcome) => Some(ChoiceVerdict::TooLate { outcome: outcome.clone() }),
        None if !incident.has_asked(person) || !page.is_none_or(is_theirs) => Some(ChoiceVerdict::NotAsked),
        None if !incident.has_asked_to_decide(person) => {
            Some(ChoiceVerdict::NotDecider { roles: incident.plan.deciders() })
        }
        None => None,
    }
}

fn shown(incident: &Incident, form: &Form, button: ChatButton, typed: BTreeMap<String, String>) -> ChatForm {
    let ask = incident.request.as_deref().map(|request| &request.ask);
    let question = ask.map(|ask| ask.question.clone());
    let action = action_of(incident).map(|action| action.line);
    ChatForm {
        drill: incident.drill,
        incident: incident.id,
        about: question.into_iter().chain(action).collect::<Vec<_>>().join("\n"),
        form: form.clone(),
        typed,
        button,
        digest: ask.map(|ask| ask.action_digest.clone()).unwrap_or_default(),
        edits: incident.takes_changes(),
        repeats: incident.repeats(),
    }
}

fn worded(incident: &Incident, words: &str) -> String {
    let drill = if incident.drill { "DRILL " } else { "" };
    format!("{drill}{}: {words}.", incident.id)
}

fn gone() -> PressRefused {
    PressRefused::Word("This incident is not there any more.".to_owned())
}
