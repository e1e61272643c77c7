//! Handles a button that is pressed in a chat: of a person's own page, which the code in it proves, or of a room's card.

use crate::{
    channel::{chat::ChatButton, option_button::PressedOption},
    core::{
        Answer, AnswerVerdict, ChoiceVerdict, GivenAnswer, GivenChoice, IncidentId, NamedOption, PageId, PersonName,
        sentence::chosen,
    },
    engine::{AnswerError, AnswerSource},
    http::{answer_reply::answer_reply, desk::standing::verdict_text, state::AppState},
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

/// What a button that is ours belongs to.
pub(super) enum Pressed {
    /// A page.
    Page(PageId),
    /// The card of this incident.
    Card(IncidentId),
}

impl Pressed {
    /// Checks that the button is one of ours.
    pub(super) async fn of(app: &AppState, button: &ChatButton) -> Result<Self, PressRefused> {
        let (page, code) = match button {
            ChatButton::Page { page, code } => (page, code),
            ChatButton::Card { incident, mark } => {
                let incident: IncidentId = incident.parse().map_err(PressRefused::Word)?;
                // After a backup was restored, an older card may name another incident by the same number.
                if app.engine.reads().identity(incident).await.map_err(not_kept)?.is_some() {
                    ours(app.engine.inbound().is_mark(incident, mark).await)?;
                }
                return Ok(Self::Card(incident));
            }
        };
        let page: PageId = page.parse().map_err(|()| PressRefused::Word("This button is not one of ours.".into()))?;
        ours(app.engine.inbound().is_code(page, code).await)?;
        Ok(Self::Page(page))
    }

    /// The incident, and the page if it is one's own.
    pub(super) fn place(&self) -> (IncidentId, Option<u32>) {
        match self {
            Self::Page(page) => (page.incident, Some(page.n)),
            Self::Card(incident) => (*incident, None),
        }
    }

    /// Takes an answer. A page must be this person's own, because others may see its button.
    pub(super) async fn answer(
        self,
        app: &AppState,
        person: PersonName,
        answer: Answer,
        by: AnswerSource,
    ) -> (IncidentId, Result<AnswerVerdict, AnswerError>) {
        match self {
            Self::Page(page) => (page.incident, app.engine.inbound().answer_page(page, person, Some(answer), by).await),
            Self::Card(incident) => {
                let AnswerSource { via, origin } = by;
                let said = GivenAnswer { person, answer, via, page: None, role: None, origin };
                (incident, app.engine.inbound().answer(incident, said).await)
            }
        }
    }

    /// Takes an option of a request; returns the text for the user.
    pub(super) async fn choose(
        self,
        app: &AppState,
        person: PersonName,
        pressed: PressedOption,
        by: AnswerSource,
    ) -> Result<String, PressRefused> {
        let (incident, page) = self.place();
        let seen = app.engine.reads().view(incident).await.map_err(not_kept)?;
        let ask = seen.as_ref().and_then(|incident| Some(&incident.request.as_ref()?.ask));
        let option = ask.and_then(|ask| ask.with_letter(pressed.letter)).map(|option| option.name.clone());
        let option = option.ok_or_else(|| PressRefused::Word(format!("{incident} has no such option.")))?;
        let AnswerSource { via, origin } = by;
        let said = GivenChoice {
            page,
            digest: pressed.digest,
            origin,
            ..GivenChoice::new(person, NamedOption { option, repeated: None }, via)
        };
        match app.engine.inbound().choose(incident, said).await {
            // The buttons of a card from before have no place to type it.
            Ok(verdict @ ChoiceVerdict::NotRepeated { .. }) => Ok(format!(
                "{incident}: {}, on the desk, by the link of a mail or by a text message.",
                chosen(&verdict)
            )),
            Ok(verdict) => Ok(format!("{incident}: {}.", chosen(&verdict))),
            Err(AnswerError::NoIncident(id)) => Err(PressRefused::Word(format!("There is no incident {id} any more."))),
            Err(AnswerError::Store(error)) => Err(not_kept(error)),
        }
    }
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
    let seen = app.engine.reads().view(incident).await.ok().flatten();
    let words = verdict_text(&app.engine.config(), seen.as_deref(), person, verdict, "");
    Ok(answer_reply(incident, seen.as_deref(), &words, false))
}

/// Refuses a button that is not ours.
fn ours(is_ours: Result<bool, StoreError>) -> Result<(), PressRefused> {
    if is_ours.map_err(not_kept)? { Ok(()) } else { Err(PressRefused::Word("This button is not one of ours.".into())) }
}

/// Logs the store's error.
pub(super) fn not_kept(error: StoreError) -> PressRefused {
    tracing::error!(%error, "an answer by a button could not be stored");
    PressRefused::NotKept
}
