//! Choices of people who are asked by a request, whichever way they come.

use crate::{
    core::{ChoiceVerdict, Event, GivenChoice, IncidentId, IncidentInput, NamedOption, PageId, PersonName},
    engine::{AnswerError, AnswerSource, inbound::InboundResponses},
    store::StoreError,
};

impl InboundResponses {
    /// Takes the choice of an authenticated person. The verdict is durable when this returns. A message that had chosen
    /// before is [`ChoiceVerdict::Repeated`] and changes nothing.
    pub async fn choose(&self, id: IncidentId, mut said: GivenChoice) -> Result<ChoiceVerdict, AnswerError> {
        let origin = said.origin.clone();
        // The facts of a request do not change: new ones make another request.
        if let Some(incident) = self.context.store.view(id).await? {
            said.doubt = self.context.config.load().matrix.doubt(&incident.trigger, &incident.alert, &said.option);
        }
        let events = self.context.step(id, IncidentInput::Choice(said)).await?;
        let verdict = events.into_iter().find_map(|happened| match happened.event {
            Event::Chosen { verdict, .. } => Some(verdict),
            _ => None,
        });
        match (verdict, origin) {
            (Some(verdict), _) => Ok(verdict),
            (None, Some(origin)) if self.has_heard(id, &origin).await? => Ok(ChoiceVerdict::Repeated),
            (None, _) => Err(AnswerError::NoIncident(id)),
        }
    }

    /// Takes an option that somebody chose on a page of their own.
    pub async fn choose_on_page(
        &self,
        page: PageId,
        person: &PersonName,
        said: NamedOption,
        by: impl Into<AnswerSource>,
    ) -> Result<ChoiceVerdict, AnswerError> {
        let AnswerSource { via, origin } = by.into();
        let said = GivenChoice { page: Some(page.n), origin, ..GivenChoice::new(person.clone(), said, via) };
        self.choose(page.incident, said).await
    }

    /// The option of this incident's request that a text names, if it does.
    pub async fn option_named(&self, id: IncidentId, text: &str) -> Result<Option<NamedOption>, StoreError> {
        let incident = self.context.store.view(id).await?;
        Ok(incident.as_ref().and_then(|incident| NamedOption::read(&incident.request.as_ref()?.ask, text)))
    }
}
