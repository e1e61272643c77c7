//! Handles a button of a person's own page that is pressed in a chat: the code in it proves its page.

use crate::{
    core::{Answer, AnswerVerdict, IncidentId, PageId, PersonName},
    engine::{AnswerError, AnswerSource},
    http::{desk::standing::verdict_text, state::AppState},
    store::StoreError,
};

/// The response if the store failed.
pub(super) const NOT_KEPT: &str = "This could not be stored: try again, or answer by the desk, the mail's link or SMS.";

/// The response to bots.
pub(super) const NO_HUMAN: &str = "Only humans answer here.";

/// Why a press did not become an answer.
pub(super) enum PressRefused {
    /// For a reason that the user is told.
    Word(String),
    /// The store could not keep it.
    NotKept,
}

/// Handles a button that names a page: the page must be this person's own, because others may see the button.
pub(super) async fn by_page(
    app: &AppState,
    (page, code): (&str, &str),
    person: PersonName,
    answer: Answer,
    by: impl Into<AnswerSource>,
) -> Result<(IncidentId, Result<AnswerVerdict, AnswerError>), PressRefused> {
    let page: PageId = page.parse().map_err(|()| PressRefused::Word("This button is not one of ours.".into()))?;
    ours(app.engine.inbound().is_code(page, code).await)?;
    Ok((page.incident, app.engine.inbound().answer_page(page, person, Some(answer), by).await))
}

/// The result as a text for the user.
pub(super) async fn verdict_words(
    app: &AppState,
    incident: IncidentId,
    person: &PersonName,
    result: Result<AnswerVerdict, AnswerError>,
) -> Result<String, PressRefused> {
    let verdict = result.map_err(|error| match error {
        AnswerError::NoIncident(id) => PressRefused::Word(format!("There is no incident {id} any more.")),
        AnswerError::Store(error) => not_kept(error),
    })?;
    // The answer is committed, even if reading the incident fails.
    let incident = app.engine.reads().view(incident).await.ok().flatten();
    Ok(verdict_text(&app.engine.config(), incident.as_deref(), person, verdict, ""))
}

/// Refuses a button that is not ours.
pub(super) fn ours(is_ours: Result<bool, StoreError>) -> Result<(), PressRefused> {
    if is_ours.map_err(not_kept)? { Ok(()) } else { Err(PressRefused::Word("This button is not one of ours.".into())) }
}

/// Logs the store's error.
pub(super) fn not_kept(error: StoreError) -> PressRefused {
    tracing::error!(%error, "an answer by a button could not be stored");
    PressRefused::NotKept
}
