//! A button of a person's own page, pressed in a chat: the code that it holds proves its page.

use crate::{
    core::{Answer, AnswerVerdict, IncidentId, PageId, PersonName},
    engine::{AnswerError, AnswerSource},
    http::{desk::standing::told, state::AppState},
    store::StoreError,
};

/// Said when nothing could be kept.
pub(super) const NOT_KEPT: &str =
    "This could not be kept: try it again, and answer by the desk, the mail's link or SMS meanwhile.";

/// Said to what is no human.
pub(super) const NO_HUMAN: &str = "Only humans answer here.";

/// Why a press gave no answer.
pub(super) enum PressRefused {
    /// For a reason that its presser is told.
    Word(String),
    /// The store could not keep it.
    NotKept,
}

/// A button that names a page: the page must be this person's own, whoever saw the button.
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

/// What came of it, in words for its presser.
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
    // It is kept, whether or not more can be said about it.
    let incident = app.engine.reads().view(incident).await.ok().flatten();
    Ok(told(&app.engine.config(), incident.as_deref(), person, verdict, ""))
}

/// Refuses a button that is none of ours.
pub(super) fn ours(is_ours: Result<bool, StoreError>) -> Result<(), PressRefused> {
    if is_ours.map_err(not_kept)? { Ok(()) } else { Err(PressRefused::Word("This button is not one of ours.".into())) }
}

/// The store's trouble is for the log.
pub(super) fn not_kept(error: StoreError) -> PressRefused {
    tracing::error!(%error, "an answer by a button could not be kept");
    PressRefused::NotKept
}
