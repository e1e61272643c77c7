//! Forms: the first answer that fits, of a person who was asked, decides. Who may answer, and what is too late, is as for a
//! choice. An approval of a changed action is filled in like a form.

use super::Decider;
use crate::core::{
    action_edit::EditedAction,
    canonical::CanonicalError,
    form_answer::FormAnswer,
    given_choice::{GivenChoice, GivenForm},
    request::{APPROVE, Ask},
    request_facts::edited,
};

impl Decider<'_> {
    /// Takes what somebody filled in.
    pub(super) fn fill_in(&mut self, said: GivenForm) {
        let GivenForm { by, answer } = said;
        let option = self.request().and_then(|request| request.ask.option_of(&answer));
        self.decide(GivenChoice { option: option.unwrap_or(by.option), ..by }, Some(answer));
    }

    /// What a choice fills in, if the request is a form and one choice is all.
    pub(super) fn answer_of(&self, option: &str) -> Option<FormAnswer> {
        self.request()?.ask.form.as_ref()?.chosen(option)
    }

    /// The action as somebody who approves it has changed it; `None` if they changed nothing.
    ///
    /// # Errors
    /// What they make of it has no digest.
    pub(super) fn edited(&self, filled: Option<&FormAnswer>) -> Result<Option<EditedAction>, CanonicalError> {
        let ask = self.request().map(|request| &request.ask);
        let edit = ask.and_then(|ask| Some((ask, ask.edit.as_ref()?)));
        let Some(((ask, edit), filled)) = edit.zip(filled) else { return Ok(None) };
        if edit.form().fits(filled) { edited(ask, edit, filled, &self.incident.alert) } else { Ok(None) }
    }
}

/// Whether this is an answer to what is asked. What was filled in must fit: nobody else has looked before.
pub(super) fn takes(ask: &Ask, option: &str, filled: Option<&FormAnswer>) -> bool {
    match (&ask.form, &ask.edit, filled) {
        (None, _, None) => ask.option(option).is_some(),
        (Some(form), _, Some(answer)) => form.fits(answer),
        (None, Some(edit), Some(changed)) => option == APPROVE && edit.form().fits(changed),
        (None, None, Some(_)) | (Some(_), _, None) => false,
    }
}
