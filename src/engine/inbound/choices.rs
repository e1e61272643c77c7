//! Choices of people who are asked by a request, whichever way they come.

use crate::{
    core::{ChoiceVerdict, Event, GivenChoice, GivenForm, IncidentId, IncidentInput, NamedOption, PageId, PersonName},
    engine::{AnswerError, AnswerSource, inbound::InboundResponses},
    store::StoreError,
};

impl InboundResponses {
    /// Takes the choice of an authenticated person. The verdict is durable when this returns. A message that had chosen
    /// before is [`ChoiceVerdict::Repeated`] and changes nothing.
    pub async fn choose(&self, id: IncidentId, mut said: GivenChoice) -> Result<ChoiceVerdict, AnswerError> {
        let origin = said.origin.clone();
        said.doubt = self.doubt(id, &said.option).await?;
        self.chosen(id, IncidentInput::Choice(said), origin).await
    }

    /// Takes what an authenticated person filled in, as [`Self::choose`] takes a choice.
    pub async fn fill_in(&self, id: IncidentId, mut said: GivenForm) -> Result<ChoiceVerdict, AnswerError> {
        let incident = self.context.store.view(id).await?;
        let ask = incident.as_ref().and_then(|incident| Some(&incident.request.as_ref()?.ask));
        if let Some(option) = ask.and_then(|ask| ask.option_of(&said.answer)) {
            said.by.option = option;
        }
        said.by.doubt = self.doubt(id, &said.by.option).await?;
        let origin = said.by.origin.clone();
        self.chosen(id, IncidentInput::Form(said), origin).await
    }

    /// What contradicts this option. The facts of a request do not change: new ones make another request.
    async fn doubt(&self, id: IncidentId, option: &str) -> Result<Option<String>, StoreError> {
        let Some(incident) = self.context.store.view(id).await? else { return Ok(None) };
        Ok(self.context.config.load().matrix.doubt(&incident.trigger, &incident.alert, option))
    }

    async fn chosen(
        &self,
        id: IncidentId,
        input: IncidentInput,
        origin: Option<String>,
    ) -> Result<ChoiceVerdict, AnswerError> {
        let events = self.context.step(id, input).await?;
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
}
